//! Converts items of the table to their values, and back.

use std::{collections::HashMap, fmt::Display, str::FromStr};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};

use super::key::{self, Key};
use crate::{
    error::{Error, Result},
    ledger::{IdRow, Lease, Progress, State, bounded},
};

pub(super) type Item = HashMap<String, AttributeValue>;

/// The attribute by which a writer recognizes its own write after the reply was lost.
pub(super) const CALL: &str = "call";

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn number(number: impl Display + Copy) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn json(value: &impl Serialize) -> Result<AttributeValue> {
    let json =
        serde_json::to_string(value).map_err(|error| Error::bug("the ledger cannot write a record").because(error))?;
    Ok(text(json))
}

pub(super) fn item<const N: usize>(key: &Key, attributes: [(&str, AttributeValue); N]) -> Item {
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value));
    key.item().into_iter().chain(attributes).collect()
}

/// A random value for [`CALL`].
pub(super) fn call() -> Result<String> {
    let random = getrandom::u64().map_err(|error| Error::bug("there is no randomness").because(error))?;
    Ok(format!("{random:016x}"))
}

/// Whether this call wrote the item that is there now.
pub(super) fn is_by(item: Option<&Item>, call: &str) -> bool {
    item.and_then(|item| item.get(CALL)).and_then(|by| by.as_s().ok()).is_some_and(|by| by == call)
}

pub(super) fn read_text<'a>(item: &'a Item, name: &str) -> Result<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or_else(|| unreadable(item, name))
}

pub(super) fn read_number<T: FromStr>(item: &Item, name: &str) -> Result<T> {
    let number = item.get(name).and_then(|value| value.as_n().ok()).and_then(|number| number.parse().ok());
    number.ok_or_else(|| unreadable(item, name))
}

pub(super) fn read_json<T: DeserializeOwned>(item: &Item, name: &str) -> Result<T> {
    serde_json::from_str(read_text(item, name)?).map_err(|error| unreadable(item, name).because(error))
}

pub(super) fn unreadable(item: &Item, name: &str) -> Error {
    let key: Vec<_> = ["pk", "sk", "id"].iter().filter_map(|part| item.get(*part)?.as_s().ok()).cloned().collect();
    Error::usage("an item of the ledger's table cannot be read")
        .with("item", key.join(" / "))
        .with("attribute", name)
        .hint("the table is for `reindex` alone: see who else writes to it, or name another under `[ledger.dynamodb]`")
}

/// Reads a line; after a first claim it has only the lease.
pub(super) fn read_progress(item: &Item) -> Result<Progress> {
    let has = |name| item.contains_key(name);
    Ok(Progress {
        cursor: has("cursor").then(|| read_text(item, "cursor").map(str::to_owned)).transpose()?,
        ended: item.get("ended").and_then(|ended| ended.as_bool().ok()).copied().unwrap_or_default(),
        counts: if has("counts") { read_json(item, "counts")? } else { Default::default() },
        lease: has("owner").then(|| read_lease(item)).transpose()?,
    })
}

fn read_lease(item: &Item) -> Result<Lease> {
    Ok(Lease {
        owner: read_text(item, "owner")?.to_owned(),
        token: read_number(item, "token")?,
        beat: read_number(item, "beat")?,
        lasting: read_number(item, "lasting")?,
    })
}

pub(super) fn row(run: &str, row: &IdRow) -> Item {
    let attributes = [
        ("position", text(&row.position)),
        ("id", text(&row.id)),
        ("state", number(row.state.number())),
        ("reason", text(bounded(row.reason.clone()))),
        ("group", text(&row.group)),
        ("attempts", number(row.attempts)),
        ("at", text(row.at.to_string())),
    ];
    let mut item = item(&key::row(run, &row.position), attributes);
    item.extend(row.version.map(|version| ("version".to_owned(), number(version))));
    item
}

pub(super) fn read_row(item: &Item) -> Result<IdRow> {
    let text = |name| read_text(item, name).map(str::to_owned);
    Ok(IdRow {
        position: text("position")?,
        id: text("id")?,
        state: read_state(item)?,
        reason: text("reason")?,
        group: text("group")?,
        attempts: read_number(item, "attempts")?,
        version: item.contains_key("version").then(|| read_number(item, "version")).transpose()?,
        at: read_text(item, "at")?.parse().map_err(|error: jiff::Error| unreadable(item, "at").because(error))?,
    })
}

pub(super) fn read_state(item: &Item) -> Result<State> {
    State::from_number(read_number(item, "state")?).ok_or_else(|| unreadable(item, "state"))
}

/// The approximate size of an item of texts and numbers, as DynamoDB counts it, in bytes.
pub(super) fn weigh(item: &Item) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        _ => 1,
    };
    item.iter().map(|(name, it)| name.len() + value(it)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_somebody_else_is_an_error_that_names_it() {
        let item = item(&key::line("r", 3), [("owner", text("me")), ("token", text("seven"))]);
        let error = read_progress(&item).unwrap_err().report();
        assert!(error.contains("run#r / line#0000000003") && error.contains("token"), "{error}");
    }
}
