//! Writes a record in DynamoDB's typed JSON or as plain JSON, straight into a buffer and in the order of the calls.

use std::fmt::{Display, Write};

use base64::{Engine, prelude::BASE64_STANDARD};

/// How a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// `{"Item":{"id":{"S":"…"}}}`, a line of DynamoDB's export.
    DynamodbJson,
    /// `{"id":"…"}`: sets are arrays, bytes are base64.
    Plain,
}

/// Appends one record, whose attributes `write` names.
pub fn item(form: Form, out: &mut String, write: impl FnOnce(&mut Map)) {
    let (head, tail) = match form {
        Form::DynamodbJson => ("{\"Item\":{", "}}"),
        Form::Plain => ("{", "}"),
    };
    out.push_str(head);
    write(&mut Map { out, form, empty: true });
    out.push_str(tail);
}

pub struct Map<'a> {
    out: &'a mut String,
    form: Form,
    empty: bool,
}

impl Map<'_> {
    pub fn field(&mut self, name: &str) -> Value<'_> {
        separate(&mut self.empty, self.out);
        push_text(name, self.out);
        self.out.push(':');
        Value { out: self.out, form: self.form }
    }
}

pub struct List<'a> {
    out: &'a mut String,
    form: Form,
    empty: bool,
}

impl List<'_> {
    pub fn element(&mut self) -> Value<'_> {
        separate(&mut self.empty, self.out);
        Value { out: self.out, form: self.form }
    }
}

/// The place of one value; writing it takes the place.
pub struct Value<'a> {
    out: &'a mut String,
    form: Form,
}

impl Value<'_> {
    pub fn text(self, text: &str) {
        self.tagged("S", |out, _| push_text(text, out));
    }

    pub fn number(self, number: impl Display) {
        self.tagged("N", |out, form| push_number(number, form, out));
    }

    pub fn boolean(self, value: bool) {
        self.tagged("BOOL", |out, _| push(value, out));
    }

    pub fn bytes(self, bytes: &[u8]) {
        self.tagged("B", |out, _| push_bytes(bytes, out));
    }

    pub fn null(self) {
        match self.form {
            Form::DynamodbJson => self.out.push_str("{\"NULL\":true}"),
            Form::Plain => self.out.push_str("null"),
        }
    }

    pub fn map(self, write: impl FnOnce(&mut Map)) {
        self.tagged("M", |out, form| {
            out.push('{');
            write(&mut Map { out, form, empty: true });
            out.push('}');
        });
    }

    pub fn list(self, write: impl FnOnce(&mut List)) {
        self.tagged("L", |out, form| {
            out.push('[');
            write(&mut List { out, form, empty: true });
            out.push(']');
        });
    }

    /// A string set. The caller gives its members sorted and once each, as both forms then agree.
    pub fn texts(self, members: &[&str]) {
        self.set("SS", members, |text, _, out| push_text(text, out));
    }

    /// A number set, its members sorted and once each.
    pub fn numbers(self, members: &[u64]) {
        self.set("NS", members, |number, form, out| push_number(number, form, out));
    }

    /// A binary set, its members sorted by their base64 and once each.
    pub fn blobs(self, members: &[&[u8]]) {
        self.set("BS", members, |bytes, _, out| push_bytes(bytes, out));
    }

    fn set<T>(self, tag: &str, members: &[T], write: impl Fn(&T, Form, &mut String)) {
        self.tagged(tag, |out, form| {
            out.push('[');
            let mut empty = true;
            for member in members {
                separate(&mut empty, out);
                write(member, form, out);
            }
            out.push(']');
        });
    }

    fn tagged(self, tag: &str, write: impl FnOnce(&mut String, Form)) {
        let typed = self.form == Form::DynamodbJson;
        if typed {
            self.out.push_str("{\"");
            self.out.push_str(tag);
            self.out.push_str("\":");
        }
        write(self.out, self.form);
        if typed {
            self.out.push('}');
        }
    }
}

fn separate(empty: &mut bool, out: &mut String) {
    if !std::mem::take(empty) {
        out.push(',');
    }
}

fn push(value: impl Display, out: &mut String) {
    let _ = write!(out, "{value}");
}

/// DynamoDB writes numbers as texts, so that no reader rounds them.
fn push_number(number: impl Display, form: Form, out: &mut String) {
    match form {
        Form::DynamodbJson => push(format_args!("\"{number}\""), out),
        Form::Plain => push(number, out),
    }
}

fn push_bytes(bytes: &[u8], out: &mut String) {
    out.push('"');
    BASE64_STANDARD.encode_string(bytes, out);
    out.push('"');
}

fn push_text(text: &str, out: &mut String) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        push(serde_json::Value::from(text), out);
    }
}
