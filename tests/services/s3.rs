//! Buckets on a server that checks signatures, conditions and checksums as S3 does.

use std::{sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::{
    Client, config::SharedCredentialsProvider, error::SdkError, operation::create_bucket::CreateBucketError,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use futures::StreamExt as _;
use reindex::{
    backend::{
        aws::Session,
        export::Export,
        files,
        s3::{Bucket, Config},
    },
    capability::storage::{Bucket as _, Put, Scan as _, Segment},
    error::{Error, Kind},
};
use servers::{Options, Running, Server, shared, start};

use crate::{
    contract::{
        bucket::{bucket, noise},
        export::export,
        texts,
    },
    place::Place,
};

fn sdk(running: &Running, access_key: &str, secret_key: &str) -> SdkConfig {
    let credentials = aws_sdk_s3::config::Credentials::new(access_key, secret_key, None, None, "tests");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
        .region(Region::new(running.credentials().unwrap().region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(running.url())
        .build()
}

fn trusted(running: &Running) -> SdkConfig {
    let by = running.credentials().unwrap();
    sdk(running, by.access_key, by.secret_key)
}

fn config(name: &str, prefix: &str) -> Config {
    Config { bucket: name.to_owned(), prefix: prefix.to_owned(), region: None, endpoint: None, path_style: None }
}

fn client(running: &Running) -> Client {
    let config = aws_sdk_s3::config::Builder::from(&trusted(running)).force_path_style(true).build();
    Client::from_conf(config)
}

/// A new bucket of the server, of which only what begins with a prefix is served.
async fn made(running: &Running, name: &str, prefix: &str) -> Bucket {
    create(running, name).await;
    Bucket::open(&config(name, prefix), &Session::new(trusted(running)))
}

/// Makes a bucket.
pub async fn make_bucket(name: &str) {
    create(shared(Server::S3), name).await;
}

/// The client tries again, and the first try may have made it.
async fn create(running: &Running, name: &str) {
    let made = client(running).create_bucket().bucket(name).send().await.map_err(SdkError::into_service_error);
    assert!(made.as_ref().err().is_none_or(CreateBucketError::is_bucket_already_owned_by_you), "{made:?}");
}

/// The keys of everything in a bucket.
pub async fn keys(name: &str) -> Vec<String> {
    let listed = client(shared(Server::S3)).list_objects_v2().bucket(name).send().await.unwrap();
    listed.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
}

async fn has_no_unfinished_upload(running: &Running, name: &str) {
    let client = client(running);
    let uploads = async || client.list_multipart_uploads().bucket(name).send().await.unwrap().uploads().to_vec();
    // One that is given up waits for the parts that are on their way.
    for _ in 0..100 {
        if uploads().await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{:?}", uploads().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_keeps_the_promises_of_a_bucket() {
    let running = shared(Server::S3);
    let served = Arc::new(made(running, "contract", "").await);
    let directory = tempfile::tempdir().unwrap();
    bucket(served, Arc::new(files::Bucket::open(directory.path()))).await;
    has_no_unfinished_upload(running, "contract").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prefix_is_put_before_every_key_and_taken_off_again() {
    let running = shared(Server::S3);
    let served = Arc::new(made(running, "prefixed", "some/where+else/").await);
    let outside = made(running, "beside", "").await;
    let whole = Bucket::open(&config("prefixed", ""), &Session::new(trusted(running)));
    whole.put("some/other", b"not yours".to_vec(), None).await.unwrap();
    bucket(served.clone(), Arc::new(outside)).await;
    served.put("a", b"x".to_vec(), None).await.unwrap();
    let keys: Vec<_> = whole.list("", None, 9).await.unwrap().objects.into_iter().map(|info| info.key).collect();
    assert_eq!(keys, ["some/other", "some/where+else/a"]);
    for key in ["../other", "a/../../other"] {
        assert_eq!(served.put(key, Vec::new(), None).await.unwrap_err().kind(), Kind::Usage);
        assert_eq!(served.get_many(&texts(&[key]), 99).await.unwrap(), [None]);
        served.delete(key).await.unwrap();
    }
    assert_eq!(whole.get_many(&texts(&["some/other"]), 99).await.unwrap(), [Some(b"not yours".to_vec())]);
    let long = "k".repeat(1024 - "some/where+else/".len() + 1);
    assert_eq!(served.put(&long, Vec::new(), None).await.unwrap_err().kind(), Kind::Usage);
}

#[tokio::test]
async fn listing_goes_on_over_the_servers_own_pages() {
    let served = made(shared(Server::S3), "many", "").await;
    let key = |n: usize| format!("k{n:05}");
    let puts: Vec<_> = (0..1100).map(|n| (key(n), &served)).collect();
    let puts: Vec<_> = puts.iter().map(|(key, served)| served.put(key, Vec::new(), None)).collect();
    futures::stream::iter(puts).buffered(16).for_each(async |put| put.unwrap()).await;
    let listed = served.list("k", Some(&key(9)), 1085).await.unwrap().objects;
    assert_eq!((listed.len(), &listed[0].key, &listed[1084].key), (1085, &key(10), &key(1094)));
}

/// What a person is told, for each call.
async fn told(bucket: &Bucket) -> Vec<Error> {
    vec![
        bucket.head_many(&texts(&["a"])).await.unwrap_err(),
        bucket.get_many(&texts(&["a"]), 9).await.unwrap_err(),
        bucket.put("a", b"x".to_vec(), None).await.unwrap_err(),
        bucket.put("a", noise(9 << 20, 0), None).await.unwrap_err(),
        bucket.list("", None, 9).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn what_is_wrong_with_a_bucket_is_said_at_every_call_with_a_way_out() {
    let running = shared(Server::S3);
    let by = running.credentials().unwrap();
    let open = |name: &str, region: Option<&str>, sdk: SdkConfig| {
        let config = Config { region: region.map(str::to_owned), ..config(name, "") };
        Bucket::open(&config, &Session::new(sdk))
    };
    made(running, "wrong", "").await;
    let cases = [
        (open("nosuch", None, trusted(running)), Kind::Unavailable, "there is no such bucket"),
        (open("wrong", Some("us-east-2"), trusted(running)), Kind::Unavailable, "region `eu-west-2`"),
        (open("wrong", None, sdk(running, by.access_key, "guessed")), Kind::Denied, "does not know these credentials"),
        (open("wrong", None, sdk(running, "nobody", by.secret_key)), Kind::Denied, "not know these credentials"),
    ];
    for (bucket, kind, text) in cases {
        for error in told(&bucket).await {
            assert!(error.kind() == kind && error.message().contains(text), "{text}: {error:?}");
            assert!(error.hint_text().is_some() && !error.may_retry(), "{error:?}");
            assert!(!error.concerns_item(), "{error:?}");
            assert!(!error.report().contains(by.secret_key) && !error.report().contains("guessed"));
        }
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_said_to_be_and_may_come_back() {
    let running = start(Server::S3, &Options::default()).unwrap();
    let bucket = made(&running, "gone", "").await;
    running.stop();
    let error = bucket.put("a", b"x".to_vec(), None).await.unwrap_err();
    assert!(error.kind() == Kind::Unavailable && error.may_retry(), "{error:?}");
    running.restart().unwrap();
    bucket.put("a", b"x".to_vec(), None).await.unwrap();
}

/// Stores an export, file by file.
async fn upload(from: &std::path::Path, to: &Bucket, under: &str) {
    let from = files::Bucket::open(from);
    for info in from.list("", None, 100).await.unwrap().objects {
        to.copy((&from, &info.key), &format!("{under}/{}", info.key)).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn an_export_reads_the_same_from_a_bucket_and_from_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    export(directory.path(), &[30, 0, 1, 100, 7]);
    let bucket = made(shared(Server::S3), "export", "").await;
    upload(directory.path(), &bucket, "AWSDynamoDB/0123-abc").await;
    let there = Export::open(Arc::new(bucket), "AWSDynamoDB/0123-abc", 1000).await.unwrap();
    let here = Export::open(Arc::new(files::Bucket::open(directory.path())), "", 1000).await.unwrap();
    assert_eq!(there.info().await.unwrap(), here.info().await.unwrap());
    for number in 0..3 {
        let segment = Segment { number, total: 3 };
        let (mut after, mut read) = (None, 0);
        loop {
            let page = there.read(segment, after.as_deref(), 7).await.unwrap();
            assert_eq!(page.rows, here.read(segment, after.as_deref(), 7).await.unwrap().rows);
            read += page.rows.len();
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert!(read > 0);
    }
}

fn recipe(source: &str) -> String {
    format!(
        "recipe = 1\nname = \"things\"\n[plugin]\nfile = \"rogue.wasm\"\n[source.export]\n{source}\nkey = \"id\"\n\
         version = \"none\"\n[grant.read]\nstorage = [\"people\"]\n[grant.write]\nindex = [\"rogues\"]\n"
    )
}

/// A place whose environment binds the export's bucket.
fn lab(running: &Running, source: &str) -> Place {
    let place = Place::with_rogue();
    let by = running.credentials().unwrap();
    let environment = format!(
        "environment = 1\n[backend.rogues.sqlite]\n[backend.people.sqlite]\n[backend.exports.s3]\nbucket = \"whole\"\n\
         region = \"{}\"\nendpoint = \"{}\"\n",
        by.region,
        running.url()
    );
    place.write("environments/lab.toml", environment);
    place.write("recipe.toml", recipe(source));
    place
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_from_an_export_in_a_bucket_equals_one_from_its_directory() {
    let running = shared(Server::S3);
    let bucket = made(running, "whole", "").await;
    let by_directory = lab(running, "directory = \"export\"");
    export(&by_directory.path("export"), &[300, 0, 1, 2000]);
    upload(&by_directory.path("export"), &bucket, "AWSDynamoDB/01-a").await;
    let by_bucket = lab(running, "bucket = \"exports\"\nprefix = \"AWSDynamoDB/01-a/\"");
    let by = running.credentials().unwrap();
    let documents = [&by_directory, &by_bucket].map(|place| {
        let mut command = place.command("run recipe.toml --env lab");
        command.env("AWS_ACCESS_KEY_ID", by.access_key).env("AWS_SECRET_ACCESS_KEY", by.secret_key);
        // This machine is nobody's instance; asking would only take its time.
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        crate::place::Ran::of(command.output().unwrap()).exits(0);
        place.documents("rogues", "--env lab")
    });
    assert_eq!(documents[0].len(), 2301);
    assert_eq!(documents[0], documents[1]);
}

const LARGE: u64 = 200 << 20;

/// The most memory this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() << 10
}

/// Its memory is that of a process, so another test starts it in one of its own.
#[tokio::test]
#[ignore = "run by `an_object_larger_than_memory_passes_through`"]
async fn a_large_object_passes() {
    let running = start(Server::S3, &Options::default()).unwrap();
    let bucket = made(&running, "large", "").await;
    let directory = tempfile::tempdir().unwrap();
    let files = files::Bucket::open(directory.path());
    let piece = bytes::Bytes::from(noise(1 << 20, 1));
    let pieces = futures::stream::repeat_with(move || Ok(piece.clone())).take((LARGE >> 20) as usize);
    files.write("first", &Put::default(), pieces.boxed()).await.unwrap().unwrap();
    bucket.copy((&files, "first"), "second").await.unwrap().unwrap();
    let third = files.copy((&bucket, "second"), "third").await.unwrap().unwrap();
    let first = files.head_many(&texts(&["first"])).await.unwrap().pop().flatten().unwrap();
    assert_eq!((third.size, third.etag), (LARGE, first.etag));
    assert!(peak() < LARGE * 3 / 4, "{} MiB", peak() >> 20);
}

#[test]
fn an_object_larger_than_memory_passes_through() {
    let test = ["--exact", "s3::a_large_object_passes", "--include-ignored", "--nocapture"];
    let ran = std::process::Command::new(std::env::current_exe().unwrap()).args(test).output().unwrap();
    let out = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && out.contains("1 passed"), "{out}{}", String::from_utf8_lossy(&ran.stderr));
}
