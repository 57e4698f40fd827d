//! MinIO, the other S3: a bucket like any, and one that tells NATS of new objects.

use std::{sync::Arc, time::Duration};

use aws_sdk_s3::{
    Client,
    types::{Event, NotificationConfiguration, QueueConfiguration},
};
use reindex::{
    backend::{
        Backends, Config, Mode,
        aws::Session,
        files,
        s3::{self, Bucket},
    },
    capability::{
        queue::{Delivery, Queue},
        storage::Bucket as _,
    },
    clock::System,
    request::notice,
};
use servers::{Options, Running, Server, shared, start};

use crate::{contract::bucket::bucket, session};

/// What the server calls whoever it tells.
const TOLD: &str = "TESTS";

fn client(running: &Running) -> Client {
    let config = aws_sdk_s3::config::Builder::from(&session::config(Some(&running.url()))).force_path_style(true);
    Client::from_conf(config.build())
}

async fn made(running: &Running, name: &str) -> Bucket {
    client(running).create_bucket().bucket(name).send().await.unwrap();
    let config =
        s3::Config { bucket: name.to_owned(), prefix: String::new(), region: None, endpoint: None, path_style: None };
    Bucket::open(&config, &Session::new(session::config(Some(&running.url()))))
}

/// MinIO that tells a subject of NATS of what happens in its buckets.
pub fn telling(subject: &str) -> Running {
    let nats = format!("127.0.0.1:{}", shared(Server::Nats).port());
    let set = |options: Options, key: &str, value: &str| options.set(&format!("MINIO_NOTIFY_NATS_{key}_{TOLD}"), value);
    let options = set(Options::default(), "ENABLE", "on");
    let options = set(set(set(options, "ADDRESS", &nats), "SUBJECT", subject), "JETSTREAM", "on");
    start(Server::Minio, &options).unwrap()
}

/// Lets a bucket tell of new objects.
pub async fn tell(running: &Running, bucket: &str) {
    let queue = QueueConfiguration::builder()
        .queue_arn(format!("arn:minio:sqs:eu-west-2:{TOLD}:nats"))
        .events(Event::S3ObjectCreated)
        .build()
        .unwrap();
    let told = NotificationConfiguration::builder().queue_configurations(queue).build();
    let request = client(running).put_bucket_notification_configuration().bucket(bucket);
    request.notification_configuration(told).send().await.unwrap();
}

/// A queue over a subject of NATS, whose stream is made.
pub fn queue(stream: &str, subject: &str) -> Arc<dyn Queue> {
    let url = shared(Server::Nats).url();
    let config: Config =
        toml::from_str(&format!("[nats]\nurl = '{url}'\nstream = '{stream}'\ncreate = true\nsubject = '{subject}'"))
            .unwrap();
    let here = std::path::Path::new(".");
    Backends::new(here, here, Mode::ReadWrite, Arc::new(System)).queue("uploads", Some(&config)).unwrap()
}

/// The next messages of a queue, until there are so many.
async fn messages(queue: &dyn Queue, count: usize) -> Vec<Delivery> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let more = queue.receive(count, Duration::from_secs(60), Duration::from_secs(5)).await.unwrap();
        assert!(!more.is_empty(), "only {} of {count} messages came", taken.len());
        taken.extend(more);
    }
    taken
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn minio_keeps_the_promises_of_a_bucket() {
    let running = shared(Server::Minio);
    let directory = tempfile::tempdir().unwrap();
    let outside = Arc::new(files::Bucket::open(directory.path()));
    bucket(Arc::new(made(running, "contract").await), outside).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn minio_tells_nats_of_new_objects() {
    let queue = queue("MINIO", "minio.uploads");
    queue.depth().await.unwrap();
    let running = telling("minio.uploads");
    let bucket = made(&running, "masters").await;
    tell(&running, "masters").await;
    bucket.put("digital/a b+ü%.png", b"x".to_vec(), None).await.unwrap();
    let told = notice::read(&messages(&*queue, 1).await[0].message.body);
    let [arrival] = &told.arrivals[..] else { panic!("{told:?}") };
    assert_eq!((&*arrival.bucket, &*arrival.key), ("masters", "digital/a b+ü%.png"));
}
