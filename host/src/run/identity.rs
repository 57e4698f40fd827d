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

/// Names a run: sorts by time, to the millisecond since one run may follow another at once, and ends in chance.
///
/// *Shape*: `20261120T101500.123-a1b2c3`.
pub(super) fn run(now: Timestamp) -> Result<String> {
    Ok(format!("{}-{}", now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%S%.3f"), chance()?))
}

/// Names a concrete index of an alias. Search engines allow no capitals.
///
/// *Shape*: `persons_20261120t101500_a1b2c3`.
pub(super) fn index(alias: &str, now: Timestamp) -> Result<String> {
    Ok(format!("{alias}_{}_{}", now.to_zoned(TimeZone::UTC).strftime("%Y%m%dt%H%M%S"), chance()?))
}

/// Names a process among the workers of a run.
///
/// *Shape*: `machine-4711-a1b2c3`, or without the machine where it has no name.
pub(super) fn owner() -> Result<String> {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let machine: String = machine.trim().chars().filter(plain).take(64).collect();
    let name = format!("{machine}-{}-{}", std::process::id(), chance()?);
    Ok(name.trim_start_matches('-').to_owned())
}

/// Six random hexadecimal digits.
pub(super) fn chance() -> Result<String> {
    let mut bytes = [0; 3];
    getrandom::fill(&mut bytes).map_err(|error| Error::bug("the system gives no random bytes").because(error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
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
    fn runs_sort_by_time_and_two_of_one_moment_differ() {
        let name = |millisecond| run(Timestamp::from_millisecond(millisecond).unwrap()).unwrap();
        assert!(name(1_700_000_000_000) < name(1_700_000_000_001));
        assert_eq!(name(0).len(), "19700101T000000.000-a1b2c3".len());
        assert_ne!(name(0), name(0));
    }

    #[test]
    fn an_index_is_named_after_its_alias_and_the_time() {
        assert!(index("persons", Timestamp::UNIX_EPOCH).unwrap().starts_with("persons_19700101t000000_"));
    }
}
