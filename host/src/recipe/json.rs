//! TOML values as JSON, for what a plugin is handed. Values that JSON cannot say are refused, not bent.

use serde_json::{Map, Number, Value};

use crate::document::join;

/// Turns a TOML value into JSON.
///
/// *Errors*: the path of the value that JSON cannot say, and why.
pub(super) fn json(value: &toml::Value, path: &str) -> Result<Value, (String, String)> {
    let refuse = |reason: &str| (path.to_owned(), reason.to_owned());
    Ok(match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Boolean(flag) => Value::from(*flag),
        toml::Value::Float(number) => {
            Number::from_f64(*number).map(Value::Number).ok_or_else(|| refuse("is not a number that JSON can say"))?
        }
        toml::Value::Datetime(_) => return Err(refuse("is a date, which JSON cannot say")),
        toml::Value::Array(array) => {
            let elements = array.iter().enumerate().map(|(n, element)| json(element, &format!("{path}[{n}]")));
            Value::Array(elements.collect::<Result<_, _>>()?)
        }
        toml::Value::Table(table) => {
            let mut fields = Map::new();
            for (key, value) in table {
                fields.insert(key.clone(), json(value, &join(path, key))?);
            }
            Value::Object(fields)
        }
    })
}
