//! RDF as XMP uses it: from XML to the tree of a packet.
//!
//! What XMP does not use, or uses differently, makes a packet unreadable.

mod property;
mod term;

use roxmltree::Node as Xml;

use super::{
    aliases,
    node::{ITEM, Node, Read, Tree},
    registry::Registry,
};
use term::{Term, attributes, is_blank, prefix};

/// Longer lists of what a picture was made from are cut.
const ANCESTORS: (&str, usize) = ("photoshop:DocumentAncestors", 1001);

/// Where properties are added.
enum Place<'a> {
    Top(&'a mut Tree),
    Inner(&'a mut Node),
}

impl Place<'_> {
    fn reborrow(&mut self) -> Place<'_> {
        match self {
            Place::Top(tree) => Place::Top(tree),
            Place::Inner(node) => Place::Inner(node),
        }
    }
}

/// Reads what stands in `rdf:RDF`.
pub(super) fn read(rdf: Option<Xml>) -> Read<Tree> {
    let mut tree = Tree::default();
    let Some(rdf) = rdf else { return Some(tree) };
    // The library wants the element to have attributes, and a declaration of a namespace is one.
    if !declares(rdf) && rdf.attributes().len() == 0 {
        return None;
    }
    let mut registry = Registry::new();
    for child in rdf.children().filter(|child| !is_blank(*child) && !child.is_comment()) {
        let term = Some(child).filter(Xml::is_element).map(Term::of_element)?;
        if term != Term::Description {
            return None;
        }
        resource(child, Place::Top(&mut tree), &mut registry)?;
    }
    if let Some(ancestors) = tree.schema("photoshop").child(ANCESTORS.0) {
        ancestors.children.truncate(ANCESTORS.1);
    }
    Some(tree)
}

/// Whether an element declares a namespace itself.
fn declares(element: Xml) -> bool {
    let around = element.parent().map_or(0, |parent| parent.namespaces().len());
    let tag = element.document().input_text().get(element.range().start..).unwrap_or_default();
    element.namespaces().len() != around || tag.split('>').next().is_some_and(|tag| tag.contains("xmlns"))
}

/// A resource: an element whose attributes and elements are properties.
fn resource(element: Xml, mut place: Place, registry: &mut Registry) -> Read<()> {
    if !matches!(Term::of_element(element), Term::Description | Term::Other) {
        return None;
    }
    let mut subjects = 0;
    for attribute in attributes(element) {
        match Term::of_attribute(element, &attribute) {
            term @ (Term::Id | Term::NodeId | Term::About) => {
                subjects += 1;
                if subjects > 1 {
                    return None;
                }
                if let (Term::About, Place::Top(tree)) = (term, &mut place) {
                    if !tree.about.is_empty() && tree.about != attribute.value() {
                        return None;
                    }
                    attribute.value().clone_into(&mut tree.about);
                }
            }
            Term::Other => {
                let written = prefix(element, attribute.range_qname());
                let name = (attribute.namespace(), written, attribute.name());
                add(place.reborrow(), name, attribute.value(), registry)?;
            }
            _ => return None,
        }
    }
    properties(element, place, registry)
}

/// The elements of a resource, each of which is a property.
fn properties(element: Xml, mut place: Place, registry: &mut Registry) -> Read<()> {
    for child in element.children().filter(|child| !is_blank(*child) && !child.is_comment()) {
        let child = Some(child).filter(Xml::is_element)?;
        property::read(child, place.reborrow(), registry)?;
    }
    Some(())
}

/// Namespace, prefix as written, and local name.
type Name<'a> = (Option<&'a str>, &'a str, &'a str);

/// Adds a property. At the top, it belongs to its namespace.
fn add<'a>(place: Place<'a>, (uri, written, local): Name, value: &str, registry: &mut Registry) -> Read<&'a mut Node> {
    let prefix = registry.prefix(uri, written)?;
    let mut child = Node::new(&format!("{prefix}:{local}"), value);
    let is_value = child.name == "rdf:value";
    let is_item = child.name == "rdf:li";
    match place {
        Place::Top(_) if is_item || is_value => None,
        Place::Top(tree) => {
            child.is_alias = aliases::alias(&child.name).is_some();
            tree.schema(&prefix).add(child)
        }
        Place::Inner(parent) => {
            if is_item != parent.is_array || is_value && !parent.is_struct {
                return None;
            }
            if is_item {
                ITEM.clone_into(&mut child.name);
            }
            if is_value {
                parent.has_value_child = true;
                return parent.add_first(child);
            }
            parent.add(child)
        }
    }
}
