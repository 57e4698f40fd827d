//! Compares a table with the JSON Schema of its file: unknown, missing and conflicting keys, wrong types.
//!
//! Supports the few keywords of JSON Schema that this program's schemas use, so that editors, this check and the types
//! that the schemas are generated from agree. The owner of the file checks ranges and names.

use std::borrow::Cow;

use serde_json::Value;
use toml::{
    Spanned,
    de::{DeInteger, DeTable, DeValue},
};

use super::{Document, join, list, nearest};
use crate::error::{Error, Result};

/// Checks a table against a schema.
///
/// *Errors*: every mistake, joined, each with its key.
pub(crate) fn check(document: &Document, schema: &Value, table: &DeTable) -> Result<()> {
    Shape { document, whole: schema }.table(schema, "", table)
}

struct Shape<'a> {
    document: &'a Document<'a>,
    /// The schema of the whole file.
    whole: &'a Value,
}

impl Shape<'_> {
    fn table(&self, schema: &Value, path: &str, table: &DeTable) -> Result<()> {
        if let Some(choices) = alternatives(schema) {
            return self.choice(&choices, path, table);
        }
        let others = &schema["additionalProperties"];
        let known = keys(schema);
        let member = |(key, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue>)| {
            let at = join(path, key.get_ref());
            match (schema["properties"].get(&**key.get_ref()), others) {
                (Some(schema), _) => self.value(schema, &at, value),
                (None, Value::Bool(false)) => Err(self.unknown(key.get_ref(), path, &known)),
                (None, others) => self.value(others, &at, value),
            }
        };
        let wrong = table.iter().map(member).filter_map(Result::err);
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        // One that is misspelt is named already.
        let misspelt = |key: &str| {
            let unknown = table.keys().filter(|said| !known.contains(&&**said.get_ref()));
            unknown.filter_map(|said| nearest(said.get_ref(), known.iter().copied())).any(|near| near == key)
        };
        let missing = required.filter(|key| table.get(*key).is_none() && !misspelt(key));
        let missing = missing.map(|key| self.missing(key, path, &schema["properties"][key]));
        Error::joined(wrong.chain(missing))
    }

    /// A table that must hold exactly one of several keys.
    fn choice(&self, choices: &[(&str, &Value)], path: &str, table: &DeTable) -> Result<()> {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        if let Some(key) = table.keys().find(|key| !names.contains(&&**key.get_ref())) {
            return Err(self.unknown(key.get_ref(), path, &offered(choices)));
        }
        let mut present = choices.iter().filter_map(|(name, schema)| Some((*name, schema, table.get(*name)?)));
        match (present.next(), present.next()) {
            (Some((name, schema, value)), None) => self.value(schema, &join(path, name), value),
            (Some((first, ..)), Some((second, ..))) => Err(self
                .document
                .error_at_key(&join(path, second), format!("`{path}` is both `{first}` and `{second}`"))
                .hint(format!("keep exactly one of {}", list(&offered(choices), "and")))),
            _ => Err(self
                .document
                .error_at_key(path, format!("`{path}` does not say what it is"))
                .hint(format!("make it one of {}", tables(path, choices)))),
        }
    }

    fn value(&self, schema: &Value, path: &str, value: &Spanned<DeValue>) -> Result<()> {
        let expected = types(schema);
        if !expected.is_empty() && !expected.iter().any(|word| fits(word, value.get_ref())) {
            return Err(self.mistyped(schema, path, value.get_ref(), &expected));
        }
        match value.get_ref() {
            DeValue::Table(table) => self.table(schema, path, table),
            DeValue::Array(array) => {
                let elements = array.iter().enumerate();
                let checked = elements.map(|(n, element)| self.value(items(schema), &format!("{path}[{n}]"), element));
                Error::joined(checked.filter_map(Result::err))
            }
            DeValue::String(text) => self.word(schema, path, text),
            DeValue::Integer(number) => self.number(schema, path, number),
            _ => Ok(()),
        }
    }

    /// A text that must be one of a few words.
    fn word(&self, schema: &Value, path: &str, text: &str) -> Result<()> {
        let words = words(schema);
        if words.is_empty() || words.contains(&text) {
            return Ok(());
        }
        let error = self.document.error_at(path, format!("`{path}` cannot be {text:?}"));
        Err(match nearest(text, words.iter().copied()) {
            Some(near) => error.hint(format!("did you mean \"{near}\"?")),
            None => error.hint(format!("it is one of {}", list(&words, "and"))),
        })
    }

    /// A whole number must fit the program's type.
    fn number(&self, schema: &Value, path: &str, number: &DeInteger) -> Result<()> {
        let limit = |word: &str| branches(schema).find_map(|branch| branch[word].as_i64());
        let most = match branches(schema).find_map(|branch| branch["format"].as_str()) {
            Some("uint32") => i64::from(u32::MAX),
            Some("uint64") => i64::MAX,
            _ => return Ok(()),
        };
        let most = limit("maximum").unwrap_or(most);
        match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(value) if (0..=most).contains(&value) => Ok(()),
            _ => Err(self.document.error_at(path, format!("`{path}` is {number}, but must be from 0 to {most}"))),
        }
    }

    fn unknown(&self, key: &str, path: &str, known: &[&str]) -> Error {
        let place = if path.is_empty() { String::new() } else { format!(" under `{path}`") };
        let error = self.document.error_at_key(&join(path, key), format!("unknown key `{}`{place}", join("", key)));
        let tops = keys(self.whole);
        match nearest(key, known.iter().copied()) {
            // It is easy to forget that every key below the name of a table belongs to it.
            _ if !path.is_empty() && tops.contains(&key) => {
                error.hint(format!("`{key}` is no key of `[{path}]`: move it above the first table"))
            }
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("known here: {}", list(known, "and"))),
        }
    }

    fn missing(&self, key: &str, path: &str, schema: &Value) -> Error {
        let at = join(path, key);
        let error = self.document.error_at_key(path, format!("`{at}` is missing")).at_key(&*at);
        let error = match schema["description"].as_str() {
            Some(text) => error.with("means", first_sentence(text)),
            None => error,
        };
        error.hint(match (alternatives(schema), example(schema)) {
            (Some(choices), _) => format!("add one of the tables {}", tables(&at, &choices)),
            (None, Some(example)) if path.is_empty() => format!("add, above the first table: {key} = {example}"),
            (None, Some(example)) => format!("add under `[{path}]`: {key} = {example}"),
            (None, None) if types(schema) == ["object"] => format!("add a table `[{at}]`{}", needs(schema)),
            (None, None) => format!("add under `[{path}]`: {key} = …"),
        })
    }

    fn mistyped(&self, schema: &Value, path: &str, value: &DeValue, expected: &[&str]) -> Error {
        let nouns = expected.iter().map(|word| noun(word)).collect::<Vec<_>>().join(" or ");
        let error = self.document.error_at(path, format!("`{path}` is {}, but must be {nouns}", noun_of(value)));
        let key = path.rsplit('.').next().unwrap_or(path);
        match (value, example(schema)) {
            (DeValue::String(text), _) if expected == ["array"] => {
                error.hint(format!("write it like: {key} = [{text:?}]"))
            }
            (_, Some(example)) => error.hint(format!("write it like: {key} = {example}")),
            _ => error,
        }
    }
}

