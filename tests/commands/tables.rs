//! Tables, queues and buckets by hand: what a first trial of prune and of live changes takes.

use crate::place::{Place, snapshots};

use super::session::session;

#[test]
fn a_table_is_made_shown_and_emptied_by_hand() {
    let place = Place::new();
    place.write("rows.jsonl", "{\"pk\":\"a\",\"sk\":1,\"n\":1}\n{\"pk\":\"a\",\"sk\":2}\n{\"pk\":\"b\",\"sk\":1}\n");
    let commands = [
        "table get totals",
        "table create totals --key pk --key sk",
        "table create totals --key pk --key sk",
        "table create totals --key id",
        "table get totals",
        "load totals rows.jsonl",
        "table get totals --limit 2",
        "table get totals [\"a\",1] [\"c\",1]",
        "table delete totals [\"a\",1] [\"c\",1]",
        "table delete totals [\"a\",1]",
        "table get totals",
    ];
    snapshots().bind(|| insta::assert_snapshot!("table", session(&place, &commands)));
}

#[test]
fn messages_are_sent_by_hand() {
    let place = Place::new();
    let commands = [
        "queue send edits {\"id\":\"a\"} --id first",
        "queue send edits {\"id\":\"a\"} --id first",
        "queue send edits {\"id\":\"b\"} --id second --priority 2",
        "queue peek edits",
    ];
    snapshots().bind(|| insta::assert_snapshot!("queue-send", session(&place, &commands)));
    let sent = place.reindex_with("queue send edits -", "{\"id\":\"c\"}\n\n{\"id\":\"c\"}\n").exits(0);
    assert!(sent.err.contains("sent 2 messages"), "{}", sent.err);
    assert_eq!(place.reindex("queue depth edits --json").exits(0).json()["waiting"], 4);
    place.reindex_with("queue send edits - --id x", "1\n2\n").exits(2);
}

#[test]
fn the_objects_of_a_bucket_are_listed() {
    let place = Place::new();
    for (name, text) in [("a/1.txt", "x"), ("a/2.txt", "xyz"), ("b.txt", "")] {
        place.write(&format!(".reindex/objects/images/{name}"), text);
    }
    let commands = ["object ls images", "object ls images a/ --json --limit 1", "object ls nothing"];
    let mut settings = snapshots();
    settings.add_filter(r#""etag":"[^"]*""#, "\"etag\":\"ETAG\"");
    settings.bind(|| insta::assert_snapshot!("object-ls", session(&place, &commands)));
}
