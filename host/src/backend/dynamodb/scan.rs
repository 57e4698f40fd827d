//! One page of a scan: requested, kept as text, and split into rows when it is needed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_dynamodb::{operation::scan::builders::ScanFluentBuilder, types::ReturnConsumedCapacity};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};

use super::{answer::Answer, budget::Cost, key::TableKey, pace::Pace, table::Server, value};
use crate::{
    backend::aws::{fault, incomplete},
    capability::storage::{Page, Row, Segment},
    error::{Error, Kind, Result},
};

/// A caller with a smaller limit gets no more rows than that limit; others get the page that the server returns, about
/// a megabyte.
const FEW: usize = 100;

/// How many pages are prefetched, over all segments together.
const AHEAD: usize = 16;

/// A page as it was received.
struct Text(Vec<u8>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parsed<'a> {
    /// Every page has them, and their number.
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
    count: usize,
    #[serde(borrow, default)]
    last_evaluated_key: Option<&'a RawValue>,
    #[serde(default)]
    scanned_count: u64,
    #[serde(default)]
    consumed_capacity: Option<Consumed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Consumed {
    capacity_units: f64,
}

/// The options of a request for a page.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The attributes; empty means all.
    pub attributes: Vec<String>,
    /// Whether the read is strongly consistent.
    pub consistent: bool,
}

/// Pages that are prefetched while the page before them is worked on.
#[derive(Default)]
pub(super) struct Ahead {
    pages: Mutex<HashMap<(u32, u32), Coming>>,
}

/// A page in flight; dropping it cancels it.
struct Coming {
    after: String,
    page: JoinHandle<Result<Text>>,
    _room: OwnedSemaphorePermit,
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.page.abort();
    }
}

/// The pages of one table, segment by segment.
pub(super) struct Pages {
    source: Arc<Source>,
    ahead: Ahead,
    room: Arc<Semaphore>,
}

/// The table that pages are read from.
struct Source {
    server: Server,
    wanted: Wanted,
    pace: Option<Pace>,
}

impl Pages {
    pub fn new(server: Server, wanted: Wanted, pace: Option<Pace>) -> Self {
        let source = Arc::new(Source { server, wanted, pace });
        Self { source, ahead: Ahead::default(), room: Arc::new(Semaphore::new(AHEAD)) }
    }

    /// Divides the budget among `workers`.
    pub fn share(&self, workers: u32) {
        if let Some(pace) = &self.source.pace {
            pace.share(workers);
        }
    }

    /// Returns the page after a cursor. The next page is in flight when this one is returned.
    pub async fn read(&self, key: &TableKey, segment: Segment, after: Option<&str>, limit: usize) -> Result<Page> {
        let text = match self.ahead.take(segment, after) {
            Some(mut coming) => (&mut coming.page)
                .await
                .map_err(|error| Error::bug("a page of the table was given up").because(error))??,
            None => self.source.fetch(segment, after, limit).await?,
        };
        let page = text.page(key)?;
        if let Some(next) = page.next.as_ref().filter(|_| limit >= FEW) {
            self.go_ahead(segment, next, limit);
        }
        Ok(page)
    }

    fn go_ahead(&self, segment: Segment, after: &str, limit: usize) {
        let Ok(room) = self.room.clone().try_acquire_owned() else { return };
        let (source, after) = (self.source.clone(), after.to_owned());
        let from = after.clone();
        let page = tokio::spawn(async move { source.fetch(segment, Some(&from), limit).await });
        self.ahead.put(segment, Coming { after, page, _room: room });
    }
}

impl Source {
    async fn fetch(&self, segment: Segment, after: Option<&str>, limit: usize) -> Result<Text> {
        let few = i32::try_from(limit).ok().filter(|_| limit < FEW);
        let request = self.request(segment, after)?;
        let Some(pace) = &self.pace else { return self.send(request.set_limit(few)).await };
        let page = pace.page().await;
        let most = few.map_or(page.items(), |few| few.min(page.items()));
        let text = self.send(request.limit(most).return_consumed_capacity(ReturnConsumedCapacity::Total)).await?;
        if let Some(cost) = text.parsed()?.cost() {
            page.cost(cost);
        }
        Ok(text)
    }

    fn request(&self, segment: Segment, after: Option<&str>) -> Result<ScanFluentBuilder> {
        let number = |n: u32| i32::try_from(n).map_err(|_| Error::bug(format!("a table has no {n} segments")));
        let mut request = self.server.client.scan().table_name(&self.server.table);
        if segment.total > 1 {
            request = request.segment(number(segment.number)?).total_segments(number(segment.total)?);
        }
        if self.wanted.consistent {
            request = request.consistent_read(true);
        }
        if let Some(after) = after {
            let key = value::attributes(after)
                .map_err(|reason| Error::bug(format!("`{after}` is no cursor of a table: {reason}")))?;
            request = request.set_exclusive_start_key(Some(key));
        }
        // Names are replaced by placeholders, since any word may be reserved and a name may contain any character.
        for (n, name) in self.wanted.attributes.iter().enumerate() {
            request = request.expression_attribute_names(format!("#{n}"), name);
        }
        let names: Vec<_> = (0..self.wanted.attributes.len()).map(|n| format!("#{n}")).collect();
        Ok(request.set_projection_expression((!names.is_empty()).then(|| names.join(","))))
    }

    async fn send(&self, request: ScanFluentBuilder) -> Result<Text> {
        let answer = Answer::of_scan();
        let sent = request.customize().interceptor(answer.clone()).send().await;
        sent.map_err(|error| fault("the table cannot be scanned", &error).with("table", self.server.table.clone()))?;
        Ok(Text(answer.take()))
    }
}

impl Ahead {
    /// Returns the page after a cursor; cancels a page for another cursor.
    fn take(&self, segment: Segment, after: Option<&str>) -> Option<Coming> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let coming = pages.remove(&(segment.number, segment.total))?;
        (Some(coming.after.as_str()) == after).then_some(coming)
    }

    fn put(&self, segment: Segment, coming: Coming) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.insert((segment.number, segment.total), coming);
    }
}

impl Text {
    fn parsed(&self) -> Result<Parsed<'_>> {
        serde_json::from_slice(&self.0)
            .map_err(|error| Error::new(Kind::Unavailable, "a page of the table cannot be read").because(error))
    }

    fn page(&self, key: &TableKey) -> Result<Page> {
        let parsed = self.parsed()?;
        if parsed.items.len() != parsed.count {
            let lacks = format!("{} of {} items are there", parsed.items.len(), parsed.count);
            return Err(incomplete("the table cannot be scanned", &lacks));
        }
        let row = |item: &RawValue| {
            let (position, cursor) = key.place(item.get())?;
            Ok(Row { cursor, position, body: item.get().as_bytes().to_vec() })
        };
        let rows = parsed.items.into_iter().map(row).collect::<Result<_>>()?;
        let next = parsed.last_evaluated_key.map(|last| key.end(last.get())).transpose()?;
        Ok(Page { rows, next })
    }
}

impl Parsed<'_> {
    fn cost(&self) -> Option<Cost> {
        let consumed = self.consumed_capacity.as_ref()?;
        Some(Cost { units: consumed.capacity_units, items: self.scanned_count })
    }
}
