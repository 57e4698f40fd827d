//! Whether a server answers yet.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use crate::Server;

/// Whether the server on this port does its work.
pub(crate) fn is_healthy(server: Server, port: u16) -> bool {
    match server {
        Server::Opensearch | Server::Elasticsearch => answers(port, "/_cluster/health", |status| status == 200),
        Server::Sqs => answers(port, "/?Action=ListQueues", |status| status == 200),
        // Without a signature both refuse, which they can do only when they are up.
        Server::Dynamodb | Server::S3 => answers(port, "/", |status| (200..500).contains(&status)),
        // It calls itself ready before it knows who may do what, and until then refuses nobody by name.
        Server::Minio => answers(port, "/", |status| status == 403),
        Server::Nats => exchange(port, "").is_some_and(|greeting| greeting.contains("\"jetstream\":true")),
    }
}

fn answers(port: u16, path: &str, accept: fn(u16) -> bool) -> bool {
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    let status = |answer: String| answer.split(' ').nth(1)?.parse().ok();
    exchange(port, &request).and_then(status).is_some_and(accept)
}

/// What the server says first.
fn exchange(port: u16, request: &str) -> Option<String> {
    const PATIENCE: Duration = Duration::from_secs(5);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer[..length]).into_owned())
}
