//! A queue as a source: messages under a lease, which are acknowledged once the ledger has their result.
//!
//! A message's body is a record, or names one in a table. A message that was received and not acknowledged is delivered
//! again by the queue, to any consumer, so only messages in flight are remembered here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::{
    capability::{
        queue::{Delivery, Depth, Queue},
        storage::{Page, Row, Sameness, Scan, Segment, SourceInfo, Table},
    },
    error::{Error, Result},
    record::Form,
};

/// How a queue is consumed. No key here changes a run's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consuming {
    /// The lease of a message; renewed while it is worked on.
    pub lease: Duration,
    /// A run ends when no message came for this long; zero means never.
    pub idle: Duration,
    /// A message that was delivered more often has killed its workers or outlasted their leases, and is given up.
    pub max_deliveries: u32,
}

/// A queue whose messages are records, or name records of a table.
pub struct Messages {
    name: String,
    queue: Arc<dyn Queue>,
    table: Option<Arc<dyn Table>>,
    form: Form,
    pub(super) consuming: Consuming,
    /// The receipts of messages in flight.
    held: Mutex<BTreeSet<String>>,
}

/// The content of a message, before it is mapped.
pub(super) enum Body {
    /// A record: the message is one, or names an existing one.
    Record(Vec<u8>),
    /// The message names a record that does not exist.
    Missing,
    /// The message names no record.
    Nameless,
}

impl Messages {
    /// Receives messages from a queue; `form` is the form of the records, in the messages or in the table.
    pub fn new(
        name: &str,
        queue: Arc<dyn Queue>,
        table: Option<Arc<dyn Table>>,
        form: Form,
        consuming: Consuming,
    ) -> Self {
        Self { name: name.to_owned(), queue, table, form, consuming, held: Mutex::default() }
    }

    fn fingerprint(&self) -> String {
        format!("queue {}", self.name)
    }

    /// The error of a command that needs a source which can be read again.
    pub fn refuse(&self, what: &str) -> Error {
        Error::usage(format!("a queue holds what changed and not everything, so {what}"))
            .with("queue", self.name.clone())
            .hint("use a recipe that reads the table itself (`[source.scan]`) for this")
    }

    /// Receives messages and keeps their leases until they are acknowledged or given back.
    pub(super) async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Delivery>> {
        let taken = self.queue.receive(max, self.consuming.lease, wait).await?;
        self.held(|held| held.extend(taken.iter().map(|delivery| delivery.receipt.clone())));
        Ok(taken)
    }

    /// Acknowledges messages. One whose lease was lost is delivered again, which changes nothing.
    pub(super) async fn acknowledge(&self, receipts: &[String]) -> Result<()> {
        if !receipts.is_empty() {
            self.queue.acknowledge(receipts).await?;
            self.forget(receipts);
        }
        Ok(())
    }

    /// Gives messages back, so that others can receive them at once. If that fails, they are delivered when their lease
    /// ends.
    pub(super) async fn give_back(&self, receipts: &[String]) {
        self.forget(receipts);
        if !receipts.is_empty() {
            let _ = self.queue.extend(receipts, Duration::ZERO).await;
        }
    }

    /// Gives back every message in flight.
    pub(in crate::pipeline) async fn give_all_back(&self) {
        let receipts: Vec<_> = self.held(|held| held.iter().cloned().collect());
        self.give_back(&receipts).await;
    }

    /// Renews the leases of messages in flight, without end.
    pub(in crate::pipeline) async fn keep_leases(self: Arc<Self>) {
        let beat = (self.consuming.lease / 3).max(Duration::from_millis(100));
        loop {
            tokio::time::sleep(beat).await;
            let receipts: Vec<_> = self.held(|held| held.iter().cloned().collect());
            // After a failed renewal there are two more before the leases end, and then the messages are delivered
            // again.
            if !receipts.is_empty() {
                let _ = self.queue.extend(&receipts, self.consuming.lease).await;
            }
        }
    }

    pub(super) async fn depth(&self) -> Result<Depth> {
        self.queue.depth().await
    }

    fn forget(&self, receipts: &[String]) {
        self.held(|held| {
            for receipt in receipts {
                held.remove(receipt);
            }
        });
    }

