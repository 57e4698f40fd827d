//! A run that is killed after any of its events, and started again, leaves what an undisturbed run leaves.

mod shop;

use std::{
    io::{BufRead, BufReader, Read},
    process::Child,
};

use rustix::process::{Pid, Signal, kill_process};
use shop::{Left, THINGS, documents, left, load, shop};

use crate::place::Place;

/// Reads a child's log up to its n-th line. Answers how many lines there were, and the rest of the log.
fn listen(child: &mut Child, lines: usize) -> (usize, impl BufRead + use<>) {
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let heard = (&mut log).lines().take(lines).map_while(Result::ok).count();
    (heard, log)
}

/// Starts a command and kills it after its n-th event. Answers whether it had that many.
fn kill_after(place: &Place, command: &str, event: usize) -> bool {
    let mut child = place.start(&format!("{command} --log json"));
    let (heard, _log) = listen(&mut child, event);
    child.kill().unwrap();
    child.wait().unwrap();
    heard == event
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Kills a command after each of its events in turn, each time in a fresh copy of the same shop; `between` looks at
/// the ruin before the command runs again to its end.
fn kill_everywhere(shop: &Place, command: &str, expected: &Left, between: impl Fn(&Place)) -> usize {
    let newest = |place: &Place| place.reindex("status things --json").exits(0).json()["run"].clone();
    let before = newest(shop)["id"].clone();
    for event in 0.. {
        let place = shop.copy();
        if !kill_after(&place, command, event) {
            return event;
        }
        between(&place);
        // The last events come after the run's end: then there is nothing to go on with.
        let run = newest(&place);
        if run["phase"] != "finished" || run["id"] == before {
            let again = place.reindex(command);
            assert!(matches!(again.code, Some(0 | 3)), "killed after event {event}: {}", again.err);
        }
        assert_eq!(left(&place).differs_from(expected), [""; 0], "killed after event {event}");
    }
    unreachable!("a command ends")
}

#[test]
fn a_run_killed_after_any_event_ends_like_an_undisturbed_one() {
    let shop = shop();
    let undisturbed = shop.copy();
    undisturbed.reindex("run things").exits(3);
    let expected = left(&undisturbed);
    assert_eq!(expected.rows.len(), THINGS / shop::INVALID_EVERY);
    let claims = (0..THINGS).filter(|n| shop::deed(*n) == "claim").count();
    assert_eq!(expected.messages.len() + claims, expected.objects.len());
    assert_eq!(expected.documents.len() + expected.rows.len(), THINGS);
    assert_eq!(expected.requests.len(), 1, "the one that was asked for again");
    let noted = expected.copies.last().unwrap().as_ref().unwrap();
    assert_eq!(noted.matches(":true").count(), claims, "{noted}");
    let events = kill_everywhere(&shop, "run things", &expected, |_| ());
    assert!(events > 40, "only {events} events");
}

/// Mischief mended, and every document changed by its version.
fn mend(place: &Place) {
    load(place, 2, |n| if shop::deed(n) == "mischief" { "everything" } else { shop::deed(n) });
}

#[test]
fn searchers_see_a_whole_index_whenever_a_rebuild_is_killed() {
    let shop = shop();
    shop.reindex("run things").exits(3);
    let old = documents(&shop);
    mend(&shop);
    let undisturbed = shop.copy();
    undisturbed.reindex("run things --rebuild --drop-old").exits(0);
    let expected = left(&undisturbed);
    assert_eq!(expected.documents.len(), THINGS);
    let whole = |place: &Place| {
        let seen = documents(place);
        assert!(seen == old || seen == expected.documents, "{} documents", seen.len());
    };
    let events = kill_everywhere(&shop, "run things --rebuild --drop-old", &expected, whole);
    assert!(events > 30, "only {events} events");
}

#[test]
fn a_retry_killed_after_any_event_and_retried_ends_like_an_undisturbed_one() {
    let shop = shop();
    shop.reindex("run things").exits(3);
    // Every second one is mended, the others fail again.
    load(&shop, 2, |n| if n % (2 * shop::INVALID_EVERY) == 0 { "everything" } else { shop::deed(n) });
    let undisturbed = shop.copy();
    undisturbed.reindex("retry things").exits(3);
    let expected = left(&undisturbed).without_attempts();
    assert_eq!(expected.rows.len(), THINGS / shop::INVALID_EVERY / 2);
    for event in 0.. {
        let place = shop.copy();
        if !kill_after(&place, "retry things", event) {
            assert!(event > 8, "only {event} events");
            return;
        }
        place.reindex("retry things").exits(3);
        let after = left(&place).without_attempts();
        assert_eq!(after.differs_from(&expected), [""; 0], "killed after event {event}");
    }
}

/// A run long enough to be interrupted in its midst: the last thing keeps the plugin busy for a while.
fn long_run() -> Place {
    let shop = shop();
    load(&shop, 1, |n| if n == THINGS - 1 { "spin" } else { shop::deed(n) });
    shop
}

#[test]
fn an_interrupted_run_commits_what_is_in_flight_and_says_how_to_go_on() {
    let shop = long_run();
    let undisturbed = shop.copy();
    undisturbed.reindex("run things").exits(3);
    let mut child = shop.start("run things --log json");
    let (_, mut log) = listen(&mut child, 6);
    signal(&child, Signal::INT);
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(4), "{rest}");
    assert!(rest.contains("stopping after what is in flight; again to stop at once"), "{rest}");
    assert!(rest.contains(r#""next":"reindex run things goes on from here""#), "{rest}");
    let status = shop.reindex("status things").exits(0).out;
    assert!(status.contains("stopped") && status.contains("next: reindex run things goes on from here"), "{status}");
    assert!(documents(&shop).len() < THINGS - THINGS / shop::INVALID_EVERY, "it was stopped in its midst");
    shop.reindex("run things").exits(3);
    assert_eq!(left(&shop).differs_from(&left(&undisturbed)), [""; 0]);
}

#[test]
fn a_second_interrupt_stops_at_once_and_loses_nothing() {
    let shop = long_run();
    let undisturbed = shop.copy();
    undisturbed.reindex("run things").exits(3);
    let mut child = shop.start("run things --log json");
    let (_, mut log) = listen(&mut child, 20);
    signal(&child, Signal::INT);
    // Two signals of one kind at the same moment are one.
    let asked = (&mut log).lines().map_while(Result::ok).any(|line| line.contains("again to stop at once"));
    assert!(asked);
    signal(&child, Signal::INT);
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(4), "{rest}");
    assert!(rest.contains("stopped at once; nothing that was acknowledged is lost"), "{rest}");
    // The plugin was at the last thing, which a run that waits for it records.
    let has_last = |place| left(place).rows.iter().any(|row| row.0 == shop::id(THINGS - 1));
    assert!(!has_last(&shop) && has_last(&undisturbed));
    shop.reindex("run things").exits(3);
    assert_eq!(left(&shop).differs_from(&left(&undisturbed)), [""; 0]);
}
