//! Events of a bucket on SQS become TIFFs in another one, and what is wrong with any of them is told.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reindex::capability::queue::Queue;
use serde_json::{Value, json};
use servers::{Server, shared};

use super::studio::{Studio, dawn, picture, tell};
use crate::queue::sqs;

/// A key that every step on the way has to take as it is.
const ODD: &str = "digital/灯 a+b/100% é.PNG";
const ODD_TIFF: &str = "digital/灯 a+b/100% é.tif";

/// A record of a notification: keys in it are form-encoded, as S3 has them.
fn record(bucket: &str, key: &str, etag: &str, sequencer: &str) -> Value {
    let key = utf8_percent_encode(key, NON_ALPHANUMERIC).to_string().replace("%20", "+").replace("%2F", "/");
    json!({
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-2",
        "eventTime": "2026-11-25T05:30:00.000Z", "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "masters",
            "bucket": { "name": bucket, "arn": format!("arn:aws:s3:::{bucket}") },
            "object": { "key": key, "size": 1, "eTag": etag, "sequencer": sequencer },
        },
    })
}

fn message(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

/// The recipe on versitygw, told by a queue of ElasticMQ.
pub async fn studio(name: &str) -> (Studio, Arc<dyn Queue>) {
    studio_with(name, "").await
}

/// The same with further environment.
pub async fn studio_with(name: &str, more: &str) -> (Studio, Arc<dyn Queue>) {
    let queue = format!("queue = '{name}-uploads'\nendpoint = '{}'", shared(Server::Sqs).url());
    sqs::make(&format!("{name}-uploads")).await;
    let studio = Studio::new(name, &shared(Server::S3).url(), &format!("[backend.uploads.sqs]\n{queue}\n{more}")).await;
    let queue = studio.queue(&format!("[sqs]\n{queue}"));
    (studio, queue)
}

/// Uploads masters, and tells of each in a message of its own.
pub async fn upload(studio: &Studio, queue: &Arc<dyn Queue>, masters: &[(String, Vec<u8>)]) {
    let mut messages = Vec::new();
    for (key, bytes) in masters {
        let etag = studio.upload(key, bytes.clone()).await.etag;
        messages.push(message(&[record(&studio.called("masters"), key, &etag, "01")]));
    }
    tell(queue, &messages).await;
}

/// Two masters, and everything that a queue of events can hold.
async fn told(studio: &Studio, queue: &Arc<dyn Queue>) {
    let masters = studio.called("masters");
    let dawn = studio.upload("digital/dawn.jpg", dawn()).await.etag;
    let odd = studio.upload(ODD, picture(8000, 6000)).await.etag;
    let both = message(&[
        record(&masters, "digital/dawn.jpg", &dawn, "0055AED6DCD90281E5"),
        record(&masters, ODD, &odd, "0055AED6DCD90281E6"),
    ]);
    tell(
        queue,
        &[
            both.clone(),
            both,
            message(&[record(&masters, "digital/dawn.jpg", "older", "0055AED6DCD90281E4")]),
            message(&[record(&masters, "digital/gone.tif", "gone", "01")]),
            message(&[record(&masters, "digital/notes.txt", "x", "01")]),
            message(&[record(&masters, "elsewhere/a.tif", "x", "01")]),
            json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": masters }).to_string(),
            "lorem ipsum".to_owned(),
        ],
    )
    .await;
}

async fn is_all_told(studio: &Studio) {
    let left = studio.requests().await;
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left.iter().any(|request| request["key"] == "digital/gone.tif"), "{left:?}");
    assert!(left.iter().any(|request| request.to_string().contains("lorem ipsum")), "{left:?}");
    assert_eq!(studio.size("digital/dawn.tif").await, (480, 640));
    assert_eq!(studio.size(ODD_TIFF).await, (4000, 3000));
    assert_eq!(studio.keys("images").await.len(), 2);
    let made = studio.image(ODD_TIFF).await.unwrap();
    let master = studio.bucket("masters").head_many(&[ODD.to_owned()]).await.unwrap().remove(0).unwrap();
    let noted = |name: &str| made.metadata.get(name).map(String::as_str);
    assert_eq!((noted("size"), noted("master-ending")), (Some("4000x3000"), Some(".PNG")));
    assert_eq!((noted("master-etag"), made.content_type.as_deref()), (Some(&*master.etag), Some("image/tiff")));
    let status = studio.reindex("status pyramid").exits(0).out;
    for told in ["not found", "digital/gone.tif", "an event that could not be read", "not JSON", "lorem ipsum"] {
        assert!(status.contains(told), "{told}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_written_down_at_once_and_worked_on_at_their_times() {
    let (studio, queue) = studio("timed").await;
    studio.change("[grant.read]", "[schedule]\ncron = \"30 5 1 1 *\"\n[grant.read]");
    studio.records(&["digital/dawn.jpg", ODD]);
    let mut serving = studio.serve();
    told(&studio, &queue).await;
    serving.empties(&queue).await;
    serving.stop();
    assert_eq!(studio.requests().await.len(), 4);
    assert_eq!(studio.request("digital/dawn.jpg").await["sequencer"], "0055AED6DCD90281E5");
    assert_eq!(studio.request(ODD).await["path"], "digital/灯 a+b/");
    assert_eq!(studio.keys("images").await, [""; 0]);
    studio.change("30 5 1 1 *", "* * * * *");
    let mut serving = studio.serve();
    serving.makes(&["digital/dawn.tif", ODD_TIFF]).await;
    serving.until("the end of the run", async || studio.requests().await.len() == 2).await;
    serving.stop();
    is_all_told(&studio).await;
    let record = studio.record(ODD).await;
    assert_eq!((&record["height"], &record["width"]), (&json!(3000), &json!(4000)));
    assert!(record["processedAt"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_worked_on_as_they_come_where_there_are_no_times() {
    let (studio, queue) = studio("followed").await;
    let mut serving = studio.serve();
    told(&studio, &queue).await;
    serving.makes(&["digital/dawn.tif", ODD_TIFF]).await;
    serving.empties(&queue).await;
    serving.until("requests that are done", async || studio.requests().await.len() == 2).await;
    serving.until("failures", async || studio.status()["counts"]["failed"] == 1).await;
    serving.stop();
    is_all_told(&studio).await;
    // What was gone comes after all, and a master is replaced.
    let mut serving = studio.serve();
    let late = ["digital/gone.tif", "digital/dawn.jpg"].map(|key| (key.to_owned(), picture(640, 400)));
    upload(&studio, &queue, &late).await;
    serving.makes(&["digital/gone.tif"]).await;
    serving.until("requests that are done", async || studio.requests().await.len() == 1).await;
    serving.stop();
    assert_eq!(studio.size("digital/dawn.tif").await, (640, 400));
    assert_eq!(studio.size("digital/gone.tif").await, (640, 400));
}
