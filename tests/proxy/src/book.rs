//! The rules that stand, and the log of what came and what was done to it. One book for a proxy, shared by its
//! connections. It decides which fault a request is given; how a fault is done is the affair of `http` and `tcp`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::rule::{Fault, Rule};

/// One request as the proxy saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The method; over plain TCP `TCP`.
    pub method: String,
    /// Path and query; over plain TCP the first line that was sent.
    pub path: String,
    /// The AWS operation, as in `x-amz-target`.
    pub target: Option<String>,
    /// How many bytes of the body the client sent, as far as they were read.
    pub size: u64,
    /// The status the client was told; nothing where it was told none.
    pub status: Option<u16>,
    /// The fault that bit. A rule whose fault found nothing to do leaves none.
    pub fault: Option<Fault>,
}

/// Names a rule, to take it away again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleId(u64);

#[derive(Default)]
pub(crate) struct Book(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    rules: Vec<Standing>,
    next: u64,
    log: Vec<Request>,
}

struct Standing {
    id: RuleId,
    rule: Rule,
    matched: u64,
    given: u64,
}

impl Standing {
    /// Counts a matching request, and gives its place among them if it is its turn.
    fn takes(&mut self) -> Option<u64> {
        let place = self.matched;
        self.matched += 1;
        let left = self.rule.times.is_none_or(|times| self.given < times);
        (left && self.rule.turn.picks(place, 0)).then_some(place)
    }
}

impl Book {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, rule: Rule) -> RuleId {
        let mut pages = self.pages();
        let id = RuleId(pages.next);
        pages.next += 1;
        pages.rules.push(Standing { id, rule, matched: 0, given: 0 });
        id
    }

    pub(crate) fn remove(&self, id: RuleId) {
        self.pages().rules.retain(|standing| standing.id != id);
    }

    pub(crate) fn clear(&self) {
        self.pages().rules.clear();
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.pages().log.clone()
    }

    /// Writes a request down and gives it the fault of the first rule whose turn it is. Every rule counts every
    /// request it matches, whoever takes it. `text` is what `Match` looks at: path and query, or bytes sent.
    pub(crate) fn arrives(self: &Arc<Self>, method: &str, text: &str, target: Option<&str>) -> Entry {
        let mut pages = self.pages();
        let number = pages.log.len();
        pages.log.push(Request {
            method: method.to_owned(),
            path: text.lines().next().unwrap_or_default().to_owned(),
            target: target.map(str::to_owned),
            size: 0,
            status: None,
            fault: None,
        });
        let mut given = None;
        for standing in pages.rules.iter_mut().filter(|standing| standing.rule.when.fits(method, text, target)) {
            let place = standing.takes();
            if let (Some(place), None) = (place, &given) {
                standing.given += 1;
                given = Some((standing.rule.fault.clone(), place));
            }
        }
        let (fault, place) = given.map_or((None, 0), |(fault, place)| (Some(fault), place));
        Entry { book: Arc::clone(self), number, fault, place }
    }
}

/// A request's line in the log, to be filled in, and the fault it is to be given.
#[derive(Clone)]
pub(crate) struct Entry {
    book: Arc<Book>,
    number: usize,
    fault: Option<Fault>,
    place: u64,
}

impl Entry {
    pub(crate) fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// The request's place among those its rule matched: requests of others do not change what the dice say.
    pub(crate) fn place(&self) -> u64 {
        self.place
    }

    pub(crate) fn read(&self, bytes: usize) {
        self.book.pages().log[self.number].size += bytes as u64;
    }

    pub(crate) fn answered(&self, status: u16) {
        self.book.pages().log[self.number].status = Some(status);
    }

    /// The fault did happen.
    pub(crate) fn bit(&self) {
        self.book.pages().log[self.number].fault.clone_from(&self.fault);
    }
}
