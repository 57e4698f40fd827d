//! Each server answers the client that its backend is written with.

use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use elasticsearch::{
    Elasticsearch,
    http::transport::Transport,
    indices::{IndicesCreateParts, IndicesExistsParts},
};
use futures::StreamExt;
use serde_json::json;
use servers::{Options, Running, Server, shared, start};

/// The AWS clients take the same words, each in types of its own.
macro_rules! aws_client {
    ($sdk:ident, $running:expr) => {{
        let running: &Running = $running;
        let by = running.credentials().unwrap();
        let config = $sdk::Config::builder()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
            .region($sdk::config::Region::new(by.region))
            .credentials_provider($sdk::config::Credentials::new(by.access_key, by.secret_key, None, None, "tests"))
            .endpoint_url(running.url());
        $sdk::Client::from_conf(config.build())
    }};
}

#[tokio::test]
async fn dynamodb_answers() {
    let client = aws_client!(aws_sdk_dynamodb, shared(Server::Dynamodb));
    client.list_tables().send().await.unwrap();
}

#[tokio::test]
async fn sqs_answers_and_hands_out_what_was_sent() {
    let client = aws_client!(aws_sdk_sqs, shared(Server::Sqs));
    let queue = client.create_queue().queue_name("smoke").send().await.unwrap().queue_url.unwrap();
    client.send_message().queue_url(&queue).message_body("sent").send().await.unwrap();
    let received = client.receive_message().queue_url(&queue).wait_time_seconds(5).send().await.unwrap();
    assert_eq!(received.messages()[0].body(), Some("sent"));
}

#[tokio::test]
async fn s3_answers_and_keeps_its_objects_when_it_is_killed() {
    let server = start(Server::S3, &Options::default()).unwrap();
    let client = aws_client!(aws_sdk_s3, &server);
    client.create_bucket().bucket("smoke").send().await.unwrap();
    let object = client.put_object().bucket("smoke").key("a/b").metadata("kind", "text");
    object.body(ByteStream::from_static(b"kept")).send().await.unwrap();
    server.kill();
    server.restart().unwrap();
    let object = client.get_object().bucket("smoke").key("a/b").send().await.unwrap();
    assert_eq!(object.metadata().unwrap()["kind"], "text");
    assert_eq!(object.body.collect().await.unwrap().into_bytes(), b"kept"[..]);
}

#[tokio::test]
async fn nats_answers_and_hands_out_what_was_sent() {
    let client = async_nats::connect(shared(Server::Nats).url()).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    let config = async_nats::jetstream::stream::Config { name: "smoke".to_owned(), ..Default::default() };
    let stream = jetstream.create_stream(config).await.unwrap();
    jetstream.publish("smoke", "sent".into()).await.unwrap().await.unwrap();
    let config = async_nats::jetstream::consumer::pull::Config::default();
    let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
    assert_eq!(messages.next().await.unwrap().unwrap().payload, "sent");
}

#[tokio::test]
async fn opensearch_answers() {
    makes_an_index(Server::Opensearch).await;
}

#[tokio::test]
async fn elasticsearch_answers() {
    makes_an_index(Server::Elasticsearch).await;
}

async fn makes_an_index(server: Server) {
    let client = Elasticsearch::new(Transport::single_node(&shared(server).url()).unwrap());
    let indices = client.indices();
    let index = indices.create(IndicesCreateParts::Index("smoke")).body(json!({}));
    index.send().await.unwrap().error_for_status_code().unwrap();
    let found = client.indices().exists(IndicesExistsParts::Index(&["smoke"])).send().await.unwrap();
    assert!(found.status_code().is_success());
}
