//! A run that is killed after any of its events, and started again, leaves what an undisturbed run leaves.

mod shop;

use std::{
    io::{BufRead, BufReader, Read},
    process::Child,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use shop::{Left, THINGS, documents, left, load, shop};

use crate::place::{Place, Ran};

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
    for event in 0.. {
        let place = shop.copy();
        if !kill_after(&place, command, event) {
            return event;
        }
        between(&place);
        // The last events come after the run's end: then there is nothing to go on with.
        if place.reindex("status things --json").exits(0).json()["run"]["phase"] != "finished" {
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
    assert_eq!(expected.messages.len(), expected.objects.len());
    assert_eq!(expected.documents.len() + expected.rows.len(), THINGS);
    let events = kill_everywhere(&shop, "run things", &expected, |_| ());
    assert!(events > 40, "only {events} events");
}
