//! What is wrong with a file that is no TOML.

use std::ops::Range;

use toml::de::DeTable;

use super::Document;
use crate::error::Error;

/// The quotes that word processors write.
const CURLY: [char; 6] = ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{201a}'];

/// An error about the syntax of a document.
pub(super) fn explain(document: &Document, at: Range<usize>, message: String) -> Error {
    let error = document.error(at.clone(), message);
    let (start, line) = line(document.text, at.start);
    if line.contains(CURLY) {
        return error.hint("write straight quotes, \"like this\": these come from a word processor");
    }
    match first_place(document, start, line) {
        Some(first) => error.with("first", format!("line {first}")).hint("write it once, with the keys of both"),
        None => error.hint("the file has to be TOML; see https://toml.io"),
    }
}

/// The line at a place, and where it begins.
fn line(text: &str, at: usize) -> (usize, &str) {
    let at = text.floor_char_boundary(at);
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    (start, text[start..].lines().next().unwrap_or_default())
}

/// The line on which a table or a key stands for the first time that a line repeats.
fn first_place(document: &Document, start: usize, line: &str) -> Option<usize> {
    let before = &document.text[..start];
    let table = DeTable::parse(before).ok()?;
    let mut earlier = Document::unread(document.what, document.path, before);
    earlier.note("", table.get_ref());
    let header = |line: &str| Some(line.trim().strip_prefix('[')?.split_once(']')?.0.trim().to_owned());
    let path = match header(line) {
        Some(table) => table,
        None => {
            let key = line.split_once('=')?.0.trim();
            let table = before.lines().rev().find_map(header);
            table.map_or_else(|| key.to_owned(), |table| format!("{table}.{key}"))
        }
    };
    earlier.lines().get(&path).copied()
}
