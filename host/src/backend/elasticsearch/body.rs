//! Writes as lines of a bulk body.
//!
//! Ids, versions and JSON are checked here, since one bad line may refuse a whole request. A document's text is copied
//! unchanged: it is never parsed into a tree or rewritten.

use std::{
    borrow::Cow,
    hash::{BuildHasher, RandomState},
};

use serde::{Deserialize, de::IgnoredAny};

use crate::capability::index::{MAX_ID_BYTES, MAX_VERSION, Write};

/// How deep a document may be nested; the engines' limit is somewhere below a thousand levels.
const MAX_DEPTH: usize = 512;

/// Some writes in the form of a request, each document at most once.
#[derive(Debug, Default)]
pub(super) struct BulkChunk {
    /// Action lines and documents.
    pub lines: Vec<u8>,
    /// Where the lines of each write end.
    pub ends: Vec<usize>,
    /// A number for each document, equal for equal ids of one index.
    pub ids: Vec<u64>,
    /// The index of each write in its call.
    pub places: Vec<usize>,
}

/// Turns writes into chunks.
#[derive(Debug)]
pub(super) struct Packer {
    hasher: RandomState,
    /// The size at which a chunk ends, if it holds more than one write.
    enough: usize,
    /// The size that no request may exceed.
    most: usize,
}

impl Packer {
    /// Ends chunks at `enough` bytes and refuses documents that alone are longer than `most`.
    pub(super) fn new(enough: usize, most: usize) -> Self {
        Self { hasher: RandomState::new(), enough: enough.min(most), most }
    }

    /// The preferred size of a request in bytes.
    pub(super) fn enough(&self) -> usize {
        self.enough
    }

    /// Packs the writes of one call in order. `refuse` is called with the index of each write that cannot be sent, and
    /// the reason.
    pub(super) fn pack(&self, index: &str, writes: &[Write], mut refuse: impl FnMut(usize, String)) -> Vec<BulkChunk> {
        let mut chunks = Vec::new();
        let mut chunk = BulkChunk::default();
        let mut inside = std::collections::HashSet::new();
        for (place, write) in writes.iter().enumerate() {
            if let Err(reason) = self.check(write) {
                refuse(place, reason);
                continue;
            }
            let id = self.hasher.hash_one((index, &write.id));
            let length = chunk.lines.len() + write.body.as_ref().map_or(0, String::len);
            if !chunk.ends.is_empty() && (length > self.enough || inside.contains(&id)) {
                chunks.push(std::mem::take(&mut chunk));
                inside.clear();
            }
            if chunk.ends.is_empty() {
                let left = writes[place..].iter().map(|write| write.id.len() + text(write).len() + ACTION);
                chunk.lines.reserve(left.sum::<usize>().min(self.enough + ACTION));
            }
            inside.insert(id);
            action(write, &mut chunk.lines);
            chunk.ends.push(chunk.lines.len());
            chunk.ids.push(id);
            chunk.places.push(place);
        }
        if !chunk.ends.is_empty() {
            chunks.push(chunk);
        }
        chunks
    }

    fn check(&self, write: &Write) -> Result<(), String> {
        let Write { id, version, body } = write;
        if id.is_empty() || id.len() > MAX_ID_BYTES {
            return Err(format!("the document's id has {} bytes, not 1 to {MAX_ID_BYTES}", id.len()));
        }
        if version.is_some_and(|version| version > MAX_VERSION) {
            return Err(format!("the document's version is above {MAX_VERSION}"));
        }
        let Some(body) = body else { return Ok(()) };
        if body.len() + id.len() * 6 + ACTION > self.most {
            return Err(format!(
                "the document has {} bytes, and the server takes {} in a request",
                body.len(),
                self.most
            ));
        }
        if !body.trim_ascii_start().starts_with('{') {
            return Err("the document is not a JSON object".to_owned());
        }
        serde_json::from_str::<IgnoredAny>(body).map_err(|error| format!("the document is not JSON: {error}"))?;
        if too_deep(body) {
            return Err(format!("the document is nested deeper than {MAX_DEPTH} levels"));
        }
        Ok(())
    }
}

/// More bytes than an action line has besides its id.
const ACTION: usize = 100;

fn text(write: &Write) -> &str {
    write.body.as_deref().unwrap_or_default()
}

/// An upper bound decides first: only a text with this many brackets is examined exactly.
fn too_deep(body: &str) -> bool {
    let opens = |byte: &u8| matches!(byte, b'{' | b'[');
    if body.len() <= MAX_DEPTH || body.as_bytes().iter().filter(|byte| opens(byte)).count() <= MAX_DEPTH {
        return false;
    }
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for byte in body.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

/// The beginning of the action lines of both operations; the id follows.
pub(super) const INDEX: &[u8] = b"{\"index\":{\"_id\":";
pub(super) const DELETE: &[u8] = b"{\"delete\":{\"_id\":";

/// The content of an action line, to compare it with the answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    /// Whether the document is to be deleted; otherwise it is written.
    pub deletes: bool,
    /// The document's id.
    pub id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Id<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Asked<'a> {
    /// Reads an action line; none if this module did not write it.
    pub(super) fn read(line: &'a [u8]) -> Option<Self> {
        let (deletes, rest) = match line.strip_prefix(INDEX) {
            Some(rest) => (false, rest),
            None => (true, line.strip_prefix(DELETE)?),
        };
        let Id(id) = serde_json::Deserializer::from_slice(rest).into_iter().next()?.ok()?;
        Some(Self { deletes, id })
    }
}

