//! Messages: sent with an id that is the same when a message is sent again.

use std::collections::BTreeMap;

use super::{Sinks, Work, bound, settled};
use crate::{capability::queue::Message, error::Result, record::Effect};

impl Sinks {
    pub(super) async fn messages(&self, batch: &mut [Work]) -> Result<()> {
        let mut queues: BTreeMap<String, (Vec<usize>, Vec<Message>)> = BTreeMap::new();
        for (at, work) in batch.iter().enumerate().filter(|(_, work)| work.failure.is_none()) {
            for (ordinal, effect) in work.effects.iter().enumerate() {
                if let Effect::SendMessage { queue, body, priority } = effect {
                    let id = message_id(&self.run, &work.id, ordinal);
                    let (owners, messages) = queues.entry(queue.clone()).or_default();
                    owners.push(at);
                    messages.push(Message { id, body: body.clone(), priority: *priority });
                }
            }
        }
        for (name, (owners, messages)) in queues {
            let queue = bound(&self.resources.queues, "queue", &name)?;
            let answers = self.insist(|| queue.send(&messages)).await?;
            for (at, answer) in owners.into_iter().zip(answers) {
                match settled(answer, &[])? {
                    Ok(()) => batch[at].counts.messages += 1,
                    Err(refusal) => batch[at].fail(refusal),
                }
            }
        }
        Ok(())
    }
}

/// Names every message permanently, so that a repeated one can be recognized.
fn message_id(run: &str, item: &str, ordinal: usize) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [run, item, &ordinal.to_string()] {
        hasher.update(&part.len().to_le_bytes()).update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}
