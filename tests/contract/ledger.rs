//! What every ledger promises.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use reindex::ledger::{Commit, Counts, Filter, IdRow, Ledger, Phase, Progress, Run, Scope, State};

use super::texts;

pub fn run(id: &str, recipe: &str) -> Run {
    Run {
        id: id.to_owned(),
        recipe: recipe.to_owned(),
        scope: Scope::Full,
        phase: Phase::Running,
        identity: [("plugin".to_owned(), "abc".to_owned())].into(),
        segments: 2,
        targets: [("persons".to_owned(), "persons_1".to_owned())].into(),
        replaced: Default::default(),
        marks: ["swap".to_owned()].into(),
        total: Some(7),
        started: Timestamp::UNIX_EPOCH,
        ended: None,
        watermarks: Default::default(),
        counts: None,
        revision: 0,
    }
}

/// Writes a run after whatever is the newest of its recipe.
pub async fn begin(ledger: &dyn Ledger, run: &Run) -> reindex::error::Result<bool> {
    let newest = ledger.runs(&run.recipe, 1).await?.pop().map(|run| run.id);
    ledger.begin(run, newest.as_deref()).await
}

/// Takes a line of a run, from whoever has it, and answers its token.
pub async fn take_over(ledger: &dyn Ledger, id: &str, line: u32) -> u64 {
    let found = ledger.progress(&run(id, "r")).await.unwrap().swap_remove(line as usize).lease;
    let taken = ledger.claim(id, line, found.as_ref(), "me", Duration::from_secs(60)).await.unwrap().unwrap();
    taken.lease.unwrap().token
}

pub fn row(position: &str, state: State, group: &str) -> IdRow {
    IdRow {
        position: position.to_owned(),
        id: format!("id of {position}"),
        state,
        reason: format!("{group}\nin full for {position}"),
        group: group.to_owned(),
        attempts: 3,
        version: Some(i64::MAX as u64),
        at: Timestamp::from_millisecond(1_790_000_000_123).unwrap(),
    }
}

pub fn commit(segment: u32, cursor: &str, rows: Vec<IdRow>, settled: &[&str]) -> Commit {
    let counts = Counts { read: 5, done: 4, failed: 1, ..Counts::default() };
    let progress = Progress { cursor: Some(cursor.to_owned()), ended: segment == 1, counts, lease: None };
    Commit { segment, progress, rows, settled: texts(settled) }
}

/// Any ledger, empty at first.
pub async fn ledger(ledger: Arc<dyn Ledger>) {
    runs_come_newest_first(&*ledger).await;
    progress_is_what_was_committed_last(&*ledger).await;
    rows_are_filtered_and_paged_by_position(&*ledger).await;
    groups_count_equal_failures(&*ledger).await;
    segments_commit_at_once(ledger).await;
}

async fn runs_come_newest_first(ledger: &dyn Ledger) {
    assert!(ledger.runs("r", 10).await.unwrap().is_empty());
    for id in ["1", "2", "3"] {
        assert!(begin(ledger, &run(id, "r")).await.unwrap());
    }
    assert!(begin(ledger, &run("9", "other")).await.unwrap());
    let mut finished = Run { phase: Phase::Finished, ended: Some(Timestamp::UNIX_EPOCH), ..run("3", "r") };
    assert!(ledger.save(&mut finished).await.unwrap());
    assert_eq!(ledger.runs("r", 2).await.unwrap(), [finished, run("2", "r")]);
    assert_eq!(ledger.runs("r", usize::MAX).await.unwrap().len(), 3);
}

async fn progress_is_what_was_committed_last(ledger: &dyn Ledger) {
    let run = run("p", "p");
    assert_eq!(ledger.progress(&run).await.unwrap(), vec![Progress::default(); 4]);
    let (one, two) = (take_over(ledger, "p", 1).await, take_over(ledger, "p", 2).await);
    ledger.commit("p", one, &commit(1, "old", vec![], &[])).await.unwrap();
    let new = commit(1, "new", vec![], &[]);
    ledger.commit("p", one, &new).await.unwrap();
    let retries = commit(2, "x", vec![], &[]);
    ledger.commit("p", two, &retries).await.unwrap();
    let expected = [Progress::default(), new.progress, retries.progress, Progress::default()];
    let mut progress = ledger.progress(&run).await.unwrap();
    progress.iter_mut().for_each(|progress| progress.lease = None);
    assert_eq!(progress, expected);
}

async fn rows_are_filtered_and_paged_by_position(ledger: &dyn Ledger) {
    let rows = ["c", "a", "b"].map(|position| row(position, State::KnownError, "g"));
    let token = take_over(ledger, "f", 0).await;
    ledger.commit("f", token, &commit(0, "1", rows.to_vec(), &["never there"])).await.unwrap();
    let settled = commit(0, "2", vec![row("d", State::Ready, "h"), row("a", State::TooBig, "g")], &["b", "a"]);
    ledger.commit("f", token, &settled).await.unwrap();
    let all = [row("a", State::TooBig, "g"), row("c", State::KnownError, "g"), row("d", State::Ready, "h")];
    let read = async |filter: &Filter, after, limit| ledger.rows("f", filter, after, limit).await.unwrap();
    assert_eq!(read(&Filter::default(), None, 9).await, all);
    assert_eq!(read(&Filter::default(), Some("a"), 1).await, all[1..2]);
    let filter = Filter { states: vec![State::TooBig, State::Ready], group: None };
    assert_eq!(read(&filter, None, 9).await, [all[0].clone(), all[2].clone()]);
    let filter = Filter { group: Some("g".to_owned()), ..filter };
    assert_eq!(read(&filter, None, 9).await, all[..1]);
    assert!(ledger.rows("another run", &Filter::default(), None, 9).await.unwrap().is_empty());
}

async fn groups_count_equal_failures(ledger: &dyn Ledger) {
    let mut rows: Vec<_> = (0..50).map(|n| row(&format!("{n:02}"), State::KnownError, "often")).collect();
    rows.push(row("x", State::UnknownError, "once"));
    let token = take_over(ledger, "g", 0).await;
    ledger.commit("g", token, &commit(0, "1", rows, &[])).await.unwrap();
    let groups = ledger.groups("g", 2).await.unwrap();
    let seen: Vec<_> = groups.iter().map(|group| (group.state, group.group.as_str(), group.count)).collect();
    assert_eq!(seen, [(State::KnownError, "often", 50), (State::UnknownError, "once", 1)]);
    assert_eq!(groups[0].examples, ["id of 00", "id of 01"]);
}

async fn segments_commit_at_once(ledger: Arc<dyn Ledger>) {
    let tasks = (0..4u32).map(|segment| {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            let token = take_over(&*ledger, "c", segment).await;
            for n in 0..50 {
                let rows = vec![row(&format!("{segment}/{n:02}"), State::KnownError, "g")];
                ledger.commit("c", token, &commit(segment, &n.to_string(), rows, &[])).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let progress = ledger.progress(&Run { segments: 4, ..run("c", "c") }).await.unwrap();
    assert!(progress[..4].iter().all(|progress| progress.cursor.as_deref() == Some("49")));
    assert_eq!(ledger.rows("c", &Filter::default(), None, 1000).await.unwrap().len(), 200);
}
