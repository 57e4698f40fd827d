//! The JSON Schema of a recipe: for editors, and for the check of a recipe's keys.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::{defaults::DEFAULTS, json::json, said};

/// The JSON Schema of a recipe, with the defaults of `host/default.toml`.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<said::Recipe>().to_value();
    fill(&mut schema, &defaults());
    schema
}

/// The defaults as JSON; a test holds that they parse.
fn defaults() -> Value {
    let table = DEFAULTS.parse::<toml::Table>().unwrap_or_default();
    json(&toml::Value::Table(table), "").unwrap_or_default()
}

/// Notes defaults in the schema, and takes their keys from those that a recipe must say.
fn fill(schema: &mut Value, defaults: &Value) {
    for (key, default) in defaults.as_object().into_iter().flatten() {
        let Some(property) = property(schema, key) else { continue };
        let answered = if default.is_object() {
            fill(property, default);
            !must_say_more(property)
        } else {
            property["default"] = default.clone();
            true
        };
        // Indexing would put a null where nothing is required, which no schema allows.
        let required = schema.get_mut("required").and_then(Value::as_array_mut);
        if let (true, Some(required)) = (answered, required) {
            required.retain(|required| required != key.as_str());
        }
    }
}

/// The schema of a key, also where it is one of several alternatives.
fn property<'a>(schema: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    if schema["properties"].get(key).is_some() {
        return schema["properties"].get_mut(key);
    }
    schema.get_mut("oneOf")?.as_array_mut()?.iter_mut().find_map(|choice| choice.get_mut("properties")?.get_mut(key))
}

/// Whether a table has keys that no default can stand for.
fn must_say_more(schema: &Value) -> bool {
    schema["oneOf"].is_array() || schema["required"].as_array().is_some_and(|required| !required.is_empty())
}
