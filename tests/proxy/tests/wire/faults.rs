//! Each fault does what it says, once it is its turn, and says so in the log.

use std::time::Duration;

use proxy::{Fault, Match, Pick, Proxy, Rule};

use crate::{
    client::Client,
    origin::{Origin, Seen},
};

const PUT: &str = "PUT /thing HTTP/1.1";

fn with(fault: Fault) -> (Origin, Proxy) {
    let (origin, address) = Origin::start();
    let proxy = Proxy::http(&format!("http://{address}"));
    proxy.add(Rule::new(Match::any(), fault).times(1));
    (origin, proxy)
}

/// The client is cut off once, and then served as if nothing had been.
fn cuts_once(proxy: &Proxy) {
    assert!(Client::new(proxy.address()).ask(PUT, b"hello").is_err());
    assert_eq!(Client::new(proxy.address()).ask(PUT, b"again").unwrap().body, b"again");
    let log = proxy.requests();
    assert_eq!((log[0].fault.is_some(), log[0].status), (true, None));
    assert_eq!((log[1].fault.is_some(), log[1].status), (false, Some(200)));
    assert_eq!(proxy.fired(), 1);
}

#[test]
fn a_throttle_speaks_the_language_of_the_service_and_keeps_the_connection() {
    let services = [
        ("X-Amz-Target: DynamoDB_20120810.Scan", 400, "#ProvisionedThroughputExceededException\""),
        ("X-Amz-Target: AmazonSQS.SendMessage", 400, "#ThrottlingException\""),
        ("Authorization: AWS4-HMAC-SHA256 Credential=k/20260101/eu/s3/aws4_request", 503, "<Code>SlowDown</Code>"),
        ("Accept: application/json", 429, "\"type\":\"es_rejected_execution_exception\""),
    ];
    for (header, status, words) in services {
        let (origin, proxy) = with(Fault::Throttle);
        let mut client = Client::new(proxy.address());
        let answer = client.ask(&format!("{PUT}\n{header}"), &[b'x'; 3_000_000]).unwrap();
        let text = String::from_utf8(answer.body).unwrap();
        assert_eq!(answer.status, status);
        assert!(text.contains(words), "{text}");
        assert!(origin.seen().is_empty());
        assert_eq!(client.ask(PUT, b"again").unwrap().body, b"again");
        assert_eq!((proxy.fired(), proxy.requests()[0].size), (1, 3_000_000));
    }
}

#[test]
fn an_answer_is_told_to_the_letter_and_one_without_end_goes_on() {
    let headers = vec![("Location".to_owned(), "http://elsewhere/".to_owned())];
    let (origin, proxy) = with(Fault::Reply(307, headers, vec![0, 255]));
    let answer = Client::new(proxy.address()).ask(PUT, b"hello").unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (307, &[0, 255][..]));
    assert!(answer.head.to_lowercase().contains("location: http://elsewhere/"), "{}", answer.head);
    assert!(origin.seen().is_empty() && proxy.fired() == 1);

    let (_origin, proxy) = with(Fault::Endless(200));
    let mut client = Client::new(proxy.address());
    client.write(b"GET /thing HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    client.head().unwrap();
    let mut bytes = 0;
    while bytes < 3_000_000 {
        bytes += client.line().unwrap().len();
    }
    assert_eq!(proxy.fired(), 1);
}

#[test]
fn any_status_can_be_told() {
    let text = r#"{"__type":"com.amazon.coral.service#ExpiredTokenException"}"#;
    let (origin, proxy) = with(Fault::Status(400, text.to_owned()));
    let answer = Client::new(proxy.address()).ask(PUT, b"hello").unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (400, text.as_bytes()));
    assert!(origin.seen().is_empty());
    assert_eq!((proxy.fired(), proxy.requests()[0].status), (1, Some(400)));
}

#[test]
fn a_cut_request_never_reaches_the_server() {
    let (origin, proxy) = with(Fault::Cut);
    cuts_once(&proxy);
    assert_eq!(origin.seen().len(), 1);
}

#[test]
fn a_lost_reply_leaves_the_work_done() {
    let (origin, proxy) = with(Fault::LostReply);
    cuts_once(&proxy);
    let seen = origin.seen();
    assert_eq!((seen[0].body.as_slice(), seen[0].whole), (b"hello".as_slice(), true));
}

/// What was cut first, since connections are not read in the order they were made in.
fn sorted(seen: &[Seen]) -> Vec<(&[u8], bool)> {
    let mut seen: Vec<_> = seen.iter().map(|seen| (seen.body.as_slice(), seen.whole)).collect();
    seen.sort_by_key(|(_, whole)| *whole);
    seen
}

