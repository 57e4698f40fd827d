//! Faults where nothing but bytes is known, as between a queue and its clients.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use proxy::{Fault, Match, Pick, Proxy, Rule};

use crate::client::Client;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// A server that says `+` and the line for every line.
    fn start() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self::default();
        let lines = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map(Result::unwrap) {
                let lines = lines.clone();
                thread::spawn(move || lines.serve(stream));
            }
        });
        (server, address)
    }

    fn serve(&self, mut stream: std::net::TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
            self.0.lock().unwrap().push(line.clone());
            if stream.write_all(format!("+{line}").as_bytes()).is_err() {
                return;
            }
            line.clear();
        }
    }

    fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Waits for the server to have seen something, which no answer tells.
    fn wait_for(&self, line: &str) {
        for _ in 0..2_000 {
            if self.seen().iter().any(|seen| seen == line) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("the server never saw {line:?}");
    }
}

fn with(fault: Fault) -> (Lines, Proxy) {
    let (server, address) = Lines::start();
    let proxy = Proxy::tcp(&address.to_string());
    proxy.add(Rule::new(Match::any().contains("ACK"), fault).times(1));
    (server, proxy)
}

fn say(client: &mut Client, line: &str) -> std::io::Result<String> {
    client.write(line.as_bytes())?;
    client.line()
}

fn cuts_once(proxy: &Proxy) {
    let mut client = Client::new(proxy.address());
    assert_eq!(say(&mut client, "hello\n").unwrap(), "+hello\n");
    assert!(say(&mut client, "ACK 1\n").is_err());
    assert_eq!(say(&mut Client::new(proxy.address()), "ACK 2\n").unwrap(), "+ACK 2\n");
    let log = proxy.requests();
    assert_eq!((log[1].method.as_str(), log[1].path.as_str(), log[1].size), ("TCP", "ACK 1", 6));
    assert_eq!(proxy.fired(), 1);
}

#[test]
fn what_is_cut_never_reaches_the_server() {
    let (server, proxy) = with(Fault::Cut);
    cuts_once(&proxy);
    assert_eq!(server.seen(), ["hello\n", "ACK 2\n"]);
}

#[test]
fn what_is_cut_in_the_middle_reaches_the_server_in_part() {
    let (server, proxy) = with(Fault::CutAfter(3));
    cuts_once(&proxy);
    server.wait_for("ACK");
    server.wait_for("ACK 2\n");
    assert!(!server.seen().contains(&"ACK 1\n".to_owned()));
}

#[test]
fn a_lost_reply_leaves_the_work_done() {
    let (server, proxy) = with(Fault::LostReply);
    cuts_once(&proxy);
    assert_eq!(server.seen(), ["hello\n", "ACK 1\n", "ACK 2\n"]);
}

#[test]
fn an_answer_breaks_off() {
    let (server, proxy) = with(Fault::Truncate(4));
    let mut client = Client::new(proxy.address());
    client.write(b"ACK 1\n").unwrap();
    assert_eq!(client.rest(), b"+ACK");
    assert_eq!((server.seen().len(), proxy.fired()), (1, 1));
}

#[test]
fn a_delay_changes_nothing_else() {
    let (_server, proxy) = with(Fault::Delay(Duration::from_millis(20)));
    assert_eq!(say(&mut Client::new(proxy.address()), "ACK 1\n").unwrap(), "+ACK 1\n");
    assert_eq!(proxy.fired(), 1);
}

#[test]
fn a_server_that_is_down_cuts_everyone_off_and_comes_back() {
    let (_server, proxy) = with(Fault::Down(None));
    let (mut one, mut other) = (Client::new(proxy.address()), Client::new(proxy.address()));
    assert_eq!(say(&mut other, "hello\n").unwrap(), "+hello\n");
    assert!(say(&mut one, "ACK 1\n").is_err());
    assert!(other.line().is_err());
    assert!(Client::try_new(proxy.address()).is_err());
    proxy.up();
    assert_eq!(say(&mut Client::new(proxy.address()), "ACK 2\n").unwrap(), "+ACK 2\n");
}

#[test]
fn megabytes_pass_both_ways_at_once() {
    let (server, proxy) = with(Fault::Cut);
    let mut client = Client::new(proxy.address());
    let line = format!("{}\n", "x".repeat(999));
    for _ in 0..4 {
        let lines = line.repeat(500);
        client.write(lines.as_bytes()).unwrap();
        for _ in 0..500 {
            assert_eq!(client.line().unwrap().len(), line.len() + 1);
        }
    }
    assert_eq!((server.seen().len(), proxy.fired()), (2_000, 0));
}

#[test]
#[should_panic(expected = "needs a proxy that speaks HTTP")]
fn a_fault_that_is_http_is_not_taken() {
    Proxy::tcp("127.0.0.1:9").add(Rule::new(Match::any(), Fault::RejectItems(Pick::All)));
}
