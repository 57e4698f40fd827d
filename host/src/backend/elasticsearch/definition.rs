//! Compares an existing index with a definition.
//!
//! Engines add, spell differently and leave out: `"1"` for 1, `index.` before settings, defaults where nothing is set.
//! None of this is a difference, and neither is an additional field. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// Settings that change without harm, and that a load changes temporarily.
const PASSING: [&str; 3] = ["number_of_replicas", "refresh_interval", "auto_expand_replicas"];

/// Settings that every index gets by default.
const GIVEN: [(&str, &str); 2] = [("number_of_shards", "1"), ("codec", "default")];

/// The defaults of the parameters of a field, or of a whole mapping; engines leave them out.
const DEFAULTS: [(&str, &str); 18] = [
    ("type", "object"),
    ("dynamic", "true"),
    ("index", "true"),
    ("doc_values", "true"),
    ("enabled", "true"),
    ("store", "false"),
    ("norms", "true"),
    ("coerce", "true"),
    ("ignore_malformed", "false"),
    ("fielddata", "false"),
    ("eager_global_ordinals", "false"),
    ("include_in_parent", "false"),
    ("include_in_root", "false"),
    ("analyzer", "default"),
    ("similarity", "BM25"),
    ("format", "strict_date_optional_time||epoch_millis"),
    ("date_detection", "true"),
    ("numeric_detection", "false"),
];

/// Lists differences between the existing and the wanted definition, a sentence fragment each.
pub(super) fn contradictions(found: &str, wanted: &str) -> Vec<String> {
    let (Ok(found), Ok(wanted)) = (serde_json::from_str::<Value>(found), serde_json::from_str::<Value>(wanted)) else {
        return vec!["its definition is not JSON".to_owned()];
    };
    let mut said = Vec::new();
    settings(&found["settings"], &wanted["settings"], &mut said);
    mapping(&found["mappings"], &wanted["mappings"], &mut said);
    said
}

fn settings(found: &Value, wanted: &Value, said: &mut Vec<String>) {
    let (mut there, mut asked) = (BTreeMap::new(), BTreeMap::new());
    flatten("", found, &mut there);
    flatten("", wanted, &mut asked);
    asked.retain(|name, _| !PASSING.contains(&name.as_str()));
    for (name, wanted) in &asked {
        let given = GIVEN.iter().find(|(given, _)| given == name).map(|(_, value)| vec![(*value).to_owned()]);
        let found = there.get(name).cloned().or(given).unwrap_or_default();
        if found != *wanted {
            said.push(differs(&format!("setting `{name}`"), &found.join(", "), &wanted.join(", ")));
        }
    }
    // An additional analyzer changes nothing; an additional part of a wanted one does.
    let part = |name: &str| {
        name.strip_prefix("analysis.").map(|rest| rest.splitn(3, '.').take(2).collect::<Vec<_>>().join("."))
    };
    let parts: BTreeSet<_> = asked.keys().filter_map(|name| part(name)).collect();
    for name in there.keys().filter(|name| !asked.contains_key(*name)) {
        if part(name).is_some_and(|part| parts.contains(&part)) {
            said.push(format!("setting `{name}` is there and not asked for"));
        }
    }
}

/// Whether settings contain this one, in any spelling of its name.
pub(super) fn sets(settings: &Value, name: &str) -> bool {
    let mut there = BTreeMap::new();
    flatten("", settings, &mut there);
    there.contains_key(name)
}

/// Settings by their full names without `index.`, each as the list of its values.
fn flatten(prefix: &str, value: &Value, into: &mut BTreeMap<String, Vec<String>>) {
    let name = || prefix.strip_prefix("index.").unwrap_or(prefix).to_owned();
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&name, value, into);
            }
        }
        Value::Null => {}
        Value::Array(values) => drop(into.insert(name(), values.iter().map(plain).collect())),
        value => drop(into.insert(name(), vec![plain(value)])),
    }
}

fn mapping(found: &Value, wanted: &Value, said: &mut Vec<String>) {
    compare("the mapping", "", found, wanted, said);
}

/// Compares a field, or the mapping as a whole.
fn compare(what: &str, path: &str, found: &Value, wanted: &Value, said: &mut Vec<String>) {
    let empty = Map::new();
    let (there, asked) = (found.as_object().unwrap_or(&empty), wanted.as_object().unwrap_or(&empty));
    let names: BTreeSet<_> = there.keys().chain(asked.keys()).map(String::as_str).collect();
    for name in names {
        match name {
            "_meta" => {}
            "properties" | "fields" => fields(path, &found[name], &wanted[name], said),
            name => {
                let (there, asked) = (parameter(name, there), parameter(name, asked));
                if there != asked {
                    said.push(differs(&format!("`{name}` of {what}"), &there, &asked));
                }
            }
        }
    }
}

fn fields(path: &str, found: &Value, wanted: &Value, said: &mut Vec<String>) {
    for (name, wanted) in wanted.as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match found.get(name) {
            Some(found) => compare(&format!("field `{path}`"), &path, found, wanted, said),
            None => said.push(format!("field `{path}` is missing")),
        }
    }
}

fn parameter(name: &str, of: &Map<String, Value>) -> String {
    let default = || DEFAULTS.iter().find(|(key, _)| *key == name).map_or("nothing", |(_, value)| value);
    match of.get(name) {
        None | Some(Value::Null) => default().to_owned(),
        Some(value) => plain(value),
    }
}

