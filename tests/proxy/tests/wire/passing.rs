//! What no rule is about passes as it came.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    thread,
};

use proxy::Proxy;
use tokio::net::TcpSocket;

use crate::{client::Client, origin::Origin};

fn through() -> (Origin, Proxy) {
    let (origin, address) = Origin::start();
    (origin, Proxy::http(&format!("http://{address}")))
}

/// Takes one request without a body and gives its head.
fn listen() -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let head = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
        let head = lines.take_while(|line| !line.is_empty()).collect();
        stream.write_all(b"HTTP/1.1 204 Fine\r\nX-Odd-CASE: 1\r\n\r\n").unwrap();
        head
    });
    (address, head)
}

#[test]
fn headers_reach_the_server_as_they_were_signed() {
    let (address, head) = listen();
    let proxy = Proxy::http(&address);
    let request = [
        "GET /bucket/a%20b%2Bc/%E2%82%AC?list-type=2&prefix=a%2F&&x HTTP/1.1",
        "Host: bucket.example:1",
        "X-Amz-DATE: 20260101T000000Z",
        "authorization: AWS4-HMAC-SHA256 Credential=x/s3/aws4_request",
        "Accept-Encoding: identity",
        "x-twice: 1",
        "x-twice: 2",
    ];
    let mut client = Client::new(proxy.address());
    client.write(format!("{}\r\n\r\n", request.join("\r\n")).as_bytes()).unwrap();
    assert_eq!(client.head().unwrap(), "HTTP/1.1 204 Fine\r\nX-Odd-CASE: 1\r\n\r\n");
    assert_eq!(head.join().unwrap(), request);
    assert_eq!(proxy.fired(), 0);
}

#[test]
fn one_connection_carries_many_requests_and_the_log_has_them_in_order() {
    let (_origin, proxy) = through();
    let mut client = Client::new(proxy.address());
    for n in 0..20 {
        let body = format!("body {n}");
        let head = format!("PUT /{n}?q HTTP/1.1\nX-Amz-Target: DynamoDB_20120810.Scan");
        assert_eq!(client.ask(&head, body.as_bytes()).unwrap().body, body.as_bytes());
    }
    let log = proxy.requests();
    assert_eq!(log.len(), 20);
    assert_eq!((log[7].method.as_str(), log[7].path.as_str(), log[7].size), ("PUT", "/7?q", 6));
    assert_eq!((log[7].target.as_deref(), log[7].status), (Some("DynamoDB_20120810.Scan"), Some(200)));
    assert!(log.iter().all(|request| request.fault.is_none()));
}

fn large() -> Vec<u8> {
    (0..40_000_003_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[test]
fn tens_of_megabytes_pass_whole_with_their_length() {
    let (_origin, proxy) = through();
    let body = large();
    let answer = Client::new(proxy.address()).ask("PUT / HTTP/1.1", &body).unwrap();
    assert!(answer.body == body);
    assert_eq!(proxy.requests()[0].size, body.len() as u64);
}

#[test]
fn tens_of_megabytes_pass_whole_in_chunks() {
    let (origin, proxy) = through();
    let body = large();
    let mut client = Client::new(proxy.address());
    client.write(b"PUT / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    for chunk in body.chunks(99_999) {
        client.write(format!("{:x}\r\n", chunk.len()).as_bytes()).unwrap();
        client.write(chunk).unwrap();
        client.write(b"\r\n").unwrap();
    }
    client.write(b"0\r\n\r\n").unwrap();
    assert!(client.answer().unwrap().body == body);
    assert!(origin.seen()[0].whole);
}

#[test]
fn an_answer_in_chunks_stays_one() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::http(&listener.local_addr().unwrap().to_string());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap).find(String::is_empty);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
            .unwrap();
    });
    let answer = Client::new(proxy.address()).ask("GET / HTTP/1.1", b"").unwrap();
    assert!(answer.head.contains("transfer-encoding: chunked"), "{}", answer.head);
    assert_eq!(answer.body, b"abcde");
}

#[test]
fn a_client_that_waits_to_be_told_to_go_on_is_told() {
    let (_origin, proxy) = through();
    let mut client = Client::new(proxy.address());
    client.write(b"PUT / HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n").unwrap();
    assert_eq!(client.head().unwrap(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.write(b"hello").unwrap();
    assert_eq!(client.answer().unwrap().body, b"hello");
}

#[test]
fn the_answer_to_head_keeps_its_length_and_the_connection() {
    let (_origin, proxy) = through();
    let mut client = Client::new(proxy.address());
    client.write(b"HEAD /object HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    assert!(client.head().unwrap().contains("content-length: 1000\r\n"));
    assert_eq!(client.ask("PUT / HTTP/1.1", b"next").unwrap().body, b"next");
}

#[test]
fn an_upload_that_amazon_chunked_is_not_touched() {
    let (origin, proxy) = through();
    let body = b"5;chunk-signature=0a\r\nhello\r\n0;chunk-signature=0b\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    let head = "PUT /b/o HTTP/1.1\nContent-Encoding: aws-chunked\nx-amz-decoded-content-length: 5";
    assert_eq!(Client::new(proxy.address()).ask(head, body).unwrap().status, 200);
    assert_eq!(origin.seen()[0].body, body);
}

#[test]
fn a_server_that_is_not_there_shows_as_one_that_hangs_up() {
    // A port that is taken and on which nobody listens.
    let gone = TcpSocket::new_v4().unwrap();
    gone.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let proxy = Proxy::http(&format!("http://{}", gone.local_addr().unwrap()));
    assert!(Client::new(proxy.address()).ask("GET / HTTP/1.1", b"").is_err());
    assert_eq!((proxy.requests()[0].status, proxy.fired()), (None, 0));
}

#[test]
fn a_proxy_is_named_like_the_server_it_stands_before() {
    for scheme in ["http://", ""] {
        let proxy = Proxy::http(&format!("{scheme}127.0.0.1:9"));
        assert_eq!(proxy.url(), format!("{scheme}{}", proxy.address()));
    }
    let proxy = Proxy::tcp("nats://ada:secret@127.0.0.1:4222");
    assert_eq!(proxy.url(), format!("nats://{}", proxy.address()));
}

#[test]
fn a_dropped_proxy_is_gone() {
    let (_origin, proxy) = through();
    let address = proxy.address();
    let mut client = Client::new(address);
    client.ask("GET / HTTP/1.1", b"").unwrap();
    drop(proxy);
    assert!(client.ask("GET / HTTP/1.1", b"").is_err());
    // The port may be anyone's by now, but nobody there answers.
    assert!(Client::try_new(address).and_then(|mut client| client.ask("GET / HTTP/1.1", b"")).is_err());
}
