//! Dates in all forms, and what is nearly one.

use crate::seed::Seed;

const DATES: [&str; 24] = [
    "2017-05-06T07:08:09.123+02:00",
    "2017-05-06T07:08:09 +0200",
    "2017-05-06T07:08:09Z",
    "2017-05-06T07:08:09",
    "2017-05-06T07:08:09.9",
    "2017-05-06T07:08.5-08:00",
    "2017-05-06T07:08+01:00",
    "Sat May 06 07:08:09.123 PDT 2017",
    "Mon Dec 06 07:08:09 EST 2017",
    "Sun Mar 12 02:30:00 EST 2017",
    "Sun Nov 05 01:30:00 CST 2017",
    "Sat May 06 07:08:09.1 BST 2017",
    "Saturday January 06 07:08:09 MST 2017",
    "Sat Jan 06 07:08:09 UTC 2017",
    "20170506",
    "201705",
    "20172805",
    "2017",
    "2017-05",
    "2017:05:06",
    "2017-05-06",
    "20170500",
    "20170000",
    "-0044-03-15",
];
const LETTERS: &[u8] = b"0123456789-:+.TZ /";

/// A date with some characters changed.
pub fn date(seed: &mut Seed) -> String {
    let mut date = seed.one_of(&DATES).as_bytes().to_vec();
    for _ in 0..seed.below(3) {
        let at = seed.below(date.len());
        let letter = LETTERS[seed.below(LETTERS.len())];
        match seed.below(3) {
            0 => date[at] = letter,
            1 => date.insert(at, letter),
            _ => drop(date.remove(at)),
        }
    }
    String::from_utf8(date).unwrap()
}