    fn held<T>(&self, change: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        change(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the bodies of messages, each with the id it names, unless the message holds the record itself.
    pub(super) async fn bodies(&self, messages: &[&str]) -> Result<Vec<(Option<String>, Body)>> {
        let Some(table) = &self.table else {
            return Ok(messages.iter().map(|body| (None, Body::Record(body.as_bytes().to_vec()))).collect());
        };
        let ids: Vec<_> = messages.iter().map(|body| named(body)).collect();
        // An id in several messages is read once: some tables refuse a request that names it twice.
        let keys: Vec<_> = ids.iter().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        let records = table.get_many(&keys).await?;
        let found: BTreeMap<_, _> = keys.into_iter().zip(records).collect();
        let body = |id: Option<String>| match &id {
            None => (id, Body::Nameless),
            Some(name) => {
                let record = found.get(name).cloned().flatten();
                (id, record.map_or(Body::Missing, Body::Record))
            }
        };
        Ok(ids.into_iter().map(body).collect())
    }
}

/// A queue as the source of a retry, which finds messages again in the ledger; it cannot be read without receiving
/// them.
#[async_trait]
impl Scan for Messages {
    async fn info(&self) -> Result<SourceInfo> {
        Ok(SourceInfo {
            fingerprint: self.fingerprint(),
            count: None,
            form: self.form,
            segments: None,
            max_segments: None,
            key: None,
            passing: true,
        })
    }

    async fn compare(&self, fingerprint: &str) -> Result<Sameness> {
        Ok(match Sameness::of(&self.fingerprint(), fingerprint) {
            // Messages are removed when they are done, so the same queue need not hold the same messages.
            Sameness::Same => Sameness::Unknown,
            changed => changed,
        })
    }

    async fn read(&self, _: Segment, _: Option<&str>, _: usize) -> Result<Page> {
        Err(self.refuse("it cannot be looked at without taking its messages"))
    }

    async fn reread(&self, positions: &[String]) -> Result<Vec<Option<Row>>> {
        let messages: Vec<_> = positions.iter().map(|position| body_at(position)).collect();
        let bodies: Vec<_> = messages.iter().map(|body| body.as_deref().unwrap_or_default()).collect();
        let bodies = self.bodies(&bodies).await?.into_iter().zip(positions);
        let row = |((_, body), position): ((_, Body), &String)| match body {
            Body::Record(body) => Some(Row { cursor: String::new(), position: position.clone(), body }),
            Body::Missing | Body::Nameless => None,
        };
        Ok(bodies.map(row).collect())
    }
}

/// The position by which a message is found again once the queue has removed it: its name there, the delivery and its
/// body, as a JSON array. If two workers receive the same message, since one was too slow, each leaves a row.
pub(super) fn position(delivery: &Delivery) -> String {
    json!([delivery.name, delivery.attempt, delivery.message.body]).to_string()
}

/// The beginning of every position of a message, and of no other message's.
pub(super) fn beginning(name: &str) -> String {
    format!("[{},", Value::from(name))
}

fn body_at(position: &str) -> Option<String> {
    let (_, _, body): (String, u32, String) = serde_json::from_str(position).ok()?;
    Some(body)
}

/// The id that a message names: `id` of a JSON object, a JSON text, or the plain text.
fn named(body: &str) -> Option<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Array(_) => Some(value.to_string()),
        _ => None,
    };
    let id = match serde_json::from_str(body) {
        Ok(Value::Object(fields)) => fields.get("id").and_then(text),
        Ok(value) => text(&value),
        Err(_) => Some(body.trim().to_owned()),
    };
    id.filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::capability::queue::Message;

    fn place(name: &str, attempt: u32, body: &str) -> String {
        let message = Message { id: "any".into(), body: body.into(), priority: 0 };
        position(&Delivery { message, name: name.into(), receipt: "any".into(), attempt, last: false })
    }

    #[test]
    fn a_message_names_an_id_in_any_usual_way() {
        let some = ["p-1", " p-1\n", "\"p-1\"", r#"{"id":"p-1","event":"changed"}"#];
        assert!(some.iter().all(|body| named(body).as_deref() == Some("p-1")));
        assert_eq!(named(r#"["a", 1]"#).as_deref(), Some(r#"["a",1]"#));
        assert_eq!(named(r#"{"id":17}"#).as_deref(), Some("17"));
        for nothing in ["", " ", "{}", r#"{"id":null}"#, r#"{"id":""}"#, "true", "null"] {
            assert_eq!(named(nothing), None, "{nothing}");
        }
    }

    proptest! {
        #[test]
        fn a_position_leads_back_to_its_message_and_sorts_beside_no_other(
            name in any::<String>(), body in any::<String>(), other in any::<String>(), more in any::<String>(),
        ) {
            let (position, another) = (place(&name, 2, &body), place(&other, 1, &more));
            prop_assert_eq!(body_at(&position), Some(body));
            prop_assert!(position.starts_with(&beginning(&name)) && position > beginning(&name));
            prop_assert!(other == name || !another.starts_with(&beginning(&name)));
            prop_assert!(other == name || another < beginning(&name) || another > position);
        }
    }
}
