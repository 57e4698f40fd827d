//! The XML of a packet, and the RDF in it.

use roxmltree::{Document, Node, ParsingOptions};

use super::{cost, repair};
use crate::text::utf16;

pub(super) const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
/// How many nodes the XML of a packet may have.
const NODES: u32 = 2_000_000;

/// Parses a packet and hands the first `rdf:RDF` in it over. A packet without one is empty: `read` gets none.
pub(super) fn parse<T>(packet: &[u8], read: impl Fn(Option<Node>) -> Option<T>) -> Option<T> {
    if let Some(text) = decoded(packet)
        && let Some(document) = document(&text)
    {
        return read(rdf(&document));
    }
    let text = repair::repaired(packet);
    document(&text).and_then(|document| read(rdf(&document)))
}

/// The text of a packet; none if it is not what its beginning says.
fn decoded(packet: &[u8]) -> Option<String> {
    match packet {
        [0xEF, 0xBB, 0xBF, text @ ..] => String::from_utf8(text.to_vec()).ok(),
        [0xFE, 0xFF, text @ ..] => Some(utf16(text, u16::from_be_bytes)),
        [0xFF, 0xFE, text @ ..] => Some(utf16(text, u16::from_le_bytes)),
        text => String::from_utf8(text.to_vec()).ok(),
    }
}

fn document(text: &str) -> Option<Document<'_>> {
    if !cost::is_bounded(text) {
        return None;
    }
    let options = ParsingOptions { nodes_limit: NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).ok().filter(are_instructions_named)
}

/// Whether a blank follows the name of each processing instruction, which the parser does not look at.
fn are_instructions_named(document: &Document) -> bool {
    let is_named = |node: Node| {
        let name = node.pi().map_or(0, |instruction| instruction.target.len());
        let after = document.input_text().get(node.range().start + "<?".len() + name..);
        after.is_none_or(|after| after.starts_with([' ', '\t', '\r', '\n', '?']))
    };
    document.descendants().filter(Node::is_pi).all(is_named)
}

/// The first `rdf:RDF` of a document, at any depth.
fn rdf<'a, 'input>(document: &'a Document<'input>) -> Option<Node<'a, 'input>> {
    document.descendants().find(|node| node.is_element() && node.tag_name() == (RDF, "RDF").into())
}
