//! `[schedule]`: at which times a recipe runs.

use cronexpr::Crontab;
use jiff::Timestamp;

/// Times, as a crontab has them, in a time zone.
#[derive(Debug, Clone)]
pub struct Schedule(Crontab);

impl Schedule {
    /// Reads the five fields of a crontab, and the name of a time zone.
    ///
    /// *Errors*: the recipe's key that is wrong, and why.
    pub fn parse(cron: &str, zone: &str) -> Result<Self, (&'static str, String)> {
        if jiff::tz::TimeZone::get(zone).is_err() {
            let reason = format!("there is no time zone {zone:?}; write one as \"Europe/London\" or \"UTC\"");
            return Err(("schedule.zone", reason));
        }
        if cron.split_whitespace().count() != 5 {
            let reason =
                format!("`schedule.cron` is {cron:?}, but has five fields: \"30 5 * * *\" is every day at 5:30");
            return Err(("schedule.cron", reason));
        }
        match format!("{cron} {zone}").parse() {
            Ok(crontab) => Ok(Self(crontab)),
            Err(error) => Err(("schedule.cron", format!("`schedule.cron` cannot be read: {error}"))),
        }
    }

    /// The first time after this one; none if there is none any more.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.0.find_next(after).ok().map(|next| next.timestamp())
    }
}
