//! EXIF: the tags of a TIFF structure as texts.

mod cfa;
mod date;
mod names;
mod rational;
mod tables;
mod texts;
mod value;

use crate::{
    ifd::{Directory, Field},
    metadata::Texts,
    text::trimmed,
};
use value::Value;
pub(crate) use value::integer_of_text;

const ORIENTATION: u16 = 0x0112;
/// What fills a directory up means nothing.
const PADDING: &str = "Padding";
/// When the picture was taken, with its fraction of a second and its time zone.
const TAKEN: &str = "Date/Time Original Composite";

/// The texts of a directory by the names of their tags. Of tags that share a name, the later one counts.
pub(crate) fn texts(directory: &Directory) -> Texts {
    let mut texts = Texts::new();
    for tag in directory.tags() {
        let name = names::name(tag).filter(|name| *name != PADDING);
        let Some((name, text)) = name.zip(texts::text(directory, tag)) else { continue };
        let text = trimmed(&text);
        if !text.is_empty() {
            texts.insert(name.to_owned(), text.to_owned());
        }
    }
    texts
}

/// The same of the EXIF sub-directory, which knows when the picture was taken.
pub(crate) fn sub_texts(directory: &Directory) -> Texts {
    let mut texts = texts(directory);
    texts.extend(date::taken(directory).map(|date| (TAKEN.to_owned(), date)));
    texts
}

/// The orientation of the picture.
pub(crate) fn orientation(directory: &Directory) -> Option<i32> {
    value(directory, ORIENTATION)?.integer()
}

/// The text of a field that has no rule of its own.
pub(crate) fn text(field: Field) -> Option<String> {
    Value::read(field).map(|value| value.whole_text())
}

fn value<'a>(directory: &Directory<'a>, tag: u16) -> Option<Value<'a>> {
    Value::read(directory.get(tag)?)
}
