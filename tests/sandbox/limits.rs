//! Each limit bites, in words a person can act on, and costs one record.

use std::time::Duration;

use reindex::{error::Kind, event::Event, ledger::State, record::Outcome};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_good_batch_is_answered_in_order() {
    let rogue = Rogue::start(|_| {}).await;
    let answers = rogue.map(&["good"; 500]).await;
    assert_eq!(answers.len(), 500);
    only_these_fail(&answers, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_batch_has_no_answers() {
    assert!(Rogue::start(|_| {}).await.map(&[]).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_costs_its_record_and_is_told_with_function_names_and_the_panics_words() {
    let rogue = Rogue::start(|_| {}).await;
    let answers = rogue.map(&among_good(200, &[(3, "trap first"), (4, "trap second"), (199, "trap third")])).await;
    let failures = only_these_fail(&answers, &[3, 4, 199]);
    assert!(failures.iter().all(|failure| failure.state == State::UnknownError));
    assert_eq!(failures[0].group, "the plugin trapped: unreachable in rogue::deeds::trap");
    assert_eq!(failures[0].group, failures[2].group);
    assert!(failures[0].reason.contains("in  rogue.wasm!rogue::deeds::answer"), "{}", failures[0].reason);
    assert!(failures[2].reason.contains("wrote  third"), "{}", failures[2].reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spinning_record_uses_up_its_cpu_and_no_more() {
    let rogue = Rogue::start(|room| {
        room.limits.cpu = Duration::from_millis(100);
        room.limits.cpu_per_record = Duration::from_millis(1);
    })
    .await;
    let answers = rogue.map(&among_good(8, &[(5, "spin")])).await;
    let failure = only_these_fail(&answers, &[5]).remove(0);
    assert_eq!(failure.state, State::UnknownError);
    assert!(failure.reason.starts_with("the plugin used more than 101ms of CPU for 1 record\n"), "{}", failure.reason);
    assert!(failure.reason.contains("hint: raise `cpu` or `cpu-per-record` under `[limits]`"));
    assert!(failure.reason.contains("rogue::deeds::spin"), "{}", failure.reason);
    assert_eq!(failure.group, "the plugin used more CPU than `cpu` under `[limits]` allows");
}

#[tokio::test(flavor = "current_thread")]
async fn a_spinning_plugin_does_not_starve_its_thread() {
    let rogue = Rogue::start(|room| room.limits.cpu = Duration::from_millis(300)).await;
    let mut breaths = 0;
    let spin = rogue.map(&["spin"]);
    tokio::pin!(spin);
    let answers = loop {
        tokio::select! {
            answers = &mut spin => break answers,
            () = tokio::time::sleep(Duration::from_millis(10)) => breaths += 1,
        }
    };
    assert!(answers[0].is_err());
    assert!(breaths > 10, "only {breaths} others ran");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_a_read_uses_wall_time_and_no_cpu() {
    let rogue = Rogue::start(|room| {
        room.limits.cpu = Duration::from_millis(60);
        room.limits.cpu_per_record = Duration::ZERO;
        room.resources = stores::slow(Duration::from_millis(400));
    })
    .await;
    assert_eq!(rogue.says("table people a").await, r#"Ok([Some("{\"id\":\"a\",\"n\":1}")])"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn wall_time_ends_a_read_that_never_comes_back() {
    let rogue = Rogue::start(|room| {
        room.limits.wall = Duration::from_millis(200);
        room.resources = stores::slow(Duration::from_secs(3600));
    })
    .await;
    let answers = rogue.map(&among_good(4, &[(2, "table people a")])).await;
    let failure = only_these_fail(&answers, &[2]).remove(0);
    assert_eq!(
        failure.reason,
        "the plugin took longer than 200ms for 1 record, reads included\nhint: raise `wall` under `[limits]`"
    );
    assert_eq!(failure.state, State::UnknownError);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_without_end_is_refused() {
    let rogue = Rogue::start(|_| {}).await;
    let answers = rogue.map(&among_good(16, &[(0, "allocate")])).await;
    let failure = only_these_fail(&answers, &[0]).remove(0);
    assert!(failure.reason.starts_with("the plugin needed more than 64.0 MiB of memory\n"), "{}", failure.reason);
    assert!(failure.reason.contains("rogue::deeds::allocate"), "{}", failure.reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn recursion_without_end_is_a_trap() {
    let rogue = Rogue::start(|_| {}).await;
    let answers = rogue.map(&among_good(4, &[(1, "recurse")])).await;
    let failure = only_these_fail(&answers, &[1]).remove(0);
    assert!(failure.group.starts_with("the plugin trapped: "), "{}", failure.group);
    assert!(failure.reason.contains("rogue::deeds::recurse"), "{}", failure.reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_ends_itself_costs_its_record() {
    let rogue = Rogue::start(|_| {}).await;
    let failure = only_these_fail(&rogue.map(&among_good(4, &[(1, "exit")])).await, &[1]).remove(0);
    assert!(failure.group.starts_with("the plugin ended itself with exit code "), "{}", failure.group);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_outcome_too_few_or_too_many_costs_the_record_that_causes_it() {
    let rogue = Rogue::start(|_| {}).await;
    for (deed, counts) in [("too-few", "1 items, 0 outcomes"), ("too-many", "1 items, 2 outcomes")] {
        let failure = only_these_fail(&rogue.map(&among_good(32, &[(7, deed)])).await, &[7]).remove(0);
        assert_eq!(failure.group, "the plugin did not return one outcome for each item");
        assert!(failure.reason.ends_with(counts), "{}", failure.reason);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn output_too_large_is_refused_before_the_host_holds_it() {
    let rogue = Rogue::start(|room| room.limits.memory = ByteSize::gib(2)).await;
    for deed in ["large 5000000", "large 1000000000", "many-effects 1000000"] {
        let answers = rogue.map(&among_good(4, &[(3, deed)])).await;
        let failure = only_these_fail(&answers, &[3]).remove(0);
        assert_eq!(failure.state, State::TooBig, "{}", failure.reason);
        assert!(
            failure.reason.starts_with("the plugin returned more than 4.0 MiB for 1 record\n"),
            "{}",
            failure.reason
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_that_are_too_large_only_together_are_all_kept() {
    let rogue = Rogue::start(|_| {}).await;
    only_these_fail(&rogue.map(&["large 300000"; 40]).await, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn host_memory_bounds_what_is_remembered_for_a_batch_and_one_large_answer() {
    let rogue = Rogue::start(|room| {
        room.limits.host_memory = ByteSize::kib(100);
        room.resources = stores::large(10_000);
    })
    .await;
    let deeds: Vec<String> = (0..40).map(|n| format!("table people {n}")).collect();
    let deeds: Vec<_> = deeds.iter().map(String::as_str).collect();
    for answer in rogue.map(&deeds).await {
        assert!(matches!(answer, Ok(Outcome::Skip(text)) if text.starts_with("Ok([Some(")));
    }
    let text = rogue.says("same-key 1000").await;
    assert!(text.starts_with("StorageError::TooLarge"), "{text}");
    assert!(text.contains("raise `host-memory` under `[limits]`"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn handles_are_bounded() {
    let rogue = Rogue::start(|room| room.resources = stores::large(1)).await;
    let answers = rogue.map(&among_good(4, &[(2, "handles people")])).await;
    let failure = only_these_fail(&answers, &[2]).remove(0);
    assert!(failure.group.starts_with("the plugin trapped: "), "{}", failure.group);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_lines_are_counted_and_a_hundred_are_heard() {
    let rogue = Rogue::start(|room| {
        room.limits.cpu = Duration::from_secs(300);
        room.limits.wall = Duration::from_secs(600);
    })
    .await;
    assert_eq!(rogue.says("print 1000000").await, "printed");
    let line = |event| match event {
        Event::PluginLog { plugin, line } if plugin == "rogue" => line,
        other => panic!("{other:?}"),
    };
    let lines: Vec<_> = rogue.events().into_iter().map(line).collect();
    assert_eq!(lines.len(), 101);
    assert_eq!((lines[0].as_str(), lines[100].as_str()), ("line 0", "… and 999900 more lines"));
    assert_eq!(rogue.says("print 1").await, "printed");
    assert_eq!(rogue.events().len(), 102, "the next call is heard again");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_poison_records_in_a_row_mean_that_the_plugin_is_broken() {
    let rogue = Rogue::start(|_| {}).await;
    rogue.map(&["trap"; 19]).await;
    rogue.map(&["good"]).await;
    rogue.map(&["trap"; 19]).await;
    let error = rogue.mapper.transform(&items(&["trap"; 2])).await.expect_err("the twentieth");
    assert_eq!(error.kind(), Kind::Plugin);
    assert_eq!(error.message(), "the plugin is broken");
    assert!(error.report().contains("on 20 records in a row"), "{}", error.report());
    assert!(error.report().contains("rogue::deeds::trap"), "{}", error.report());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_failed_is_never_used_again() {
    let rogue = Rogue::start(|room| room.instances = 1).await;
    let answers = rogue.map(&among_good(3, &[(0, "trap")])).await;
    only_these_fail(&answers, &[0]);
    only_these_fail(&rogue.map(&["good"; 3]).await, &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_call_one_mapper_at_once() {
    // The calls may take turns so evenly that their bad records follow each other.
    let rogue = Rogue::start(|room| room.limits.poison_in_a_row = u32::MAX).await;
    let calls = (0..20).map(|_| {
        let mapper = rogue.mapper.clone();
        tokio::spawn(async move { mapper.transform(&items(&among_good(20, &[(11, "trap")]))).await })
    });
    for call in futures::future::join_all(calls).await {
        only_these_fail(&call.expect("no panic").expect("not broken"), &[11]);
    }
}
