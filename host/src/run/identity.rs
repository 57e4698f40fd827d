//! What makes a run this run and no other. A run is resumed only by one of equal identity.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};

use crate::error::{Error, Result};

/// The parts of an identity, by the name a person is told when one differs.
pub(super) type Identity = BTreeMap<String, String>;

/// A short digest of anything, for comparing only.
pub(super) fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

/// The names of the parts that differ.
pub(super) fn changed<'a>(old: &'a Identity, new: &'a Identity) -> Vec<&'a str> {
    let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    names.into_iter().filter(|name| old.get(*name) != new.get(*name)).map(String::as_str).collect()
}

/// A name nobody else makes: sorts by time, ends in chance.
///
/// *Shape*: `20261120T101500` and six hexadecimal digits, joined by `between`.
pub(super) fn unique(now: Timestamp, between: char) -> Result<String> {
    let mut chance = [0; 3];
    getrandom::fill(&mut chance).map_err(|error| Error::bug("the system gives no random bytes").because(error))?;
    let time = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%S").to_string();
    let chance: String = chance.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{time}{between}{chance}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_also_when_one_side_lacks_it() {
        let old = Identity::from([("plugin".into(), "a".into()), ("source".into(), "b".into())]);
        let new = Identity::from([
            ("plugin".into(), "c".into()),
            ("source".into(), "b".into()),
            ("grant".into(), "d".into()),
        ]);
        assert_eq!(changed(&old, &new), ["grant", "plugin"]);
        assert!(changed(&old, &old).is_empty());
    }

    #[test]
    fn unique_names_sort_by_time() {
        let name = |second| unique(Timestamp::from_second(second).unwrap(), '-').unwrap();
        assert!(name(1_700_000_000) < name(1_700_000_001));
        assert_eq!(name(0).len(), "19700101T000000-a1b2c3".len());
        assert_ne!(name(0), name(0));
    }
}
