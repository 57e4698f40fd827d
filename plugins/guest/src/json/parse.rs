//! The one pass over JSON text.
//!
//! Accepts exactly JSON (RFC 8259), in which a lone surrogate is refused since no text can hold it. Does not
//! look for repeated names: the host has refused them.

use super::{Kind, Node};
use crate::Invalid;

/// How deep values may lie in each other; the host's own limit for records.
const MAX_DEPTH: usize = 128;

/// Notes where each value of the text lies.
pub(super) fn nodes(text: &str) -> Result<Vec<Node>, Invalid> {
    if u32::try_from(text.len()).is_err() {
        return Err(Invalid::new("the item is larger than 4 GiB"));
    }
    let mut parser = Parser { bytes: text.as_bytes(), at: 0, nodes: Vec::with_capacity(text.len() / 12 + 4) };
    parser.value(0)?;
    parser.skip_space();
    if parser.at < text.len() { Err(parser.unexpected()) } else { Ok(parser.nodes) }
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
}

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<(), Invalid> {
        self.skip_space();
        match self.peek() {
            Some(b'"') => self.text(),
            Some(b'{') => self.container(Kind::Map, b'}', depth),
            Some(b'[') => self.container(Kind::List, b']', depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal(b"true", Kind::True),
            Some(b'f') => self.literal(b"false", Kind::False),
            Some(b'n') => self.literal(b"null", Kind::Null),
            _ => Err(self.unexpected()),
        }
    }

    fn container(&mut self, kind: Kind, close: u8, depth: usize) -> Result<(), Invalid> {
        if depth == MAX_DEPTH {
            return Err(Invalid::new(format!("the item is nested deeper than {MAX_DEPTH} levels")));
        }
        let (start, node) = (self.at, self.nodes.len());
        self.push(kind, start);
        self.at += 1;
        self.skip_space();
        let mut more = self.peek() != Some(close);
        while more {
            if kind == Kind::Map {
                self.name()?;
            }
            self.value(depth + 1)?;
            self.skip_space();
            more = self.peek() == Some(b',');
            self.at += usize::from(more);
        }
        self.expect(close)?;
        self.nodes[node].end = self.at as u32;
        self.nodes[node].next = self.nodes.len() as u32;
        Ok(())
    }

    fn name(&mut self) -> Result<(), Invalid> {
        self.skip_space();
        self.text()?;
        self.skip_space();
        self.expect(b':')
    }

    fn text(&mut self) -> Result<(), Invalid> {
        let start = self.at;
        let mut kind = Kind::Text;
        self.expect(b'"')?;
        loop {
            self.at += plain_length(&self.bytes[self.at..]);
            if self.peek() != Some(b'\\') {
                break;
            }
            kind = Kind::EscapedText;
            self.escape()?;
        }
        self.expect(b'"')?;
        self.push(kind, start);
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Invalid> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => self.unicode_escape(),
            _ => Err(self.unexpected()),
        }
    }

    /// Reads `uXXXX`, and the `\uXXXX` that must follow if the first is half of a pair.
    fn unicode_escape(&mut self) -> Result<(), Invalid> {
        match self.hex()? {
            0xd800..=0xdbff => {
                self.expect(b'\\')?;
                if matches!(self.hex()?, 0xdc00..=0xdfff) { Ok(()) } else { Err(self.unexpected()) }
            }
            0xdc00..=0xdfff => Err(self.unexpected()),
            _ => Ok(()),
        }
    }

    fn hex(&mut self) -> Result<u32, Invalid> {
        self.expect(b'u')?;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or_else(|| self.unexpected())?;
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<(), Invalid> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        self.push(Kind::Number, start);
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Invalid> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected()) } else { Ok(()) }
    }

    fn literal(&mut self, literal: &[u8], kind: Kind) -> Result<(), Invalid> {
        let start = self.at;
        if !self.bytes[start..].starts_with(literal) {
            return Err(self.unexpected());
        }
        self.at += literal.len();
        self.push(kind, start);
        Ok(())
    }

    /// Notes a value that ends here and contains nothing, so far.
    fn push(&mut self, kind: Kind, start: usize) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { kind, start: start as u32, end: self.at as u32, next });
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Invalid> {
        if self.peek() != Some(byte) {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    #[cold]
    fn unexpected(&self) -> Invalid {
        Invalid::new(match self.peek() {
            None => "the item is not JSON: it ends too early".to_owned(),
            Some(_) => format!("the item is not JSON at byte {}", self.at),
        })
    }
}

/// How many bytes from the start need no look: no quote, no backslash, no control character. Eight at a time.
fn plain_length(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (n, word) in words.iter().enumerate() {
        let found = special(u64::from_le_bytes(*word));
        if found != 0 {
            return n * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let plain = rest.iter().take_while(|byte| **byte >= b' ' && **byte != b'"' && **byte != b'\\').count();
    words.len() * 8 + plain
}

/// Sets the top bit of each byte of the word that is special. The lowest bit set is always right; those above
/// may be false, since a subtraction borrows.
fn special(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & (ONES * 0x80)
}
