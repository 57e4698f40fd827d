//! What taking in a bucket's events promises, whatever carries the events and holds the requests.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use reindex::{
    capability::{
        queue::{Message, Queue},
        storage::{Bucket, Scan as _, Segment},
    },
    event::{Event, Events},
    pipeline::Stop,
    request::{Choice, Intake, Notifier, Requests, Served},
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::texts;

/// What is taken in, and where to.
#[derive(Clone)]
pub struct Desk {
    /// Carries the events.
    pub queue: Arc<dyn Queue>,
    /// Holds the requests.
    pub bucket: Arc<dyn Bucket>,
    /// Holds the objects.
    pub objects: Arc<dyn Bucket>,
    /// What its server calls that bucket.
    pub name: String,
}

/// What events came to.
pub struct Taken {
    /// The requests by their keys.
    pub requests: BTreeMap<String, Value>,
    pub asked: u64,
    pub passed: BTreeMap<&'static str, u64>,
    pub warnings: Vec<String>,
    pub errors: Vec<String>,
}

impl Desk {
    pub fn requests(&self) -> Arc<Requests> {
        let served = |name: &str, bucket: &Arc<dyn Bucket>| Served { name: name.to_owned(), bucket: bucket.clone() };
        let (bucket, objects) = (served("desk", &self.bucket), served("masters", &self.objects));
        Arc::new(Requests::new(bucket, "requests/", objects, 1 << 20))
    }

    /// Sends events as they are; a JSON text is sent without its quotes.
    pub async fn tell(&self, events: &[Value]) {
        let text = |event: &Value| event.as_str().map_or_else(|| event.to_string(), str::to_owned);
        let message = |event| Message { id: uuid(), body: text(event), priority: 0 };
        let messages: Vec<_> = events.iter().map(message).collect();
        assert!(self.queue.send(&messages).await.unwrap().iter().all(Result::is_ok));
    }

    /// Takes in events until none is left.
    pub async fn take_in(&self) -> Taken {
        self.take_in_through(self.queue.clone()).await
    }

    /// Takes in events through a queue that is this one but for its faults.
    pub async fn take_in_through(&self, queue: Arc<dyn Queue>) -> Taken {
        let heard = Arc::<Mutex<Vec<Event>>>::default();
        let hears = heard.clone();
        let events = Events::new(move |event| hears.lock().unwrap().push(event));
        let choice = Choice { prefixes: texts(&["digital/"]), endings: texts(&[".tif", ".jpg"]) };
        let intake = Intake::new(Notifier::Queue(queue), self.requests(), choice, events);
        let (stop, wake) = (Stop::new(), Notify::new());
        let empty = async {
            loop {
                // A server that is away is asked again.
                let left = self.queue.depth().await.map_or(1, |depth| depth.waiting + depth.in_hand);
                if left == 0 {
                    return stop.ask();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let (ended, ()) = tokio::join!(intake.run(&stop, &wake), empty);
        ended.unwrap();
        let heard = std::mem::take(&mut *heard.lock().unwrap());
        self.taken(heard).await
    }

    async fn taken(&self, heard: Vec<Event>) -> Taken {
        let (mut asked, mut all, mut warnings, mut errors) = (0, BTreeMap::new(), Vec::new(), Vec::new());
        for event in heard {
            match event {
                Event::Arrived { taken, passed } => {
                    asked += taken;
                    passed.into_iter().for_each(|(reason, count)| *all.entry(reason).or_default() += count);
                }
                Event::Warning { text } => warnings.push(text),
                Event::Error { message, .. } => errors.push(message),
                _ => {}
            }
        }
        let page = self.requests().read(Segment { number: 0, total: 1 }, None, 1000).await.unwrap();
        let requests = page.rows.into_iter().map(|row| (row.position, serde_json::from_slice(&row.body).unwrap()));
        Taken { requests: requests.collect(), asked, passed: all, warnings, errors }
    }
}

impl Taken {
    /// The only request for an object.
    #[track_caller]
    pub fn of(&self, key: &str) -> &Value {
        let mut of: Vec<_> = self.requests.values().filter(|request| request["key"] == key).collect();
        assert_eq!(of.len(), 1, "{key} in {:?}", self.requests);
        of.remove(0)
    }
}

/// An id that no other message has.
fn uuid() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    format!("{:x}", RandomState::new().hash_one(()))
}

/// What a bucket tells its queue of one object.
pub fn created(bucket: &str, key: &str, etag: &str, sequencer: &str) -> Value {
    record(bucket, "ObjectCreated:Put", key, etag, sequencer)
}

fn record(bucket: &str, name: &str, key: &str, etag: &str, sequencer: &str) -> Value {
    json!({ "Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventName": name,
        "eventTime": "2026-11-25T05:30:00.000Z",
        "s3": { "bucket": { "name": bucket }, "object": { "key": key, "eTag": etag, "sequencer": sequencer } },
    }] })
}