/// An example of the value of a key, by its dotted path.
pub(super) fn example_at(schema: &Value, path: &str) -> Option<String> {
    example(path.split('.').try_fold(schema, |schema, key| branches(schema).find_map(|branch| inner(branch, key)))?)
}

/// The schema of a key of a table.
fn inner<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    let others = schema.get("additionalProperties").filter(|others| others.is_object());
    schema["properties"].get(key).or(others)
}

/// The keys of which a table needs one, as the end of a sentence.
fn needs(schema: &Value) -> String {
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    let keys: Vec<_> = choices.filter_map(|choice| choice["required"][0].as_str()).collect();
    if keys.is_empty() { String::new() } else { format!(" with {}", list(&keys, "or")) }
}

/// The tables of a choice, as words of a sentence.
fn tables(path: &str, choices: &[(&str, &Value)]) -> String {
    let tables: Vec<_> = offered(choices).into_iter().map(|name| format!("[{}]", join(path, name))).collect();
    list(&tables, "or")
}

/// The choices to suggest: those that this build lacks (`x-absent`) are left out.
fn offered<'a>(choices: &[(&'a str, &Value)]) -> Vec<&'a str> {
    choices.iter().filter(|(_, schema)| schema["x-absent"] != true).map(|(name, _)| *name).collect()
}

/// The keys a table may hold exactly one of, for a schema made from an enum with external tags.
fn alternatives(schema: &Value) -> Option<Vec<(&str, &Value)>> {
    let choices = schema["oneOf"].as_array()?;
    choices.iter().map(|choice| choice["properties"].as_object()?.iter().next().map(|(k, v)| (k.as_str(), v))).collect()
}

fn keys(schema: &Value) -> Vec<&str> {
    schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

/// Every schema that a value may fit: itself and its alternatives.
fn branches(schema: &Value) -> impl Iterator<Item = &Value> {
    let inner = ["oneOf", "anyOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten();
    std::iter::once(schema).chain(inner)
}

/// The JSON types a value may have; empty means any. TOML has no null.
fn types(schema: &Value) -> Vec<&str> {
    let mut types: Vec<&str> = branches(schema)
        .flat_map(|branch| match &branch["type"] {
            Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect::<Vec<_>>(),
        })
        .filter(|word| *word != "null")
        .collect();
    types.dedup();
    types
}

fn words(schema: &Value) -> Vec<&str> {
    let listed = branches(schema).filter_map(|branch| branch["enum"].as_array()).flatten();
    listed.chain(branches(schema).map(|branch| &branch["const"])).filter_map(Value::as_str).collect()
}

fn items(schema: &Value) -> &Value {
    branches(schema).map(|branch| &branch["items"]).find(|items| !items.is_null()).unwrap_or(&Value::Null)
}

fn fits(word: &str, value: &DeValue) -> bool {
    match value {
        DeValue::String(_) => word == "string",
        DeValue::Integer(_) => matches!(word, "integer" | "number"),
        DeValue::Float(_) => word == "number",
        DeValue::Boolean(_) => word == "boolean",
        DeValue::Array(_) => word == "array",
        DeValue::Table(_) => word == "object",
        DeValue::Datetime(_) => false,
    }
}

fn noun(word: &str) -> &str {
    match word {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a table",
        other => other,
    }
}

fn noun_of(value: &DeValue) -> &'static str {
    match value {
        DeValue::Datetime(_) => "a date",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Table(_) => noun("object"),
        DeValue::Array(_) => noun("array"),
        DeValue::String(_) => noun("string"),
        DeValue::Integer(_) => noun("integer"),
        DeValue::Boolean(_) => noun("boolean"),
    }
}

/// An example value: the schema's own example, or its default. JSON's scalars and lists are TOML, too.
fn example(schema: &Value) -> Option<String> {
    let example = schema["examples"].get(0).or_else(|| schema.get("default"))?;
    (!example.is_object() && !example.is_null()).then(|| example.to_string())
}

fn first_sentence(text: &str) -> String {
    let text = text.replace('\n', " ");
    let end = text.find(". ").or_else(|| text.strip_suffix('.').map(str::len)).unwrap_or(text.len());
    text[..end].to_owned()
}
