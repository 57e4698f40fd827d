//! SQS, by a server that speaks its protocol.

use std::{path::Path, sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_sqs::{Client, types::QueueAttributeName};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use reindex::{
    backend::{Backends, Config, Mode, aws::Session},
    capability::queue::{Message, Queue},
    clock::System,
    error::Kind,
};
use servers::{Server, shared};

use crate::{
    contract::queue::{self, Habits, message, send},
    run::consume,
};

const NOW: Duration = Duration::ZERO;

fn session() -> SdkConfig {
    let by = shared(Server::Sqs).credentials().unwrap();
    let credentials = Credentials::new(by.access_key, by.secret_key, None, None, "tests");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
        .region(Region::new(by.region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// The queue an environment names so.
fn open(text: &str) -> Arc<dyn Queue> {
    let text = format!("[sqs]\nendpoint = '{}'\n{text}", shared(Server::Sqs).url());
    let config: Config = toml::from_str(&text).unwrap();
    let here = Path::new(".");
    let backends = Backends::new(here, here, Mode::ReadWrite, Arc::new(System)).with_aws(Session::new(session()));
    backends.queue("work", Some(&config)).unwrap()
}

pub fn client() -> Client {
    Client::new(&session().into_builder().endpoint_url(shared(Server::Sqs).url()).build())
}

/// The addresses of all queues.
pub async fn queues() -> Vec<String> {
    client().list_queues().send().await.unwrap().queue_urls().to_vec()
}

/// Makes a queue of the service.
pub async fn make(name: &str) -> String {
    client().create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqs_keeps_the_promises_of_a_queue() {
    for name in ["contract-high", "contract", "contract-low"] {
        make(name).await;
    }
    let habits = Habits { backend: "sqs queue", clock: None, lease: Duration::from_secs(2), many: 1_000 };
    queue::queue(open("queues = ['contract-high', 'contract', 'contract-low']"), &habits).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_from_sqs_ends_like_a_scan() {
    make("run-high").await;
    make("run-low").await;
    consume::consume(&open("queues = ['run-high', 'run-low']"), "run").await;
}

#[tokio::test]
async fn a_message_that_is_too_big_or_unspeakable_costs_only_itself() {
    make("sizes").await;
    let queue = open("queue = 'sizes'");
    let big = |id: &str, bytes| Message { body: "x".repeat(bytes), ..message(id, 0) };
    let unspeakable = Message { body: "a\u{1}b".to_owned(), ..message("unspeakable", 0) };
    let messages = [
        message("a", 0),
        big("too big", 2 << 20),
        big("half", 200 << 10),
        big("other half", 200 << 10),
        big("empty", 0),
        unspeakable,
        message("b", 0),
    ];
    let answers = queue.send(&messages).await.unwrap();
    let refused: Vec<_> = messages.iter().zip(&answers).filter(|(_, answer)| answer.is_err()).collect();
    let ids: Vec<_> = refused.iter().map(|(message, _)| message.id.as_str()).collect();
    assert_eq!(ids, ["too big", "empty", "unspeakable"]);
    assert!(refused.iter().all(|(_, answer)| answer.as_ref().unwrap_err().kind() == Kind::Usage), "{refused:?}");
    assert_eq!(queue.depth().await.unwrap().waiting, 4);
}

#[tokio::test]
async fn a_queue_with_dead_letters_says_when_it_gives_a_message_up() {
    let client = client();
    let dead = make("given-up").await;
    let asked = client.get_queue_attributes().queue_url(&dead).attribute_names(QueueAttributeName::QueueArn);
    let arn = asked.send().await.unwrap().attributes.unwrap()[&QueueAttributeName::QueueArn].clone();
    let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":2}}"#);
    let made = client.create_queue().queue_name("tried-twice").attributes(QueueAttributeName::RedrivePolicy, policy);
    made.send().await.unwrap();
    let queue = open("queue = 'tried-twice'");
    send(&*queue, &[message("poison", 0)]).await;
    for (attempt, last) in [(1, false), (2, true)] {
        let taken = queue.receive(1, Duration::from_secs(60), Duration::from_secs(20)).await.unwrap().remove(0);
        assert_eq!((taken.attempt, taken.last), (attempt, last));
        assert_eq!(queue.extend(&[taken.receipt], NOW).await.unwrap(), [true]);
    }
    assert!(queue.receive(1, Duration::from_secs(60), NOW).await.unwrap().is_empty());
    let depth = queue.depth().await.unwrap();
    assert_eq!((depth.waiting, depth.in_hand, depth.dead), (0, 0, Some(1)));
    let error = queue.peek(1).await.unwrap_err();
    assert!(error.hint_text().unwrap().contains("queue depth"), "{error:?}");
}

#[tokio::test]
async fn a_message_of_somebody_else_has_the_services_own_id() {
    let url = make("strangers").await;
    client().send_message().queue_url(url).message_body("p-1").send().await.unwrap();
    let taken = open("queue = 'strangers'").receive(5, Duration::from_secs(60), NOW).await.unwrap().remove(0);
    assert!(taken.message.id.len() > 10 && taken.message.body == "p-1" && taken.message.priority == 0);
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_said_with_its_name() {
    let error = open("queue = 'nowhere'").depth().await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.report().contains("nowhere") && error.report().contains("region"), "{error:?}");
    let error = open("queue = 'nowhere'").send(&[message("a", 0)]).await.unwrap_err();
    assert!(error.kind() == Kind::NotFound && !error.concerns_item(), "no message is to blame: {error:?}");
}
