//! The JSON Schemas that editors get: valid themselves, and of one mind with the program on what is a recipe.

use std::{collections::BTreeSet, fs, path::PathBuf};

use regex::Regex;
use serde_json::{Map, Value};

use crate::plugins::root;

/// What a schema cannot see: what is true of two keys together, of a file elsewhere, of a variable or of a time zone, and
/// numbers whose range only the program knows.
const UNSEEN: &[&str] = &[
    "attributes-empty-name",
    "attributes-twice",
    "export-prefix-in-directory",
    "image-no-threads",
    "image-written",
    "index-not-granted",
    "key-empty-list",
    "key-twice",
    "long-line",
    "max-rcu-zero",
    "one-name-for-two",
    "plugin-source-absolute",
    "prune-a-file",
    "prune-near",
    "prune-not-granted",
    "prune-query-date",
    "prune-share-out-of-range",
    "queue-and-table-of-one-name",
    "queue-consumers-without-versions",
    "queue-lease-too-short",
    "queue-without-deliveries",
    "read-share-and-max-rcu",
    "read-share-out-of-range",
    "requests-among-objects",
    "requests-told-twice",
    "schedule-cron",
    "schedule-cron-range",
    "schedule-zone",
    "segments-too-many",
    "settings-date",
    "settings-infinite",
    "share-out-of-range",
    "size-zero",
    "variable-malformed",
    "variable-unset",
    "workers-too-many",
];

struct Schema(Value);

impl Schema {
    /// Takes a schema after a look at each of its keywords: an editor ignores a schema that is none.
    fn new(schema: Value) -> Self {
        sound(&schema, "");
        Self(schema)
    }

    fn allows(&self, toml: &str) -> Result<(), String> {
        let table: toml::Table = toml.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let value = serde_json::to_value(table).map_err(|error| error.to_string())?;
        valid(&self.0, &value, "")
    }
}

/// What draft 2020-12 says of the keywords that our schemas use; any other is a failure.
fn sound(schema: &Value, at: &str) {
    let Value::Object(schema) = schema else { return assert!(schema.is_boolean(), "{at} is no schema: {schema}") };
    for (keyword, value) in schema {
        let at = format!("{at}/{keyword}");
        match keyword.as_str() {
            "$schema" => assert_eq!(value, "https://json-schema.org/draft/2020-12/schema", "{at}"),
            "title" | "description" | "format" => assert!(value.is_string(), "{at}"),
            "default" | "const" | "x-absent" => {}
            "writeOnly" => assert!(value.is_boolean(), "{at}"),
            "examples" | "enum" => assert!(value.is_array(), "{at}"),
            "type" => words(value, &at),
            "required" => assert!(value.is_array() && texts(value).count() == value.as_array().unwrap().len(), "{at}"),
            "pattern" => drop(Regex::new(value.as_str().unwrap()).unwrap()),
            "minimum" | "maximum" | "minItems" | "maxItems" | "minLength" | "maxLength" => {
                assert!(value.is_number(), "{at}");
            }
            "items" | "additionalProperties" => sound(value, &at),
            "properties" => {
                value.as_object().unwrap().iter().for_each(|(name, one)| sound(one, &format!("{at}/{name}")));
            }
            "oneOf" | "anyOf" | "allOf" => {
                assert!(!value.as_array().unwrap().is_empty(), "{at}");
                value.as_array().unwrap().iter().for_each(|one| sound(one, &at));
            }
            other => panic!("{at}: what does {other} say?"),
        }
    }
}

fn words(value: &Value, at: &str) {
    const TYPES: [&str; 7] = ["null", "boolean", "object", "array", "number", "string", "integer"];
    assert!(texts(value).next().is_some() && texts(value).all(|word| TYPES.contains(&word)), "{at}: {value}");
}

/// A text, or the texts of a list.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_str().into_iter().chain(value.as_array().into_iter().flatten().filter_map(Value::as_str))
}

