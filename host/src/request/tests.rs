//! What events say, which request wins, and which names are accepted.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Choice, Passed, Request,
    notice::{Arrival, Notice, read},
};

/// A key as S3 writes it into a record.
fn encoded(key: &str) -> String {
    utf8_percent_encode(key, NON_ALPHANUMERIC).to_string().replace("%20", "+").replace("%2F", "/")
}

fn record(name: &str, key: &str) -> Value {
    json!({
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-2", "eventTime": "2026-11-25T05:30:00.000Z",
        "eventName": name,
        "s3": {
            "bucket": { "name": "masters", "arn": "arn:aws:s3:::masters" },
            "object": { "key": key, "size": 17, "eTag": "abc", "sequencer": "0055AED6DCD90281E5" },
        },
    })
}

fn records(records: &[Value]) -> Value {
    json!({ "Records": records })
}

fn bridged(kind: &str, key: &str) -> Value {
    json!({
        "version": "0", "detail-type": kind, "source": "aws.s3", "time": "2026-11-25T05:30:00Z",
        "detail": {
            "bucket": { "name": "masters" }, "reason": "PutObject",
            "object": { "key": key, "size": 17, "etag": "abc", "sequencer": "0055AED6DCD90281E5" },
        },
    })
}

fn enveloped(message: &Value) -> Value {
    json!({ "Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:::t", "Message": message.to_string() })
}

fn keys(notice: &Notice) -> Vec<&str> {
    assert_eq!(notice.unreadable, [], "all of it can be read");
    notice.arrivals.iter().map(|arrival| arrival.key.as_str()).collect()
}

#[test]
fn every_record_of_a_creation_is_an_arrival_whoever_carries_it() {
    let names = ["Put", "Post", "Copy", "CompleteMultipartUpload"];
    let all = names.map(|name| record(&format!("ObjectCreated:{name}"), &format!("a/{name}.tif")));
    let expected = names.map(|name| format!("a/{name}.tif"));
    let plain = records(&all);
    for message in [&plain, &enveloped(&plain)] {
        assert_eq!(keys(&read(&message.to_string())), expected);
    }
    let minio = json!({ "EventName": "s3:ObjectCreated:Put", "Key": "masters/a+b.tif",
        "Records": [record("s3:ObjectCreated:Put", "a+b.tif")] });
    assert_eq!(keys(&read(&minio.to_string())), ["a b.tif"]);
}

#[test]
fn an_arrival_has_all_that_the_event_says() {
    let expected = Arrival {
        bucket: "masters".into(),
        key: "a b+c.tif".into(),
        etag: Some("abc".into()),
        sequencer: Some("0055AED6DCD90281E5".into()),
        size: Some(17),
        time: Some("2026-11-25T05:30:00.000Z".into()),
    };
    let notified = read(&records(&[record("ObjectCreated:Put", "a+b%2Bc.tif")]).to_string());
    assert_eq!(notified.arrivals, std::slice::from_ref(&expected));
    // EventBridge writes keys as they are.
    let time = Some("2026-11-25T05:30:00Z".into());
    for message in [bridged("Object Created", "a b+c.tif"), enveloped(&bridged("Object Created", "a b+c.tif"))] {
        assert_eq!(read(&message.to_string()).arrivals, [Arrival { time: time.clone(), ..expected.clone() }]);
    }
}

#[test]
fn tests_removals_and_events_of_other_kinds_say_nothing() {
    let test = json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "masters" });
    let removed = records(&[record("ObjectRemoved:Delete", "a"), record("s3:ObjectTagging:Put", "a")]);
    for message in [test, removed, bridged("Object Deleted", "a"), records(&[])] {
        assert_eq!(read(&message.to_string()), Notice::default(), "{message}");
    }
}

#[test]
fn what_cannot_be_read_is_kept_with_its_reason_and_costs_no_other_record() {
    for message in ["", "nothing", "[]", "{}", "17", r#"{"Records":17}"#, r#"{"Type":"Notification","Message":"x"}"#] {
        let notice = read(message);
        assert_eq!((notice.arrivals.len(), notice.unreadable.len()), (0, 1), "{message}");
        assert_eq!(notice.unreadable[0].text, message);
    }
    let keyless = json!({ "eventName": "ObjectCreated:Put", "s3": { "bucket": { "name": "b" }, "object": {} } });
    let some = [
        record("ObjectCreated:Put", "a%FF.tif"),
        record("ObjectCreated:Put", "good.tif"),
        keyless.clone(),
        json!("none"),
        record("ObjectCreated:Put", ""),
    ];
    let notice = read(&records(&some).to_string());
    assert_eq!(notice.arrivals.len(), 1);
    assert_eq!(notice.unreadable.len(), 4);
    assert_eq!(notice.unreadable[1].text, keyless.to_string());
    assert!(notice.unreadable[0].reason.contains("a%FF.tif"), "{}", notice.unreadable[0].reason);
}

fn numbered(sequencer: Option<&str>, etag: &str) -> Request {
    let (sequencer, e_tag) = (sequencer.map(str::to_owned), Some(etag.to_owned()));
    Request { sequencer, e_tag, ..Request::new("masters", "a/b.tif") }
}

