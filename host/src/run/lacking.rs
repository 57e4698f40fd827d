//! Which fields the mapping of an index that is there has and a definition lacks: a rebuild would leave them out, and
//! who filters by them would find nothing. Pure.

use serde_json::{Map, Value};

/// The paths of the fields that a definition lacks, without those inside a field that it lacks as a whole. A field that
/// one of its dynamic templates matches by path, or that lies in an object it says is dynamic, is none of them. A
/// definition without any field lacks none: each document adds its own.
pub(super) fn lacking(there: &str, definition: &str) -> Vec<String> {
    let (Ok(there), Ok(definition)) = (serde_json::from_str::<Value>(there), serde_json::from_str::<Value>(definition))
    else {
        return Vec::new();
    };
    let (there, mapping) = (&there["mappings"], &definition["mappings"]);
    let mut paths = Vec::new();
    if mapping["properties"].as_object().is_some_and(|properties| !properties.is_empty()) {
        let patterns = patterns(mapping);
        collect("", there, mapping, &patterns, &mut paths);
        paths.sort();
    }
    paths
}

fn collect(path: &str, there: &Value, defined: &Value, patterns: &[&str], paths: &mut Vec<String>) {
    for kind in ["properties", "fields"] {
        for (name, field) in there[kind].as_object().into_iter().flatten() {
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match defined[kind].get(name) {
                Some(defined) if is_dynamic(defined) => {}
                Some(defined) => collect(&inner, field, defined, patterns, paths),
                None if patterns.iter().any(|pattern| matches(pattern, &inner)) => {}
                None => paths.push(inner),
            }
        }
    }
}

fn is_dynamic(object: &Value) -> bool {
    object["dynamic"] == true || object["dynamic"] == "true"
}

/// The paths that dynamic templates say themselves.
fn patterns(mapping: &Value) -> Vec<&str> {
    let templates = mapping["dynamic_templates"].as_array().into_iter().flatten();
    let bodies = templates.filter_map(Value::as_object).flat_map(Map::values);
    bodies.filter_map(|body| body["path_match"].as_str()).collect()
}

/// Whether a path is what a pattern says, in which `*` stands for anything.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((start, rest)) => path.strip_prefix(start).is_some_and(|path| {
            path.char_indices().map(|(at, _)| at).chain([path.len()]).any(|at| matches(rest, &path[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THERE: &str = r#"{"settings":{},"mappings":{"properties":{
        "id":{"type":"text","fields":{"keyword":{"type":"keyword"},"raw":{"type":"keyword"}}},
        "isActive":{"type":"boolean"},
        "tenure":{"properties":{"id":{"type":"keyword"},"isActive":{"type":"boolean"}}},
        "management":{"properties":{"owner":{"type":"text"},"agent":{"type":"text"}}},
        "like":{"properties":{"hasLift":{"type":"boolean"},"windows":{"type":"text"}}},
        "passed":{"dynamic":"true","properties":{"anything":{"properties":{"at":{"type":"text"}}}}}}}}"#;

    #[test]
    fn fields_that_a_definition_lacks_are_named_once_and_what_it_passes_through_is_not() {
        let definition = r#"{"mappings":{"dynamic":true,"dynamic_templates":[
            {"has":{"path_match":"like.has*","mapping":{"type":"boolean"}}},{"any":{"match_mapping_type":"string","mapping":{}}}],
            "properties":{"id":{"type":"text","fields":{"keyword":{"type":"keyword"}}},"tenure":{"properties":{"id":{}}},
            "like":{"properties":{}},"passed":{"dynamic":true,"properties":{}}}}}"#;
        assert_eq!(lacking(THERE, definition), ["id.raw", "isActive", "like.windows", "management", "tenure.isActive"]);
        assert_eq!(lacking(THERE, THERE), [""; 0]);
    }

    #[test]
    fn a_definition_without_fields_lacks_none() {
        for none in ["{}", r#"{"mappings":{"properties":{}}}"#, "nonsense"] {
            assert_eq!(lacking(THERE, none), [""; 0], "{none}");
        }
    }

    #[test]
    fn a_star_stands_for_anything_also_for_nothing() {
        for (pattern, path, expected) in [
            ("a.*", "a.b.c", true),
            ("a*.*", "ab.c", true),
            ("a.*", "a", false),
            ("*", "", true),
            ("*c", "abc", true),
            ("a*c", "abd", false),
            ("é*", "éa", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
