//! The keys of the table: partition and sort key of each kind of item.
//!
//! Rows are spread over [`SHARDS`] partitions, since one accepts about a thousand writes a second. Within a partition
//! they are sorted by position, as far as DynamoDB's sort key allows: for a longer position the key has the beginning
//! and a digest, and readers sort those with the same beginning by the position itself; see [`beginning`].

use super::item::{Item, text};

/// How many partitions a run's rows are spread over. Part of the table's format.
pub(super) const SHARDS: u8 = 8;

/// Positions up to this length are keys unchanged, in bytes. With a digest and a sign the key stays below DynamoDB's
/// 1024.
const WHOLE: usize = 900;

/// How many bytes of two different keys decide the order of their positions: `WHOLE`, less what a cut at a character
/// boundary may remove.
const BEGINNING: usize = WHOLE - 3;

/// An item's key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    /// An item that has only the key.
    pub(super) fn item(&self) -> Item {
        [("pk".to_owned(), text(&self.pk)), ("sk".to_owned(), text(&self.sk))].into()
    }
}

pub(super) fn recipe(name: &str) -> String {
    format!("recipe#{name}")
}

pub(super) fn head(recipe: &str) -> Key {
    Key::new(self::recipe(recipe), "head")
}

/// The place of a recipe's run in the order in which they were begun.
pub(super) fn begun(recipe: &str, number: u64) -> Key {
    Key::new(self::recipe(recipe), format!("{BEGUN}{number:010}"))
}

pub(super) const BEGUN: &str = "run#";

pub(super) fn run(id: &str) -> String {
    format!("run#{id}")
}

pub(super) fn record(run: &str) -> Key {
    Key::new(self::run(run), "record")
}

pub(super) const LINE: &str = "line#";

pub(super) fn line(run: &str, number: u32) -> Key {
    Key::new(self::run(run), format!("{LINE}{number:010}"))
}

pub(super) fn shard(run: &str, number: u8) -> String {
    format!("rows#{run}#{number}")
}

pub(super) fn row(run: &str, position: &str) -> Key {
    let digest = blake3::hash(position.as_bytes());
    let sk = if position.len() <= WHOLE {
        format!("={position}")
    } else {
        format!("={}{}", &position[..position.floor_char_boundary(WHOLE)], digest.to_hex())
    };
    Key::new(shard(run, digest.as_bytes()[0] % SHARDS), sk)
}

/// The smallest sort key of a position that is not before this one.
pub(super) fn from(position: &str) -> String {
    format!("={}", &position[..position.floor_char_boundary(BEGINNING)])
}

/// The part of a position that determines the order of sort keys; keys with equal parts are in no order.
pub(super) fn beginning(position: &str) -> &[u8] {
    &position.as_bytes()[..position.len().min(BEGINNING)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn positions() -> impl Strategy<Value = String> {
        let tail = prop_oneof!["[ab~é€😀]{0,6}", "[a😀]{0,400}"];
        (prop_oneof![Just(0), Just(220), Just(223), Just(224), Just(225)], tail)
            .prop_map(|(times, tail)| format!("{}{tail}", "😀".repeat(times)))
    }

    proptest! {
        #[test]
        fn keys_are_sorted_like_positions_unless_they_begin_alike(a in positions(), b in positions()) {
            let (first, second) = (row("r", &a), row("r", &b));
            prop_assert_eq!(a == b, first == second);
            prop_assert!(first.sk.len() <= 1024);
            if beginning(&a) != beginning(&b) {
                prop_assert_eq!(a.cmp(&b), first.sk.cmp(&second.sk));
            }
            if a <= b {
                prop_assert!(from(&a) <= second.sk);
            }
        }
    }
}
