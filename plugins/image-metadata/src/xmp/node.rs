//! The tree of a packet: properties with values, items, fields and qualifiers.

use std::collections::{HashMap, HashSet};

use super::language::LANG;

/// What is wrong with a packet is said nowhere; it is not read.
pub(super) type Read<T> = Option<T>;

/// The name of an item of an array.
pub(super) const ITEM: &str = "[]";
const TYPE: &str = "rdf:type";

/// A property, an item, a field or a qualifier.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// `prefix:name`, or [`ITEM`].
    pub(super) name: String,
    /// None for what was only made to hold other nodes.
    pub(super) value: Option<String>,
    /// Items of an array, fields of a struct.
    pub(super) children: Vec<Node>,
    pub(super) qualifiers: Vec<Node>,
    pub(super) is_struct: bool,
    pub(super) is_array: bool,
    /// An array whose items are alternatives.
    pub(super) is_alternative: bool,
    /// An alternative by language.
    pub(super) is_alt_text: bool,
    /// Whether it is written under an old name.
    pub(super) is_alias: bool,
    /// Whether its first child is its value, and the others qualify that.
    pub(super) has_value_child: bool,
    names: HashSet<String>,
}

impl Node {
    pub(super) fn new(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: Some(value.to_owned()), ..Self::default() }
    }

    /// Adds a child, unless there is one of this name already.
    pub(super) fn add(&mut self, child: Node) -> Read<&mut Node> {
        self.claim(&child)?;
        self.children.push(child);
        self.children.last_mut()
    }

    /// Adds a child before the others.
    pub(super) fn add_first(&mut self, child: Node) -> Read<&mut Node> {
        self.claim(&child)?;
        self.children.insert(0, child);
        self.children.first_mut()
    }

    fn claim(&mut self, child: &Node) -> Read<()> {
        (child.name == ITEM || self.names.insert(child.name.clone())).then_some(())
    }

    /// Adds a qualifier: the language is the first one, and the type the next.
    pub(super) fn qualify(&mut self, qualifier: Node) -> Read<()> {
        if self.qualifiers.iter().any(|there| there.name == qualifier.name) {
            return None;
        }
        let place = match qualifier.name.as_str() {
            LANG => 0,
            TYPE => usize::from(self.language().is_some()),
            _ => self.qualifiers.len(),
        };
        self.qualifiers.insert(place, qualifier);
        Some(())
    }

    pub(super) fn language(&self) -> Option<&str> {
        let first = self.qualifiers.first().filter(|first| first.name == LANG)?;
        Some(first.value.as_deref().unwrap_or_default())
    }

    pub(super) fn set_language(&mut self, language: &str) {
        self.qualifiers.insert(0, Node::new(LANG, language));
    }

    pub(super) fn child(&mut self, name: &str) -> Option<&mut Node> {
        self.children.iter_mut().find(|child| child.name == name)
    }

    pub(super) fn is_simple(&self) -> bool {
        !self.is_struct && !self.is_array
    }

    /// An array with this as its only item.
    pub(super) fn into_array(mut self) -> Self {
        let name = std::mem::replace(&mut self.name, ITEM.to_owned());
        Self { name, is_array: true, children: vec![self], ..Self::default() }
    }
}

/// The properties of a packet by their namespaces, in the order in which these were met.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// What the packet is about.
    pub(super) about: String,
    /// By prefix; the children are the properties.
    pub(super) schemas: Vec<Node>,
    places: HashMap<String, usize>,
}

impl Tree {
    /// The properties of a prefix.
    pub(super) fn schema(&mut self, prefix: &str) -> &mut Node {
        let place = *self.places.entry(prefix.to_owned()).or_insert_with(|| {
            self.schemas.push(Node::new(prefix, ""));
            self.schemas.len() - 1
        });
        &mut self.schemas[place]
    }
}
