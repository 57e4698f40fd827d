//! How every backend handles an unexpected reply: the server's text in one bounded line, and errors for redirects and
//! for replies that are too long. Pure.
#![cfg_attr(not(feature = "elasticsearch"), allow(dead_code, reason = "each backend uses a part of it"))]

use crate::error::{Error, Kind, Retry};

/// The longest text of a server that is shown, in characters.
const LONGEST: usize = 500;

/// Shortens a server's text to one line of bounded length, without control characters.
pub(super) fn words(said: &str) -> String {
    let mut words = String::with_capacity(said.len().min(LONGEST));
    for (n, word) in
        said.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).enumerate()
    {
        if n > 0 {
            words.push(' ');
        }
        words.push_str(word);
        if words.len() > 4 * LONGEST {
            break;
        }
    }
    match words.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

/// The error of a redirect, which is never followed: the checks of one server do not hold for another one.
pub(super) fn redirected(operation: &str, status: u16, location: Option<&str>) -> Error {
    Error::new(Kind::Unavailable, format!("{operation}: the answer sends us to another address, which is not followed"))
        .retry(Retry::Never)
        .with("answer", status.to_string())
        .with("location", location.map_or_else(|| "none is named".to_owned(), host))
        .hint("write the server's own address in the environment file; what was done is kept")
}

/// The error of a reply that is longer than any answer to the request can be.
pub(super) fn too_long(operation: &str, most: usize) -> Error {
    Error::new(Kind::Unavailable, format!("{operation}: the reply is longer than any answer to this request"))
        .retry(Retry::Never)
        .with("limit", format!("{most} bytes"))
        .because(TooLong)
        .hint("check the server's address and what stands between here and there; what was done is kept")
}

/// Whether an error means that the reply is too long.
pub(super) fn is_too_long(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<TooLong>)
}

#[derive(Debug)]
struct TooLong;

impl std::fmt::Display for TooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("reading it was given up")
    }
}

impl std::error::Error for TooLong {}

/// The host in a location; paths, queries and credentials may be secret.
fn host(location: &str) -> String {
    let Some((_, rest)) = location.split_once("//") else { return "a path on the same server".to_owned() };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || ".-:[]".contains(*c);
    host.chars().filter(plain).take(255).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_are_one_bounded_line(said in any::<String>(), times in 0usize..200) {
            let words = words(&said.repeat(times));
            prop_assert!(words.chars().count() <= LONGEST + 1 && !words.chars().any(char::is_control));
        }
    }

    #[test]
    fn a_redirect_names_the_host_and_nothing_secret() {
        let to = |location| redirected("it cannot be read", 307, Some(location)).report();
        let said = to("http://user:hush@elsewhere.example:9200/_bulk?token=hush#hush");
        assert!(said.contains("elsewhere.example:9200") && !said.contains("hush"), "{said}");
        assert!(to("/_bulk?token=hush").contains("same server"));
        assert!(!to("//a\u{1b}[31m@b\nc/hush").contains("hush"));
        assert!(!redirected("it cannot be read", 301, None).may_retry());
    }
}