/// A queue that is empty at first, and buckets in which nothing lies.
pub async fn intake(desk: Desk) {
    every_event_becomes_one_request_and_the_latest_counts(&desk).await;
    what_is_not_asked_for_is_counted_by_reason(&desk).await;
    what_cannot_be_read_becomes_a_request_that_says_so(&desk).await;
}

async fn every_event_becomes_one_request_and_the_latest_counts(desk: &Desk) {
    let name = &desk.name;
    desk.tell(&[
        created(name, "digital/isaac+gala/lantern+%231.tif", "one", "0055AED6DCD90281E5"),
        created(name, "digital/b.JPG", "new", "00BB"),
        created(name, "digital/b.JPG", "old", "00AA"),
        created(name, "digital/b.JPG", "new", "00BB"),
        record(name, "ObjectRemoved:Delete", "digital/b.JPG", "", "00CC"),
        json!({ "Service": "Amazon S3", "Event": "s3:TestEvent" }),
    ])
    .await;
    let taken = desk.take_in().await;
    assert_eq!(taken.requests.len(), 2);
    let lantern = taken.of("digital/isaac gala/lantern #1.tif");
    assert_eq!((&lantern["path"], &lantern["bucket"]), (&json!("digital/isaac gala/"), &json!("masters")));
    assert_eq!((&lantern["eTag"], &lantern["request"]["bucket"]), (&json!("one"), &json!("desk")));
    assert_eq!(taken.of("digital/b.JPG")["eTag"], "new");
    // An older event that comes days later changes nothing, a newer one does.
    let etag = taken.of("digital/b.JPG")["request"]["eTag"].clone();
    desk.tell(&[created(name, "digital/b.JPG", "older", "00AB")]).await;
    assert_eq!(desk.take_in().await.of("digital/b.JPG")["request"]["eTag"], etag);
    desk.tell(&[created(name, "digital/b.JPG", "newest", "00BB1")]).await;
    assert_eq!(desk.take_in().await.of("digital/b.JPG")["eTag"], "newest");
}

async fn what_is_not_asked_for_is_counted_by_reason(desk: &Desk) {
    let name = &desk.name;
    let keys = ["other/a.tif", "digital/.a.tif", "digital/a.txt", "digital/", "digital/a/b.tif"];
    desk.tell(&keys.map(|key| created(name, key, "x", "01"))).await;
    let taken = desk.take_in().await;
    assert_eq!((taken.asked, taken.passed.len(), taken.passed.values().sum::<u64>()), (1, 4, 4), "{:?}", taken.passed);
    taken.of("digital/a/b.tif");
}

async fn what_cannot_be_read_becomes_a_request_that_says_so(desk: &Desk) {
    let before = desk.take_in().await.requests.len();
    let broken = created(&desk.name, "digital/%FF.tif", "x", "01");
    desk.tell(&[json!("no event at all"), broken, created(&desk.name, "digital/good.tif", "x", "01")]).await;
    let taken = desk.take_in().await;
    assert_eq!((taken.requests.len() - before, taken.warnings.len()), (3, 2), "{:?}", taken.warnings);
    taken.of("digital/good.tif");
    let told: Vec<_> = taken.requests.values().filter_map(|request| request["message"].as_str()).collect();
    assert!(told.contains(&"no event at all") && told.iter().any(|told| told.contains("%FF")), "{told:?}");
}
