//! Turns any text of a search into a valid expression of FTS5.

/// The query of a search.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Query {
    /// Every document.
    Everything,
    /// Nothing can match: there are signs, but no letter or digit.
    Nothing,
    /// An expression of FTS5.
    Match(String),
}

impl Query {
    /// Reads words that must all occur, `"phrases"` and `prefix*`.
    ///
    /// Each term is quoted, so that nothing in it is an operator. A quote that is not closed ends with the text.
    pub(super) fn new(typed: &str) -> Self {
        if matches!(typed.trim(), "" | "*") {
            return Self::Everything;
        }
        let terms: Vec<_> = typed.split('"').enumerate().flat_map(|(n, part)| terms(n % 2 == 1, part)).collect();
        if terms.is_empty() { Self::Nothing } else { Self::Match(terms.join(" ")) }
    }
}

fn terms(phrase: bool, part: &str) -> Vec<String> {
    let parts: Vec<&str> = if phrase { vec![part] } else { part.split_whitespace().collect() };
    parts.into_iter().filter(|term| term.contains(char::is_alphanumeric)).map(term).collect()
}

/// A word with signs in it (`a-b`) becomes a phrase of its parts, since the engine splits the document's words in the
/// same way.
fn term(text: &str) -> String {
    let prefix = if text.ends_with('*') { " *" } else { "" };
    format!("\"{}\"{prefix}", text.replace('\0', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(typed: &str) -> String {
        match Query::new(typed) {
            Query::Match(expression) => expression,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn words_phrases_and_prefixes_are_told_apart() {
        assert_eq!(expression(r#"ada  "of the sea" lov*"#), r#""ada" "of the sea" "lov*" *"#);
        assert_eq!(expression(r#"a"b c"#), r#""a" "b c""#);
        assert_eq!(expression("x AND NOT (y:z) - ^"), r#""x" "AND" "NOT" "(y:z)""#);
    }

    #[test]
    fn nothing_typed_finds_everything_and_signs_alone_find_nothing() {
        assert_eq!((Query::new(" \t"), Query::new("*")), (Query::Everything, Query::Everything));
        assert_eq!(Query::new("-- \"*\" \u{0}"), Query::Nothing);
    }
}
