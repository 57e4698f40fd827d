//! The searchable words of a document.
//!
//! Every text and number is searched, at every level, except below a field whose mapping has `"index": false` or
//! `"enabled": false`. One pass over the JSON text, which also proves that it is JSON; no tree is built. Runs on the
//! caller's thread, since the writer's time is scarce.

use std::{collections::HashMap, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Which fields are not searched.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mapping {
    hidden: bool,
    fields: HashMap<String, Mapping>,
}

impl Mapping {
    /// Reads an index definition; fields that it does not list are searched.
    pub(super) fn new(definition: &str) -> Self {
        let definition: Value = serde_json::from_str(definition).unwrap_or_default();
        Self::of(&definition["mappings"])
    }

    fn of(field: &Value) -> Self {
        let hidden = field["index"] == false || field["enabled"] == false;
        let fields = field["properties"].as_object().into_iter().flatten();
        let fields = fields.map(|(name, field)| (name.clone(), Self::of(field)));
        // A field that hides nothing needs no entry.
        Self { hidden, fields: fields.filter(|(_, field)| field.hidden || !field.fields.is_empty()).collect() }
    }
}

/// The searchable text of a document.
///
/// *Errors*: why the document is not one JSON object.
pub(super) fn words(mapping: &Mapping, document: &str) -> Result<String, String> {
    if !document.trim_start().starts_with('{') {
        return match serde_json::from_str::<serde::de::IgnoredAny>(document) {
            Ok(_) => Err("the document is not a JSON object".to_owned()),
            Err(error) => Err(format!("the document is not JSON: {error}")),
        };
    }
    let mut words = String::with_capacity(document.len() / 2);
    let mut deserializer = serde_json::Deserializer::from_str(document);
    Walk { mapping: Some(mapping), words: &mut words }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
        .map_err(|error| format!("the document is not JSON: {error}"))?;
    Ok(words)
}

struct Walk<'a> {
    mapping: Option<&'a Mapping>,
    words: &'a mut String,
}

impl Walk<'_> {
    fn say(self, text: &str) {
        if !self.mapping.is_some_and(|mapping| mapping.hidden) && !text.is_empty() {
            self.words.push_str(text);
            self.words.push('\n');
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Numbers that no integer holds exactly arrive as texts in a map of one key: `serde_json` keeps their digits in this
/// way (`arbitrary_precision`).
impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.say(text);
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.say(&number.to_string());
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.say(&number.to_string());
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element_seed(Walk { mapping: self.mapping, words: &mut *self.words })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let hidden = self.mapping.filter(|mapping| mapping.hidden);
        while let Some(mapping) = map.next_key_seed(Field(self.mapping))? {
            map.next_value_seed(Walk { mapping: hidden.or(mapping), words: &mut *self.words })?;
        }
        Ok(())
    }
}

/// Finds the mapping of a field without keeping its name.
struct Field<'a>(Option<&'a Mapping>);

impl<'de, 'a> DeserializeSeed<'de> for Field<'a> {
    type Value = Option<&'a Mapping>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Field<'a> {
    type Value = Option<&'a Mapping>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.and_then(|mapping| mapping.fields.get(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(definition: &str, document: &str) -> Vec<String> {
        words(&Mapping::new(definition), document).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_text_and_number_is_found_wherever_it_stands() {
        let document =
            r#"{"a":"x","b":{"c":["y",12.50,-7,123456789012345678901234567890,{"d":"z"}]},"e":true,"f":null,"g":""}"#;
        assert_eq!(found("{}", document), ["x", "y", "12.50", "-7", "123456789012345678901234567890", "z"]);
    }

    #[test]
    fn a_field_that_is_not_indexed_is_hidden_with_all_below_it_and_nothing_else() {
        let definition = r#"{"mappings":{"properties":{
            "a":{"type":"keyword","index":false},"b":{"enabled":false},"c":{"properties":{"d":{"index":false}}}}}}"#;
        let document = r#"{"a":["1",2],"b":{"x":{"y":"3"}},"c":[{"d":"4","e":"5"}],"d":"6"}"#;
        assert_eq!(found(definition, document), ["5", "6"]);
    }

    #[test]
    fn what_is_not_one_json_object_is_refused_with_a_reason() {
        let reason = |document: &str| words(&Mapping::default(), document).unwrap_err();
        for document in ["[]", "1", "\"x\"", "null"] {
            assert_eq!(reason(document), "the document is not a JSON object");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        for document in ["", "{", "{}x", "{\"a\":}", "nonsense", &deep] {
            assert!(reason(document).starts_with("the document is not JSON"), "{document}");
        }
    }
}
