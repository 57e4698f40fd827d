//! One of the service's queues: requests of ten entries, each entry's answer read and retried on its own.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use aws_sdk_sqs::{
    Client,
    operation::receive_message::ReceiveMessageError,
    types::{
        BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
        Message as Received, MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
        SendMessageBatchRequestEntry,
    },
};
use md5::{Digest as _, Md5};
use tokio::sync::OnceCell;

use super::cut::ENTRIES;
use crate::{
    backend::{
        aws::{fault, incomplete},
        reply::words,
    },
    capability::queue::{Delivery, LONGEST_LEASE, Message, priority},
    error::{Error, Kind, Result},
};

/// The attribute that carries a message's id.
const ID: &str = "reindex-id";
/// The attribute that carries its priority.
const PRIORITY: &str = "reindex-priority";
/// An upper bound of the bytes of a message's attributes besides the id itself.
const ATTRIBUTES: usize = 64;
/// How often an entry that failed because of the service is sent.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(100);

/// How many bytes of a request a message takes.
pub(super) fn size(message: &Message) -> usize {
    message.body.len() + message.id.len() + ATTRIBUTES
}

/// What happens to deliveries.
#[derive(Debug, Clone, Copy)]
pub(super) enum Settling {
    /// They are deleted.
    Delete,
    /// Their lease is renewed.
    Lease(Duration),
}

/// One request's entries, by number.
enum Request {
    Send(BTreeMap<usize, SendMessageBatchRequestEntry>),
    /// Handles of deliveries.
    Settle(BTreeMap<usize, String>, Settling),
}

impl Request {
    fn numbers(&self) -> Vec<usize> {
        match self {
            Self::Send(entries) => entries.keys().copied().collect(),
            Self::Settle(handles, _) => handles.keys().copied().collect(),
        }
    }
}

/// The service's answers for one request's entries, by their ids.
struct Answered {
    done: Vec<String>,
    failed: Vec<BatchResultErrorEntry>,
}

/// The queue for messages that were delivered too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redrive {
    most: u32,
    target: String,
}

/// One of the service's queues.
#[derive(Debug)]
pub(super) struct Lane {
    client: Client,
    /// Its name there.
    pub name: String,
    at: usize,
    url: OnceCell<String>,
    redrive: OnceCell<Option<Redrive>>,
}

impl Lane {
    /// Makes no request yet; `at` is its rank among the priorities.
    pub fn new(client: Client, name: String, at: usize) -> Self {
        Self { client, name, at, url: OnceCell::new(), redrive: OnceCell::new() }
    }

    /// Creates it.
    pub async fn make(&self) -> Result<()> {
        let made = self.client.create_queue().queue_name(&self.name).send().await;
        made.map(drop).map_err(|error| self.place(fault("the queue cannot be made", &error)))
    }

    /// Removes it with everything in it; it is not an error if there is none.
    pub async fn remove(&self) -> Result<()> {
        let url = match self.url().await {
            Err(error) if error.kind() == Kind::NotFound => return Ok(()),
            url => url?,
        };
        let removed = self.client.delete_queue().queue_url(url).send().await;
        removed.map(drop).map_err(|error| self.place(fault("the queue cannot be removed", &error)))
    }

    async fn url(&self) -> Result<&str> {
        let ask = async || {
            let found = self.client.get_queue_url().queue_name(&self.name).send().await;
            let found = found.map_err(|error| self.place(fault("the queue cannot be found", &error)))?;
            found.queue_url.ok_or_else(|| self.place(incomplete("the queue cannot be found", "it has no address")))
        };
        self.url.get_or_try_init(ask).await.map(String::as_str)
    }

    fn place(&self, error: Error) -> Error {
        error.with("queue", self.name.clone())
    }