/// Whether a value is what a schema says, by the keywords that [`sound`] lets pass.
fn valid(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let Value::Object(schema) = schema else {
        return if schema == false { Err(format!("{at} is not allowed")) } else { Ok(()) };
    };
    let wrong = |what: &str| Err(format!("{at}: {what}, not {value}"));
    let list = |keyword: &str| schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
    if schema.get("type").is_some_and(|types| !texts(types).any(|word| is_of(value, word))) {
        return wrong("another type");
    }
    if schema.get("enum").is_some_and(|_| !list("enum").any(|one| one == value))
        || schema.get("const").is_some_and(|one| one != value)
    {
        return wrong("one of a few");
    }
    if let (Some(text), Some(pattern)) = (value.as_str(), schema.get("pattern"))
        && !Regex::new(pattern.as_str().unwrap()).unwrap().is_match(text)
    {
        return wrong("a text like the pattern");
    }
    if let Some(number) = value.as_f64()
        && (schema.get("minimum").is_some_and(|least| number < least.as_f64().unwrap())
            || schema.get("maximum").is_some_and(|most| number > most.as_f64().unwrap()))
    {
        return wrong("a number within the range");
    }
    let fitting = |keyword: &str| list(keyword).filter(|one| valid(one, value, at).is_ok()).count();
    if schema.contains_key("oneOf") && fitting("oneOf") != 1 || schema.contains_key("anyOf") && fitting("anyOf") == 0 {
        return wrong("one of the alternatives");
    }
    list("allOf").try_for_each(|one| valid(one, value, at))?;
    match value {
        Value::Array(elements) => {
            let items = schema.get("items").unwrap_or(&Value::Bool(true));
            elements.iter().try_for_each(|element| valid(items, element, at))
        }
        Value::Object(members) => members_are_valid(schema, members, at),
        _ => Ok(()),
    }
}

fn members_are_valid(schema: &Map<String, Value>, members: &Map<String, Value>, at: &str) -> Result<(), String> {
    if let Some(missing) = schema.get("required").into_iter().flat_map(texts).find(|name| !members.contains_key(*name))
    {
        return Err(format!("{at}/{missing} is missing"));
    }
    let others = schema.get("additionalProperties").unwrap_or(&Value::Bool(true));
    members.iter().try_for_each(|(name, value)| {
        let own = schema.get("properties").and_then(|properties| properties.get(name));
        valid(own.unwrap_or(others), value, &format!("{at}/{name}"))
    })
}

fn is_of(value: &Value, word: &str) -> bool {
    match word {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => value.is_string(),
    }
}

fn files(directory: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(root().join(directory)).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect()
}

/// The cases of a directory that a schema lets pass.
fn let_pass(schema: &Schema, kind: &str) -> BTreeSet<String> {
    let cases = fs::read_dir(root().join("tests/cases").join(kind)).unwrap().map(|case| case.unwrap().path());
    let passed = cases.filter(|case| {
        let text = fs::read_to_string(case.join(format!("{kind}.toml"))).unwrap();
        schema.allows(&text).is_ok()
    });
    passed.map(|case| case.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn the_schema_of_recipes_takes_every_good_one_and_refuses_the_bad_ones_that_it_can_see() {
    let schema = Schema::new(reindex::recipe::schema());
    let good = files("recipes");
    assert!(good.len() >= 5, "{good:?}");
    for file in good {
        assert_eq!(schema.allows(&fs::read_to_string(&file).unwrap()), Ok(()), "{}", file.display());
    }
    let mut passed = let_pass(&schema, "recipe");
    UNSEEN.iter().for_each(|case| assert!(passed.remove(*case), "{case} is seen now"));
    assert_eq!(passed, BTreeSet::new());
}

#[test]
fn the_schema_of_environments_takes_every_good_one_and_refuses_the_bad_ones_that_it_can_see() {
    let schema = Schema::new(reindex::environment::schema());
    for file in files("recipes/environments") {
        assert_eq!(schema.allows(&fs::read_to_string(&file).unwrap()), Ok(()), "{}", file.display());
    }
    let passed: Vec<_> = let_pass(&schema, "environment").into_iter().collect();
    assert_eq!(passed, ["format-newer", "variable-unset"]);
}

#[test]
fn names_times_and_sizes_are_taken_as_the_program_takes_them() {
    let schema = Schema::new(reindex::recipe::schema());
    let recipe = |key: &str, value: &str| {
        let (table, key) = key.split_once('.').unwrap();
        format!(
            "recipe = 1\n[plugin]\nfile = 'x.wasm'\n[source.file]\npath = 'x'\nkey = 'id'\nversion = 'none'\n[{table}]\n{key} = '{value}'\n"
        )
    };
    let parses = |text: &str| reindex::recipe::Recipe::parse(text, "r.toml".as_ref(), &|_| None).is_ok();
    for time in ["1s", "500ms", "1m 30s", "1h30m", "2 hours", "1 minute, 5 seconds", "1.5s", "3 µs", "10 nanoseconds"]
    {
        let text = recipe("run.batch-age", time);
        assert_eq!((parses(&text), schema.allows(&text)), (true, Ok(())), "{time}");
    }
    for size in ["1MiB", "16 MiB", "1.5 GB", "4096 B", "10k", "7"] {
        let text = recipe("limits.item", size);
        assert_eq!((parses(&text), schema.allows(&text)), (true, Ok(())), "{size}");
    }
    for (key, value) in
        [("run.batch-age", "soon"), ("run.batch-age", "3"), ("limits.item", "much"), ("limits.item", "3 GiX")]
    {
        let text = recipe(key, value);
        assert!(!parses(&text) && schema.allows(&text).is_err(), "{key} = {value}");
    }
}
