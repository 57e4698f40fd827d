//! The value of a tag, and what it is when another kind is asked for.

use super::rational::Rational;
use crate::{
    ifd::{Field, Kind},
    number, text,
};

/// The value of a tag. Whether it is a list decides what it can be turned into.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// Undefined, or signed bytes.
    Bytes(&'a [u8]),
    Text(&'a [u8]),
    /// Of 32 bits with a sign, or fewer.
    Integer(i32),
    /// Of 32 bits without a sign, which is no integer where a list of them is wanted.
    Long(u32),
    /// Bytes, and signed numbers of 16 bits.
    Shorts(Vec<i16>),
    /// Numbers of 16 bits, and signed ones of 32.
    Integers(Vec<i32>),
    Longs(Vec<u32>),
    Real(f64),
    Float(f32),
    Reals(Vec<f64>),
    Rational(Rational),
    Rationals(Vec<Rational>),
}

/// A list longer than this is not written out.
const LONG: usize = 16;

impl<'a> Value<'a> {
    /// Reads the bytes of a field; none if a fraction is counted zero times.
    pub(super) fn read(field: Field<'a>) -> Option<Self> {
        let is_one = field.count == 1;
        let value = match field.kind {
            Kind::Undefined => Self::Bytes(field.data),
            Kind::Text => Self::Text(field.data.split(|byte| *byte == 0).next().unwrap_or_default()),
            Kind::SignedByte if is_one => Self::Integer(field.numbers(i8::from_be_bytes).next()?.into()),
            Kind::SignedByte => Self::Bytes(field.data),
            Kind::Byte if is_one => Self::Integer(field.numbers(u8::from_be_bytes).next()?.into()),
            Kind::Byte => Self::Shorts(field.numbers(u8::from_be_bytes).map(i16::from).collect()),
            Kind::SignedShort if is_one => Self::Integer(field.numbers(i16::from_be_bytes).next()?.into()),
            Kind::SignedShort => Self::Shorts(field.numbers(i16::from_be_bytes).collect()),
            Kind::Short if is_one => Self::Integer(field.numbers(u16::from_be_bytes).next()?.into()),
            Kind::Short => Self::Integers(field.numbers(u16::from_be_bytes).map(i32::from).collect()),
            Kind::SignedLong if is_one => Self::Integer(field.numbers(i32::from_be_bytes).next()?),
            Kind::SignedLong => Self::Integers(field.numbers(i32::from_be_bytes).collect()),
            Kind::Long if is_one => Self::Long(field.numbers(u32::from_be_bytes).next()?),
            Kind::Long => Self::Longs(field.numbers(u32::from_be_bytes).collect()),
            Kind::Float if is_one => Self::Float(field.numbers(f32::from_be_bytes).next()?),
            Kind::Float => Self::Reals(field.numbers(f32::from_be_bytes).map(f64::from).collect()),
            Kind::Double if is_one => Self::Real(field.numbers(f64::from_be_bytes).next()?),
            Kind::Double => Self::Reals(field.numbers(f64::from_be_bytes).collect()),
            Kind::Rational => Self::fractions(field.numbers(u32::from_be_bytes).map(i64::from))?,
            Kind::SignedRational => Self::fractions(field.numbers(i32::from_be_bytes).map(i64::from))?,
        };
        Some(value)
    }

    fn fractions(mut numbers: impl Iterator<Item = i64>) -> Option<Self> {
        let mut fractions = Vec::new();
        while let (Some(numerator), Some(denominator)) = (numbers.next(), numbers.next()) {
            fractions.push(Rational { numerator, denominator });
        }
        match fractions[..] {
            [] => None,
            [one] => Some(Self::Rational(one)),
            _ => Some(Self::Rationals(fractions)),
        }
    }

    /// The text of a value that has no rule of its own.
    pub(super) fn text(&self) -> String {
        match self.length() {
            Some(length) if length > LONG => format!("[{length} values]"),
            _ => self.whole_text(),
        }
    }

    /// The text of a value, also of a long list.
    pub(super) fn whole_text(&self) -> String {
        // A list has no negative zero.
        let real = |number: &f64| Some(number::plain(*number)).filter(|text| text != "-0").unwrap_or("0".to_owned());
        match self {
            Self::Bytes(bytes) => joined(bytes.iter(), u8::to_string),
            Self::Text(bytes) => text::utf8(bytes),
            Self::Integer(number) => number.to_string(),
            Self::Long(number) => number.to_string(),
            Self::Shorts(numbers) => joined(numbers.iter(), i16::to_string),
            Self::Integers(numbers) => joined(numbers.iter(), i32::to_string),
            Self::Longs(numbers) => joined(numbers.iter(), u32::to_string),
            Self::Real(number) => number::plain(*number),
            Self::Float(number) => number::plain((*number).into()),
            Self::Reals(numbers) => joined(numbers.iter(), real),
            Self::Rational(fraction) => fraction.text(),
            Self::Rationals(fractions) => joined(fractions.iter(), |fraction| fraction.fraction()),
        }
    }

    fn length(&self) -> Option<usize> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len()),
            Self::Shorts(numbers) => Some(numbers.len()),
            Self::Integers(numbers) => Some(numbers.len()),
            Self::Longs(numbers) => Some(numbers.len()),
            Self::Reals(numbers) => Some(numbers.len()),
            Self::Rationals(fractions) => Some(fractions.len()),
            Self::Text(_) | Self::Rational(_) => None,
            Self::Integer(_) | Self::Long(_) | Self::Real(_) | Self::Float(_) => None,
        }
    }

    /// One integer of 32 bits. A text that is none counts as a number in base 256.
    pub(super) fn integer(&self) -> Option<i32> {
        match self {
            Self::Text(bytes) => Some(integer_of_text(&text::utf8(bytes))),
            Self::Real(number) => Some(*number as i32),
            Self::Float(number) => Some(*number as i32),
            Self::Rational(fraction) => Some(fraction.value() as i32),
            _ => self.long().map(|number| number as i32),
        }
    }

    /// One integer of 64 bits.
    pub(super) fn long(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some((*number).into()),
            Self::Long(number) => Some((*number).into()),
            Self::Real(number) => Some(*number as i64),
            Self::Float(number) => Some(*number as i64),
            Self::Rational(fraction) => Some(fraction.value() as i64),
            Self::Text(bytes) => text::utf8(bytes).parse().ok(),
            Self::Bytes([byte]) => Some(i64::from(*byte as i8)),
            Self::Shorts(numbers) => single(numbers).map(i64::from),
            Self::Integers(numbers) => single(numbers).map(i64::from),
            Self::Bytes(_) | Self::Longs(_) | Self::Reals(_) | Self::Rationals(_) => None,
        }
    }

    /// One number.
    pub(super) fn real(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some((*number).into()),
            Self::Long(number) => Some((*number).into()),
            Self::Real(number) => Some(*number),
            Self::Float(number) => Some((*number).into()),
            Self::Rational(fraction) => Some(fraction.value()),
            Self::Text(bytes) => number::parse(&text::utf8(bytes)),
            _ => None,
        }
    }

    /// One fraction; an integer is one, too.
    pub(super) fn rational(&self) -> Option<Rational> {
        match self {
            Self::Rational(fraction) => Some(*fraction),
            Self::Integer(number) => Some(Rational { numerator: (*number).into(), denominator: 1 }),
            Self::Long(number) => Some(Rational { numerator: (*number).into(), denominator: 1 }),
            _ => None,
        }
    }

    /// Several fractions.
    pub(super) fn rationals(&self) -> Option<&[Rational]> {
        if let Self::Rationals(fractions) = self { Some(fractions) } else { None }
    }

    /// Integers; bytes are signed.
    pub(super) fn integers(&self) -> Option<Vec<i32>> {
        match self {
            Self::Integers(numbers) => Some(numbers.clone()),
            Self::Rationals(fractions) => Some(fractions.iter().map(|fraction| fraction.value() as i32).collect()),
            Self::Shorts(numbers) => Some(numbers.iter().copied().map(i32::from).collect()),
            Self::Bytes(bytes) => Some(bytes.iter().map(|byte| i32::from(*byte as i8)).collect()),
            Self::Integer(number) => Some(vec![*number]),
            _ => None,
        }
    }

    /// Bytes; larger numbers lose their upper bits.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(bytes) | Self::Bytes(bytes) => Some(bytes.to_vec()),
            Self::Rationals(_) | Self::Integers(_) | Self::Shorts(_) | Self::Integer(_) => {
                Some(self.integers()?.into_iter().map(|number| number as u8).collect())
            }
            _ => None,
        }
    }
}

fn joined<T>(values: impl Iterator<Item = T>, text: impl Fn(T) -> String) -> String {
    values.map(text).collect::<Vec<_>>().join(" ")
}

fn single<T: Copy>(numbers: &[T]) -> Option<T> {
    if let [number] = numbers { Some(*number) } else { None }
}

/// An integer of 32 bits; a text that is none counts as a number in base 256.
pub(crate) fn integer_of_text(text: &str) -> i32 {
    let number = |text: &str| text.bytes().fold(0_i64, |number, byte| (number << 8).wrapping_add(byte.into())) as i32;
    text.parse().unwrap_or_else(|_| number(text))
}
