//! What a test asks of the proxy: which requests, and which fault. Plain data; who keeps count is `book`.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

/// One fault, the requests it is meant for, and the turns at which it comes.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The requests that are looked at.
    pub when: Match,
    /// Which of them, counted from 0 in the order they arrive.
    pub turn: Pick,
    /// At most so many requests are given the fault, whether or not it finds something to do there.
    pub times: Option<u64>,
    /// What is done to them.
    pub fault: Fault,
}

impl Rule {
    /// Gives the fault to every matching request.
    #[must_use]
    pub fn new(when: Match, fault: Fault) -> Self {
        Self { when, turn: Pick::All, times: None, fault }
    }

    /// Chooses among the matching requests.
    #[must_use]
    pub fn turn(self, turn: Pick) -> Self {
        Self { turn, ..self }
    }

    /// Stops after so many.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }
}

/// Which requests a rule is about. What is not set matches everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Match {
    /// The method, in capitals.
    pub method: Option<String>,
    /// How path and query begin.
    pub prefix: Option<String>,
    /// A part of path and query; over plain TCP, of the bytes that were sent.
    pub contains: Option<String>,
    /// The operation of an AWS request, as in `x-amz-target`: whole, or the part behind the dot.
    pub target: Option<String>,
}

impl Match {
    /// Every request.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Only this method.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }

    /// Only paths that begin so.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> Self {
        Self { prefix: Some(prefix.to_owned()), ..self }
    }

    /// Only paths (with their query) that hold this; over plain TCP, only what is sent with this in it.
    #[must_use]
    pub fn contains(self, part: &str) -> Self {
        Self { contains: Some(part.to_owned()), ..self }
    }

    /// Only this AWS operation: `Scan`, or `DynamoDB_20120810.Scan`.
    #[must_use]
    pub fn target(self, target: &str) -> Self {
        Self { target: Some(target.to_owned()), ..self }
    }

    pub(crate) fn fits(&self, method: &str, text: &str, target: Option<&str>) -> bool {
        let operation = target.map(|target| target.rsplit('.').next().unwrap_or(target));
        self.method.as_deref().is_none_or(|wanted| wanted == method)
            && self.prefix.as_deref().is_none_or(|prefix| text.starts_with(prefix))
            && self.contains.as_deref().is_none_or(|part| text.contains(part))
            && self.target.as_deref().is_none_or(|wanted| target == Some(wanted) || operation == Some(wanted))
    }
}

/// A choice among things that stand in a row: requests, or the items of one.
#[derive(Debug, Clone, PartialEq)]
pub enum Pick {
    /// Every one.
    All,
    /// Those at these places, counted from 0.
    At(Vec<u64>),
    /// Each n-th: with 3, those at 2, 5, 8, …
    Every(u64),
    /// About this share, the same ones for the same seed.
    Chance {
        /// From 0 to 1.
        share: f64,
        /// Where the dice begin.
        seed: u64,
    },
}

impl Pick {
    /// Tells whether the thing at `place` is chosen. `throw` makes the dice of one row differ from those of the next.
    #[must_use]
    pub fn picks(&self, place: u64, throw: u64) -> bool {
        match self {
            Self::All => true,
            Self::At(places) => places.contains(&place),
            Self::Every(n) => (place + 1).is_multiple_of(*n),
            Self::Chance { share, seed } => dice(*seed, throw, place) < *share,
        }
    }
}

/// From 0 to 1, and the same for the same three numbers.
fn dice(seed: u64, throw: u64, place: u64) -> f64 {
    let mut hasher = DefaultHasher::new();
    (seed, throw, place).hash(&mut hasher);
    hasher.finish() as f64 / u64::MAX as f64
}

/// What is done to a request. Over plain TCP only `Cut`, `CutAfter`, `LostReply`, `Truncate`, `Delay` and `Down` make sense.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Answers that it is too much, in the words of the service that was asked; the server sees nothing.
    Throttle,
    /// Answers with this status and body; the server sees nothing.
    Status(u16, String),
    /// Answers with this status, these headers and this body; the server sees nothing.
    Reply(u16, Vec<(String, String)>, Vec<u8>),
    /// Answers with this status and a body that never ends; the server sees nothing.
    Endless(u16),
    /// Keeps these items of a `_bulk` from the server and answers each of them with 429, at its place.
    RejectItems(Pick),
    /// Keeps these items of a `_bulk` from the server and answers each with this status and result, without an error.
    AnswerItems(Pick, u16, String),
    /// Keeps these keys or items of a `BatchGetItem` or `BatchWriteItem` from the server and returns them as unprocessed.
    Unprocessed(Pick),
    /// Closes the connection; the server sees nothing.
    Cut,
    /// Closes both connections when so many bytes of the body are through, and always before all of them are.
    CutAfter(u64),
    /// The server does it, but the connection is closed without an answer; over plain TCP, in place of the next bytes
    /// the server sends.
    LostReply,
    /// The connection is closed after so many bytes of the answer's body, and always before all of them are through;
    /// over plain TCP, after so many bytes of whatever the server sends from then on.
    Truncate(u64),
    /// The server sees the request this much later.
    Delay(Duration),
    /// The server vanishes: every connection is closed and new ones are refused, for so long or until `Proxy::up`.
    Down(Option<Duration>),
}
