//! Numbers that look random and follow from a seed (SplitMix64). Not for secrets.

use std::fmt::Write;

use crate::Kind;

pub struct Random(u64);

impl Random {
    /// The stream of a kind as a whole; `purpose` tells streams of one kind apart.
    pub fn of(seed: u64, kind: Kind, purpose: &str) -> Self {
        let start = Self(seed ^ ((kind as u64 + 1) << 56));
        purpose.bytes().fold(start, |mut stream, byte| Self(stream.next() ^ u64::from(byte)))
    }

    /// The stream of one record.
    pub fn nth(seed: u64, kind: Kind, purpose: &str, n: u64) -> Self {
        let mut stream = Self::of(seed, kind, purpose);
        Self(stream.next() ^ n.wrapping_mul(0x9E6C_63D0_876A_68DF))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number under `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// A day in the given years, as `2010-04-05`.
    pub fn day(&mut self, years: std::ops::Range<u64>) -> String {
        let year = years.start + self.below(years.end - years.start);
        format!("{year}-{:02}-{:02}", 1 + self.below(12), 1 + self.below(28))
    }

    /// A whole number of this many digits, the first of which is not zero.
    pub fn digits(&mut self, count: usize) -> String {
        let mut text = String::with_capacity(count);
        text.push((b'1' + self.below(9) as u8) as char);
        text.extend((1..count).map(|_| (b'0' + self.below(10) as u8) as char));
        text
    }
}

/// The key of a record, shaped like a version 4 UUID; 122 bits tell records apart.
pub fn id(seed: u64, kind: Kind, n: u64) -> String {
    let mut stream = Random::nth(seed, kind, "id", n);
    let (a, b) = (stream.next(), stream.next());
    let mut text = String::with_capacity(36);
    let (low, mid, high) = (a >> 32, (a >> 16) & 0xFFFF, a & 0x0FFF);
    let (variant, node) = (0x8000 | ((b >> 48) & 0x3FFF), b & 0xFFFF_FFFF_FFFF);
    let _ = write!(text, "{low:08x}-{mid:04x}-4{high:03x}-{variant:04x}-{node:012x}");
    text
}
