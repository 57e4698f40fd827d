//! The words of RDF, and how names are written.

use std::ops::Range;

use roxmltree::{Attribute, Node as Xml};

use crate::xmp::packet::RDF;

/// What a name means in RDF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Term {
    Rdf,
    Id,
    About,
    ParseType,
    Resource,
    NodeId,
    Datatype,
    Description,
    Item,
    /// Words of earlier versions of RDF.
    Old,
    /// Everything else, also other names in the namespace of RDF.
    Other,
}

impl Term {
    pub(super) fn of_element(element: Xml) -> Self {
        Self::of(element.tag_name().namespace(), element.tag_name().name())
    }

    /// The meaning of an attribute. `about` and `ID` of an element of RDF need no namespace.
    pub(super) fn of_attribute(element: Xml, attribute: &Attribute) -> Self {
        let is_of_rdf = element.tag_name().namespace() == Some(RDF);
        match attribute.namespace() {
            None if is_of_rdf && matches!(attribute.name(), "about" | "ID") => Self::of(Some(RDF), attribute.name()),
            namespace => Self::of(namespace, attribute.name()),
        }
    }

    fn of(namespace: Option<&str>, name: &str) -> Self {
        if namespace != Some(RDF) {
            return Self::Other;
        }
        match name {
            "RDF" => Self::Rdf,
            "ID" => Self::Id,
            "about" => Self::About,
            "parseType" => Self::ParseType,
            "resource" => Self::Resource,
            "nodeID" => Self::NodeId,
            "datatype" => Self::Datatype,
            "Description" => Self::Description,
            "li" => Self::Item,
            "aboutEach" | "aboutEachPrefix" | "bagID" => Self::Old,
            _ => Self::Other,
        }
    }

    /// Whether an element of this name can be a property.
    pub(super) fn is_property(self) -> bool {
        matches!(self, Self::Item | Self::Other)
    }
}

/// The attributes of an element in the order of their names, as Java's documents have them.
pub(super) fn attributes<'a, 'input>(element: Xml<'a, 'input>) -> Vec<Attribute<'a, 'input>> {
    let mut attributes: Vec<_> = element.attributes().collect();
    attributes.sort_by_key(|attribute| written(element, attribute.range_qname()));
    attributes
}

/// A part of the packet as it is written.
pub(super) fn written<'a>(node: Xml<'a, '_>, range: Range<usize>) -> &'a str {
    node.document().input_text().get(range).unwrap_or_default()
}

/// The prefix of a name; empty if it has none.
pub(super) fn prefix<'a>(node: Xml<'a, '_>, range: Range<usize>) -> &'a str {
    written(node, range).split_once(':').map_or("", |(prefix, _)| prefix)
}

/// Where the name of an element is written.
pub(super) fn name(element: Xml) -> Range<usize> {
    let begin = element.range().start + 1;
    let rest = written(element, begin..element.range().end);
    let length = rest.find(|end: char| end.is_whitespace() || matches!(end, '>' | '/')).unwrap_or(rest.len());
    begin..begin + length
}

/// Whether a node is white space between elements.
pub(super) fn is_blank(node: Xml) -> bool {
    is_plain_text(node) && node.text().unwrap_or_default().chars().all(char::is_whitespace)
}

/// Whether a node is a text without a CDATA section, which is a node of another kind to Adobe's library.
pub(super) fn is_plain_text(node: Xml) -> bool {
    let begin = node.range().start;
    let end = match (node.next_sibling(), node.parent()) {
        (Some(next), _) => next.range().start,
        (None, Some(parent)) => parent.range().end,
        (None, None) => begin,
    };
    node.is_text() && !written(node, begin..end).contains("<![CDATA[")
}
