//! ICC: the header and the tags of a colour profile as texts.

mod names;
mod texts;

use std::collections::BTreeMap;

use crate::{
    date::calendar::is_day,
    metadata::Texts,
    number,
    redaction::redact,
    text::{trimmed, utf8},
};

/// Where header fields are; it is also the number of their name.
const SIZE: u32 = 0;
const VERSION: u32 = 8;
const CLASS: u32 = 12;
const DATE: u32 = 24;
const PLATFORM: u32 = 40;
const FLAGS: u32 = 44;
const MODEL: u32 = 52;
const ATTRIBUTES: u32 = 56;
const INTENT: u32 = 64;
const XYZ: u32 = 68;
const TAG_COUNT: u32 = 128;
const ENTRY: u32 = 12;

/// A profile that ends early has the fields before its end.
struct Profile<'a> {
    bytes: &'a [u8],
    texts: BTreeMap<u32, String>,
}

/// Reads a colour profile up to its first error. Texts that are too long are replaced.
pub(crate) fn read(bytes: &[u8]) -> Texts {
    let mut profile = Profile { bytes, texts: BTreeMap::new() };
    let tags = profile.header().and_then(|()| profile.tags());
    for (tag, data) in tags.unwrap_or_default() {
        if let Some(text) = texts::text(tag, data) {
            let mut text = trimmed(&text).to_owned();
            redact(&mut text);
            profile.texts.insert(tag, text);
        }
    }
    let named = profile.texts.iter().filter_map(|(tag, text)| Some((names::name(*tag)?, trimmed(text))));
    named.filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

impl<'a> Profile<'a> {
    fn header(&mut self) -> Option<()> {
        self.texts.insert(SIZE, (self.long(SIZE)? as i32).to_string());
        self.code(4, |code| code)?;
        self.number(VERSION, |version| {
            format!("{}.{}.{}", (version as i32) >> 24, version >> 20 & 0xF, version >> 16 & 0xF)
        })?;
        self.code(CLASS, |class| texts::named(&texts::CLASSES, &class))?;
        self.code(16, |code| code)?;
        self.code(20, |code| code)?;
        self.date()?;
        self.code(36, |code| code)?;
        self.code(PLATFORM, |platform| texts::named(&texts::PLATFORMS, &platform))?;
        self.number(FLAGS, |flags| (flags as i32).to_string())?;
        self.code(48, |code| code)?;
        // Small numbers are no characters.
        match self.long(MODEL)? as i32 {
            ..=0x2020_2020 => self.number(MODEL, |model| (model as i32).to_string())?,
            _ => self.code(MODEL, |code| code)?,
        }
        self.number(INTENT, texts::intent)?;
        let attributes = i64::from_be_bytes(*self.at(ATTRIBUTES)?);
        if attributes != 0 {
            self.texts.insert(ATTRIBUTES, attributes.to_string());
        }
        let numbers = [0, 4, 8].map(|offset| self.at(XYZ + offset).map(|bytes| texts::fixed(*bytes)));
        let numbers: Option<Vec<_>> = numbers.into_iter().map(|number| Some(number::plain(number?))).collect();
        self.texts.insert(XYZ, numbers?.join(" "));
        Some(())
    }

    /// The tags that have a name. Of a tag that occurs twice, the later one counts.
    fn tags(&mut self) -> Option<BTreeMap<u32, &'a [u8]>> {
        let count = self.long(TAG_COUNT)?;
        self.texts.insert(TAG_COUNT, (count as i32).to_string());
        let mut tags = BTreeMap::new();
        // A negative number of tags is none.
        for place in 0..i32::try_from(count).unwrap_or(0) as u32 {
            let Some((tag, data)) = self.tag(place) else { break };
            if names::name(tag).is_some() {
                tags.insert(tag, data);
            }
        }
        Some(tags)
    }

    fn tag(&self, place: u32) -> Option<(u32, &'a [u8])> {
        let entry = place.checked_mul(ENTRY)?.checked_add(TAG_COUNT + 4)?;
        let (tag, begin, length) = (self.long(entry)?, self.long(entry + 4)?, self.long(entry + 8)?);
        Some((tag, self.bytes.get(begin as usize..)?.get(..length as usize)?))
    }

    /// A field of four characters, unless it is zero.
    fn code(&mut self, offset: u32, text: fn(String) -> String) -> Option<()> {
        let code: &[u8; 4] = self.at(offset)?;
        if *code != [0; 4] {
            self.texts.insert(offset, text(utf8(code)));
        }
        Some(())
    }

    /// A field of a number, unless it is zero.
    fn number(&mut self, offset: u32, text: fn(u32) -> String) -> Option<()> {
        let number = self.long(offset)?;
        if number != 0 {
            self.texts.insert(offset, text(number));
        }
        Some(())
    }

    fn date(&mut self) -> Option<()> {
        let numbers: &[u8; 12] = self.at(DATE)?;
        let mut numbers = numbers.as_chunks().0.iter().map(|number| i64::from(u16::from_be_bytes(*number)));
        let mut next = || numbers.next();
        let (year, month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?, next()?);
        if (1..=9999).contains(&year) && is_day(year, month, day) && hour < 24 && minute < 60 && second < 60 {
            self.texts.insert(DATE, format!("{year:04}:{month:02}:{day:02} {hour:02}:{minute:02}:{second:02}"));
        }
        Some(())
    }

    fn long(&self, offset: u32) -> Option<u32> {
        self.at(offset).map(|bytes| u32::from_be_bytes(*bytes))
    }

    fn at<const N: usize>(&self, offset: u32) -> Option<&'a [u8; N]> {
        self.bytes.get(offset as usize..)?.first_chunk()
    }
}
