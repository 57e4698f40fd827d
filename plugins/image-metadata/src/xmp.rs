//! XMP: packets of RDF, normalised as Adobe's XMP Core does it, listed as paths, and folded into JSON.

mod aliases;
mod cost;
mod extension;
mod flat;
mod fold;
mod language;
mod namespaces;
mod node;
mod normalise;
mod packet;
mod rdf;
mod registry;
mod repair;

pub(crate) use {
    extension::{Extension, guid as extension},
    flat::join,
};
pub use {
    flat::Flat,
    fold::{Json, fold},
};

/// Reads a packet as the paths of its simple values; none if it cannot be parsed.
///
/// A packet is whole or not at all. A property that is written twice, text between properties, or a name without a
/// namespace makes it unreadable.
#[must_use]
pub fn flat(packet: &[u8]) -> Option<Flat> {
    packet::parse(packet, |root| {
        let mut tree = rdf::read(root)?;
        normalise::normalise(&mut tree)?;
        Flat::of(&tree)
    })
}
