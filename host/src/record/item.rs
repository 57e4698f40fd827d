//! From a source's bytes to an item: canonical form, key and version.

use serde::{Deserialize, Serialize};

use super::{
    canonical::{self, fields, push_text, write_plain},
    typed::{plain_to_typed, write_typed, write_typed_as_typed},
};

/// One record, checked and in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The key; a composite key is the JSON array of its parts.
    pub id: String,
    /// The version, if the recipe names an attribute for it.
    pub version: Option<u64>,
    /// Canonical JSON text.
    pub body: String,
}

/// The form of a record's JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Plain JSON.
    #[default]
    Plain,
    /// DynamoDB's typed JSON, bare or under `Item` as exports have it.
    DynamodbJson,
}

/// The attributes that make a record's key, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Key {
    /// One attribute; its value is the id.
    One(String),
    /// Several attributes; the id is the JSON array of their values.
    Many(Vec<String>),
}

impl Key {
    /// The attribute names.
    pub fn attributes(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }

    /// The id of a record by its attributes.
    pub(crate) fn id(&self, fields: &Fields, form: Form) -> Result<String, String> {
        let mut parts = Vec::new();
        for name in self.attributes() {
            let value = plain(fields, name, form)?.ok_or_else(|| format!("{name} is missing"))?;
            match value.as_bytes().first() {
                Some(b'"') if value != "\"\"" => parts.push(value),
                Some(b'-' | b'0'..=b'9') => parts.push(value),
                Some(b'"') => return Err(format!("{name} is empty")),
                _ => return Err(format!("{name} is the key, and neither a text nor a number")),
            }
        }
        match (self, parts.as_slice()) {
            (Self::One(_), [value]) if value.starts_with('"') => Ok(canonical::text(value)?.into_owned()),
            (Self::One(_), [value]) => Ok(value.clone()),
            _ => Ok(format!("[{}]", parts.join(","))),
        }
    }
}

impl From<Vec<String>> for Key {
    fn from(mut names: Vec<String>) -> Self {
        if names.len() == 1 { Self::One(names.remove(0)) } else { Self::Many(names) }
    }
}

/// Where an item's version is. Set by the recipe, never guessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Version {
    /// Records carry none; the last write wins.
    None,
    /// A whole number in this attribute.
    Attribute(String),
}

impl From<String> for Version {
    fn from(text: String) -> Self {
        if text == "none" { Self::None } else { Self::Attribute(text) }
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        match version {
            Version::None => "none".to_owned(),
            Version::Attribute(name) => name,
        }
    }
}

/// Why bytes are not an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The key, if it could be read.
    pub id: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// Whether it is only too large.
    pub too_big: bool,
}

/// Turns a source's bytes into items.
#[derive(Debug, Clone)]
pub struct Shape {
    /// The attributes that make the key.
    pub key: Key,
    /// Where the version is.
    pub version: Version,
    /// The attributes an item has, key and version among them; empty means all. Other attributes are dropped.
    pub attributes: Vec<String>,
    /// The form of the source.
    pub source: Form,
    /// The form that the plugin reads.
    pub wants: Form,
    /// The largest body that is passed to a plugin, in bytes.
    pub max_bytes: usize,
}

impl Shape {
    /// Reads one record.
    pub fn item(&self, bytes: &[u8]) -> Result<Item, Refusal> {
        let fail = |reason: String| Refusal { id: None, reason, too_big: false };
        if bytes.len() > self.max_bytes {
            // The source may have cut it, so its full length is unknown.
            let reason = format!("the item is longer than {} bytes, the `item` under `[limits]`", self.max_bytes);
            return Err(Refusal { id: None, reason, too_big: true });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| fail("the item is not Unicode text".to_owned()))?;
        let fields = self.fields(text.trim()).map_err(|reason| fail(format!("the item {reason}")))?;
        let id = self.key.id(&fields, self.source).map_err(fail)?;
        let refuse = |reason: String| Refusal { id: Some(id.clone()), reason, too_big: false };
        let version = self.version(&fields).map_err(refuse)?;
        let body = self.body(&fields, text.len()).map_err(refuse)?;
        Ok(Item { id, version, body })
    }

    fn fields<'a>(&self, text: &'a str) -> Result<Fields<'a>, String> {
        if !text.starts_with('{') {
            // Parsed only for a better reason: broken JSON, or JSON of another kind.
            canonical::canonical(text)?;
            return Err("is not a JSON object".to_owned());
        }
        let outer = fields(text)?;
        match (self.source, outer.as_slice()) {
            (Form::DynamodbJson, [(name, inner)]) if name == "Item" => match fields(inner) {
                // `{"Item": {"S": "…"}}` is a bare record whose only attribute is called `Item`.
                Ok(attributes) if !attributes.iter().all(|(_, value)| value.starts_with('{')) => Ok(outer),
                other => other,
            },
            _ => Ok(outer),
        }
    }

    fn version(&self, fields: &Fields) -> Result<Option<u64>, String> {
        let Version::Attribute(name) = &self.version else { return Ok(None) };
        let value = plain(fields, name, self.source)?.ok_or_else(|| format!("{name}, the version, is missing"))?;
        let number: i64 = value
            .parse()
            .map_err(|_| format!("{name}, the version, is {value}, not a whole number from 0 to {}", i64::MAX))?;
        let version = u64::try_from(number).map_err(|_| format!("{name}, the version, is {number}, below 0"))?;
        Ok(Some(version))
    }

    fn keeps(&self, name: &str) -> bool {
        self.attributes.is_empty() || self.attributes.iter().any(|attribute| attribute == name)
    }

    fn body(&self, fields: &Fields, capacity: usize) -> Result<String, String> {
        let write: fn(&str, usize, &mut String) -> Result<(), String> = match (self.source, self.wants) {
            (Form::Plain, Form::Plain) => write_plain,
            (Form::Plain, Form::DynamodbJson) => plain_to_typed,
            (Form::DynamodbJson, Form::Plain) => write_typed,
            (Form::DynamodbJson, Form::DynamodbJson) => write_typed_as_typed,
        };
        let mut out = String::with_capacity(capacity);
        out.push('{');
        for (name, value) in fields.iter().filter(|(name, _)| self.keeps(name)) {
            if out.len() > 1 {
                out.push(',');
            }
            push_text(name, &mut out);
            out.push(':');
            write(value, 1, &mut out).map_err(|reason| format!("{name} {reason}"))?;
        }
        out.push('}');
        Ok(out)
    }
}

