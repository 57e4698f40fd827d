//! Prefixes of namespaces. The known ones have fixed prefixes; others keep that of the packet.

use std::collections::HashMap;

use super::{namespaces::KNOWN, node::Read};

const OLD_DUBLIN_CORE: &str = "http://purl.org/dc/1.1/";
const DUBLIN_CORE: &str = "http://purl.org/dc/elements/1.1/";
/// The prefix of the default namespace.
const WITHOUT: &str = "_dflt";

/// The prefixes of one packet.
pub(super) struct Registry {
    prefixes: HashMap<String, String>,
    /// How many namespaces there were that wanted a prefix.
    wanted: HashMap<String, usize>,
}

impl Registry {
    pub(super) fn new() -> Self {
        Self {
            prefixes: KNOWN.iter().map(|(uri, prefix)| ((*uri).to_owned(), (*prefix).to_owned())).collect(),
            wanted: KNOWN.iter().map(|(_, prefix)| ((*prefix).to_owned(), 1)).collect(),
        }
    }

    /// The prefix of a namespace that has this one in the packet. One that is taken gets a number.
    pub(super) fn prefix(&mut self, namespace: Option<&str>, written: &str) -> Read<String> {
        let namespace = match namespace? {
            OLD_DUBLIN_CORE => DUBLIN_CORE,
            namespace => namespace,
        };
        if let Some(prefix) = self.prefixes.get(namespace) {
            return Some(prefix.clone());
        }
        let written = if written.is_empty() { WITHOUT } else { written };
        let mut prefix = written.to_owned();
        while let Some(count) = self.wanted.get(&prefix).copied() {
            // The name with a number may be one that the packet uses as well.
            let next = self.wanted.entry(written.to_owned()).or_insert(count);
            prefix = format!("{written}_{next}_");
            *next += 1;
        }
        self.wanted.insert(prefix.clone(), 1);
        self.prefixes.insert(namespace.to_owned(), prefix.clone());
        Some(prefix)
    }
}
