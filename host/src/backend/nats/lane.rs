//! One subject and its durable consumer.

use std::time::Duration;

use async_nats::{
    Client, HeaderMap,
    header::NATS_MESSAGE_ID,
    jetstream::{
        self, ErrorCode,
        consumer::{AckPolicy, Consumer, Info, pull},
        context::{PublishAckFuture, PublishError, PublishErrorKind},
        stream::RawMessageErrorKind,
    },
};
use futures::StreamExt;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::{fault, session::Session};
use crate::{
    capability::queue::{Delivery, LONGEST_LEASE, Message, priority},
    error::{Error, Kind, Result},
};

/// The header that carries a message's priority.
const PRIORITY: &str = "Reindex-Priority";
/// The prefix of every acknowledgement's subject.
const ACK: &str = "$JS.ACK.";
/// How late the end of a pull may be; a little later the client would take it for an empty pull.
const SILENCE: Duration = Duration::from_secs(4);
/// How many messages of a subject may be in flight, of all workers together.
const IN_HAND: i64 = 100_000;

/// One subject and its durable consumer.
#[derive(Debug)]
pub(super) struct Lane {
    subject: String,
    durable: String,
    at: usize,
    /// The consumer, and its lease.
    consumer: Mutex<Option<(Duration, Consumer<pull::Config>)>>,
}

impl Lane {
    /// Makes no request yet; `at` is its rank among the priorities.
    pub fn new(subject: String, durable: String, at: usize) -> Self {
        Self { subject, durable, at, consumer: Mutex::default() }
    }

    /// Sends a message; the server's answer comes later. The inner error concerns only the message.
    pub async fn send(&self, session: &Session, message: &Message) -> Result<Result<PublishAckFuture>> {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_MESSAGE_ID, message.id.as_str());
        headers.insert(PRIORITY, message.priority.to_string().as_str());
        let context = session.context().await?;
        let sent = context.publish_with_headers(self.subject.clone(), headers, message.body.clone().into()).await;
        sent.map_or_else(|error| unsent(session, error).map(Err), |sent| Ok(Ok(sent)))
    }

    async fn consumer(&self, session: &Session, lease: Duration) -> Result<Consumer<pull::Config>> {
        let lease = lease.min(LONGEST_LEASE);
        let mut known = self.consumer.lock().await;
        if let Some((_, consumer)) = known.as_ref().filter(|(known, _)| *known == lease) {
            return Ok(consumer.clone());
        }
        session.stream().await?;
        let config = pull::Config {
            durable_name: Some(self.durable.clone()),
            filter_subject: self.subject.clone(),
            ack_policy: AckPolicy::Explicit,
            ack_wait: lease,
            max_ack_pending: IN_HAND,
            ..pull::Config::default()
        };
        let made = session.context().await?.create_consumer_on_stream(config, session.name()).await;
        let consumer = made.map_err(|error| match error.kind() {
            jetstream::stream::ConsumerErrorKind::JetStream(said) => {
                session.answered("the consumer cannot be made", &said)
            }
            _ => Error::new(Kind::Unavailable, "the consumer cannot be made").because(error),
        })?;
        *known = Some((lease, consumer.clone()));
        Ok(consumer)
    }

    /// Receives messages once; waits only for the first one.
    pub async fn receive(
        &self,
        session: &Session,
        max: usize,
        lease: Duration,
        wait: Duration,
        lanes: usize,
    ) -> Result<Vec<Delivery>> {
        let consumer = self.consumer(session, lease).await?;
        let pulled = if wait.is_zero() {
            consumer.fetch().max_messages(max).messages().await
        } else {
            consumer.batch().max_messages(1).expires(wait).messages().await
        };
        let mut pulled = pulled.map_err(|error| lost("messages cannot be received", error))?;
        let mut taken = Vec::new();
        // After a lost connection, the end of the pull is never announced.
        while let Some(message) = next(&mut pulled, wait + SILENCE).await.transpose() {
            match message {
                Ok(message) => taken.extend(self.delivery(&message, lanes)),
                // The received messages are returned in spite of the error; the next call returns the error.
                Err(_) if !taken.is_empty() => break,
                Err(error) => {
                    // The consumer may have been deleted; the next call creates it again.
                    *self.consumer.lock().await = None;
                    return Err(error);
                }
            }
        }
        Ok(taken)
    }

    fn delivery(&self, received: &jetstream::Message, lanes: usize) -> Option<Delivery> {
        let info = received.info().ok()?;
        let receipt = received.reply.as_ref()?.to_string();
        let headers = received.headers.clone().unwrap_or_default();
        let message = self.message(&headers, &received.payload, info.stream_sequence, lanes);
        let (name, attempt) = (info.stream_sequence.to_string(), u32::try_from(info.delivered).unwrap_or(u32::MAX));
        Some(Delivery { message, name, receipt, attempt, last: false })
    }

    fn message(&self, headers: &HeaderMap, payload: &[u8], sequence: u64, lanes: usize) -> Message {
        let header = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        Message {
            id: header("Nats-Msg-Id").unwrap_or_else(|| format!("{}-{sequence}", self.subject)),
            body: String::from_utf8_lossy(payload).into_owned(),
            priority: header(PRIORITY).and_then(|text| text.parse().ok()).unwrap_or(priority(self.at, lanes)),
        }
    }

    /// The server's description of the consumer; none if it was never created.
    async fn info(&self, session: &Session) -> Result<Option<Info>> {
        let operation = "the consumer cannot be described";
        match session.ask::<Info>(operation, format!("CONSUMER.INFO.{}.{}", session.name(), self.durable)).await? {
            Ok(info) => Ok(Some(info)),
            Err(error) if error.error_code() == ErrorCode::CONSUMER_NOT_FOUND => Ok(None),
            Err(error) => Err(session.answered(operation, &error)),
        }
    }

    /// How many messages were never delivered, and how many are in flight or about to be delivered again.
    pub async fn depth(&self, session: &Session) -> Result<(u64, u64)> {
        if let Some(info) = self.info(session).await? {
            return Ok((info.num_pending, info.num_ack_pending as u64));
        }
        let stream = session.context().await?.get_stream_no_info(session.name()).await;
        let stream = stream.map_err(|error| lost("the stream cannot be described", error))?;
        let counted = stream.info_with_subjects(&self.subject).await;
        let mut counted = counted.map_err(|error| lost("the stream cannot be described", error))?;
        let mut waiting = 0;
        while let Some(subject) = counted.next().await {
            waiting += subject.map_err(|error| lost("the stream cannot be described", error))?.1 as u64;
        }
        Ok((waiting, 0))
    }

    /// The next messages that were never delivered, and when they were sent.
    pub async fn peek(&self, session: &Session, max: usize, lanes: usize) -> Result<Vec<(Message, Option<Timestamp>)>> {
        let mut next = self.info(session).await?.map_or(0, |info| info.delivered.stream_sequence) + 1;
        let stream = session.context().await?.get_stream_no_info(session.name()).await;
        let stream = stream.map_err(|error| lost("the stream cannot be read", error))?;
        let mut seen = Vec::new();
        while seen.len() < max {
            let found = match stream.get_first_raw_message_by_subject(&self.subject, next).await {
                Ok(found) => found,
                Err(error) => match error.kind() {
                    RawMessageErrorKind::NoMessageFound => break,
                    RawMessageErrorKind::JetStream(said) => {
                        return Err(session.answered("the stream cannot be read", &said));
                    }
                    _ => return Err(lost("the stream cannot be read", error)),
                },
            };
            next = found.sequence + 1;
            let sent = Timestamp::from_nanosecond(found.time.unix_timestamp_nanos()).ok();
            seen.push((self.message(&found.headers, &found.payload, found.sequence, lanes), sent));
        }
        Ok(seen)
    }
}

