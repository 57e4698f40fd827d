//! The shapes of records that pass into a document as they are: unknown fields are left out, dates are written alike.

use serde_json::{Map, Number, Value};

use crate::{Failure, record::Record};

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A whole number.
    Whole,
    /// True or false.
    Boolean,
    /// A date.
    Date,
    /// An object of this shape.
    Object(Shape),
    /// A list of such values.
    List(&'static Kind),
}

/// The fields of an object, in the order in which they are written.
pub(super) type Shape = &'static [Field];

/// A field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    name: &'static str,
    kind: Kind,
    absent: Absent,
}

/// What becomes of a field that is not there.
#[derive(Debug, Clone, Copy)]
enum Absent {
    Fails,
    StaysAway,
    /// It is a list, and written without elements.
    IsEmpty,
}

/// A field that must be there.
pub(super) const fn required(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, absent: Absent::Fails }
}

/// A field that may be there.
pub(super) const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, absent: Absent::StaysAway }
}

/// A list that is written also where it is not there.
pub(super) const fn list(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, absent: Absent::IsEmpty }
}

/// Takes the fields of a shape out of a record.
///
/// *Errors*: [`Failure::Record`] for a field that is missing or of another kind.
pub(super) fn shaped(record: &Record, shape: Shape) -> Result<Map<String, Value>, Failure> {
    let mut fields = Map::new();
    for field in shape {
        let value = match (record.optional(field.name)?, field.absent) {
            (Some(member), _) => value(&member, field.kind)?,
            (None, Absent::Fails) => value(&record.required(field.name)?, field.kind)?,
            (None, Absent::StaysAway) => continue,
            (None, Absent::IsEmpty) => Value::Array(Vec::new()),
        };
        fields.insert(field.name.to_owned(), value);
    }
    Ok(fields)
}

fn value(record: &Record, kind: Kind) -> Result<Value, Failure> {
    Ok(match kind {
        Kind::Text => record.as_text()?.into(),
        Kind::OneOf(words) => {
            let word = words.iter().find(|word| record.value().as_str() == Some(word));
            (*word.ok_or_else(|| record.is_not(&format!("one of {}", words.join(", "))))?).into()
        }
        Kind::Whole => whole(record)?.into(),
        Kind::Boolean => record.as_boolean()?.into(),
        Kind::Date => record.as_date()?.to_string().into(),
        Kind::Object(shape) => shaped(record, shape)?.into(),
        Kind::List(kind) => {
            record.elements()?.iter().map(|element| value(element, *kind)).collect::<Result<Vec<_>, _>>()?.into()
        }
    })
}

fn whole(record: &Record) -> Result<Number, Failure> {
    let number = record.value().as_i64().map(Number::from);
    number.ok_or_else(|| record.is_not("a whole number"))
}
