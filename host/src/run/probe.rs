//! Proving an endpoint's contract on scratch resources: segments that neither overlap nor skip, versions honoured.
//!
//! The caller makes the scratch and removes it; a bound resource is never touched.

use std::collections::BTreeSet;

use crate::{
    capability::{
        index::{Index, Stamp, Write, Written},
        storage::{Segment, Table},
    },
    error::{Error, Kind, Result},
};

const RECORDS: usize = 1000;
const SEGMENTS: u32 = 4;
const PAGE: usize = 64;

/// Fills an empty scratch table, and reads it in segments.
pub async fn table(table: &dyn Table) -> Result<String> {
    let key = table.key().await?.into_iter().next().unwrap_or_default();
    let records: Vec<_> = (0..RECORDS).map(|n| format!("{{\"{key}\":\"probe-{n}\"}}")).collect();
    for answer in table.put_many(&records).await? {
        answer?;
    }
    let mut seen = BTreeSet::new();
    for number in 0..SEGMENTS {
        let segment = Segment { number, total: SEGMENTS };
        let mut after: Option<String> = None;
        loop {
            let page = table.read(segment, after.as_deref(), PAGE).await?;
            for row in page.rows {
                if !seen.insert(row.position.clone()) {
                    return broken(format!("record `{}` came twice: its segments overlap", row.position));
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    if seen.len() == RECORDS {
        Ok(format!("{RECORDS} records in {SEGMENTS} segments, each exactly once"))
    } else {
        broken(format!("{} of {RECORDS} records never came: its segments skip", RECORDS - seen.len()))
    }
}

/// Makes a scratch index, writes newer and older versions, and removes it.
pub async fn index(index: &dyn Index, name: &str) -> Result<String> {
    index.create(name, "{}", &Stamp { version: "probe".into() }).await?;
    let proven = versions(index, name).await;
    index.remove(name).await?;
    proven
}

async fn versions(index: &dyn Index, name: &str) -> Result<String> {
    let write =
        |version, body: Option<&str>| Write { id: "probe".into(), version: Some(version), body: body.map(Into::into) };
    let steps = [
        (write(2, Some(r#"{"n":2}"#)), Written::Done),
        (write(1, Some(r#"{"n":1}"#)), Written::NewerThere),
        (write(2, Some(r#"{"n":3}"#)), Written::Done),
        (write(3, None), Written::Done),
        (write(2, Some(r#"{"n":2}"#)), Written::NewerThere),
    ];
    for (step, (write, expected)) in steps.into_iter().enumerate() {
        let answer = index.write(name, vec![write]).await?;
        if answer != [expected.clone()] {
            return broken(format!("write {} was answered {answer:?} instead of {expected:?}", step + 1));
        }
    }
    Ok("newer versions win, older ones lose, also against a deletion".to_owned())
}

fn broken<T>(message: String) -> Result<T> {
    Err(Error::new(Kind::Unavailable, message)
        .hint("this endpoint does not keep the contract that runs rely on; do not use it"))
}