#[test]
fn a_request_is_cut_in_the_middle_of_its_body() {
    let (origin, proxy) = with(Fault::CutAfter(3));
    cuts_once(&proxy);
    assert_eq!(sorted(&origin.over(2)), [(b"hel".as_slice(), false), (b"again", true)]);
}

#[test]
fn a_request_is_never_whole_after_a_cut() {
    let (origin, proxy) = with(Fault::CutAfter(5_000));
    cuts_once(&proxy);
    assert_eq!(sorted(&origin.over(2)), [(b"hell".as_slice(), false), (b"again", true)]);
}

#[test]
fn a_large_request_in_chunks_is_cut_where_it_was_said() {
    let (origin, proxy) = with(Fault::CutAfter(1_000_000));
    let mut client = Client::new(proxy.address());
    client.write(b"PUT / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
    // Sooner or later the closed connection shows.
    assert!((0..64).try_for_each(|_| client.write(&chunk)).and_then(|()| client.answer()).is_err());
    let seen = &origin.over(1)[0];
    assert_eq!((seen.body.len(), seen.whole, proxy.fired()), (1_000_000, false, 1));
}

#[test]
fn an_answer_breaks_off_although_its_length_says_more() {
    for (bytes, left) in [(3, b"hel".as_slice()), (0, b""), (99, b"hell")] {
        let (_origin, proxy) = with(Fault::Truncate(bytes));
        let mut client = Client::new(proxy.address());
        client.write(b"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nhello").unwrap();
        assert!(client.head().unwrap().contains("content-length: 5\r\n"));
        assert_eq!(client.rest(), left);
        assert_eq!(proxy.fired(), 1);
    }
}

#[test]
fn a_large_answer_breaks_off_where_it_was_said() {
    let (_origin, proxy) = with(Fault::Truncate(7_000_000));
    let mut client = Client::new(proxy.address());
    client.write(b"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 9000000\r\n\r\n").unwrap();
    client.write(&[b'x'; 9_000_000]).unwrap();
    client.head().unwrap();
    assert_eq!(client.rest().len(), 7_000_000);
}

#[test]
fn an_answer_without_a_body_cannot_break_off_and_no_fault_is_claimed() {
    let (_origin, proxy) = with(Fault::Truncate(3));
    assert_eq!(Client::new(proxy.address()).ask(PUT, b"").unwrap().status, 200);
    assert_eq!(proxy.fired(), 0);
}

#[test]
fn a_delayed_request_is_answered_like_any_other() {
    let (_origin, proxy) = with(Fault::Delay(Duration::from_millis(20)));
    assert_eq!(Client::new(proxy.address()).ask(PUT, b"hello").unwrap().body, b"hello");
    assert_eq!(proxy.fired(), 1);
}

#[test]
fn a_server_that_is_down_refuses_and_comes_back_where_it_was() {
    let (_origin, address) = Origin::start();
    let proxy = Proxy::http(&format!("http://{address}"));
    for _ in 0..3 {
        let mut client = Client::new(proxy.address());
        client.ask(PUT, b"hello").unwrap();
        proxy.down();
        proxy.down();
        assert!(client.ask(PUT, b"hello").is_err());
        let refused = Client::try_new(proxy.address()).err().unwrap();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        proxy.up();
        proxy.up();
    }
    assert_eq!(Client::new(proxy.address()).ask(PUT, b"again").unwrap().body, b"again");
}

#[test]
fn a_request_can_bring_the_server_down_until_it_is_brought_up() {
    let (origin, proxy) = with(Fault::Down(None));
    assert!(Client::new(proxy.address()).ask(PUT, b"hello").is_err());
    proxy.down();
    assert!(Client::try_new(proxy.address()).is_err());
    proxy.up();
    assert_eq!(Client::new(proxy.address()).ask(PUT, b"again").unwrap().body, b"again");
    assert_eq!((origin.seen().len(), proxy.fired()), (1, 1));
}

#[test]
fn a_server_comes_back_by_itself_if_so_agreed() {
    let (_origin, proxy) = with(Fault::Down(Some(Duration::from_millis(50))));
    assert!(Client::new(proxy.address()).ask(PUT, b"hello").is_err());
    let back = || Client::try_new(proxy.address()).and_then(|mut client| client.ask(PUT, b"again")).ok();
    let tries = std::iter::repeat_with(|| std::thread::sleep(Duration::from_millis(5))).take(2_000);
    assert_eq!({ tries }.find_map(|()| back()).unwrap().body, b"again");
    assert_eq!(proxy.fired(), 1);
}

/// Which of these requests are refused.
fn refused(proxy: &Proxy, heads: &[&str]) -> Vec<usize> {
    let mut client = Client::new(proxy.address());
    let is_refused = |head: &str| client.ask(&format!("{head} HTTP/1.1"), b"").unwrap().status == 403;
    let refused = heads.iter().copied().map(is_refused).enumerate();
    refused.filter_map(|(at, refused)| refused.then_some(at)).collect()
}

#[test]
fn a_rule_is_about_the_requests_it_matches_and_no_others() {
    let (_origin, address) = Origin::start();
    let proxy = Proxy::http(&address.to_string());
    let heads = ["GET /people/_doc/1", "POST /people/_bulk?refresh", "POST /photos/_bulk", "PUT /people"];
    let matches = [
        (Match::any(), vec![0, 1, 2, 3]),
        (Match::any().method("POST"), vec![1, 2]),
        (Match::any().prefix("/people"), vec![0, 1, 3]),
        (Match::any().contains("_bulk?refresh"), vec![1]),
        (Match::any().prefix("/people").contains("_bulk").method("POST"), vec![1]),
        (Match::any().target("Scan"), vec![]),
    ];
    for (when, expected) in matches {
        let rule = proxy.add(Rule::new(when.clone(), Fault::Status(403, String::new())));
        assert_eq!(refused(&proxy, &heads), expected, "{when:?}");
        proxy.remove(rule);
    }
    assert!(refused(&proxy, &heads).is_empty());
}

#[test]
fn an_operation_of_amazon_is_matched_by_its_whole_name_or_its_last_part() {
    for (target, fired) in [("Scan", 1), ("DynamoDB_20120810.Scan", 1), ("Query", 0), ("can", 0)] {
        let (_origin, address) = Origin::start();
        let proxy = Proxy::http(&address.to_string());
        proxy.add(Rule::new(Match::any().target(target), Fault::Throttle));
        let mut client = Client::new(proxy.address());
        client.ask("POST / HTTP/1.1\nX-Amz-Target: DynamoDB_20120810.Scan", b"{}").unwrap();
        assert_eq!(proxy.fired(), fired, "{target}");
    }
}

#[test]
fn turns_and_times_choose_among_the_matching_requests() {
    let heads = ["GET /a", "GET /b", "GET /a", "GET /a", "GET /a", "GET /b", "GET /a"];
    let rule = || Rule::new(Match::any().prefix("/a"), Fault::Status(403, String::new()));
    let rules = [
        (rule().times(2), vec![0, 2]),
        (rule().turn(Pick::At(vec![1, 4])), vec![2, 6]),
        (rule().turn(Pick::Every(2)), vec![2, 4]),
        (rule().turn(Pick::Every(2)).times(1), vec![2]),
        (rule().turn(Pick::Chance { share: 0.0, seed: 1 }), vec![]),
        (rule().turn(Pick::Chance { share: 1.0, seed: 1 }), vec![0, 2, 3, 4, 6]),
    ];
    for (rule, expected) in rules {
        let (_origin, address) = Origin::start();
        let proxy = Proxy::http(&address.to_string());
        proxy.add(rule.clone());
        assert_eq!(refused(&proxy, &heads), expected, "{rule:?}");
        assert_eq!(proxy.fired(), expected.len());
    }
}

#[test]
fn the_first_rule_whose_turn_it_is_has_the_request() {
    let (_origin, address) = Origin::start();
    let proxy = Proxy::http(&address.to_string());
    proxy.add(Rule::new(Match::any(), Fault::Status(403, String::new())).turn(Pick::At(vec![1])));
    proxy.add(Rule::new(Match::any(), Fault::Status(404, String::new())).turn(Pick::At(vec![1, 2])));
    let mut client = Client::new(proxy.address());
    let statuses: Vec<_> = (0..4).map(|_| client.ask(PUT, b"").unwrap().status).collect();
    assert_eq!(statuses, [200, 403, 404, 200]);
    proxy.clear();
    assert_eq!(proxy.fired(), 2);
}

#[test]
fn the_dice_fall_the_same_way_for_the_same_seed_and_about_as_often_as_said() {
    let throw = |seed, row| move |place: &u64| Pick::Chance { share: 0.3, seed }.picks(*place, row);
    let chosen = |seed, row| (0..10_000).filter(throw(seed, row)).collect::<Vec<_>>();
    assert_eq!(chosen(7, 0), chosen(7, 0));
    assert_ne!(chosen(7, 0), chosen(8, 0));
    assert_ne!(chosen(7, 0), chosen(7, 1));
    assert!((2_700..3_300).contains(&chosen(7, 0).len()), "{}", chosen(7, 0).len());
}
