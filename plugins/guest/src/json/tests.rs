//! What the reader takes and refuses, beside what `serde_json` takes.

use super::*;

fn is_json(text: &str) -> bool {
    Json::parse(text).is_ok()
}

fn reason(text: &str) -> String {
    Json::parse(text).unwrap_err().to_string()
}

#[test]
fn a_map_answers_by_exact_name() {
    let json = Json::parse(r#"{"a":1,"ab":[1,{"a":2}],"b":{"a":3},"A":4}"#).unwrap();
    let map = json.map().unwrap();
    assert!(matches!(map.get("a"), Some(Value::Number("1"))));
    assert!(matches!(map.get("A"), Some(Value::Number("4"))));
    assert!(map.get("").is_none());
    assert!(map.get("aB").is_none());
    let Some(Value::Map(b)) = map.get("b") else { panic!("b is a map") };
    assert!(matches!(b.get("a"), Some(Value::Number("3"))));
    assert!(b.get("ab").is_none());
    assert_eq!(b.as_json(), r#"{"a":3}"#);
}

#[test]
fn a_name_with_escapes_is_found_by_what_it_means() {
    let json = Json::parse(r#"{"quo\"te":1,"\u00e9":2}"#).unwrap();
    let map = json.map().unwrap();
    assert!(matches!(map.get("quo\"te"), Some(Value::Number("1"))));
    assert!(matches!(map.get("é"), Some(Value::Number("2"))));
}

#[test]
fn a_list_hands_out_its_values_in_order() {
    let json = Json::parse(r#"[null,true,[],[[1]],"x"]"#).unwrap();
    let Value::List(list) = json.value() else { panic!("a list") };
    let kinds: Vec<_> = list.values().map(|value| value.scalar().map(|text| text.to_string())).collect();
    assert_eq!(kinds, [None, Some("true".to_owned()), None, None, Some("x".to_owned())]);
}

#[test]
fn escapes_are_undone_only_when_asked() {
    let json = Json::parse(r#""\"\\\/\b\f\n\r\t\u0000\u00e9\ud83d\ude00 plain""#).unwrap();
    let Value::Text(text) = json.value() else { panic!("a text") };
    assert_eq!(text.to_str(), "\"\\/\u{8}\u{c}\n\r\t\0é😀 plain");
    assert_eq!(text.as_json(), r#"\"\\\/\b\f\n\r\t\u0000\u00e9\ud83d\ude00 plain"#);
}

#[test]
fn what_is_not_json_is_refused_with_its_place() {
    for text in [
        "",
        " ",
        "{",
        "[",
        "\"",
        "[1",
        "[1,",
        "[1,]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "[1 2]",
        "1 2",
        "tru",
        "nul",
        "falsy",
        "True",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "0x1",
        "NaN",
        "'a'",
        "\"\u{1}\"",
        "\"\n\"",
        r#""\x""#,
        r#""\u12""#,
        r#""\u12g4""#,
        r#""\ud800""#,
        r#""\ud800\u0041""#,
        r#""\udc00""#,
        "\u{feff}1",
        "]",
        "{]",
    ] {
        assert!(!is_json(text), "{text:?}");
    }
    assert_eq!(reason("{\"a\":x}"), "the item is not JSON at byte 5");
    assert_eq!(reason("{\"a\":"), "the item is not JSON: it ends too early");
}

#[test]
fn what_is_json_is_accepted_with_or_without_space() {
    for text in
        ["0", "-0.10", "1e5", "1E-5", "1.5e+10", "\"\"", " { \"a\" : [ 1 , 2 ] }\n", "[]", "{}", "null", "\"\u{7f}\""]
    {
        assert!(is_json(text), "{text:?}");
    }
}

#[test]
fn hostile_nesting_is_refused_not_followed() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(is_json(&nested(128)));
    assert_eq!(reason(&nested(129)), "the item is nested deeper than 128 levels");
    assert!(!is_json(&"{\"a\":".repeat(1_000_000)));
}

#[test]
fn only_a_map_is_an_item() {
    for text in ["1", "null", "[]", "\"{}\"", "true"] {
        assert_eq!(Json::parse(text).unwrap().map().unwrap_err().reason(), "the item is not a map");
    }
}
