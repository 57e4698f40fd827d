//! What an attribute of an item says, and what is wrong with one that must say something.
//!
//! Knows the three cases an entity's rules tell apart: absent, null, and there. Does not write anything.

use std::fmt;

use crate::{
    Effect, Outcome,
    json::{List, Map, Text, Value},
};

/// An attribute as its entity's rules see it. A value of another type than the expected one counts as null.
#[derive(Debug, Clone, Copy)]
pub enum Attribute<T> {
    /// The item does not have it.
    Absent,
    /// The item has it, without a value of the expected type.
    Null,
    /// The item has it.
    Is(T),
}

impl<T> Attribute<T> {
    fn new(value: Option<Value>, expected: Option<T>) -> Self {
        match (value, expected) {
            (None, _) => Self::Absent,
            (_, None) => Self::Null,
            (_, Some(expected)) => Self::Is(expected),
        }
    }

    /// The value if there is one: absent and null are both left out.
    pub fn if_any(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

impl<'a> Attribute<Text<'a>> {
    /// An empty text where the attribute is absent; null is left out.
    pub fn or_empty(self) -> Option<Text<'a>> {
        match self {
            Self::Absent => Some(Text::EMPTY),
            Self::Null => None,
            Self::Is(text) => Some(text),
        }
    }

    /// The text unless it is absent, null or empty.
    pub fn unless_empty(self) -> Option<Text<'a>> {
        self.if_any().filter(|text| !text.is_empty())
    }
}

impl<'a> Attribute<List<'a>> {
    /// The values of the list; none where it is absent or null.
    pub fn values(self) -> impl Iterator<Item = Value<'a>> {
        self.if_any().into_iter().flat_map(List::values)
    }
}

impl<'a> Map<'a> {
    /// An attribute that is a text, or a number or a boolean to be read as one.
    pub fn text(self, name: &str) -> Attribute<Text<'a>> {
        let value = self.get(name);
        Attribute::new(value, value.and_then(Value::scalar))
    }

    /// An attribute that is a list.
    pub fn list(self, name: &str) -> Attribute<List<'a>> {
        let value = self.get(name);
        Attribute::new(value, value.and_then(|value| if let Value::List(list) = value { Some(list) } else { None }))
    }

    /// An attribute that is a map.
    pub fn map(self, name: &str) -> Attribute<Map<'a>> {
        let value = self.get(name);
        Attribute::new(value, value.and_then(|value| if let Value::Map(map) = value { Some(map) } else { None }))
    }

    /// A boolean in any of the forms in which one was stored over the years: a boolean, a number (zero is false), or the
    /// text `true` or `false` in any case. None where it is absent or null.
    ///
    /// *Errors*: `<name> is not a boolean`.
    pub fn boolean(self, name: &str) -> Result<Option<bool>, Invalid> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Boolean(value)) => Ok(Some(value)),
            Some(Value::Number(digits)) => Ok(Some(!is_zero(digits))),
            Some(Value::Text(text)) if text.to_str().eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(Value::Text(text)) if text.to_str().eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(Invalid::new(format!("{name} is not a boolean"))),
        }
    }

    /// A text the item must have; it may be empty.
    ///
    /// *Errors*: `<name> is missing`, `<name> is null`, or `<name> is not a scalar`.
    pub fn required_text(self, name: &str) -> Result<Text<'a>, Invalid> {
        match self.get(name) {
            None => Err(Invalid::new(format!("{name} is missing"))),
            Some(value) => scalar(value).map_err(|problem| Invalid::new(format!("{name} {problem}"))),
        }
    }

    /// An id the item must have.
    ///
    /// *Errors*: as for [`Self::required_text`], or `<name> is empty`.
    pub fn required_id(self, name: &str) -> Result<Text<'a>, Invalid> {
        let id = self.required_text(name)?;
        if id.is_empty() { Err(Invalid::new(format!("{name} is empty"))) } else { Ok(id) }
    }
}

/// The text of a scalar, or what the value is instead.
pub(crate) fn scalar(value: Value<'_>) -> Result<Text<'_>, &'static str> {
    value.scalar().ok_or(if matches!(value, Value::Null) { "is null" } else { "is not a scalar" })
}

/// Tells whether a number is zero, however it is written: `0`, `-0.0`, `0e7`.
fn is_zero(digits: &str) -> bool {
    let mantissa = digits.split(['e', 'E']).next().unwrap_or_default();
    !mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
}

/// Why an item is broken and will be broken again next time: a sentence fragment that starts with the path of
/// the attribute, such as `tenures[2].id is missing`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    reason: String,
}

impl Invalid {
    /// States a reason, such as `assetType is missing`.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }

    /// Says that the attribute lies in the map of this name.
    pub fn inside(self, name: &str) -> Self {
        Self::new(format!("{name}.{}", self.reason))
    }

    /// Says that the attribute lies in an element of the list of this name.
    pub fn inside_element(self, name: &str, n: usize) -> Self {
        Self::new(format!("{name}[{n}].{}", self.reason))
    }

    /// The reason.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Invalid {}

impl From<Invalid> for Outcome {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid.reason)
    }
}

impl From<Result<Effect, Invalid>> for Outcome {
    fn from(result: Result<Effect, Invalid>) -> Self {
        result.map_or_else(Self::from, Self::from)
    }
}
