//! A borrowed view of JSON text: one pass notes where each value lies, and nothing is copied.
//!
//! Texts keep their escapes until somebody asks for them without, and numbers keep their digits. Does not
//! convert numbers, does not write, and does not know what an attribute means.

mod parse;
mod text;

pub use text::Text;

use crate::Invalid;

/// JSON text, parsed.
#[derive(Debug)]
pub struct Json<'a> {
    text: &'a str,
    nodes: Vec<Node>,
}

/// Where one value lies in the text. The nodes of what a list or a map contains follow its own; in a map the
/// name and the value of a member take turns.
#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    start: u32,
    end: u32,
    /// The node after this value and everything in it.
    next: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Null,
    False,
    True,
    Number,
    Text,
    EscapedText,
    List,
    Map,
}

impl<'a> Json<'a> {
    /// Parses JSON text, such as the body of an item.
    ///
    /// *Errors*: the text is not JSON, or is nested deeper than a record may be.
    pub fn parse(text: &'a str) -> Result<Self, Invalid> {
        Ok(Self { text, nodes: parse::nodes(text)? })
    }

    /// The whole text as a map, which every item is.
    ///
    /// *Errors*: it is something else.
    pub fn map(&'a self) -> Result<Map<'a>, Invalid> {
        match self.value() {
            Value::Map(map) => Ok(map),
            _ => Err(Invalid::new("the item is not a map")),
        }
    }

    /// The whole text as a value.
    pub fn value(&'a self) -> Value<'a> {
        self.at(0)
    }

    fn at(&'a self, index: usize) -> Value<'a> {
        let Some(node) = self.nodes.get(index) else { return Value::Null };
        match node.kind {
            Kind::Null => Value::Null,
            Kind::False => Value::Boolean(false),
            Kind::True => Value::Boolean(true),
            Kind::Number => Value::Number(self.slice(node.start, node.end)),
            Kind::Text | Kind::EscapedText => Value::Text(self.text_of(node)),
            Kind::List => Value::List(List(Inside { json: self, at: index })),
            Kind::Map => Value::Map(Map(Inside { json: self, at: index })),
        }
    }

    fn slice(&self, start: u32, end: u32) -> &'a str {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    fn text_of(&self, node: &Node) -> Text<'a> {
        Text::from_json(self.slice(node.start + 1, node.end - 1), node.kind == Kind::EscapedText)
    }

    /// Compares lengths first, which decides nearly always.
    fn is_text(&self, node: &Node, text: &str) -> bool {
        let quotes = 2;
        let could_be = node.kind == Kind::EscapedText || (node.end - node.start) as usize == text.len() + quotes;
        could_be && self.text_of(node) == *text
    }
}

/// One JSON value.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number, with its digits as they stand in the text.
    Number(&'a str),
    /// A text.
    Text(Text<'a>),
    /// A list; a set of the source is a sorted list.
    List(List<'a>),
    /// A map.
    Map(Map<'a>),
}

impl<'a> Value<'a> {
    /// The text of a scalar: a text as it is, a number with its digits, a boolean as `true` or `false`.
    pub fn scalar(self) -> Option<Text<'a>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(digits) => Some(Text::from_json(digits, false)),
            Self::Boolean(true) => Some(Text::from_json("true", false)),
            Self::Boolean(false) => Some(Text::from_json("false", false)),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }
}

/// The values of a list, in order.
#[derive(Debug, Clone, Copy)]
pub struct List<'a>(Inside<'a>);

impl<'a> List<'a> {
    /// Each value in turn.
    pub fn values(self) -> impl Iterator<Item = Value<'a>> {
        self.0.positions(0).map(move |at| self.0.json.at(at))
    }

    /// The list as JSON text.
    pub fn as_json(self) -> &'a str {
        self.0.as_json()
    }
}

/// The members of a map.
#[derive(Debug, Clone, Copy)]
pub struct Map<'a>(Inside<'a>);

impl<'a> Map<'a> {
    /// The value of a name. Names are compared exactly.
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        let json = self.0.json;
        self.0.positions(1).find(|at| json.is_text(&json.nodes[at - 1], name)).map(|at| json.at(at))
    }

    /// Each name with its value, in the order of the text.
    pub fn members(self) -> impl Iterator<Item = (Text<'a>, Value<'a>)> {
        let json = self.0.json;
        self.0.positions(1).map(move |at| (json.text_of(&json.nodes[at - 1]), json.at(at)))
    }

    /// The map as JSON text.
    pub fn as_json(self) -> &'a str {
        self.0.as_json()
    }
}

/// What a list or a map contains.
#[derive(Debug, Clone, Copy)]
struct Inside<'a> {
    json: &'a Json<'a>,
    at: usize,
}

impl<'a> Inside<'a> {
    /// The positions of the values inside, each of which has so many nodes before it for its name.
    fn positions(self, names: usize) -> impl Iterator<Item = usize> + use<'a> {
        let nodes = &self.json.nodes;
        let end = nodes[self.at].next as usize;
        let mut next = self.at + 1;
        std::iter::from_fn(move || {
            let value = next + names;
            (value < end).then(|| {
                next = nodes[value].next as usize;
                value
            })
        })
    }

    fn as_json(self) -> &'a str {
        let node = self.json.nodes[self.at];
        self.json.slice(node.start, node.end)
    }
}

#[cfg(test)]
mod tests;
