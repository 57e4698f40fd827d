//! The names of time zones that dates of files may have.

use jiff::{
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

use crate::Parity;

/// A time zone by its name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Zone {
    name: &'static str,
    /// The region that the reference takes it for; none for universal time.
    region: Option<&'static str>,
    /// What its name says, in seconds.
    offset: i64,
}

const ZONES: [Zone; 11] = [
    Zone { name: "UTC", region: None, offset: 0 },
    Zone { name: "GMT", region: None, offset: 0 },
    Zone { name: "UT", region: None, offset: 0 },
    Zone { name: "EST", region: Some("America/New_York"), offset: -18000 },
    Zone { name: "EDT", region: Some("America/New_York"), offset: -14400 },
    Zone { name: "CST", region: Some("America/Chicago"), offset: -21600 },
    Zone { name: "CDT", region: Some("America/Chicago"), offset: -18000 },
    Zone { name: "MST", region: Some("America/Denver"), offset: -25200 },
    Zone { name: "MDT", region: Some("America/Denver"), offset: -21600 },
    Zone { name: "PST", region: Some("America/Los_Angeles"), offset: -28800 },
    Zone { name: "PDT", region: Some("America/Los_Angeles"), offset: -25200 },
];

impl Zone {
    /// The zone whose name a text begins with, and the rest of the text.
    pub(super) fn at_start(text: &str) -> Option<(Self, &str)> {
        ZONES.iter().find_map(|zone| text.strip_prefix(zone.name).map(|rest| (*zone, rest)))
    }

    /// Its offset in seconds when clocks there show this.
    ///
    /// None where they never do: an hour that is skipped in spring, or a year that the time zones do not reach.
    pub(super) fn offset(self, clock: impl FnOnce() -> Option<DateTime>, parity: Parity) -> Option<i64> {
        let Some(region) = self.region.filter(|_| parity == Parity::Grid) else { return Some(self.offset) };
        let seconds = match TimeZone::get(region).ok()?.to_ambiguous_timestamp(clock()?).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => offset.seconds(),
            AmbiguousOffset::Gap { .. } => return None,
        };
        Some(seconds.into())
    }
}
