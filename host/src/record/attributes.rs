//! Attributes that are set on a record; its other attributes stay. Pure.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    Form, Key,
    canonical::{fields, push_text, write_plain},
    typed::plain_to_typed,
};

/// Converts plain attributes to a table's form, canonically.
///
/// *Errors*: a sentence fragment that names what is wrong with them; the key's attributes are not allowed.
pub fn attributes(text: &str, key: &Key, form: Form) -> Result<String, String> {
    let write: fn(&str, usize, &mut String) -> Result<(), String> = match form {
        Form::Plain => write_plain,
        Form::DynamodbJson => plain_to_typed,
    };
    let written = fields(text)?.into_iter().map(|(name, value)| {
        if key.attributes().contains(&name.to_string()) {
            return Err(format!("contain `{name}`, which is of the key and never changes"));
        }
        let mut out = String::with_capacity(value.len());
        write(value, 1, &mut out).map_err(|reason| format!("have {name}, which {reason}"))?;
        Ok((name, Cow::from(out)))
    });
    Ok(object(written.collect::<Result<_, String>>()?))
}

/// Returns a record with some attributes replaced or added. Canonical if both inputs are.
pub fn set(record: &str, attributes: &str) -> Result<String, String> {
    let both = fields(record)?.into_iter().chain(fields(attributes)?);
    Ok(object(both.map(|(name, value)| (name, Cow::from(value))).collect()))
}

fn object(fields: BTreeMap<Cow<'_, str>, Cow<'_, str>>) -> String {
    let mut out = String::from("{");
    for (name, value) in fields {
        if out.len() > 1 {
            out.push(',');
        }
        push_text(&name, &mut out);
        out.push(':');
        out.push_str(&value);
    }
    out.push('}');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::canonical::tests::json, *};
    use crate::record::canonical;

    fn id() -> Key {
        Key::One("id".into())
    }

    #[test]
    fn attributes_take_the_place_of_those_of_their_names_and_leave_the_others() {
        let record = r#"{"a":1,"b":{"c":2},"id":"x"}"#;
        let plain = attributes(r#"{ "é\u0041": [1.50], "b": null }"#, &id(), Form::Plain).unwrap();
        assert_eq!(set(record, &plain).unwrap(), r#"{"a":1,"b":null,"id":"x","éA":[1.50]}"#);
        let typed = attributes(r#"{"n":1.50,"t":true}"#, &id(), Form::DynamodbJson).unwrap();
        assert_eq!(
            set(r#"{"id":{"S":"x"}}"#, &typed).unwrap(),
            r#"{"id":{"S":"x"},"n":{"N":"1.50"},"t":{"BOOL":true}}"#
        );
        assert_eq!(set(record, "{}").unwrap(), record);
    }

    #[test]
    fn what_cannot_be_set_is_said() {
        let reason = |text: &str| attributes(text, &id(), Form::Plain).unwrap_err();
        assert_eq!(reason(r#"{"id":"y"}"#), "contain `id`, which is of the key and never changes");
        assert_eq!(reason(r#"{"a":1,"a":2}"#), "has the key `a` twice");
        assert!(reason("[]").starts_with("is not JSON") && reason("").starts_with("is not JSON"));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        assert!(reason(&deep).contains("nested deeper"), "{}", reason(&deep));
    }

    proptest! {
        #[test]
        fn what_was_set_stays_canonical_and_setting_it_again_changes_nothing(a in json(), b in json()) {
            let [record, change] = [a, b].map(|value| canonical(&format!("{{\"x\":{value},\"y\":1}}")).unwrap());
            let change = change.replace("\"y\"", "\"z\"");
            let change = attributes(&change, &id(), Form::Plain).unwrap();
            let once = set(&record, &change).unwrap();
            prop_assert_eq!(&canonical(&once).unwrap(), &once);
            prop_assert_eq!(&set(&once, &change).unwrap(), &once);
        }
    }
}