/// A value as one text: a number and its text are the same, and keys have no order.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => format!("[{}]", values.iter().map(plain).collect::<Vec<_>>().join(",")),
        Value::Object(object) => {
            let sorted: BTreeMap<_, _> = object.iter().map(|(key, value)| (key, plain(value))).collect();
            let parts: Vec<_> = sorted.into_iter().map(|(key, value)| format!("{key}:{value}")).collect();
            format!("{{{}}}", parts.join(","))
        }
        other => other.to_string(),
    }
}

fn differs(what: &str, found: &str, wanted: &str) -> String {
    let shown = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.chars().take(60).collect() };
    format!("{what} is {}, not {}", shown(found), shown(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: &str = r#"{"settings":{"index":{"number_of_shards":"2","number_of_replicas":"0","refresh_interval":"-1",
        "uuid":"x","creation_date":"1","version":{"created":"8"},"routing":{"allocation":{"include":{"_tier_preference":"d"}}},
        "analysis":{"analyzer":{"folded":{"type":"custom","tokenizer":"standard","filter":["lowercase","asciifolding"]}}}}},
        "mappings":{"_meta":{"reindex":{"version":"v"}},"dynamic_templates":[{"t":{"path_match":"a.is*","mapping":{"type":"boolean"}}}],
        "properties":{
            "name":{"type":"text","analyzer":"folded","fields":{"keyword":{"type":"keyword","ignore_above":256}}},
            "inner":{"properties":{"a":{"type":"long"},"grown":{"type":"text"}}},
            "empty":{"type":"object"},"list":{"type":"nested","properties":{"b":{"type":"date"}}},
            "grown":{"type":"text","fields":{"keyword":{"type":"keyword"}}}}}}"#;

    fn against(wanted: &str) -> Vec<String> {
        contradictions(FOUND, wanted)
    }

    #[test]
    fn what_an_engine_adds_or_spells_differently_is_no_contradiction() {
        let wanted = r#"{"settings":{"number_of_shards":2,"index.number_of_replicas":3,"refresh_interval":"1s","index":{"analysis":
            {"analyzer":{"folded":{"filter":["lowercase","asciifolding"],"type":"custom","tokenizer":"standard"}}}}},
            "mappings":{"dynamic":true,"_meta":{"mine":1},"dynamic_templates":[{"t":{"mapping":{"type":"boolean"},"path_match":"a.is*"}}],
            "properties":{
                "name":{"type":"text","analyzer":"folded","index":true,"fields":{"keyword":{"type":"keyword","ignore_above":"256"}}},
                "inner":{"type":"object","properties":{"a":{"type":"long","coerce":true}}},
                "empty":{"properties":{}},"list":{"type":"nested","properties":{"b":{"type":"date"}}}}}}"#;
        assert_eq!(against(wanted), [""; 0]);
    }

    #[test]
    fn every_contradiction_is_named_with_both_sides() {
        let wanted = r#"{"settings":{"number_of_shards":1,"max_result_window":5,"analysis":{"analyzer":{"folded":
            {"type":"custom","tokenizer":"standard","filter":["asciifolding","lowercase"]}}}},
            "mappings":{"dynamic":"strict","properties":{
                "name":{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":10}}},
                "inner":{"properties":{"a":{"type":"keyword"},"new":{"type":"text"}}},
                "list":{"properties":{"b":{"type":"date","index":false}}}}}}"#;
        assert_eq!(
            against(wanted),
            [
                "setting `analysis.analyzer.folded.filter` is lowercase, asciifolding, not asciifolding, lowercase",
                "setting `max_result_window` is nothing, not 5",
                "setting `number_of_shards` is 2, not 1",
                "`dynamic` of the mapping is true, not strict",
                "`dynamic_templates` of the mapping is [{t:{mapping:{type:boolean},path_match:a.is*}}], not nothing",
                "`analyzer` of field `name` is folded, not default",
                "`ignore_above` of field `name.keyword` is 256, not 10",
                "`type` of field `inner.a` is long, not keyword",
                "field `inner.new` is missing",
                "`index` of field `list.b` is true, not false",
                "`type` of field `list` is nested, not object",
            ]
        );
    }

    #[test]
    fn a_part_more_of_an_analyzer_is_a_contradiction_and_another_analyzer_is_not() {
        let wanted = r#"{"settings":{"number_of_shards":2,"analysis":{"analyzer":{"folded":{"type":"custom","tokenizer":"standard"}}}},
            "mappings":{"dynamic_templates":[{"t":{"path_match":"a.is*","mapping":{"type":"boolean"}}}]}}"#;
        assert_eq!(against(wanted), ["setting `analysis.analyzer.folded.filter` is there and not asked for"]);
        let none = r#"{"settings":{"number_of_shards":2},"mappings":{"dynamic_templates":[{"t":{"path_match":"a.is*","mapping":{"type":"boolean"}}}]}}"#;
        assert_eq!(against(none), [""; 0]);
    }

    #[test]
    fn no_definition_asks_for_one_shard_and_no_more() {
        assert_eq!(contradictions(r#"{"settings":{"index":{"number_of_shards":"1"}},"mappings":{}}"#, "{}"), [""; 0]);
        assert!(!contradictions("{}", "nonsense").is_empty());
    }
}
