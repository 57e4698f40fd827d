//! The formats of dates.

use grid_image::{
    Parity,
    dates::{DateTime, parse},
};
use proptest::prelude::*;

use crate::samples::at;

fn read(text: &str) -> Option<String> {
    read_with(text, Parity::Grid)
}

fn read_with(text: &str, parity: Parity) -> Option<String> {
    parse(text, parity, |_| true).map(|date| date.to_string())
}

#[test]
fn dates_are_read_as_in_the_example() {
    for (text, expected) in [
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
    ] {
        assert_eq!(read(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn what_is_no_date_is_none_as_in_the_example() {
    for text in [
        "2017-05-06T07:08:09.1234",
        "2017-05-06T07:08",
        "2017-05-06 07:08:09",
        "2017:05:06 07:08:09",
        "2017-02-29",
        "0000-00-00",
        "16/12/2017",
        "",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn a_year_beyond_all_clocks_is_none() {
    assert_eq!(read("292000000").as_deref(), Some("292000000-01-01T00:00:00.000Z"));
    assert_eq!(read("-292000000").as_deref(), Some("-292000000-01-01T00:00:00.000Z"));
    for text in ["292000001", "-999999999", "1000000000"] {
        assert_eq!(read(text), None, "{text}");
    }
    for millis in [i64::MIN, i64::MAX] {
        assert!(DateTime::from_millis(millis).plus_hours(1).to_string().ends_with('Z'));
    }
}

#[test]
fn each_format_is_read() {
    for (text, expected) in [
        ("2017-05-06T07:08:09.12Z", "2017-05-06T07:08:09.120Z"),
        ("2017-05-06T07:08:09.123-0130", "2017-05-06T08:38:09.123Z"),
        ("2017-05-06T07:08:09", "2017-05-06T07:08:09.000Z"),
        ("2017-05-06T07:08.5+01:00", "2017-05-06T06:08:00.500Z"),
        ("2017-05-06T07:08Z", "2017-05-06T07:08:00.000Z"),
        ("2017-05", "2017-05-01T00:00:00.000Z"),
        ("2017", "2017-01-01T00:00:00.000Z"),
        ("-2017", "-2017-01-01T00:00:00.000Z"),
        ("Sat May 06 07:08:09.25 UTC 2017", "2017-05-06T07:08:09.250Z"),
        ("Sat May 6 07:08:09 BST 2017", "2017-05-06T06:08:09.000Z"),
        ("Fri Jan 06 07:08:09 BST 2017", "2017-01-06T06:08:09.000Z"),
        ("Sat May 06 07:08:09.5 BST 2017", "2017-05-06T06:08:09.500Z"),
    ] {
        assert_eq!(read(text).as_deref(), Some(expected), "{text}");
    }
    for text in ["Sat May 06 07:08:09 CET 2017", "2017-05-06T24:00:00", "2017-05-06T07:60:00", "2017-13", "2017-05-06T"]
    {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn american_zones_are_regions_unless_quirks_are_fixed() {
    for (text, region, fixed) in [
        ("Fri Dec 01 07:00:00 PDT 2017", "2017-12-01T15:00:00.000Z", "2017-12-01T14:00:00.000Z"),
        ("Sat Jul 01 07:00:00 PST 2017", "2017-07-01T14:00:00.000Z", "2017-07-01T15:00:00.000Z"),
        ("Mon Jan 06 07:00:00 PST 1800", "1800-01-06T14:52:58.000Z", "1800-01-06T15:00:00.000Z"),
        ("Sat Jul 01 07:00:00 EDT 2017", "2017-07-01T11:00:00.000Z", "2017-07-01T11:00:00.000Z"),
    ] {
        assert_eq!(read(text).as_deref(), Some(region), "{text}");
        assert_eq!(read_with(text, Parity::Fixed).as_deref(), Some(fixed), "{text}");
    }
    let skipped = "Sun Mar 12 02:30:00 EST 2017";
    assert_eq!(read(skipped), None, "clocks in New York never showed it");
    assert!(read_with(skipped, Parity::Fixed).is_some());
}

#[test]
fn a_weekday_moves_a_date_unless_quirks_are_fixed() {
    let text = "Mon May 06 00:00:00 UTC 2017";
    assert_eq!(read(text).as_deref(), Some("2017-05-01T00:00:00.000Z"));
    assert_eq!(read_with(text, Parity::Fixed).as_deref(), Some("2017-05-06T00:00:00.000Z"));
}

#[test]
fn a_format_out_of_bounds_is_passed_over() {
    let received = at("2021-01-20T00:00:00Z").millis();
    let found = parse("20211201", Parity::Grid, |date| date.millis() < received);
    assert_eq!(found.unwrap().to_string(), "2021-01-12T00:00:00.000Z");
}

#[test]
fn records_keep_the_offset_of_their_dates() {
    for (text, expected) in [
        ("2021-03-06T13:00:00+01:00", "2021-03-06T13:00:00.000+01:00"),
        ("2021-03-06T13:00:00.123456-03:30", "2021-03-06T13:00:00.123-03:30"),
        ("2021-03-06T13:00:00", "2021-03-06T13:00:00.000Z"),
        ("2021-03-06", "2021-03-06T00:00:00.000Z"),
    ] {
        assert_eq!(DateTime::from_iso(text).unwrap().to_string(), expected);
    }
    for text in ["", "now", "2021-02-30", "2021-03-06T13:00:00+01:00[Europe/Berlin]"] {
        assert_eq!(DateTime::from_iso(text), None, "{text}");
    }
}

/// Texts that are dates, or nearly.
fn nearly() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "2017",
        "17",
        "05",
        "6",
        "31",
        "-",
        ":",
        "T",
        " ",
        "Z",
        "+01:00",
        "-0330",
        ".5",
        ".1234",
        "Mon",
        "May",
        "PDT",
        "999999999",
        "20170506",
        "07:08:09",
        "2017-05-06",
        "T07:08",
    ]);
    let names = (
        prop::sample::select(vec!["Mon", "Sat"]),
        prop::sample::select(vec!["Mar", "Jul", "Nov"]),
        prop::sample::select(vec!["PDT", "EST", "BST", "UT", "CET"]),
    );
    let written = (names, 1..32, 0..25, 1800..2100);
    prop_oneof![
        prop::collection::vec(parts, 0..8).prop_map(|parts| parts.concat()),
        written.prop_map(|((weekday, month, zone), day, hour, year)| {
            format!("{weekday} {month} {day} {hour:02}:30:00 {zone} {year}")
        }),
        "[0-9]{1,10}",
        "[+-]?[0-9]{1,6}-[0-9]{1,2}(-[0-9]{1,2})?",
    ]
}

proptest! {
    #[test]
    fn any_text_is_a_date_or_none(text in any::<String>(), digits in "[0-9TZ:. +-]{0,30}", year in any::<i32>()) {
        for text in [text, digits, year.to_string()] {
            for parity in [Parity::Grid, Parity::Fixed] {
                let _ = (parse(&text, parity, |_| true).map(|date| date.to_string()), DateTime::from_iso(&text));
            }
        }
    }

    #[test]
    fn a_date_is_read_as_it_is_written(millis in -60_000_000_000_000_i64..200_000_000_000_000) {
        let date = DateTime::from_millis(millis);
        prop_assert_eq!(parse(&date.to_string(), Parity::Grid, |_| true), Some(date));
        prop_assert_eq!(DateTime::from_iso(&date.to_string()), Some(date));
    }

    #[test]
    fn dates_of_xmp_are_read_as_the_reader_of_metadata_reads_them(text in nearly()) {
        // It takes a day or month of `00` in eight digits for the first.
        prop_assume!(text.len() != 8 || !text.ends_with("00"));
        let date = parse(&text, Parity::Grid, |_| true).map(|date| date.to_string());
        prop_assert_eq!(image_metadata::clean_date(&text), date.unwrap_or(text));
    }

    #[test]
    fn a_weekday_stays_in_its_week(day in 1_i64..=28, weekday in 0_usize..7) {
        let name = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][weekday];
        let moved = parse(&format!("{name} Feb {day:02} 00:00:00 UTC 2021"), Parity::Grid, |_| true).unwrap();
        let monday = at("2021-02-01T00:00:00Z").day();
        prop_assert_eq!((moved.day() - monday).rem_euclid(7), i64::try_from(weekday).unwrap());
        prop_assert_eq!((moved.day() - monday).div_euclid(7), (day - 1) / 7);
    }
}
