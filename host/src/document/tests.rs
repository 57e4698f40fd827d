//! Positions, suggestions and secrets of a file, for every kind of file.

use std::fs;

use serde::Deserialize;
use serde_json::json;

use super::*;

/// Compares the error of every `tests/cases/<what>/<case>/<what>.toml` with the `expected.txt` beside it. A missing one
/// is written, to be reviewed, and the test fails once.
pub(crate) fn refused_in_the_expected_words(what: &str, refusal: impl Fn(&str) -> Error) {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases").join(what);
    let mut wrong = String::new();
    for case in fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()) {
        let report = refusal(&fs::read_to_string(case.join(what).with_extension("toml")).unwrap()).report() + "\n";
        let file = case.join("expected.txt");
        let expected = fs::read_to_string(&file).unwrap_or_else(|_| {
            fs::write(&file, &report).unwrap();
            "nothing so far; it is written now\n".to_owned()
        });
        if report != expected {
            wrong += &format!("{}\n--- expected\n{expected}--- got\n{report}\n", case.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[derive(Debug, Deserialize)]
struct Server {
    #[expect(dead_code, reason = "only whether it can be read matters")]
    port: std::net::SocketAddr,
}

fn server(text: &str, value: &str) -> Result<Server> {
    let (document, mut table) = Document::parse("environment", Path::new("dev.toml"), text)?;
    let secrets = substitute(&document, table.get_mut(), &|_| Some(value.to_owned()), |_| Ok(()))?;
    document.deserialize(table, &json!({}), &secrets)
}

#[test]
fn a_value_that_does_not_fit_is_quoted_unless_a_variable_held_it() {
    let plain = server("port = \"hunter2\"", "").unwrap_err().report();
    assert!(plain.contains("\"hunter2\"") && plain.contains("reason"), "{plain}");
    let secret = server("port = \"${PORT}\"", "swordfish").unwrap_err().report();
    assert!(!secret.contains("swordfish") && secret.contains("${PORT}"), "{secret}");
    server("port = \"${PORT}\"", "127.0.0.1:80").unwrap();
}

#[test]
fn columns_are_counted_in_characters_and_control_characters_are_not_shown() {
    let text = "é = 'ö\u{1b}'";
    let error = server(text, "").unwrap_err();
    assert!(!error.report().contains('\u{1b}'), "{:?}", error.report());
    let (document, _) = Document::parse("recipe", Path::new("r.toml"), "\"é\" = \t\"ö\"\r\n").unwrap();
    let error = document.error_at("\"é\"", "no");
    let context: Vec<_> = error.context().iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(context, ["r.toml:1:8", "\"é\" =  \"ö\"\n       ^^^"]);
}

#[test]
fn the_nearest_word_is_suggested_and_a_stranger_is_not() {
    assert_eq!(nearest("sorce", ["source", "plugin"]), Some("source"));
    assert_eq!(nearest("SOURCE", ["source", "plugin"]), Some("source"));
    assert_eq!(nearest("xyzzy", ["source", "plugin"]), None);
}

#[test]
fn a_list_of_words_reads_like_a_sentence() {
    assert_eq!(list::<&str>(&[], "and"), "");
    assert_eq!(list(&["a"], "and"), "`a`");
    assert_eq!(list(&["a", "b", "c"], "or"), "`a`, `b` or `c`");
}
