//! What documents look like.

use super::*;
use crate::Json;

/// Writes a document from an item.
fn written(item: &str, write: impl Fn(&mut Document, Map) -> Result<(), Invalid>) -> Result<String, Invalid> {
    let json = Json::parse(item)?;
    let mut document = Document::new();
    write(&mut document, json.map()?)?;
    Ok(document.finish())
}

#[test]
fn fields_stand_in_the_order_of_writing() {
    let mut document = Document::default();
    document.string("b", "x");
    document.boolean("a", true);
    document.integer("d", -7);
    document.boolean("c", false);
    assert_eq!(document.finish(), r#"{"b":"x","a":true,"d":-7,"c":false}"#);
}

#[test]
fn a_document_without_fields_is_an_empty_object() {
    assert_eq!(Document::new().finish(), "{}");
}

#[test]
fn a_string_is_escaped_as_json_demands() {
    let text = "\"\\/\u{8}\u{c}\n\r\t\0\u{1f}\u{7f}é😀";
    let mut document = Document::new();
    document.string("a", text);
    let document = document.finish();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&document).unwrap()["a"], text);
    assert_eq!(document, format!("{{\"a\":{}}}", serde_json::to_string(text).unwrap()));
}

#[test]
fn values_and_members_pass_unchanged() {
    let item = r#"{"a":{"x":[1.50,null,"\"",true]},"b\"":1E5,"c":null,"d":"\n"}"#;
    let members = |document: &mut Document, item: Map| {
        item.members().for_each(|member| document.member(member));
        Ok(())
    };
    assert_eq!(written(item, members).unwrap(), item);
    let one = |document: &mut Document, item: Map| {
        document.value("renamed", item.get("a").unwrap());
        Ok(())
    };
    assert_eq!(written(item, one).unwrap(), r#"{"renamed":{"x":[1.50,null,"\"",true]}}"#);
}

#[test]
fn a_complaint_carries_the_path_of_its_attribute() {
    let nested = |document: &mut Document, item: Map| {
        document.map("a", item.map("a").if_any(), |document, a| {
            document.maps("b", a.list("b").if_any(), |document, b| {
                document.text("id", b.required_id("id")?);
                document.texts("c", b.list("c").values())
            })
        })
    };
    let complaint = |item: &str| written(item, nested).unwrap_err().to_string();
    assert_eq!(complaint(r#"{"a":{"b":[{"id":1},{}]}}"#), "a.b[1].id is missing");
    assert_eq!(complaint(r#"{"a":{"b":[{"id":1},1]}}"#), "a.b[1] is not a map");
    assert_eq!(complaint(r#"{"a":{"b":[{"id":1,"c":["x",null]}]}}"#), "a.b[0].c[1] is null");
    assert_eq!(complaint(r#"{"a":{"b":[{"id":1,"c":[{}]}]}}"#), "a.b[0].c[0] is not a scalar");
    assert_eq!(
        written(r#"{"a":{"b":[{"id":1,"c":["x",2,true]},{"id":"2"}]}}"#, nested).unwrap(),
        r#"{"a":{"b":[{"id":"1","c":["x","2","true"]},{"id":"2","c":[]}]}}"#
    );
    assert_eq!(written("{}", nested).unwrap(), "{}");
}

#[test]
fn a_boolean_is_read_in_each_of_its_forms_and_written_unless_there_is_none() {
    let one = |document: &mut Document, item: Map| {
        document.boolean("b", item.boolean("a")?);
        Ok(())
    };
    for (stored, value) in
        [("true", true), ("false", false), ("1", true), ("-0.0", false), ("0e7", false), ("\"tRue\"", true)]
    {
        assert_eq!(written(&format!("{{\"a\":{stored}}}"), one).unwrap(), format!("{{\"b\":{value}}}"), "{stored}");
    }
    for nothing in ["{}", "{\"a\":null}"] {
        assert_eq!(written(nothing, one).unwrap(), "{}");
    }
    for wrong in ["\"\"", "\"yes\"", "[]", "{}"] {
        let complaint = written(&format!("{{\"a\":{wrong}}}"), one).unwrap_err();
        assert_eq!(complaint.reason(), "a is not a boolean", "{wrong}");
    }
}

#[test]
fn the_rest_of_a_map_is_what_no_list_names_without_nulls() {
    let rest = |document: &mut Document, item: Map| {
        document.rest(item, &[&["a"], &["c\"", "x"]]);
        Ok(())
    };
    let item = r#"{"a":1,"b":[1.50,null],"c\"":2,"d\"":{"a":null},"e":null}"#;
    assert_eq!(written(item, rest).unwrap(), r#"{"b":[1.50,null],"d\"":{"a":null}}"#);
}
