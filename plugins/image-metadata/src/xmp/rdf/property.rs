//! The forms in which a property is written.

use roxmltree::{Attribute, Node as Xml};

use super::{
    Place, add, properties, resource,
    term::{Term, attributes, is_blank, is_plain_text, name, prefix, written},
};
use crate::xmp::{
    language::{self, LANG},
    node::{Node, Read},
    packet::RDF,
    registry::Registry,
};

/// An element with more attributes has no content.
const ATTRIBUTES: usize = 3;

/// Reads an element that is a property, by its attributes and its content.
pub(super) fn read(element: Xml, place: Place, registry: &mut Registry) -> Read<()> {
    if !Term::of_element(element).is_property() {
        return None;
    }
    let attributes = attributes(element);
    if attributes.len() > ATTRIBUTES {
        return empty(element, &attributes, place, registry);
    }
    let deciding = attributes.iter().find(|attribute| !is_language(element, attribute));
    let mut content = element.children().filter(|child| !child.is_comment());
    match deciding.map(|attribute| (term(element, attribute), attribute.value())) {
        Some((Term::Datatype, _)) => literal(element, &attributes, place, registry),
        Some((Term::ParseType, "Resource")) => fields(element, &attributes, place, registry),
        Some((Term::ParseType, _)) => None,
        Some(_) => empty(element, &attributes, place, registry),
        None if !content.all(is_plain_text) => nested(element, &attributes, place, registry),
        None if element.children().any(|child| child.is_text()) => literal(element, &attributes, place, registry),
        None => empty(element, &attributes, place, registry),
    }
}

/// The meaning of an attribute of a property, which needs the namespace of RDF.
fn term(element: Xml, attribute: &Attribute) -> Term {
    if attribute.namespace() == Some(RDF) { Term::of_attribute(element, attribute) } else { Term::Other }
}

fn is_language(element: Xml, attribute: &Attribute) -> bool {
    written(element, attribute.range_qname()) == LANG
}

fn add_element<'a>(element: Xml, place: Place<'a>, value: &str, registry: &mut Registry) -> Read<&'a mut Node> {
    let tag = element.tag_name();
    add(place, (tag.namespace(), prefix(element, name(element)), tag.name()), value, registry)
}

fn add_language(node: &mut Node, attribute: &Attribute) -> Read<()> {
    node.qualify(Node::new(LANG, &language::normalised(attribute.value())))
}

/// Qualifies a property by its language, if it has one. The other attributes must be of these words.
fn qualify(node: &mut Node, element: Xml, attributes: &[Attribute], allowed: &[Term]) -> Read<()> {
    for attribute in attributes {
        if is_language(element, attribute) {
            add_language(node, attribute)?;
        } else if !allowed.contains(&term(element, attribute)) {
            return None;
        }
    }
    Some(())
}

/// A property with a text.
fn literal(element: Xml, attributes: &[Attribute], place: Place, registry: &mut Registry) -> Read<()> {
    let content = || element.children().filter(|child| !child.is_comment());
    if !content().all(is_plain_text) {
        return None;
    }
    let text: String = content().filter_map(|child| child.text()).collect();
    let node = add_element(element, place, &text, registry)?;
    qualify(node, element, attributes, &[Term::Id, Term::Datatype])
}

/// A property whose elements are fields.
fn fields(element: Xml, attributes: &[Attribute], place: Place, registry: &mut Registry) -> Read<()> {
    let node = add_element(element, place, "", registry)?;
    node.is_struct = true;
    qualify(node, element, attributes, &[Term::Id, Term::ParseType])?;
    properties(element, Place::Inner(node), registry)?;
    if node.has_value_child { qualified(node) } else { Some(()) }
}

/// A property with an element in it: an array, or a struct, which may have a type.
fn nested(element: Xml, attributes: &[Attribute], place: Place, registry: &mut Registry) -> Read<()> {
    if matches!(place, Place::Top(_)) && written(element, name(element)) == "iX:changes" {
        return Some(());
    }
    let node = add_element(element, place, "", registry)?;
    qualify(node, element, attributes, &[Term::Id])?;
    let mut content = element.children().filter(|child| !is_blank(*child) && !child.is_comment());
    let child = content.next().filter(Xml::is_element)?;
    if content.next().is_some() {
        return None;
    }
    let (is_rdf, local) = (child.tag_name().namespace() == Some(RDF), child.tag_name().name());
    node.is_array = is_rdf && matches!(local, "Bag" | "Seq" | "Alt");
    node.is_alternative = is_rdf && local == "Alt";
    node.is_struct = !node.is_array;
    if node.is_struct && !is_rdf && local != "Description" {
        let kind = format!("{}:{local}", child.tag_name().namespace()?);
        node.qualify(Node::new("rdf:type", &kind))?;
    }
    resource(child, Place::Inner(node), registry)?;
    if node.has_value_child {
        return qualified(node);
    }
    if node.is_alternative {
        language::default_first(node);
    }
    Some(())
}

/// A property without content: a resource, a value, or fields as attributes.
fn empty(element: Xml, attributes: &[Attribute], place: Place, registry: &mut Registry) -> Read<()> {
    if element.children().any(|child| !child.is_comment()) {
        return None;
    }
    let known = [Term::Id, Term::Resource, Term::NodeId, Term::Other];
    let is = |wanted: Term| move |attribute: &&Attribute| term(element, attribute) == wanted;
    let is_value = |attribute: &&Attribute| attribute.namespace() == Some(RDF) && attribute.name() == "value";
    let value = attributes.iter().find(is_value);
    let resource = attributes.iter().find(is(Term::Resource));
    let has_id = attributes.iter().any(|attribute| is(Term::NodeId)(&attribute));
    let are_known = attributes.iter().all(|attribute| known.contains(&term(element, attribute)));
    if !are_known || resource.is_some() && (value.is_some() || has_id) {
        return None;
    }
    let text = value.or(resource);
    let others: Vec<_> = attributes.iter().filter(is(Term::Other)).filter(|attribute| !is_value(attribute)).collect();
    let node = add_element(element, place, text.map_or("", |text| text.value()), registry)?;
    node.is_struct = text.is_none() && others.iter().any(|attribute| !is_language(element, attribute));
    for attribute in others {
        if is_language(element, attribute) {
            add_language(node, attribute)?;
        } else if node.is_struct {
            let name = (attribute.namespace(), prefix(element, attribute.range_qname()), attribute.name());
            add(Place::Inner(node), name, attribute.value(), registry)?;
        } else {
            node.qualify(Node::new(written(element, attribute.range_qname()), attribute.value()))?;
        }
    }
    Some(())
}

/// Makes a struct with a value that value, and its other fields the qualifiers.
fn qualified(node: &mut Node) -> Read<()> {
    let mut fields = std::mem::take(&mut node.children).into_iter();
    let value = fields.next()?;
    value.qualifiers.into_iter().try_for_each(|qualifier| node.qualify(qualifier))?;
    fields.try_for_each(|field| node.qualify(field))?;
    node.has_value_child = false;
    node.is_struct = value.is_struct;
    node.is_array = value.is_array;
    node.is_alternative = value.is_alternative;
    node.is_alt_text = value.is_alt_text;
    node.value = value.value;
    node.children = value.children;
    Some(())
}
