//! TIFFs in both byte orders, small and big.

use proptest::{prelude::*, sample::Index};

use super::super::tests::{blocks, is_sound};
use super::*;

const EXIF: u16 = 34665;

/// A tag, its kind and its data.
type Field = (u16, u16, Vec<u8>);

/// How a file writes numbers.
#[derive(Debug, Clone, Copy)]
struct Form {
    is_little: bool,
    is_big: bool,
}

impl Form {
    fn number(self, number: u64, width: usize) -> Vec<u8> {
        let mut bytes = number.to_le_bytes()[..width].to_vec();
        if !self.is_little {
            bytes.reverse();
        }
        bytes
    }

    /// A directory at an offset of the file, and its values after it.
    fn directory(self, at: usize, fields: &[Field]) -> Vec<u8> {
        let (count, word) = if self.is_big { (8, 8) } else { (2, 4) };
        let values_at = at + count + fields.len() * (4 + 2 * word) + word;
        let (mut table, mut values) = (self.number(fields.len() as u64, count), Vec::new());
        for (tag, kind, data) in fields {
            table.extend([self.number((*tag).into(), 2), self.number((*kind).into(), 2)].concat());
            table.extend(self.number(data.len() as u64 / width(*kind), word));
            if data.len() <= word {
                table.extend([data, &vec![0; word - data.len()][..]].concat());
            } else {
                table.extend(self.number((values_at + values.len()) as u64, word));
                values.extend(data);
            }
        }
        [table, self.number(0, word), values].concat()
    }

    /// A file whose first directory points to another.
    fn file(self, fields: &[Field], inner: &[Field]) -> Vec<u8> {
        let begin = if self.is_big { 16 } else { 8 };
        let inner = self.directory(begin, inner);
        let first = begin + inner.len();
        let mark = if self.is_little { b"II" } else { b"MM" };
        let header = if self.is_big {
            [self.number(43, 2), self.number(8, 2), self.number(0, 2), self.number(first as u64, 8)].concat()
        } else {
            [self.number(42, 2), self.number(first as u64, 4)].concat()
        };
        let pointer = (EXIF, LONG, self.number(begin as u64, 4));
        let directory = self.directory(first, &[fields, &[pointer]].concat());
        [mark.to_vec(), header, inner, directory].concat()
    }

    /// The fields of a directory of a small TIFF.
    fn fields(self, small: &[u8], at: u64) -> Vec<Field> {
        let number = |at: usize, width: usize| {
            let shift = |number: u64, at: usize| number << 8 | u64::from(small[at]);
            if self.is_little { (at..at + width).rev().fold(0, shift) } else { (at..at + width).fold(0, shift) }
        };
        let at = usize::try_from(at).unwrap();
        let entries = (0..number(at, 2) as usize).map(|entry| at + 2 + 12 * entry);
        let field = |at: usize| {
            let (tag, kind) = (number(at, 2) as u16, number(at + 2, 2) as u16);
            let length = (number(at + 4, 4) * width(kind)) as usize;
            let place = if length <= 4 { at + 8 } else { number(at + 8, 4) as usize };
            (tag, kind, small[place..place + length].to_vec())
        };
        entries.map(field).collect()
    }

    fn value(self, data: &[u8]) -> u64 {
        let shift = |number, byte: &u8| number << 8 | u64::from(*byte);
        if self.is_little { data.iter().rev().fold(0, shift) } else { data.iter().fold(0, shift) }
    }
}

fn forms() -> impl Strategy<Value = Form> {
    any::<(bool, bool)>().prop_map(|(is_little, is_big)| Form { is_little, is_big })
}

fn fields() -> impl Strategy<Value = Vec<Field>> {
    let tags = prop_oneof![prop::sample::select(&BLOCKS[..]), 256u16..320];
    let kinds = prop::sample::select(&[1u16, 2, 3, LONG, 5, 7, 12][..]);
    let values = (kinds, prop::collection::vec(any::<u8>(), 8..200));
    let fields = prop::collection::btree_map(tags, values, 0..8);
    fields.prop_map(|fields| {
        let whole = |(tag, (kind, mut data)): (u16, (u16, Vec<u8>))| {
            data.truncate(data.len() - data.len() % width(kind) as usize);
            (tag, kind, data)
        };
        fields.into_iter().map(whole).collect()
    })
}

fn small(file: &[u8]) -> Vec<u8> {
    blocks(file).into_iter().find(|block| block.name == "tiff:IFD0").unwrap().data.to_vec()
}

proptest! {
    #[test]
    fn every_value_is_there_once_as_a_block_or_in_the_small_tiff(form in forms(), fields in fields(), inner in fields()) {
        let file = form.file(&fields, &inner);
        let (own, rest): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(tag, ..)| BLOCKS.contains(tag));
        let mut expected: Vec<_> = own.into_iter().map(|(tag, _, data)| (format!("tiff:{tag}"), data)).collect();
        let mut found: Vec<_> = blocks(&file).into_iter().map(|block| (block.name, block.data.to_vec())).collect();
        found.retain(|(name, _)| name != "tiff:IFD0");
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);

        let small = small(&file);
        let mut first = form.fields(&small, form.value(&small[4..8]));
        let (tag, kind, pointer) = first.pop().unwrap();
        prop_assert_eq!((tag, kind), (EXIF, LONG));
        prop_assert_eq!(first, rest);
        prop_assert_eq!(form.fields(&small, form.value(&pointer)), inner);
    }

    #[test]
    fn a_changed_or_shortened_tiff_ends_cleanly(
        (form, fields, inner) in (forms(), fields(), fields()), changes: Vec<(Index, u8)>, end: Index,
    ) {
        let mut file = form.file(&fields, &inner);
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        is_sound(&file, 1 << 16)?;
        is_sound(&file[..end.index(file.len())], 1 << 16)?;
    }
}

#[test]
fn a_directory_that_points_to_itself_ends() {
    let form = Form { is_little: true, is_big: false };
    let small = small(&form.file(&[], &[(EXIF, IFD, form.number(8, 4))]));
    let next = |at: &u64| form.fields(&small, *at).pop().map(|(.., pointer)| form.value(&pointer));
    let directories = std::iter::successors(Some(form.value(&small[4..8])), next);
    assert_eq!(directories.count(), 1 + DEPTH as usize);
}

#[test]
fn numbers_of_64_bits_are_told_in_32_where_they_fit() {
    let form = Form { is_little: false, is_big: true };
    let numbers = [form.number(7, 8), form.number(9, 8)].concat();
    let file = form.file(&[(256, LONG8, numbers), (257, LONG8, form.number(1 << 32, 8))], &[]);
    let small = small(&file);
    let fields = form.fields(&small, form.value(&small[4..8]));
    assert_eq!(fields[0], (256, LONG, [form.number(7, 4), form.number(9, 4)].concat()));
    assert_eq!(fields[1].0, EXIF);
}

#[test]
fn a_value_outside_the_file_costs_itself() {
    let form = Form { is_little: true, is_big: false };
    let mut file = form.file(&[(270, 2, b"A lantern, lit".to_vec()), (271, 2, b"abc".to_vec())], &[]);
    // The value of the first entry of the first directory.
    let at = usize::try_from(form.value(&file[4..8])).unwrap() + 2 + 8;
    file[at + 3] = 0x7f;
    let small = small(&file);
    assert_eq!(form.fields(&small, form.value(&small[4..8]))[0], (271, 2, b"abc".to_vec()));
}
