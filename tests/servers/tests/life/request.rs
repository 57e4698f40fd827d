//! Leaves something behind on a server, and looks for it, in a few lines of HTTP: the real clients are the host's.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpStream},
};

use servers::{Running, Server};

/// What a server says to raw bytes, until it says no more.
fn say(running: &Running, bytes: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, running.port())).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends one request, its first line without the protocol.
pub fn send(running: &Running, request: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    let head = format!("{request} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: {length}\r\n");
    say(running, &format!("{head}{headers}\r\n{body}"))
}

pub fn get(running: &Running, path: &str) -> String {
    send(running, &format!("GET {path}"), &[], "")
}

/// Leaves something behind that [`marked`] finds.
pub fn mark(running: &Running) {
    match running.server() {
        Server::Opensearch | Server::Elasticsearch => {
            send(running, "PUT /mark", &["content-type: application/json"], "{}");
        }
        Server::Dynamodb => {
            let table = r#"{"TableName": "mark", "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}"#;
            dynamodb(running, "CreateTable", table);
        }
        Server::Sqs => {
            get(running, "/?Action=CreateQueue&QueueName=mark");
            get(running, "/000000000000/mark?Action=SendMessage&MessageBody=marked");
        }
        Server::Nats => {
            jetstream(running, "STREAM.CREATE.mark", r#"{"name": "mark", "subjects": ["marks"]}"#);
        }
        // A bucket takes a signature, and so a client: `tests/services` looks at that.
        Server::S3 | Server::Minio => {}
    }
}

/// Whether what [`mark`] left behind is there.
pub fn marked(running: &Running) -> bool {
    match running.server() {
        Server::Opensearch | Server::Elasticsearch => get(running, "/mark").starts_with("HTTP/1.1 200 "),
        Server::Dynamodb => dynamodb(running, "DescribeTable", r#"{"TableName": "mark"}"#).contains("ACTIVE"),
        Server::Sqs => {
            let queue = "/000000000000/mark?Action=ReceiveMessage&VisibilityTimeout=0&WaitTimeSeconds=5";
            get(running, queue).contains("<Body>marked</Body>")
        }
        Server::Nats => jetstream(running, "STREAM.INFO.mark", "").contains(r#""subjects":["marks"]"#),
        Server::S3 | Server::Minio => get(running, "/").contains("AccessDenied"),
    }
}

/// DynamoDB Local wants to see a signature and does not look at it.
fn dynamodb(running: &Running, action: &str, body: &str) -> String {
    let target = format!("x-amz-target: DynamoDB_20120810.{action}");
    let signature = "authorization: AWS4-HMAC-SHA256 \
        Credential=reindex/20260101/eu-west-2/dynamodb/aws4_request, SignedHeaders=host, Signature=0";
    send(running, "POST /", &["content-type: application/x-amz-json-1.0", &target, signature], body)
}

/// Asks JetStream, and waits for the one message that answers.
fn jetstream(running: &Running, request: &str, body: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, running.port())).unwrap();
    let length = body.len();
    let lines = format!("CONNECT {{}}\r\nSUB answer 1\r\nPUB $JS.API.{request} answer {length}\r\n{body}\r\n");
    stream.write_all(lines.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    lines.by_ref().find(|line| line.starts_with("MSG answer ")).unwrap();
    lines.next().unwrap()
}