fn action(write: &Write, lines: &mut Vec<u8>) {
    lines.extend_from_slice(if write.body.is_some() { INDEX } else { DELETE });
    quote(&write.id, lines);
    if let Some(version) = write.version {
        lines.extend_from_slice(format!(",\"version\":{version},\"version_type\":\"external_gte\"").as_bytes());
    }
    lines.extend_from_slice(b"}}\n");
    if let Some(body) = &write.body {
        one_line(body, lines);
        lines.push(b'\n');
    }
}

pub(super) fn quote(text: &str, lines: &mut Vec<u8>) {
    lines.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
}

/// Line breaks in JSON are between its tokens, never inside a text, so a space is equivalent.
fn one_line(body: &str, lines: &mut Vec<u8>) {
    let from = lines.len();
    lines.extend_from_slice(body.as_bytes());
    if body.as_bytes().contains(&b'\n') {
        for byte in &mut lines[from..] {
            if *byte == b'\n' {
                *byte = b' ';
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn put(id: &str, body: &str) -> Write {
        Write { id: id.to_owned(), version: Some(3), body: Some(body.to_owned()) }
    }

    fn pack(enough: usize, writes: &[Write]) -> (Vec<BulkChunk>, Vec<usize>) {
        let mut refused = Vec::new();
        let chunks = Packer::new(enough, 10_000).pack("i", writes, |place, _| refused.push(place));
        (chunks, refused)
    }

    #[test]
    fn a_write_is_an_action_line_and_its_text_on_one_line() {
        let (chunks, _) = pack(10_000, &[put("a\"b\n", "{\n \"x\":\r\n\"y\"}"), Write { body: None, ..put("c", "") }]);
        assert_eq!(
            std::str::from_utf8(&chunks[0].lines).unwrap(),
            "{\"index\":{\"_id\":\"a\\\"b\\n\",\"version\":3,\"version_type\":\"external_gte\"}}\n{  \"x\":\r \"y\"}\n\
             {\"delete\":{\"_id\":\"c\",\"version\":3,\"version_type\":\"external_gte\"}}\n"
        );
    }

    #[test]
    fn an_action_line_is_read_back() {
        let (chunks, _) = pack(10_000, &[put("a\"é\n", "{}"), Write { body: None, ..put("c", "") }]);
        let BulkChunk { lines, ends, .. } = &chunks[0];
        let asked = |deletes, id: &'static str| Some(Asked { deletes, id: id.into() });
        assert_eq!(Asked::read(&lines[..ends[0]]), asked(false, "a\"é\n"));
        assert_eq!(Asked::read(&lines[ends[0]..]), asked(true, "c"));
        assert_eq!(Asked::read(b"{}"), None);
    }

    #[test]
    fn what_would_refuse_a_whole_request_is_refused_before() {
        let long = "x".repeat(600);
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(600), "]".repeat(600));
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(10_000));
        let writes = [
            put(&long, "{}"),
            put("", "{}"),
            Write { version: Some(u64::MAX), ..put("a", "{}") },
            put("a", "[]"),
            put("a", "{} {}"),
            put("a", "{"),
            put("a", "{\"a\":\"\n\"}"),
            put("a", &deep),
            put("a", &large),
            put("good", "{}"),
        ];
        let (chunks, refused) = pack(10_000, &writes);
        assert_eq!(refused, (0..9).collect::<Vec<_>>());
        assert_eq!((chunks.len(), chunks[0].places.as_slice()), (1, [9].as_slice()));
    }

    #[test]
    fn brackets_inside_texts_do_not_nest() {
        assert!(!too_deep(&format!("{{\"a\":\"{}\\\"\"}}", "[".repeat(2000))));
        assert!(!too_deep(&format!("{{\"a\":[{}1]}}", "[],".repeat(2000))));
    }

    proptest! {
        #[test]
        fn parcels_hold_every_write_once_in_order_and_no_document_twice(ids in proptest::collection::vec(0u8..20, 0..60), enough in 1usize..2000) {
            let writes: Vec<_> = ids.iter().map(|id| put(&id.to_string(), "{\"some\":\"text\"}")).collect();
            let (chunks, refused) = pack(enough, &writes);
            prop_assert!(refused.is_empty());
            let places: Vec<_> = chunks.iter().flat_map(|chunk| chunk.places.clone()).collect();
            prop_assert_eq!(places, (0..writes.len()).collect::<Vec<_>>());
            for chunk in chunks {
                let distinct: std::collections::HashSet<_> = chunk.ids.iter().collect();
                prop_assert_eq!(distinct.len(), chunk.ids.len());
                prop_assert_eq!(chunk.ends.len(), chunk.ids.len());
                prop_assert_eq!(chunk.ends.last(), Some(&chunk.lines.len()));
            }
        }
    }
}
