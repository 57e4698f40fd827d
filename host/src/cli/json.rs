//! JSON text, indented. Works on the text itself, so that the order of fields and the digits of numbers stay.

/// Indents JSON text; the text must be JSON already.
pub(super) fn pretty(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut rest) = (0_usize, text.trim_start());
    while let Some(first) = rest.chars().next() {
        let token = match first {
            '"' => string(rest),
            '{' | '[' | '}' | ']' | ',' | ':' => 1,
            _ => rest.find(|c: char| c.is_whitespace() || ",:]}".contains(c)).unwrap_or(rest.len()),
        };
        let (word, after) = rest.split_at(token);
        rest = after.trim_start();
        let closes = rest.starts_with(['}', ']']);
        match word {
            "{" | "[" if closes => {
                out.push_str(word);
                out.push_str(&rest[..1]);
                rest = rest[1..].trim_start();
            }
            "{" | "[" => {
                depth += 1;
                out.push_str(word);
                line(&mut out, depth);
            }
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push_str(word);
            }
            "," => {
                out.push(',');
                line(&mut out, depth);
            }
            ":" => out.push_str(": "),
            _ => out.push_str(word),
        }
    }
    out.push('\n');
    out
}

/// Where a text that begins with a string goes on after it.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_order_of_fields_and_the_text_of_numbers_stay() {
        let text = r#"{"b":1.50e+2,"a":[{},[],"x\"]{",{"c":null}]}"#;
        let expected = "{\n  \"b\": 1.50e+2,\n  \"a\": [\n    {},\n    [],\n    \"x\\\"]{\",\n    {\n      \"c\": null\n    }\n  ]\n}\n";
        assert_eq!(pretty(text), expected);
        assert_eq!(pretty(expected), expected);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_texts_in_strings_stay(text in any::<String>(), list in prop::collection::vec(any::<String>(), 0..5)) {
            pretty(&text);
            let json = serde_json::to_string(&list).unwrap();
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&pretty(&json)).unwrap(), list);
        }
    }
}
