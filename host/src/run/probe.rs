//! Proving an endpoint's contract on scratch resources: segments that neither overlap nor skip, versions honoured.
//!
//! Every remote endpoint is given a scratch resource of its own, which is removed however the probe ends; a bound
//! resource is never touched.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Arc,
    time::Duration,
};

use futures::future::join_all;

use super::{Finding, Project, identity::chance};
use crate::{
    backend::{Backends, Mode, scratch::Scratch},
    capability::{
        index::{Index, Stamp, Write, Written},
        queue::{Message, Queue},
        storage::{Bucket, Condition, Put, Segment, Table, chunks},
    },
    clock::System,
    error::{Error, Kind, Result},
    record::Form,
};

const RECORDS: usize = 1000;
const SEGMENTS: u32 = 4;
const PAGE: usize = 64;
const RACERS: usize = 8;
const LEASE: Duration = Duration::from_secs(30);

/// As short as every service counts.
const MOMENT: Duration = Duration::from_secs(1);

impl Project {
    /// Tries the embedded default in the directory where the real one is, and each remote endpoint the recipe names, on
    /// scratch of their own. On AWS that costs what a table and a queue of a minute cost.
    ///
    /// *Errors*: an endpoint does not keep what runs rely on, or cannot be cleaned up. One where nothing may be made is
    /// a finding.
    pub async fn probe(&self) -> Result<Vec<Finding>> {
        let mut findings = self.probe_embedded().await?;
        let mut seen = BTreeMap::new();
        for resource in self.recipe.resources() {
            let bound = self.environment.backends.get(&resource.name);
            if let Some(endpoint) = bound.and_then(|config| config.scratch("")) {
                seen.entry(format!("{endpoint:?}")).or_insert((resource.name, endpoint.word()));
            }
        }
        for (name, word) in seen.into_values() {
            findings.push(self.probe_endpoint(&name, word).await?);
        }
        Ok(findings)
    }

    async fn probe_embedded(&self) -> Result<Vec<Finding>> {
        const NAME: &str = "probe";
        let scratch = self.environment.state.join(format!("probe-{}", std::process::id()));
        let backends = Backends::new(&scratch, &scratch, Mode::ReadWrite, Arc::new(System));
        let prove = async {
            backends.create_table(NAME, None, &["id".to_owned()], Form::Plain).await?;
            let tables = table(&*backends.table(NAME, None)?).await?;
            let indexes = index(&*backends.index(NAME, None)?, NAME).await?;
            Ok(vec![Finding::new("tables", tables), Finding::new("indexes", indexes)])
        };
        let proven = prove.await;
        drop(backends);
        fs::remove_dir_all(&scratch).or_else(absent).map_err(|error| {
            Error::usage("the scratch of the probe cannot be removed")
                .with("directory", scratch.display().to_string())
                .because(error)
        })?;
        proven
    }

    /// Proves the endpoint of one resource.
    async fn probe_endpoint(&self, resource: &str, word: &str) -> Result<Finding> {
        let subject = format!("{word} of `{resource}`");
        let name = format!("reindex-probe-{}", chance()?);
        let scratch = self.environment.backend(resource)?.scratch(&name);
        let config = scratch.ok_or_else(|| Error::bug("a probe of what is on this machine"))?;
        let proven = match self.backends.make_scratch(&name, &config).await {
            Ok(Some(scratch)) => prove(scratch, &name).await,
            Ok(None) => Err(Error::bug("a probe of what is on this machine")),
            Err(error) => Err(error),
        };
        let removed = self.backends.remove_scratch(&name, &config).await;
        match proven {
            Err(error) if error.kind() == Kind::Denied => {
                let text = format!("not proven, since `{name}` may not be made there: {}", error.message());
                Ok(Finding { attention: true, ..Finding::new(subject, text) })
            }
            Err(error) => {
                let left = if removed.is_ok() { "removed" } else { "left behind: remove it by hand" };
                Err(error.with("endpoint", subject).with("scratch", format!("{name}, {left}")))
            }
            Ok(text) => {
                removed.map_err(|error| error.with("remove it by hand", name))?;
                Ok(Finding::new(subject, text))
            }
        }
    }
}

async fn prove(scratch: Scratch, name: &str) -> Result<String> {
    match scratch {
        Scratch::Table(scratch) => table(&*scratch).await,
        Scratch::Bucket(scratch) => bucket(&*scratch).await,
        Scratch::Index(scratch) => index(&*scratch, &format!("{name}_1")).await,
        Scratch::Queue(scratch) => queue(&*scratch).await,
    }
}

