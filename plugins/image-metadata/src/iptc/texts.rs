//! The text of each dataset.

use super::{Datasets, Value, file_formats::FILE_FORMATS, names, put};
use crate::{
    date::{calendar, lenient},
    exif::integer_of_text,
    metadata::Texts,
    text::cut_at,
};

const FILE_FORMAT: u16 = 0x0114;
const KEYWORDS: u16 = 0x0219;
const DATES: [u16; 6] = [0x0146, 0x021E, 0x0225, 0x022F, 0x0237, 0x023E];
const TIMES: [u16; 5] = [0x0150, 0x0223, 0x0226, 0x023C, 0x023F];

/// Dates with their times, by names that are no dataset's.
const COMPOSITES: [(&str, u16, u16); 2] =
    [("Date Time Created Composite", 0x0237, 0x023C), ("Digital Date Time Created Composite", 0x023E, 0x023F)];

/// A list longer than this is not written out.
const LONG: usize = 16;

pub(super) fn texts(datasets: &Datasets) -> Texts {
    let mut texts = Texts::new();
    for (tag, value) in &datasets.0 {
        if let Some((name, text)) = names::name(*tag).zip(text(datasets, *tag, value)) {
            put(&mut texts, name, &text);
        }
    }
    for (name, date, time) in COMPOSITES {
        let instant = datasets.text(date).zip(datasets.text(time));
        let instant = instant.and_then(|(date, time)| lenient::read(lenient::COMPACT, &(date + &time)));
        if let Some(instant) = instant {
            put(&mut texts, name, &calendar::text(instant));
        }
    }
    texts
}

fn text(datasets: &Datasets, tag: u16, value: &Value) -> Option<String> {
    let whole = datasets.text(tag)?;
    let text = match (tag, value) {
        (FILE_FORMAT, Value::Text(text)) => file_format(integer_of_text(text)),
        (FILE_FORMAT, _) => return None,
        (KEYWORDS, Value::Texts(keywords)) => keywords.join(";"),
        _ if DATES.contains(&tag) => match length(&whole) {
            8 => cut_at(&whole, [4, 6]).join(":"),
            _ => whole,
        },
        _ if TIMES.contains(&tag) => match length(&whole) {
            6 | 11 => cut_at(&whole, [2, 4]).join(":"),
            _ => whole,
        },
        (_, Value::Texts(texts)) if texts.len() > LONG => format!("[{} values]", texts.len()),
        _ => whole,
    };
    Some(text)
}

fn file_format(number: i32) -> String {
    let format = usize::try_from(number).ok().and_then(|place| FILE_FORMATS.get(place));
    format.map_or_else(|| format!("Unknown ({number})"), |name| (*name).to_owned())
}

fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
