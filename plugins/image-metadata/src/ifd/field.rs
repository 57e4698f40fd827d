//! The tags of a directory, with their values in bytes.

use std::collections::BTreeMap;

/// What numbers in a TIFF structure are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Byte,
    Text,
    Short,
    Long,
    Rational,
    SignedByte,
    Undefined,
    SignedShort,
    SignedLong,
    SignedRational,
    Float,
    Double,
}

impl Kind {
    /// The kind of a code, and how many bytes a number has.
    pub(super) fn of(code: u16) -> Option<(Self, usize)> {
        let kind = match code {
            1 => (Self::Byte, 1),
            2 => (Self::Text, 1),
            3 => (Self::Short, 2),
            4 => (Self::Long, 4),
            5 => (Self::Rational, 8),
            6 => (Self::SignedByte, 1),
            7 => (Self::Undefined, 1),
            8 => (Self::SignedShort, 2),
            9 => (Self::SignedLong, 4),
            10 => (Self::SignedRational, 8),
            11 => (Self::Float, 4),
            12 => (Self::Double, 8),
            _ => return None,
        };
        Some(kind)
    }
}

/// The value of a tag, in its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) kind: Kind,
    pub(crate) count: usize,
    pub(crate) data: &'a [u8],
    pub(super) is_big_endian: bool,
}

impl<'a> Field<'a> {
    /// The numbers of a value of `N` bytes each.
    pub(crate) fn numbers<const N: usize, T: 'a>(self, number: fn([u8; N]) -> T) -> impl Iterator<Item = T> + 'a {
        let ordered = move |bytes: &[u8; N]| {
            let mut bytes = *bytes;
            if !self.is_big_endian {
                bytes.reverse();
            }
            number(bytes)
        };
        self.data.as_chunks().0.iter().map(ordered)
    }
}

/// The tags of a directory. Of a tag that occurs twice, the later value counts, at the earlier place.
#[derive(Debug, Default)]
pub(crate) struct Directory<'a> {
    fields: BTreeMap<u16, (usize, Field<'a>)>,
}

impl<'a> Directory<'a> {
    pub(crate) fn get(&self, tag: u16) -> Option<Field<'a>> {
        self.fields.get(&tag).map(|(_, field)| *field)
    }

    /// The tags in the order of the directory.
    pub(crate) fn tags(&self) -> Vec<u16> {
        let mut tags: Vec<_> = self.fields.iter().map(|(tag, (place, _))| (*place, *tag)).collect();
        tags.sort_unstable();
        tags.into_iter().map(|(_, tag)| tag).collect()
    }

    pub(super) fn set(&mut self, tag: u16, field: Field<'a>) {
        let place = self.fields.len();
        self.fields.entry(tag).and_modify(|(_, there)| *there = field).or_insert((place, field));
    }
}