/// The next message of a pull; an error if neither a message nor the end of the pull comes in time.
async fn next(pulled: &mut pull::Batch, patience: Duration) -> Result<Option<jetstream::Message>> {
    let operation = "messages cannot be received";
    let silent = |error| lost(operation, error);
    let message = tokio::time::timeout(patience, pulled.next()).await.map_err(silent)?;
    message.transpose().map_err(|error| lost(operation, error))
}

/// Answers a delivery by its receipt. An unknown receipt changes nothing and returns false.
pub(super) async fn settle(client: Client, receipt: String, answer: &'static str) -> Result<bool> {
    if !receipt.starts_with(ACK) {
        return Ok(false);
    }
    match client.request(receipt, answer.into()).await {
        Ok(_) => Ok(true),
        Err(error) => fault::request("a message cannot be acknowledged", error).map_or(Ok(false), Err),
    }
}

/// Waits until the server has stored a message. The inner error concerns only the message.
pub(super) async fn sent(session: &Session, sent: Result<PublishAckFuture>) -> Result<Result<()>> {
    match sent {
        Ok(sent) => sent.await.map_or_else(|error| unsent(session, error).map(Err), |_| Ok(Ok(()))),
        Err(error) => Ok(Err(error)),
    }
}

/// Why a message was not sent: an error of the message itself is inside, any other one outside.
fn unsent(session: &Session, error: PublishError) -> Result<Error> {
    let place = |error: Error| error.with("stream", session.name());
    match error.kind() {
        PublishErrorKind::MaxPayloadExceeded => {
            Ok(place(Error::usage("the message is larger than the server takes")).because(error))
        }
        PublishErrorKind::StreamNotFound => Err(place(Error::new(Kind::NotFound, "no stream takes this subject"))
            .because(error)
            .hint("add the subject to the stream, or mend `subject` of this queue in the environment file")),
        _ => Err(place(lost("messages cannot be sent", error))),
    }
}

fn lost(operation: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(Kind::Unavailable, format!("{operation} just now"))
        .because(error)
        .hint("check whether the server runs and what it says; what was done is kept")
}
