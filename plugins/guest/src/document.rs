//! Writes the JSON text of a document, field by field, into one buffer.
//!
//! Fields stand in the order in which they are written. Does not check that a name is written once.

use std::fmt::Write as _;

use crate::{
    Invalid,
    attribute::scalar,
    json::{List, Map, Text, Value},
};

/// A JSON object in the making. The names of fields are written as they stand, so they must need no escapes.
#[derive(Debug)]
pub struct Document {
    json: String,
}

impl Document {
    /// Starts an empty document.
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// Starts an empty document with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        let mut json = String::with_capacity(bytes + 2);
        json.push('{');
        Self { json }
    }

    /// Ends the document and hands out its text.
    pub fn finish(mut self) -> String {
        self.json.push('}');
        self.json
    }

    /// Writes a text, or nothing where there is none.
    pub fn text<'a>(&mut self, name: &str, text: impl Into<Option<Text<'a>>>) {
        if let Some(text) = text.into() {
            self.name(name);
            self.push_text(text);
        }
    }

    /// Writes a text of the plugin's own.
    pub fn string(&mut self, name: &str, text: &str) {
        self.name(name);
        push_escaped(&mut self.json, text);
    }

    /// Writes a boolean, or nothing where there is none.
    pub fn boolean(&mut self, name: &str, value: impl Into<Option<bool>>) {
        if let Some(value) = value.into() {
            self.name(name);
            self.json.push_str(if value { "true" } else { "false" });
        }
    }

    /// Writes a whole number.
    pub fn integer(&mut self, name: &str, value: i64) {
        self.name(name);
        let _ = write!(self.json, "{value}");
    }

    /// Writes a value as it stands in the item.
    pub fn value(&mut self, name: &str, value: Value) {
        self.name(name);
        self.push_value(value);
    }

    /// Writes a member of a map as it stands in the item, under its own name.
    pub fn member(&mut self, (name, value): (Text, Value)) {
        self.comma();
        self.push_text(name);
        self.json.push(':');
        self.push_value(value);
    }

    /// Writes the members of a map that are in none of these lists, as they stand in the item; a null is left out.
    pub fn rest(&mut self, map: Map, named: &[&[&str]]) {
        let is_rest = |(name, value): &(Text, Value)| {
            !matches!(value, Value::Null) && !named.iter().copied().flatten().any(|named| *name == **named)
        };
        map.members().filter(is_rest).for_each(|member| self.member(member));
    }

    /// Writes a list of texts; a list of none is `[]`.
    ///
    /// *Errors*: an element is null or not a scalar; the reason is its path and that.
    pub fn texts<'a>(&mut self, name: &str, values: impl IntoIterator<Item = Value<'a>>) -> Result<(), Invalid> {
        self.name(name);
        self.json.push('[');
        for (n, value) in values.into_iter().enumerate() {
            let text = scalar(value).map_err(|problem| Invalid::new(format!("{name}[{n}] {problem}")))?;
            self.comma();
            self.push_text(text);
        }
        self.json.push(']');
        Ok(())
    }

    /// Writes an object whose fields come from a map, or nothing where there is none.
    ///
    /// *Errors*: those of `fields`, with the path of the map.
    pub fn map<'a>(
        &mut self,
        name: &str,
        map: Option<Map<'a>>,
        fields: impl FnOnce(&mut Self, Map<'a>) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        let Some(map) = map else { return Ok(()) };
        self.name(name);
        self.json.push('{');
        fields(self, map).map_err(|invalid| invalid.inside(name))?;
        self.json.push('}');
        Ok(())
    }

    /// Writes a list of objects whose fields come from a list of maps, or nothing where there is none.
    ///
    /// *Errors*: an element is not a map, or those of `fields`; with the path of the element.
    pub fn maps<'a>(
        &mut self,
        name: &str,
        list: Option<List<'a>>,
        fields: impl Fn(&mut Self, Map<'a>) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        let Some(list) = list else { return Ok(()) };
        self.name(name);
        self.json.push('[');
        for (n, value) in list.values().enumerate() {
            let Value::Map(map) = value else { return Err(Invalid::new(format!("{name}[{n}] is not a map"))) };
            self.comma();
            self.json.push('{');
            fields(self, map).map_err(|invalid| invalid.inside_element(name, n))?;
            self.json.push('}');
        }
        self.json.push(']');
        Ok(())
    }

    fn name(&mut self, name: &str) {
        debug_assert!(!name.bytes().any(is_special), "the field name {name:?} needs escapes");
        self.comma();
        self.json.push('"');
        self.json.push_str(name);
        self.json.push_str("\":");
    }

    /// Sets what follows apart from what stands before it. What stands before is a whole value or an opening
    /// bracket, so its last byte says which.
    fn comma(&mut self) {
        if !matches!(self.json.as_bytes().last(), Some(b'{' | b'[')) {
            self.json.push(',');
        }
    }

    fn push_value(&mut self, value: Value) {
        match value {
            Value::Null => self.json.push_str("null"),
            Value::Boolean(value) => self.json.push_str(if value { "true" } else { "false" }),
            Value::Number(digits) => self.json.push_str(digits),
            Value::Text(text) => self.push_text(text),
            Value::List(list) => self.json.push_str(list.as_json()),
            Value::Map(map) => self.json.push_str(map.as_json()),
        }
    }

    fn push_text(&mut self, text: Text) {
        self.json.push('"');
        self.json.push_str(text.as_json());
        self.json.push('"');
    }
}

impl Default for Document {
    fn default() -> Self {
        Self::new()
    }
}

fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// Appends a text as a JSON string, escaped in the shortest way.
fn push_escaped(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '\0'..' ' => {
                let _ = write!(json, "\\u{:04x}", u32::from(character));
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests;