fn absent(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Fills an empty scratch table, and reads it in segments.
async fn table(table: &dyn Table) -> Result<String> {
    let form = table.info().await?.form;
    let key = table.key().await?.into_iter().next().unwrap_or_default();
    let value = |n: usize| match form {
        Form::Plain => format!("\"probe-{n}\""),
        Form::DynamodbJson => format!("{{\"S\":\"probe-{n}\"}}"),
    };
    let records: Vec<_> = (0..RECORDS).map(|n| format!("{{\"{key}\":{}}}", value(n))).collect();
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

/// Makes an index, writes newer and older versions, and removes it.
async fn index(index: &dyn Index, name: &str) -> Result<String> {
    let proven = match index.create(name, "{}", &Stamp { version: "probe".into() }).await {
        Ok(()) => versions(index, name).await,
        Err(error) => Err(error),
    };
    // Also one whose making was answered by an error: the reply may have been lost.
    let removed = index.remove(name).await;
    let proof = proven?;
    removed.map(|()| proof)
}

/// Lets several writers race for an object, and removes it by its etag.
async fn bucket(bucket: &dyn Bucket) -> Result<String> {
    const KEY: &str = "probe";
    let proven = conditions(bucket, KEY).await;
    let removed = bucket.delete(KEY).await;
    let proof = proven?;
    removed.map(|()| proof)
}

async fn conditions(bucket: &dyn Bucket, key: &str) -> Result<String> {
    let race = async |condition: Condition| -> Result<usize> {
        let writes = (0..RACERS).map(|n| {
            let put = Put { condition: condition.clone(), ..Put::default() };
            async move { bucket.write(key, &put, chunks(format!("{put:?} {n}"))).await }
        });
        let written: Vec<_> = join_all(writes).await.into_iter().collect::<Result<_>>()?;
        Ok(written.into_iter().flatten().count())
    };
    let first = race(Condition::Absent).await?;
    if first != 1 {
        return broken(format!("{first} of {RACERS} writers made an object that only one may make"));
    }
    let there = bucket.head_many(&[key.to_owned()]).await?.pop().flatten();
    let Some(there) = there else { return broken("an object that was written is not there".to_owned()) };
    let second = race(Condition::Etag(there.etag.clone())).await?;
    if second != 1 {
        return broken(format!("{second} of {RACERS} writers replaced an object that only one may replace"));
    }
    Ok(format!("of {RACERS} writers with one condition, one wins; {}", removal(bucket, key, &there.etag).await?))
}

/// Removes an object by the etag of one before it, which must not succeed, and by its own.
async fn removal(bucket: &dyn Bucket, key: &str, before: &str) -> Result<String> {
    match bucket.delete_if(key, before).await {
        // A recipe that never needs it can use the bucket all the same.
        Err(error) if error.kind() == Kind::Unavailable && !error.may_retry() => return Ok(error.message().to_owned()),
        Err(error) => return Err(error),
        Ok(true) => return broken("an object was removed by the etag of another one".to_owned()),
        Ok(false) => {}
    }
    let there = bucket.head_many(&[key.to_owned()]).await?.pop().flatten();
    let Some(there) = there else { return broken("an object went although it was not to be removed".to_owned()) };
    if bucket.delete_if(key, &there.etag).await? && bucket.head_many(&[key.to_owned()]).await? == [None] {
        Ok("an etag removes its own object only".to_owned())
    } else {
        broken("an object is not removed by its own etag".to_owned())
    }
}

/// Sends a message, and takes it twice before it is acknowledged. The queue is removed by its creator.
async fn queue(queue: &dyn Queue) -> Result<String> {
    let message = Message { id: "probe".to_owned(), body: "probe".to_owned(), priority: 0 };
    for answer in queue.send(std::slice::from_ref(&message)).await? {
        answer?;
    }
    let first = queue.receive(1, LEASE, 5 * MOMENT).await?;
    let [first] = first.as_slice() else { return broken("a message that was sent does not come".to_owned()) };
    if first.message.body != message.body || first.message.id != message.id {
        return broken("a message comes back as another".to_owned());
    }
    if !queue.receive(1, LEASE, MOMENT).await?.is_empty() {
        return broken("a message that is leased came to somebody else".to_owned());
    }
    queue.extend(std::slice::from_ref(&first.receipt), Duration::ZERO).await?;
    let again = queue.receive(1, LEASE, 5 * MOMENT).await?;
    let [again] = again.as_slice() else {
        return broken("a message that was given back does not come again".to_owned());
    };
    if again.attempt < 2 || again.message.id != message.id {
        return broken(format!("a message that was given back came as delivery {}", again.attempt));
    }
    queue.acknowledge(std::slice::from_ref(&again.receipt)).await?;
    if !queue.receive(1, LEASE, MOMENT).await?.is_empty() {
        return broken("a message that was acknowledged came again".to_owned());
    }
    Ok("a message is leased to one, comes again when it is given back, and goes when it is acknowledged".to_owned())
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
