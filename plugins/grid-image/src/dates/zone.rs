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
    /// What its name says, in minutes.
    offset: i64,
}

const ZONES: [Zone; 11] = [
    Zone { name: "UTC", region: None, offset: 0 },
    Zone { name: "GMT", region: None, offset: 0 },
    Zone { name: "UT", region: None, offset: 0 },
    Zone { name: "EST", region: Some("America/New_York"), offset: -300 },
    Zone { name: "EDT", region: Some("America/New_York"), offset: -240 },
    Zone { name: "CST", region: Some("America/Chicago"), offset: -360 },
    Zone { name: "CDT", region: Some("America/Chicago"), offset: -300 },
    Zone { name: "MST", region: Some("America/Denver"), offset: -420 },
    Zone { name: "MDT", region: Some("America/Denver"), offset: -360 },
    Zone { name: "PST", region: Some("America/Los_Angeles"), offset: -480 },
    Zone { name: "PDT", region: Some("America/Los_Angeles"), offset: -420 },
];

impl Zone {
    /// The zone whose name a text begins with, and the rest of the text.
    pub(super) fn at_start(text: &str) -> Option<(Self, &str)> {
        ZONES.iter().find_map(|zone| text.strip_prefix(zone.name).map(|rest| (*zone, rest)))
    }

    /// Its offset in minutes when clocks there show this.
    ///
    /// None where they never do: an hour that is skipped in spring, or a year that the time zones do not reach.
    pub(super) fn offset(self, clock: impl FnOnce() -> Option<DateTime>, parity: Parity) -> Option<i64> {
        let Some(region) = self.region.filter(|_| parity == Parity::Grid) else { return Some(self.offset) };
        let seconds = match TimeZone::get(region).ok()?.to_ambiguous_timestamp(clock()?).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => offset.seconds(),
            AmbiguousOffset::Gap { .. } => return None,
        };
        Some(i64::from(seconds) / 60)
    }
}
