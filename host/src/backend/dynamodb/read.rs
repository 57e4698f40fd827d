//! Reading items by key.

use std::collections::{BTreeMap, HashMap, HashSet};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    answer::Answer,
    insist::{busy, insist},
    key::{Asked, TableKey},
    table::Server,
    value::{self, Typed},
};
use crate::{
    backend::aws::{fault, incomplete},
    capability::storage::Row,
    error::{Error, Result},
};

const OPERATION: &str = "the table cannot be read";

/// How many keys one request may ask for.
const KEYS: usize = 100;

/// How many requests are in flight at a time.
const AT_ONCE: usize = 4;

/// Every answer has both parts, and a list for each table that it has items or keys of.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parsed<'a> {
    #[serde(borrow)]
    responses: HashMap<String, Vec<&'a RawValue>>,
    unprocessed_keys: HashMap<String, Unprocessed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Unprocessed {
    keys: Vec<HashMap<String, Typed>>,
}

/// The result of one answer; requested keys that it does not list are absent.
#[derive(Debug)]
struct Answered {
    found: Vec<(Vec<String>, Row)>,
    left: Vec<Asked>,
}

impl Server {
    /// Reads items by position, consistently, in the order asked. An item is absent only if the server reports it, or
    /// if no item of the table can have the position.
    pub async fn get(&self, key: &TableKey, positions: &[String]) -> Result<Vec<Option<Row>>> {
        let asked: Vec<_> = positions.iter().map(|position| key.ask(position)).collect();
        // One request may name a key only once.
        let distinct: BTreeMap<_, _> = asked.iter().flatten().map(|asked| (&asked.same, asked)).collect();
        let keys: Vec<_> = distinct.into_values().cloned().collect();
        let requests: Vec<_> = keys.chunks(KEYS).map(|keys| self.ask(key, keys.to_vec())).collect();
        let found: Vec<Vec<_>> = stream::iter(requests).buffer_unordered(AT_ONCE).try_collect().await?;
        let found: HashMap<_, _> = found.into_iter().flatten().collect();
        Ok(asked.into_iter().map(|asked| found.get(&asked?.same).cloned()).collect())
    }

    /// Requests distinct keys until each is answered.
    async fn ask(&self, key: &TableKey, mut keys: Vec<Asked>) -> Result<Vec<(Vec<String>, Row)>> {
        let mut rows = Vec::with_capacity(keys.len());
        let mut pause = insist();
        while !keys.is_empty() {
            let Answered { found, left } = self.ask_once(key, std::mem::take(&mut keys)).await?;
            if found.is_empty() && !left.is_empty() {
                pause.wait().await.ok_or_else(|| busy("reading").with("table", self.table.clone()))?;
            }
            rows.extend(found);
            keys = left;
        }
        Ok(rows)
    }

    async fn ask_once(&self, key: &TableKey, asked: Vec<Asked>) -> Result<Answered> {
        let (answer, wrong) = (Answer::of_batch_get(), |error| Error::bug("a read without keys").because(error));
        let same = asked.iter().map(|asked| asked.same.clone()).collect();
        let keys = asked.into_iter().map(|asked| asked.attributes).collect();
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build().map_err(wrong)?;
        let request = self.client.batch_get_item().request_items(&self.table, keys);
        let sent = request.customize().interceptor(answer.clone()).send().await;
        sent.map_err(|error| fault(OPERATION, &error).with("table", self.table.clone()))?;
        read(key, &self.table, same, &answer.take()).map_err(|error| error.with("table", self.table.clone()))
    }
}

/// Reads an answer, and checks it against the request: it has requested keys only, each once, and lists the table if it
/// leaves other keys out.
fn read(key: &TableKey, table: &str, mut asked: HashSet<Vec<String>>, text: &[u8]) -> Result<Answered> {
    let mut parsed: Parsed =
        serde_json::from_slice(text).map_err(|error| incomplete(OPERATION, "it cannot be read").because(error))?;
    let (mut found, mut left) = (Vec::new(), Vec::new());
    let items = parsed.responses.remove(table);
    let of_table = items.is_some();
    for item in items.into_iter().flatten() {
        let (position, cursor) = key.place(item.get())?;
        let same = key.ask(&position).map(|it| it.same).filter(|same| asked.remove(same)).ok_or_else(unasked)?;
        found.push((same, Row { cursor, position, body: item.get().as_bytes().to_vec() }));
    }
    for attributes in parsed.unprocessed_keys.remove(table).into_iter().flat_map(|left| left.keys) {
        let returned = key.returned(value::all(attributes)).filter(|it| asked.remove(&it.same)).ok_or_else(unasked)?;
        left.push(returned);
    }
    match asked.len() {
        0 => Ok(Answered { found, left }),
        _ if of_table => Ok(Answered { found, left }),
        many => Err(incomplete(OPERATION, &format!("it says nothing of {many} keys"))),
    }
}

fn unasked() -> Error {
    incomplete(OPERATION, "it returns a key that was not asked for, or one twice")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::Kind, record};

    fn answered(text: &str) -> Result<(usize, usize)> {
        let key = TableKey { key: record::Key::One("id".into()), kinds: vec![super::super::key::Kind::Text] };
        let asked = ["a", "b"].map(|id| vec![id.to_owned()]);
        read(&key, "t", asked.into(), text.as_bytes()).map(|said| (said.found.len(), said.left.len()))
    }

    #[test]
    fn only_a_complete_answer_says_what_is_absent() {
        let says = |responses: &str, left: &str| {
            answered(&format!("{{\"Responses\":{responses},\"UnprocessedKeys\":{left}}}"))
        };
        let (a, keys) = (r#"{"id":{"S":"a"}}"#, |keys: &str| format!(r#"{{"t":{{"Keys":[{keys}]}}}}"#));
        assert_eq!(says(r#"{"t":[]}"#, "{}").unwrap(), (0, 0));
        assert_eq!(says(&format!(r#"{{"t":[{a}]}}"#), "{}").unwrap(), (1, 0));
        assert_eq!(says("{}", &keys(&format!(r#"{a},{{"id":{{"S":"b"}}}}"#))).unwrap(), (0, 2));
        let lies = [
            answered(""),
            answered("{}"),
            answered("<html>"),
            answered(r#"{"Responses":{"t":[]}}"#),
            answered(r#"{"UnprocessedKeys":{}}"#),
            says("{}", "{}"),
            says(r#"{"other":[]}"#, "{}"),
            says("{}", &keys(a)),
            says(&format!(r#"{{"t":[{a},{a}]}}"#), "{}"),
            says(&format!(r#"{{"t":[{a}]}}"#), &keys(a)),
            says(r#"{"t":[{"id":{"S":"c"}}]}"#, "{}"),
            says(r#"{"t":[]}"#, &keys(r#"{"id":{"S":"c"}}"#)),
            says(r#"{"t":[]}"#, &keys(r#"{"other":{"S":"a"}}"#)),
        ];
        for lie in lies {
            assert_eq!(lie.unwrap_err().kind(), Kind::Unavailable);
        }
    }
}
