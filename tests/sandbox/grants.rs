//! Grants at run time: each read and each effect, and what a read answers.

use std::sync::{Arc, atomic::Ordering::SeqCst};

use reindex::{
    error::Kind,
    event::Event,
    ledger::State,
    record::{Form, Outcome},
};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_ungranted_read_is_an_answer_with_the_line_to_add_and_never_a_trap() {
    let rogue = Rogue::start(|_| {}).await;
    for (deed, line) in [
        ("table secrets a", r#"add \"secrets\" to `storage` under `[grant.read]`"#),
        ("bucket secrets", r#"add \"secrets\" to `storage` under `[grant.read]`"#),
        ("index secrets", r#"add \"secrets\" to `index` under `[grant.read]`"#),
        ("queue secrets", r#"add \"secrets\" to `queue` under `[grant.read]`"#),
    ] {
        let text = rogue.says(deed).await;
        assert!(text.contains("Denied(") && text.contains(line), "{text}");
    }
    let denied = rogue.events().into_iter().filter(|event| matches!(event, Event::Denied { .. })).count();
    assert_eq!(denied, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_to_be_tried_again_for_an_ungranted_read_ends_the_work_as_denied() {
    let rogue = Rogue::start(|_| {}).await;
    let again = rogue.map(&["table-or-retry people a"]).await.remove(0);
    assert!(matches!(again, Ok(Outcome::Retry(_))), "{again:?}");
    let items = items(&among_good(3, &[(1, "table-or-retry secrets a")]));
    let error = rogue.mapper.transform(&items).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::Denied, "the plugin may not read storage `secrets`"));
    assert_eq!(error.hint_text(), Some("add \"secrets\" to `storage` under `[grant.read]`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ungranted_effect_costs_its_item_and_names_the_line_to_add() {
    let rogue = Rogue::start(|_| {}).await;
    let failure = only_these_fail(&rogue.map(&among_good(9, &[(4, "trespass secrets")])).await, &[4]).remove(0);
    assert_eq!(failure.state, State::KnownError);
    assert_eq!(
        failure.reason,
        "the plugin may not write index `secrets`\nhint: add \"secrets\" to `index` under `[grant.write]`"
    );
    assert_eq!(failure.group, "the plugin may not write index `secrets`");
    assert!(matches!(rogue.events().as_slice(), [Event::Denied { grant }] if grant == "write index `secrets`"));
    assert_eq!(rogue.fails("send secrets").await.group, "the plugin may not write queue `secrets`");
    assert_eq!(rogue.fails("copy secrets").await.group, "the plugin may not read storage `secrets`");
    let failure = rogue.fails("rendition images").await;
    assert_eq!(failure.group, "the plugin may not read image `images`", "reading its bytes is another grant");
    assert!(failure.reason.ends_with("hint: add \"images\" to `image` under `[grant.read]`"), "{}", failure.reason);
    assert_eq!(rogue.fails("note a").await.group, "the plugin may not write storage `copies`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_effect_costs_its_item_and_says_what_is_wrong() {
    let rogue = Rogue::start(|_| {}).await;
    let long_key = format!("object {}", "k".repeat(1025));
    for (deed, reason) in [
        ("document [1]", "effect 1, put-document: has a body that is not the text of one JSON object: "),
        ("document {", "effect 1, put-document: has a body that is not the text of one JSON object: "),
        ("record 7", "effect 1, put-record: has a body that is not the text of one JSON object: "),
        ("long-id", "effect 1, put-document: has an id of a forbidden length: 513 bytes, not 1 to 512"),
        ("version", "effect 1, put-document: has a version beyond what an index keeps: 18446744073709551615, "),
        ("object", "effect 1, put-object: has a key of a forbidden length: 0 bytes, not 1 to 1024"),
        (
            "metadata x",
            "effect 1, put-object: has metadata that no bucket keeps: the object's metadata `By` has a name of ",
        ),
        ("no-box masters", "effect 1, put-object: has a rendition that cannot be made: fits into 100 × 0 pixels, "),
        ("no-number masters", "effect 1, put-object: has a rendition that cannot be made: sharpens by sigma NaN and "),
        ("update 7", "effect 1, update-record: has a body that is not the text of one JSON object: "),
        (long_key.as_str(), "effect 1, put-object: has a key of a forbidden length: 1025 bytes, not 1 to 1024"),
    ] {
        let failure = only_these_fail(&rogue.map(&among_good(3, &[(1, deed)])).await, &[1]).remove(0);
        assert_eq!(failure.state, State::KnownError);
        assert!(failure.reason.starts_with(reason), "{}", failure.reason);
        assert!(failure.group.starts_with("the plugin returned a bad effect: "), "{}", failure.group);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_without_fault_passes_as_it_is() {
    let rogue = Rogue::start(|_| {}).await;
    for deed in ["document {}", "record {}", "object a", "copy images", "rendition masters", "update {}"] {
        let answer = rogue.map(&[deed]).await.remove(0);
        assert!(matches!(&answer, Ok(Outcome::Effects(effects)) if effects.len() == 1), "{answer:?}");
    }
    assert_eq!(rogue.map(&["retry later"]).await, [Ok(Outcome::Retry("later".to_owned()))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_handed_out_as_canonical_json_whatever_form_the_table_is_in() {
    for form in [Form::Plain, Form::DynamodbJson] {
        let store = Arc::new(stores::Store { form, ..stores::Store::default() });
        let rogue = Rogue::start(|room| room.resources = stores::with(store)).await;
        let text = rogue.says("table people a none a").await;
        assert_eq!(text, r#"Ok([Some("{\"id\":\"a\",\"n\":1}"), None, Some("{\"id\":\"a\",\"n\":1}")])"#);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_reads_each_key_once_also_when_it_is_bisected() {
    let store = Arc::new(stores::Store::default());
    let rogue = Rogue::start(|room| room.resources = stores::with(store.clone())).await;
    let mut deeds = vec!["table people a b"; 32];
    deeds[20] = "trap";
    let answers = rogue.map(&deeds).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1);
    assert_eq!(store.reads.load(SeqCst), 2);
    rogue.map(&["table people a"]).await;
    assert_eq!(store.reads.load(SeqCst), 3, "the next batch looks again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_down_is_asked_again_and_then_ends_the_call_and_no_item() {
    let store = Arc::new(stores::Store { down: 2.into(), ..stores::Store::default() });
    let rogue = Rogue::start(|room| room.resources = stores::with(store.clone())).await;
    assert!(rogue.says("table people a").await.starts_with("Ok("));
    store.down.store(u32::MAX, SeqCst);
    let error = rogue.mapper.transform(&items(&["good", "table people a", "good"])).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::Unavailable, "the table is down"));
    store.down.store(0, SeqCst);
    assert!(rogue.says("table people a").await.starts_with("Ok("), "the plugin is none the worse");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_read_whole_unless_they_are_too_large_and_queues_tell_their_depth() {
    let rogue = Rogue::start(|room| room.resources = stores::pile(1000)).await;
    let text = rogue.says("bucket images").await;
    assert!(text.contains("size: 1000") && text.ends_with("Ok(1)"), "{text}");
    assert_eq!(rogue.says("queue work").await, "Ok([1000])");
    let rogue = Rogue::start(|room| room.resources = stores::pile(9 << 20)).await;
    let text = rogue.says("bucket images").await;
    assert!(text.contains("TooLarge("), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_that_is_granted_and_not_there_is_another_error() {
    let text = Rogue::start(|_| {}).await.says("table missing a").await;
    assert!(text.contains("Other(\"there is no table `missing`\")"), "{text}");
}