#[test]
fn the_later_event_stays_whenever_it_comes() {
    let (first, second) = (numbered(Some("0055"), "one"), numbered(Some("00551"), "two"));
    assert_eq!(second.over(&first).as_ref(), Some(&second));
    assert_eq!(first.over(&second), None);
    // Equal but for zeros on the right and the case of the digits: neither is older.
    let (short, long) = (numbered(Some("ab"), "one"), numbered(Some("AB00"), "two"));
    assert!(short.over(&long).is_some() && long.over(&short).is_some());
    // Without a number on both, the request that comes later wins.
    assert!(numbered(None, "old").over(&second).is_some() && second.over(&numbered(None, "old")).is_some());
    assert_eq!(second.over(&second).as_ref(), Some(&second), "the same once more is put again");
}

#[test]
fn that_somebody_asked_for_work_to_be_done_again_is_not_forgotten() {
    let (asked, event) = (Request::new("masters", "a/b.tif").forced(), numbered(Some("01"), "new"));
    let both = event.over(&asked).unwrap();
    assert!(both.force && both.e_tag.as_deref() == Some("new"));
}

#[test]
fn a_path_is_everything_up_to_the_last_slash() {
    for (key, path) in [("p.jpg", ""), ("a/b/p.jpg", "a/b/"), ("a/", "a/"), ("/p", "/"), ("../p", "../")] {
        assert_eq!(Request::new("masters", key).path, path);
    }
}

#[test]
fn fields_that_nobody_knows_are_kept_to_the_digit() {
    let text = r#"{"bucket":"masters","key":"a","path":"","copyrightStatus":"copyright","big":12345678901234567890.10,"deep":{"n":[1.50]}}"#;
    let request: Request = serde_json::from_str(text).unwrap();
    let written: Value = serde_json::from_str(&serde_json::to_string(&request).unwrap()).unwrap();
    assert_eq!(written, serde_json::from_str::<Value>(text).unwrap());
    assert_eq!(request.more["copyrightStatus"], "copyright");
}

#[test]
fn names_are_taken_by_prefix_and_ending_and_never_by_a_leading_dot() {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let choice = Choice { prefixes: texts(&["digital/", "rbsc/"]), endings: texts(&[".jpg", ".TIF"]) };
    let cases = [
        ("digital/a.jpg", None),
        ("rbsc/deep/é.Tif", None),
        ("other/a.jpg", Some(Passed::Elsewhere)),
        ("digital", Some(Passed::Elsewhere)),
        ("digital/", Some(Passed::Folder)),
        ("digital/.jpg", Some(Passed::Hidden)),
        ("digital/.hidden.jpg", Some(Passed::Hidden)),
        ("digital/a.jpeg", Some(Passed::Ending)),
        ("digital/jpg", Some(Passed::Ending)),
    ];
    for (key, expected) in cases {
        assert_eq!(choice.passes(key), expected, "{key}");
    }
    assert_eq!(Choice::default().passes("anything"), None);
}

/// A key of up to 1024 bytes of any script, with what form encoding changes.
fn any_key() -> impl Strategy<Value = String> {
    let part =
        prop_oneof!["[+% /&=#?\"\\\\a-c]{1,20}", "\\PC{1,20}", Just("%2B+%20".to_owned()), Just("é".repeat(512))];
    prop::collection::vec(part, 1..4).prop_map(|parts| {
        let mut key = parts.concat();
        while key.len() > 1024 {
            key.pop();
        }
        key
    })
}

proptest! {
    #[test]
    fn a_key_survives_the_way_through_an_event(key in any_key()) {
        let notified = records(&[record("ObjectCreated:Put", &encoded(&key))]);
        for message in [&notified, &enveloped(&notified), &bridged("Object Created", &key)] {
            let notice = read(&message.to_string());
            prop_assert_eq!(keys(&notice), [key.as_str()]);
        }
        let request = Request::new("masters", &key);
        prop_assert!(key.starts_with(&request.path) && !key[request.path.len()..].contains('/'));
        let again: Request = serde_json::from_str(&serde_json::to_string(&request).unwrap()).unwrap();
        prop_assert_eq!(again, request);
    }

    #[test]
    fn no_message_makes_the_reader_stumble(message in "\\PC{0,60}") {
        read(&message);
    }

    #[test]
    fn whatever_comes_first_the_greatest_sequencer_stays(mut numbers in prop::collection::vec("[0-9A-F]{1,6}", 1..8)) {
        let mut kept = numbered(Some(&numbers[0]), &numbers[0]);
        for number in &numbers[1..] {
            kept = numbered(Some(number), number).over(&kept).unwrap_or(kept);
        }
        numbers.sort_by_key(|number| format!("{number:0<6}"));
        prop_assert_eq!(format!("{:0<6}", kept.sequencer.unwrap()), format!("{:0<6}", numbers.last().unwrap()));
    }

    #[test]
    fn two_objects_never_share_a_request(one in any_key(), other in any_key(), bucket in "[a-c]{1,2}") {
        let (first, second) = (Request::new(&bucket, &one), Request::new("a", &other));
        prop_assert_eq!(first.file_name() == second.file_name(), (bucket.as_str(), &one) == ("a", &other));
    }
}
