//! Dates in texts of XMP, brought into one form.

use super::{calendar, patterns};

/// The forms that are tried, in their order.
const PATTERNS: [&str; 18] = [
    "y-M-dTH:m:s.SZ",
    "y-M-dTH:m:s Z",
    "y-M-dTH:m:sZ",
    "y-M-dTH:m:s",
    "y-M-dTH:m:s.S",
    "y-M-dTH:m.SZ",
    "y-M-dTH:mZ",
    "E L d H:m:s.S z y",
    "E L d H:m:s z y",
    "E L d H:m:s.S B y",
    "E L d H:m:s B y",
    "YMd",
    "YM",
    "YdM",
    "y",
    "y-M",
    "y:M:d",
    "y-M-d",
];

/// Writes a date as `yyyy-MM-ddTHH:mm:ss.SSSZ` in UTC. What is no date stays as it is.
///
/// A date of eight digits whose day, or month and day, are zero begins its month, or its year.
#[must_use]
pub fn clean_date(text: &str) -> String {
    const DIGITS: usize = 8;
    let is_eight = text.chars().count() == DIGITS;
    let whole = match (text.strip_suffix("0000"), text.strip_suffix("00")) {
        (Some(year), _) if is_eight => format!("{year}0101"),
        (_, Some(month)) if is_eight => format!("{month}01"),
        _ => text.to_owned(),
    };
    let instant = PATTERNS.iter().find_map(|pattern| patterns::read(pattern, &whole));
    instant.map_or_else(|| text.to_owned(), calendar::text)
}

#[cfg(test)]
mod tests {
    use super::clean_date;

    const DATES: [(&str, &str); 17] = [
        ("2017-05-06T07:08:09+02:00", "2017-05-06T05:08:09.000Z"),
        ("2017-05-06T07:08:09 +00:00", "2017-05-06T07:08:09.000Z"),
        ("2017-05-06T07:08:09.9", "2017-05-06T07:08:09.900Z"),
        ("2017:05:06", "2017-05-06T00:00:00.000Z"),
        ("20170506", "2017-05-06T00:00:00.000Z"),
        ("2017-5-6", "2017-05-06T00:00:00.000Z"),
        ("20175", "2017-05-01T00:00:00.000Z"),
        ("20172805", "2017-05-28T00:00:00.000Z"),
        ("20173105", "2017-05-31T00:00:00.000Z"),
        ("20173113", "20173113-01-01T00:00:00.000Z"),
        ("217", "0217-01-01T00:00:00.000Z"),
        ("12", "0012-01-01T00:00:00.000Z"),
        ("20150300", "2015-03-01T00:00:00.000Z"),
        ("20150000", "2015-01-01T00:00:00.000Z"),
        ("Mon May 06 07:08:09 UTC 2017", "2017-05-01T07:08:09.000Z"),
        ("Sat Jul 01 07:08:09 PST 2017", "2017-07-01T14:08:09.000Z"),
        ("Sat Jul 01 07:08:09 BST 2017", "2017-07-01T06:08:09.000Z"),
    ];

    #[test]
    fn a_date_is_written_in_one_form() {
        for (text, expected) in DATES {
            assert_eq!(clean_date(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_stays() {
        for text in [
            "2017-05-06T07:08:09.1234",
            "2017-05-06T07:08",
            "2017-05-06 07:08:09",
            "2017:05:06 07:08:09",
            "2017-02-29",
            "0000-00-00",
            "16/12/2017",
            "Sat Jul 01 07:08:09 CET 2017",
            "",
        ] {
            assert_eq!(clean_date(text), text);
        }
    }
}