    /// Sends one request's messages. Returns those that were refused; the others are sent.
    pub async fn send(&self, batch: Vec<(usize, Message)>) -> Result<Vec<(usize, Error)>> {
        let (empty, batch): (Vec<_>, Vec<_>) = batch.into_iter().partition(|(_, message)| message.body.is_empty());
        let refuse = |(at, _)| (at, self.place(Error::usage("SQS takes no message without a body")));
        let mut refused: Vec<_> = empty.into_iter().map(refuse).collect();
        let mut parts = if batch.is_empty() { Vec::new() } else { vec![batch] };
        while let Some(mut part) = parts.pop() {
            match self.send_all(&part).await {
                Ok(some) => refused.extend(some),
                // One bad message makes some servers refuse the whole request.
                Err(error) if error.kind() == Kind::Usage && part.len() > 1 => {
                    let rest = part.split_off(part.len() / 2);
                    parts.extend([part, rest]);
                }
                Err(error) if error.kind() == Kind::Usage => refused.push((part[0].0, error)),
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }

    async fn send_all(&self, part: &[(usize, Message)]) -> Result<Vec<(usize, Error)>> {
        let entries = part.iter().map(|(at, message)| Ok((*at, entry(*at, message)?))).collect::<Result<_>>()?;
        let refused = self.insist(&Request::Send(entries)).await?;
        Ok(refused
            .into_iter()
            .map(|(at, why)| (at, self.place(Error::usage(format!("SQS refuses it: {why}")))))
            .collect())
    }

    /// Sends entries until each is answered; an entry that failed because of the service, or has no answer, is sent
    /// again. Returns those that are refused for good, and why.
    async fn insist(&self, request: &Request) -> Result<Vec<(usize, String)>> {
        let (mut left, mut refused) = (request.numbers(), Vec::new());
        for attempt in 1..=TRIES {
            let answered = self.call(request, &left).await?;
            left.retain(|at| !answered.done.contains(&at.to_string()));
            let mut why_not = "it is not answered".to_owned();
            for failed in &answered.failed {
                // An answer about an entry that was not sent is ignored.
                let Some(place) = left.iter().position(|at| at.to_string() == failed.id) else { continue };
                if failed.sender_fault {
                    refused.push((left.remove(place), why(failed)));
                } else {
                    why_not = why(failed);
                }
            }
            if left.is_empty() {
                break;
            }
            if attempt == TRIES {
                let error = Error::new(Kind::Unavailable, "SQS fails to answer for single messages").tried(TRIES);
                return Err(self.place(error).with("answer", why_not).hint("run again later; what was done is kept"));
            }
            tokio::time::sleep(PAUSE * attempt).await;
        }
        Ok(refused)
    }

    /// Sends the chosen entries of a request once.
    async fn call(&self, request: &Request, chosen: &[usize]) -> Result<Answered> {
        let url = self.url().await?;
        match request {
            Request::Send(all) => {
                let entries = chosen.iter().filter_map(|at| all.get(at).cloned()).collect();
                let call = self.client.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
                let answer = call.map_err(|error| self.place(fault("messages cannot be sent", &error)))?;
                let done = answer.successful.into_iter().map(|done| done.id).collect();
                Ok(Answered { done, failed: answer.failed })
            }
            Request::Settle(handles, Settling::Delete) => {
                let entry = |at: &usize| {
                    DeleteMessageBatchRequestEntry::builder().id(at.to_string()).receipt_handle(&handles[at]).build()
                };
                let entries = chosen.iter().map(entry).collect::<Result<_, _>>().map_err(unbuilt)?;
                let call = self.client.delete_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
                let answer = call.map_err(|error| self.place(fault("messages cannot be deleted", &error)))?;
                let done = answer.successful.into_iter().map(|done| done.id).collect();
                Ok(Answered { done, failed: answer.failed })
            }
            Request::Settle(handles, Settling::Lease(lease)) => {
                let entry = |at: &usize| {
                    let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(at.to_string());
                    entry.receipt_handle(&handles[at]).visibility_timeout(seconds(*lease)).build()
                };
                let entries = chosen.iter().map(entry).collect::<Result<_, _>>().map_err(unbuilt)?;
                let call = self.client.change_message_visibility_batch().queue_url(url).set_entries(Some(entries));
                let answer =
                    call.send().await.map_err(|error| self.place(fault("a lease cannot be prolonged", &error)))?;
                let done = answer.successful.into_iter().map(|done| done.id).collect();
                Ok(Answered { done, failed: answer.failed })
            }
        }
    }

    /// Receives at most one request's messages, once.
    pub async fn receive(&self, max: usize, lease: Duration, wait: Duration, lanes: usize) -> Result<Vec<Delivery>> {
        if max == 0 {
            return Ok(Vec::new());
        }
        let redrive = self.redrive().await?;
        let asked = self
            .client
            .receive_message()
            .queue_url(self.url().await?)
            .max_number_of_messages(i32::try_from(max.min(ENTRIES)).unwrap_or(1))
            .visibility_timeout(seconds(lease))
            .wait_time_seconds(seconds(wait))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_attribute_names(ID)
            .message_attribute_names(PRIORITY)
            .send()
            .await;
        match asked {
            Ok(received) => {
                let most = redrive.as_ref().map(|redrive| redrive.most);
                let received = received.messages.unwrap_or_default().into_iter();
                received.map(|message| self.delivery(message, most, lanes)).collect()
            }
            // More messages are in flight than the service allows: they are delivered again when they are given back.
            Err(error) if error.as_service_error().is_some_and(ReceiveMessageError::is_over_limit) => Ok(Vec::new()),
            Err(error) => Err(self.place(fault("messages cannot be received", &error))),
        }
    }

    /// *Errors*: a message that lacks a part or is damaged; it is delivered again after its lease.
    fn delivery(&self, mut received: Received, most: Option<u32>, lanes: usize) -> Result<Delivery> {
        let lacks = |what| self.place(incomplete("messages cannot be received", what));
        let system = received.attributes.take().unwrap_or_default();
        let count = system.get(&MessageSystemAttributeName::ApproximateReceiveCount);
        let attempt = count.and_then(|count| count.parse().ok()).unwrap_or(1);
        let mut own = received.message_attributes.take().unwrap_or_default();
        let mut own = |name| own.remove(name).and_then(|value| value.string_value);
        let (Some(name), Some(body), Some(handle)) = (received.message_id, received.body, received.receipt_handle)
        else {
            return Err(lacks("a message has no id, no body or no handle"));
        };
        if received.md5_of_body.is_some_and(|said| said != md5(&body)) {
            return Err(lacks("the checksum of a message is another one"));
        }
        let message = Message {
            id: own(ID).unwrap_or_else(|| name.clone()),
            priority: own(PRIORITY).and_then(|text| text.parse().ok()).unwrap_or(priority(self.at, lanes)),
            body,
        };
        let receipt = format!("{} {handle}", self.at);
        Ok(Delivery { message, name, receipt, attempt, last: most.is_some_and(|most| attempt >= most) })
    }

    /// Settles one request's deliveries, by number and handle. Returns the numbers of those that were settled.
    pub async fn settle(&self, part: Vec<(usize, String)>, how: Settling) -> Result<Vec<usize>> {
        let request = Request::Settle(part.into_iter().collect(), how);
        let refused = self.insist(&request).await?;
        let settled = request.numbers().into_iter();
        Ok(settled.filter(|at| !refused.iter().any(|(refused, _)| refused == at)).collect())
    }

    /// The queue for messages that were delivered too often, if there is one.
    pub async fn redrive(&self) -> Result<&Option<Redrive>> {
        // The answer for a queue without a policy is empty, so an attribute that each queue has is requested as well.
        let names = [QueueAttributeName::QueueArn, QueueAttributeName::RedrivePolicy];
        let ask = async || match self.attributes(&names).await {
            Ok(attributes) => Ok(attributes.get(&QueueAttributeName::RedrivePolicy).and_then(|text| redrive(text))),
            // A caller that may only receive cannot read the policy.
            Err(error) if error.kind() == Kind::Denied => Ok(None),
            Err(error) => Err(error),
        };
        self.redrive.get_or_try_init(ask).await
    }

    async fn attributes(&self, names: &[QueueAttributeName]) -> Result<HashMap<QueueAttributeName, String>> {
        let call = self.client.get_queue_attributes().queue_url(self.url().await?);
        let call = call.set_attribute_names(Some(names.to_vec())).send().await;
        let found = call.map_err(|error| self.place(fault("the queue cannot be described", &error)))?;
        let lacks = || self.place(incomplete("the queue cannot be described", "it has no attributes"));
        found.attributes.ok_or_else(lacks)
    }

    /// How many messages wait, are in flight, and are dead letters.
    pub async fn depth(&self) -> Result<(u64, u64, Option<u64>)> {
        use QueueAttributeName as Name;
        let names = [
            Name::ApproximateNumberOfMessages,
            Name::ApproximateNumberOfMessagesDelayed,
            Name::ApproximateNumberOfMessagesNotVisible,
        ];
        let found = self.attributes(&names).await?;
        let lacks = || self.place(incomplete("the queue cannot be described", "it does not count its messages"));
        let count = |name: &Name| found.get(name).and_then(|text| text.parse::<u64>().ok()).ok_or_else(lacks);
        let [waiting, delayed, in_hand] = [count(&names[0])?, count(&names[1])?, count(&names[2])?];
        let dead = match self.redrive().await? {
            Some(redrive) => self.dead(redrive).await,
            None => None,
        };
        Ok((waiting + delayed, in_hand, dead))
    }

    /// Counts the dead letters; none if the queue cannot be read, since another account may own it.
    async fn dead(&self, redrive: &Redrive) -> Option<u64> {
        let name = redrive.target.rsplit(':').next()?;
        let lane = Self::new(self.client.clone(), name.to_owned(), 0);
        let found = lane.attributes(&[QueueAttributeName::ApproximateNumberOfMessages]).await.ok()?;
        found.get(&QueueAttributeName::ApproximateNumberOfMessages)?.parse().ok()
    }
}

fn entry(at: usize, message: &Message) -> Result<SendMessageBatchRequestEntry> {
    let text = |kind: &str, value: String| {
        MessageAttributeValue::builder().data_type(kind).string_value(value).build().map_err(unbuilt)
    };
    SendMessageBatchRequestEntry::builder()
        .id(at.to_string())
        .message_body(&message.body)
        .message_attributes(ID, text("String", message.id.clone())?)
        .message_attributes(PRIORITY, text("Number", message.priority.to_string())?)
        .build()
        .map_err(unbuilt)
}

fn unbuilt(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::bug("a request to SQS lacks something").because(error)
}

fn why(failed: &BatchResultErrorEntry) -> String {
    words(&format!("{} {}", failed.code, failed.message.as_deref().unwrap_or_default()))
}

fn md5(body: &str) -> String {
    Md5::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whole seconds, rounded up, within the service's limit.
fn seconds(time: Duration) -> i32 {
    let time = time.min(LONGEST_LEASE);
    i32::try_from(time.as_secs() + u64::from(time.subsec_nanos() > 0)).unwrap_or(i32::MAX)
}

/// *Shape*: `{"deadLetterTargetArn":"arn:…:name","maxReceiveCount":"5"}`, the count as text or number.
fn redrive(text: &str) -> Option<Redrive> {
    let policy: serde_json::Value = serde_json::from_str(text).ok()?;
    let most = &policy["maxReceiveCount"];
    let most = most.as_str().map_or_else(|| most.to_string(), str::to_owned).parse().ok()?;
    Some(Redrive { most, target: policy["deadLetterTargetArn"].as_str()?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redrive_policy_is_read_in_either_spelling_and_nonsense_is_none() {
        let target = "arn:aws:sqs:eu-west-2:1:dead".to_owned();
        for most in ["3", "\"3\""] {
            let text = format!(r#"{{"maxReceiveCount":{most},"deadLetterTargetArn":"{target}"}}"#);
            assert_eq!(redrive(&text), Some(Redrive { most: 3, target: target.clone() }));
        }
        assert!(["", "{}", "[]", "{\"maxReceiveCount\":3}"].iter().all(|text| redrive(text).is_none()));
    }

    #[test]
    fn leases_are_whole_seconds_that_are_never_too_short() {
        assert_eq!([0, 1, 1000, 1001].map(|ms| seconds(Duration::from_millis(ms))), [0, 1, 1, 2],);
        assert_eq!(seconds(Duration::MAX), 43_200);
    }
}