/// The value of an attribute as canonical plain JSON.
fn plain(fields: &Fields, name: &str, form: Form) -> Result<Option<String>, String> {
    let Ok(at) = fields.binary_search_by(|(field, _)| (**field).cmp(name)) else { return Ok(None) };
    let mut out = String::new();
    let written = match form {
        Form::Plain => write_plain(fields[at].1, 0, &mut out),
        Form::DynamodbJson => write_typed(fields[at].1, 0, &mut out),
    };
    written.map_err(|reason| format!("{name} {reason}"))?;
    Ok(Some(out))
}

/// The attributes of a record, sorted by name, each value as its source text.
type Fields<'a> = Vec<(std::borrow::Cow<'a, str>, &'a str)>;

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(source: Form, wants: Form) -> Shape {
        let (key, version) = (Key::One("id".into()), Version::Attribute("v".into()));
        Shape { key, version, attributes: Vec::new(), source, wants, max_bytes: 1000 }
    }

    #[test]
    fn a_json_line_an_export_line_and_a_bare_typed_item_give_the_same_item() {
        let plain = shape(Form::Plain, Form::Plain).item(br#"{"v":3,"tags":["a","b"],"id":"x"}"#).unwrap();
        let typed = shape(Form::DynamodbJson, Form::Plain);
        let export = typed.item(br#"{"Item":{"id":{"S":"x"},"tags":{"SS":["b","a"]},"v":{"N":"3"}}}"#).unwrap();
        let bare = typed.item(br#"{"id":{"S":"x"},"tags":{"SS":["b","a"]},"v":{"N":"3"}}"#).unwrap();
        assert_eq!(
            plain,
            Item { id: "x".into(), version: Some(3), body: r#"{"id":"x","tags":["a","b"],"v":3}"#.into() }
        );
        assert_eq!((&plain, &plain), (&export, &bare));
    }

    #[test]
    fn a_plugin_that_asks_for_types_gets_them_from_either_form() {
        let body = r#"{"id":{"S":"x"},"v":{"N":"3"}}"#;
        let typed = shape(Form::DynamodbJson, Form::DynamodbJson).item(body.as_bytes()).unwrap();
        let plain = shape(Form::Plain, Form::DynamodbJson).item(br#"{"id":"x","v":3}"#).unwrap();
        assert_eq!((typed.body.as_str(), plain.body.as_str()), (body, body));
    }

    #[test]
    fn a_composite_id_is_the_json_array_of_its_keys() {
        let shape = Shape {
            key: Key::Many(vec!["a".into(), "b".into()]),
            version: Version::None,
            ..shape(Form::Plain, Form::Plain)
        };
        assert_eq!(shape.item(br#"{"a":"x","b":2}"#).unwrap().id, r#"["x",2]"#);
    }

    #[test]
    fn attributes_nobody_asked_for_are_dropped_in_every_form() {
        let attributes: Vec<String> = ["id", "v", "none"].map(Into::into).into();
        let plain = Shape { attributes: attributes.clone(), ..shape(Form::Plain, Form::Plain) };
        let typed = Shape { attributes, ..shape(Form::DynamodbJson, Form::Plain) };
        let body = plain.item(br#"{"a":1,"v":3,"id":"x","z":[{"id":2}]}"#).unwrap().body;
        assert_eq!(body, r#"{"id":"x","v":3}"#);
        assert_eq!(typed.item(br#"{"a":{"N":"1"},"id":{"S":"x"},"v":{"N":"3"}}"#).unwrap().body, body);
    }

    #[test]
    fn what_is_wrong_is_said_by_name() {
        let reason = |body: &str| shape(Form::Plain, Form::Plain).item(body.as_bytes()).unwrap_err().reason;
        assert_eq!(reason("{}"), "id is missing");
        assert_eq!(reason(r#"{"id":""}"#), "id is empty");
        assert_eq!(reason(r#"{"id":null}"#), "id is the key, and neither a text nor a number");
        assert_eq!(reason(r#"{"id":"x"}"#), "v, the version, is missing");
        assert_eq!(reason(r#"{"id":"x","v":-1}"#), "v, the version, is -1, below 0");
        assert!(reason(r#"{"id":"x","v":"1"}"#).contains("not a whole number"));
        assert_eq!(reason("[]"), "the item is not a JSON object");
        assert!(reason("{").starts_with("the item is not JSON"));
        assert!(shape(Form::Plain, Form::Plain).item(&vec![b' '; 1001]).unwrap_err().too_big);
    }
}
