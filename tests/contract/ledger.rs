//! What every ledger promises.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use reindex::ledger::{Commit, Counts, Filter, IdRow, Lease, Ledger, Phase, Progress, Run, Scope, State};

use super::texts;

pub fn run(id: &str, recipe: &str) -> Run {
    Run {
        id: id.to_owned(),
        recipe: recipe.to_owned(),
        place: Some("../persons.toml".to_owned()),
        source: Some("12 bytes abc".to_owned()),
        scope: Scope::Full,
        phase: Phase::Running,
        identity: [("plugin".to_owned(), "abc".to_owned())].into(),
        segments: 2,
        targets: [("persons".to_owned(), "persons_1".to_owned())].into(),
        replaced: Default::default(),
        follows: false,
        identities: [("persons".to_owned(), "u-1".to_owned())].into(),
        marks: ["swap".to_owned()].into(),
        total: Some(7),
        started: Timestamp::UNIX_EPOCH,
        ended: None,
        made: Default::default(),
        load_settings: Default::default(),
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
    a_run_of_the_future_hides_none_that_began_later(&*ledger).await;
    one_of_many_that_begin_at_once_wins(ledger.clone()).await;
    a_record_is_written_only_over_the_one_that_was_read(&*ledger).await;
    progress_is_what_was_committed_last(&*ledger).await;
    a_line_has_one_owner(&*ledger).await;
    one_of_many_that_claim_at_once_wins(ledger.clone()).await;
    whoever_lost_the_lease_writes_nothing(&*ledger).await;
    rows_are_filtered_and_paged_by_position(&*ledger).await;
    a_row_outlives_its_settling_in_the_same_commit(&*ledger).await;
    many_large_rows_are_read_in_pages(&*ledger).await;
    odd_positions_are_sorted_by_their_bytes(&*ledger).await;
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

/// Ids of runs follow the clock, and a clock may have been wrong.
async fn a_run_of_the_future_hides_none_that_began_later(ledger: &dyn Ledger) {
    for id in ["2026", "2999", "2027", "2028"] {
        assert!(begin(ledger, &run(id, "clock")).await.unwrap(), "{id}");
    }
    let runs = ledger.runs("clock", 3).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["2028", "2027", "2999"]);
    assert!(!ledger.begin(&run("3000", "clock"), Some("2999")).await.unwrap(), "it is not the newest any more");
}

async fn one_of_many_that_begin_at_once_wins(ledger: Arc<dyn Ledger>) {
    let mut newest = None;
    for round in 1..=2 {
        let begins = (0..16).map(|n| {
            let (ledger, newest) = (ledger.clone(), newest.clone());
            tokio::spawn(async move {
                let run = run(&format!("race {round} {n:02}"), "race");
                ledger.begin(&run, newest.as_deref()).await.unwrap().then_some(run)
            })
        });
        let mut won = Vec::new();
        for begin in begins.collect::<Vec<_>>() {
            won.extend(begin.await.unwrap());
        }
        let runs = ledger.runs("race", 99).await.unwrap();
        assert_eq!((won.len(), runs.len(), &runs[0]), (1, round, &won[0]));
        newest = Some(won[0].id.clone());
    }
    assert!(!ledger.begin(&run("race 9", "race"), None).await.unwrap());
    assert!(!ledger.begin(&run("race 9", "race"), Some("race 8")).await.unwrap());
    assert_eq!(ledger.find("race 9").await.unwrap(), None);
}

async fn a_record_is_written_only_over_the_one_that_was_read(ledger: &dyn Ledger) {
    let (mut mine, mut yours) = (run("s", "s"), run("s", "s"));
    assert!(!ledger.save(&mut mine).await.unwrap(), "a run that was never begun");
    assert!(begin(ledger, &mine).await.unwrap());
    mine.marks.insert("made".to_owned());
    assert!(ledger.save(&mut mine).await.unwrap());
    yours.phase = Phase::Abandoned;
    assert!(!ledger.save(&mut yours).await.unwrap());
    assert_eq!((mine.revision, yours.revision), (1, 0));
    assert_eq!(ledger.find("s").await.unwrap(), Some(mine.clone()));
    let mut yours = Run { phase: Phase::Finishing, ..mine.clone() };
    assert!(ledger.save(&mut yours).await.unwrap());
    assert!(!ledger.save(&mut mine).await.unwrap(), "the same contents once more are not the same write");
    assert_eq!(ledger.runs("s", 9).await.unwrap(), [yours]);
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

const LASTING: Duration = Duration::from_millis(1500);

async fn claim(ledger: &dyn Ledger, run: &str, found: Option<&Lease>, owner: &str) -> Option<Progress> {
    ledger.claim(run, 0, found, owner, LASTING).await.unwrap()
}

async fn a_line_has_one_owner(ledger: &dyn Ledger) {
    assert!(!ledger.hold("l", 0, 0).await.unwrap(), "nobody holds a line that nobody claimed");
    let taken = claim(ledger, "l", None, "a").await.unwrap();
    let first = Lease { owner: "a".to_owned(), token: 1, beat: 0, lasting: 1500 };
    assert_eq!(taken, Progress { lease: Some(first.clone()), ..Progress::default() });
    for owner in ["a", "b"] {
        assert_eq!(claim(ledger, "l", None, owner).await, None, "it is not free");
    }
    for wrong in [
        Lease { token: 0, ..first.clone() },
        Lease { beat: 1, ..first.clone() },
        Lease { owner: "c".to_owned(), ..first.clone() },
    ] {
        assert_eq!(claim(ledger, "l", Some(&wrong), "b").await, None, "{wrong:?} is not what stands there");
    }
    assert!(ledger.hold("l", 0, 1).await.unwrap());
    assert_eq!(claim(ledger, "l", Some(&first), "b").await, None, "its owner showed that it lives");
    let work = commit(0, "here", vec![], &[]);
    assert!(ledger.commit("l", 1, &work).await.unwrap());
    let beaten = ledger.progress(&run("l", "l")).await.unwrap().swap_remove(0).lease.unwrap();
    // A write whose reply was lost may have shown twice that its owner lives.
    assert!(beaten.beat >= 2 && beaten == Lease { beat: beaten.beat, ..first });
    let second = Lease { owner: "b".to_owned(), token: 2, beat: 0, lasting: 1500 };
    let taken = claim(ledger, "l", Some(&beaten), "b").await.unwrap();
    assert_eq!(taken, Progress { lease: Some(second), ..work.progress.clone() });
    assert_eq!(claim(ledger, "l", Some(&beaten), "c").await, None);
    assert!(ledger.release("l", 0, 2).await.unwrap());
    assert!(!ledger.release("l", 0, 2).await.unwrap() && !ledger.hold("l", 0, 2).await.unwrap());
    assert!(!ledger.commit("l", 2, &work).await.unwrap(), "it was given back");
    let third = claim(ledger, "l", None, "c").await.unwrap().lease.unwrap();
    assert_eq!((third.owner.as_str(), third.token), ("c", 3));
}

async fn one_of_many_that_claim_at_once_wins(ledger: Arc<dyn Ledger>) {
    let mut found: Option<Lease> = None;
    for token in 1..=3 {
        let claims = (0..16).map(|n| {
            let (ledger, found) = (ledger.clone(), found.clone());
            tokio::spawn(async move { claim(&*ledger, "many", found.as_ref(), &format!("worker {n}")).await })
        });
        let mut won = Vec::new();
        for claim in claims.collect::<Vec<_>>() {
            won.extend(claim.await.unwrap());
        }
        assert_eq!(won.len(), 1);
        found = won.remove(0).lease;
        assert_eq!(found.as_ref().map(|lease| lease.token), Some(token));
        assert_eq!(ledger.progress(&run("many", "many")).await.unwrap()[0].lease, found);
    }
}

async fn whoever_lost_the_lease_writes_nothing(ledger: &dyn Ledger) {
    let old = take_over(ledger, "w", 0).await;
    let kept = row("kept", State::KnownError, "g");
    assert!(ledger.commit("w", old, &commit(0, "1", vec![kept.clone()], &[])).await.unwrap());
    let new = take_over(ledger, "w", 0).await;
    let before = ledger.progress(&run("w", "w")).await.unwrap();
    let late = commit(0, "2", vec![row("late", State::KnownError, "g")], &["kept"]);
    for token in [old, new + 1] {
        assert!(!ledger.commit("w", token, &late).await.unwrap());
        assert!(!ledger.hold("w", 0, token).await.unwrap() && !ledger.release("w", 0, token).await.unwrap());
    }
    assert_eq!(ledger.progress(&run("w", "w")).await.unwrap(), before);
    assert_eq!(ledger.rows("w", &Filter::default(), None, 9).await.unwrap(), [kept]);
    assert!(ledger.commit("w", new, &late).await.unwrap());
    assert_eq!(ledger.rows("w", &Filter::default(), None, 9).await.unwrap(), late.rows);
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
    let filter = Filter { states: vec![State::TooBig, State::Ready], ..Filter::default() };
    assert_eq!(read(&filter, None, 9).await, [all[0].clone(), all[2].clone()]);
    let filter = Filter { reason: Some("g".to_owned()), ..filter };
    assert_eq!(read(&filter, None, 9).await, all[..1]);
    let of_reason = |text: &str| Filter { reason: Some(text.to_owned()), ..Filter::default() };
    assert_eq!(read(&of_reason("in full for c"), None, 9).await, all[1..2]);
    assert_eq!(read(&of_reason("In full"), None, 9).await, []);
    let of_id = |id: &str| Filter { id: Some(id.to_owned()), ..Filter::default() };
    assert_eq!(read(&of_id("id of d"), None, 9).await, all[2..]);
    assert_eq!(read(&of_id("id of"), None, 9).await, []);
    assert_eq!(read(&Filter { reason: Some("g".to_owned()), ..of_id("id of d") }, None, 9).await, []);
    assert!(ledger.rows("another run", &Filter::default(), None, 9).await.unwrap().is_empty());
}

async fn a_row_outlives_its_settling_in_the_same_commit(ledger: &dyn Ledger) {
    let token = take_over(ledger, "o", 0).await;
    let (old, new) = (row("x", State::Ready, "old"), row("x", State::KnownError, "new"));
    assert!(ledger.commit("o", token, &commit(0, "1", vec![old], &["x", "y", "y"])).await.unwrap());
    assert!(ledger.commit("o", token, &commit(0, "2", vec![new.clone()], &["x"])).await.unwrap());
    assert_eq!(ledger.rows("o", &Filter::default(), None, 9).await.unwrap(), [new]);
    assert!(ledger.commit("o", token, &commit(0, "3", vec![], &["x"])).await.unwrap());
    assert_eq!(ledger.rows("o", &Filter::default(), None, 9).await.unwrap(), []);
}

/// As many rows as a commit may have, and more bytes than a server hands out at once.
async fn many_large_rows_are_read_in_pages(ledger: &dyn Ledger) {
    let token = take_over(ledger, "m", 0).await;
    let large = |n: u32| IdRow {
        reason: format!("{n} {}", "é".repeat(4000)),
        ..row(&format!("{:04}", n * 7919 % 1350), State::KnownError, if n.is_multiple_of(3) { "a" } else { "b" })
    };
    let mut all: Vec<_> = (0..1350).map(large).collect();
    for (n, rows) in all.chunks(90).enumerate() {
        assert!(ledger.commit("m", token, &commit(0, &n.to_string(), rows.to_vec(), &[])).await.unwrap());
    }
    all.sort_by(|a, b| a.position.cmp(&b.position));
    assert!(ledger.rows("m", &Filter::default(), None, usize::MAX).await.unwrap() == all);
    let filter = Filter { reason: Some("a".to_owned()), states: vec![State::KnownError], id: None };
    let some: Vec<_> = all.iter().filter(|row| row.group == "a").cloned().collect();
    assert!(ledger.rows("m", &filter, None, usize::MAX).await.unwrap() == some);
    assert!(paged(ledger, "m", 400).await == all);
    let groups = ledger.groups("m", 3).await.unwrap();
    assert_eq!(groups.iter().map(|group| group.count).collect::<Vec<_>>(), [900, 450]);
    assert_eq!(groups[1].examples, some[..3].iter().map(|row| row.id.clone()).collect::<Vec<_>>());
}

async fn paged(ledger: &dyn Ledger, run: &str, limit: usize) -> Vec<IdRow> {
    let mut all: Vec<IdRow> = Vec::new();
    loop {
        let after = all.last().map(|row| row.position.clone());
        let page = ledger.rows(run, &Filter::default(), after.as_deref(), limit).await.unwrap();
        assert!(page.len() <= limit);
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

async fn odd_positions_are_sorted_by_their_bytes(ledger: &dyn Ledger) {
    let token = take_over(ledger, "odd", 0).await;
    let long = "/å€😀".repeat(200);
    let mut positions =
        texts(&["", " ", "#", "=", "a", "a#b", "a/b.jsonl@17", "B", "ä", "😀", "\n", "\"", r#"["x",1]"#]);
    positions.extend((0..20).map(|n| format!("{long}{}", n * 7 % 20)));
    positions.extend(
        [890, 896, 897, 898, 899, 900, 901, 1024, 1500].map(|cut| long[..long.floor_char_boundary(cut)].to_owned()),
    );
    positions.extend([format!("{}z", "x".repeat(5000)), "x".repeat(5000), format!("{}a", "x".repeat(5000))]);
    positions.sort();
    positions.dedup();
    let rows: Vec<_> = positions.iter().rev().map(|position| row(position, State::KnownError, "g")).collect();
    for rows in rows.chunks(30) {
        assert!(ledger.commit("odd", token, &commit(0, "1", rows.to_vec(), &[])).await.unwrap());
    }
    for limit in [1, 7, 1000] {
        let read = paged(ledger, "odd", limit).await;
        assert_eq!(read.into_iter().map(|row| row.position).collect::<Vec<_>>(), positions);
    }
    let settled: Vec<_> = positions.iter().step_by(2).map(String::as_str).collect();
    assert!(ledger.commit("odd", token, &commit(0, "2", vec![], &settled)).await.unwrap());
    let left: Vec<_> = positions.iter().skip(1).step_by(2).cloned().collect();
    let read = ledger.rows("odd", &Filter::default(), None, 99).await.unwrap();
    assert_eq!(read.into_iter().map(|row| row.position).collect::<Vec<_>>(), left);
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
                let commit = commit(segment, &n.to_string(), rows, &[]);
                // As every worker does: what may succeed later is tried again.
                while let Err(error) = ledger.commit("c", token, &commit).await {
                    assert!(error.may_retry(), "{error:?}");
                }
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
