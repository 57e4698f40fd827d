//! Days and instants, without limits of the year that a date library has.

/// Milliseconds of a second, a minute, an hour and a day.
pub(crate) const SECOND: i64 = 1000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Years further from zero than this have no instant.
pub(crate) const FURTHEST_YEAR: i64 = 292_000_000;

/// The first day of the Gregorian calendar, 15 October 1582.
const GREGORIAN: i64 = -141_427;

/// Days from 1 January 1970 to a day of the Gregorian calendar. Months count from 1, and roll over, as days do.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = in_year(year, month);
    // Years that begin in March have the odd day at their end.
    let year = if month <= 2 { year - 1 } else { year };
    year * 365 + leaps(year) - LEAPS_BEFORE_EPOCH + before_month(month) + day - 1
}

/// The same for dates of which the first ones are of the Julian calendar.
pub(crate) fn historic_days(year: i64, month: i64, day: i64) -> i64 {
    let gregorian = days(year, month, day);
    if gregorian >= GREGORIAN {
        return gregorian;
    }
    let (year, month) = in_year(year, month);
    let year = if month <= 2 { year - 1 } else { year };
    /// Days that the calendars were apart around the year zero, as they are counted here.
    const APART: i64 = 2;
    let julian = year * 365 + year.div_euclid(4) - LEAPS_BEFORE_EPOCH + before_month(month) + day - 1 - APART;
    if julian < GREGORIAN { julian } else { gregorian }
}

/// Years of 365 days from March of the year zero to March 1970 fall short by this.
const LEAPS_BEFORE_EPOCH: i64 = 719_468;

fn leaps(year: i64) -> i64 {
    year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400)
}

/// A month of 1 to 12 and its year.
fn in_year(year: i64, month: i64) -> (i64, i64) {
    (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1)
}

/// Days of a year that begins in March before a month.
fn before_month(month: i64) -> i64 {
    let from_march = (month + 9) % 12;
    (153 * from_march + 2) / 5
}

/// Year, month and day of the Gregorian calendar, so many days after 1 January 1970.
pub(crate) fn date(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let since_zero = days + LEAPS_BEFORE_EPOCH;
    let (era, day) = (since_zero.div_euclid(ERA), since_zero.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day + 2) / 153;
    let month = (from_march + 2) % 12 + 1;
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month, day - (153 * from_march + 2) / 5 + 1)
}

/// Whether there is such a day.
pub(crate) fn is_day(year: i64, month: i64, day: i64) -> bool {
    (1..=12).contains(&month) && day >= 1 && date(days(year, month, day)) == (year, month, day)
}

/// Day of the week, Monday being 0.
pub(crate) fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7)
}

/// Writes an instant, in milliseconds, as `yyyy-MM-ddTHH:mm:ss.SSSZ` in UTC.
pub(crate) fn text(instant: i64) -> String {
    let (days, rest) = (instant.div_euclid(DAY), instant.rem_euclid(DAY));
    let (year, month, day) = date(days);
    let sign = if year < 0 { "-" } else { "" };
    let (hour, minute) = (rest / HOUR, rest / MINUTE % 60);
    let (second, fraction) = (rest / SECOND % 60, rest % SECOND);
    format!("{sign}{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z", year.abs())
}

#[cfg(test)]
mod tests {
    use super::{DAY, date, days, historic_days, is_day, text, weekday};

    #[test]
    fn a_day_has_its_number_and_the_number_its_day() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 3, 1), 11_017);
        for number in (-1_000_000..1_000_000).step_by(97) {
            let (year, month, day) = date(number);
            assert_eq!(days(year, month, day), number);
        }
    }

    #[test]
    fn months_and_days_roll_over() {
        assert_eq!(days(2021, 14, 1), days(2022, 2, 1));
        assert_eq!(days(2021, 0, 1), days(2020, 12, 1));
        assert_eq!(days(2021, 2, 30), days(2021, 3, 2));
    }

    #[test]
    fn the_julian_calendar_ends_in_october_1582() {
        assert_eq!(historic_days(1582, 10, 4) + 1, historic_days(1582, 10, 15));
        assert_eq!(historic_days(1000, 1, 1), days(1000, 1, 6) + 1 - 1);
        assert_eq!(historic_days(1, 1, 1), days(0, 12, 30));
    }

    #[test]
    fn only_days_of_the_calendar_are_days() {
        assert!(is_day(2020, 2, 29));
        assert!(!is_day(2021, 2, 29));
        assert!(!is_day(2021, 13, 1));
    }

    #[test]
    fn an_instant_is_written_with_milliseconds_in_utc() {
        assert_eq!(text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(text(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(text(days(12, 1, 1) * DAY), "0012-01-01T00:00:00.000Z");
        assert_eq!(weekday(days(2017, 5, 6)), 5);
    }
}
