//! From DynamoDB's typed JSON to the values that the SDK sends. The way back is not needed: answers stay text.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, de::Error as _};

/// The attributes of an item or of a key.
pub(super) type Attributes = HashMap<String, AttributeValue>;

/// Reads the text of an item or of a key.
pub(super) fn attributes(text: &str) -> Result<Attributes, String> {
    let typed: HashMap<String, Typed> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(all(typed))
}

pub(super) fn all(typed: HashMap<String, Typed>) -> Attributes {
    typed.into_iter().map(|(name, value)| (name, value.into())).collect()
}

/// One attribute value as it is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Typed {
    S(String),
    N(String),
    B(Bytes),
    Bool(bool),
    Null(bool),
    Ss(Vec<String>),
    Ns(Vec<String>),
    Bs(Vec<Bytes>),
    L(Vec<Typed>),
    M(HashMap<String, Typed>),
}

impl From<Typed> for AttributeValue {
    fn from(typed: Typed) -> Self {
        match typed {
            Typed::S(text) => Self::S(text),
            Typed::N(number) => Self::N(number),
            Typed::B(bytes) => Self::B(bytes.0),
            Typed::Bool(truth) => Self::Bool(truth),
            Typed::Null(null) => Self::Null(null),
            Typed::Ss(texts) => Self::Ss(texts),
            Typed::Ns(numbers) => Self::Ns(numbers),
            Typed::Bs(many) => Self::Bs(many.into_iter().map(|bytes| bytes.0).collect()),
            Typed::L(list) => Self::L(list.into_iter().map(Self::from).collect()),
            Typed::M(map) => Self::M(all(map)),
        }
    }
}

/// Bytes that are written in base64.
#[derive(Debug)]
pub(super) struct Bytes(Blob);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(|error| D::Error::custom(format!("is not base64: {error}")))?;
        Ok(Self(Blob::new(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_read_and_what_is_none_is_refused() {
        let text = r#"{"a":{"M":{"s":{"S":"é"},"n":{"N":"1.10"},"b":{"B":"AAE="},"t":{"BOOL":true},"x":{"NULL":true}}},
            "l":{"L":[{"SS":["a"]},{"NS":["1"]},{"BS":["AA=="]}]}}"#;
        let read = attributes(text).unwrap();
        assert_eq!(read["a"].as_m().unwrap()["b"], AttributeValue::B(Blob::new([0, 1])));
        assert_eq!(read["l"].as_l().unwrap()[2], AttributeValue::Bs(vec![Blob::new([0])]));
        for bad in ["", "[]", r#"{"a":"x"}"#, r#"{"a":{"S":"x","N":"1"}}"#, r#"{"a":{"B":"?"}}"#, r#"{"a":{"X":1}}"#] {
            assert!(attributes(bad).is_err(), "{bad}");
        }
    }
}
