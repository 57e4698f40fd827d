//! DynamoDB's typed JSON (`{"S": "…"}`), to and from plain JSON, canonically.

use serde_json::value::RawValue;

use super::{
    canonical::{
        Text, check_depth, fields, parse, push_text, text, write_array, write_object, write_plain, write_text,
    },
    decimal,
};

/// Rewrites DynamoDB's typed JSON (`{"S": "…"}`) of one attribute value as canonical plain JSON.
pub fn typed_to_plain(value: &str) -> Result<String, String> {
    let mut out = String::with_capacity(value.len());
    write_typed(value, 0, &mut out)?;
    Ok(out)
}

/// Rewrites plain JSON as a typed attribute value, as DynamoDB stores it.
pub(super) fn plain_to_typed(text: &str, depth: usize, out: &mut String) -> Result<(), String> {
    check_depth(depth)?;
    match text.as_bytes().first() {
        Some(b'"') => {
            out.push_str("{\"S\":");
            write_text(text, out)?;
        }
        Some(b'{') => {
            out.push_str("{\"M\":");
            write_object(text, out, |value, out| plain_to_typed(value, depth + 1, out))?;
        }
        Some(b'[') => {
            out.push_str("{\"L\":");
            write_array(text, out, |value, out| plain_to_typed(value, depth + 1, out))?;
        }
        Some(b'n') => out.push_str("{\"NULL\":true"),
        Some(b't' | b'f') => out.push_str(&format!("{{\"BOOL\":{text}")),
        _ => out.push_str(&format!("{{\"N\":\"{text}\"")),
    }
    out.push('}');
    Ok(())
}

pub(super) fn write_typed(text: &str, depth: usize, out: &mut String) -> Result<(), String> {
    check_depth(depth)?;
    let fields = fields(text)?;
    let [(tag, value)] = fields.as_slice() else {
        return Err(format!("is not a typed attribute value: it has {} keys instead of one type", fields.len()));
    };
    match &**tag {
        "S" | "B" if value.starts_with('"') => write_text(value, out),
        "N" => {
            out.push_str(&number(value)?);
            Ok(())
        }
        "BOOL" if matches!(*value, "true" | "false") => {
            out.push_str(value);
            Ok(())
        }
        "NULL" => {
            out.push_str("null");
            Ok(())
        }
        "M" => write_object(value, out, |value, out| write_typed(value, depth + 1, out)),
        "L" => write_array(value, out, |value, out| write_typed(value, depth + 1, out)),
        "SS" | "BS" => write_set(parse::<Vec<Text>>(value)?, out),
        "NS" => write_number_set(value, out),
        other => Err(format!("has the type `{other}`, which DynamoDB does not know or not with this value")),
    }
}

/// Rewrites a typed attribute value with its keys and sets in order.
pub(super) fn write_typed_as_typed(text: &str, depth: usize, out: &mut String) -> Result<(), String> {
    check_depth(depth)?;
    let fields = fields(text)?;
    let [(tag, value)] = fields.as_slice() else {
        return Err("is not a typed attribute value".to_owned());
    };
    let mut inner = String::new();
    match &**tag {
        "M" => write_object(value, &mut inner, |value, out| write_typed_as_typed(value, depth + 1, out))?,
        "L" => write_array(value, &mut inner, |value, out| write_typed_as_typed(value, depth + 1, out))?,
        "SS" | "BS" => write_set(parse::<Vec<Text>>(value)?, &mut inner)?,
        "NS" => {
            let texts = sorted_numbers(value)?;
            inner = serde_json::to_string(&texts).map_err(|error| error.to_string())?;
        }
        _ => {
            write_typed(text, depth, &mut String::new())?;
            write_plain(value, depth, &mut inner)?;
        }
    }
    out.push_str(&format!("{{\"{tag}\":{inner}}}"));
    Ok(())
}

fn write_set(mut members: Vec<Text>, out: &mut String) -> Result<(), String> {
    members.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
    out.push('[');
    for (n, member) in members.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        push_text(&member.0, out);
    }
    out.push(']');
    Ok(())
}

fn write_number_set(value: &str, out: &mut String) -> Result<(), String> {
    out.push('[');
    out.push_str(&sorted_numbers(value)?.join(","));
    out.push(']');
    Ok(())
}

fn sorted_numbers(value: &str) -> Result<Vec<String>, String> {
    let raw: Vec<&RawValue> = parse(value)?;
    let mut numbers = raw.into_iter().map(|raw| number(raw.get())).collect::<Result<Vec<_>, _>>()?;
    numbers.sort_by(|a, b| decimal::compare(a, b).then_with(|| a.cmp(b)));
    Ok(numbers)
}

/// The number inside a JSON string, as its own text.
fn number(raw: &str) -> Result<String, String> {
    let text = text(raw)?;
    let first = text.bytes().next().unwrap_or(b' ');
    let is_number =
        (first == b'-' || first.is_ascii_digit()) && parse::<&RawValue>(&text).is_ok_and(|raw| raw.get() == text);
    if is_number { Ok(text.into_owned()) } else { Err(format!("has the number `{text}`, which is not one")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::canonical::tests::json, *};
    use crate::record::canonical;

    #[test]
    fn typed_attributes_become_plain_ones_with_sets_in_order() {
        let typed = r#"{"M":{"n":{"N":"1.10"},"ss":{"SS":["b","a"]},"ns":{"NS":["10","9","9.0","-1"]},"b":{"B":"AAE="},"x":{"NULL":true},"l":{"L":[{"BOOL":false}]}}}"#;
        assert_eq!(
            typed_to_plain(typed).unwrap(),
            r#"{"b":"AAE=","l":[false],"n":1.10,"ns":[-1,9,9.0,10],"ss":["a","b"],"x":null}"#
        );
    }

    #[test]
    fn a_typed_number_that_is_none_is_refused() {
        for text in [r#"{"N":"abc"}"#, r#"{"N":"{}"}"#, r#"{"N":" 1"}"#, r#"{"N":""}"#, r#"{"X":"1"}"#] {
            assert!(typed_to_plain(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn plain_to_typed_and_back_is_the_same_record(value in json()) {
            let plain = canonical(&value.to_string()).unwrap();
            let mut typed = String::new();
            plain_to_typed(&plain, 0, &mut typed).unwrap();
            prop_assert_eq!(typed_to_plain(&typed).unwrap(), plain);
        }
    }
}
