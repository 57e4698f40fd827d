//! Extended XMP: a packet in pieces, for what does not fit into one segment of a JPEG.

use super::Flat;

const PREAMBLE: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
/// The name of the packet, before the length of it and the place of the piece.
const GUID: usize = 32;
const NUMBER: usize = 4;

/// The name of the packet that a packet is continued in.
pub(crate) fn guid(packet: &Flat) -> Option<&str> {
    packet.get("xmpNote:HasExtendedXMP")
}

/// The pieces of a packet.
#[derive(Debug, Default)]
pub(crate) struct Extension {
    length: usize,
    /// Where each piece begins.
    pieces: Vec<(usize, Vec<u8>)>,
}

impl Extension {
    /// Adds a segment if it is a piece of the packet of this name.
    pub(crate) fn add(&mut self, guid: &str, segment: &[u8]) {
        let preamble = segment.get(..PREAMBLE.len()).filter(|begin| begin.eq_ignore_ascii_case(PREAMBLE));
        let piece = preamble.and_then(|_| piece(&segment[PREAMBLE.len()..], guid));
        let Some((length, begin, data)) = piece else { return };
        if self.pieces.is_empty() {
            self.length = length;
        }
        if length == self.length && begin.checked_add(data.len()).is_some_and(|end| end <= length) {
            self.pieces.push((begin, data.to_vec()));
        }
    }

    /// The packet; none if pieces are missing.
    pub(crate) fn joined(self) -> Option<Vec<u8>> {
        let there: usize = self.pieces.iter().map(|(_, data)| data.len()).sum();
        if self.pieces.is_empty() || there < self.length {
            return None;
        }
        let mut packet = vec![0; self.length];
        for (begin, data) in &self.pieces {
            packet[*begin..begin + data.len()].copy_from_slice(data);
        }
        Some(packet)
    }
}

/// Length of the packet, begin of the piece, and the piece.
fn piece<'a>(data: &'a [u8], guid: &str) -> Option<(usize, usize, &'a [u8])> {
    let (name, rest) = data.split_at_checked(GUID)?;
    let (length, rest) = rest.split_first_chunk::<NUMBER>()?;
    let (begin, data) = rest.split_first_chunk::<NUMBER>()?;
    let number = |bytes: &[u8; NUMBER]| u32::from_be_bytes(*bytes) as usize;
    (name == guid.as_bytes()).then_some((number(length), number(begin), data))
}
