//! Whole runs of the binary with a proxy before each server, under one fault at a time and under all of them.
//!
//! Whatever a server or the network does, a run ends or stops so that the same command finishes it, and leaves what an
//! undisturbed run leaves; a message may have been sent again, with its own id, where a fault did bite. Each file is
//! about some servers, each line of its tables a fault.

mod cluster;
mod lab;
mod ledger;
mod objects;
mod persons;
mod queues;
mod things;

use std::{
    iter,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use lab::{Lab, Left, Scene};
use proxy::{Fault, Match, Pick, Rule};

/// How often a command is given that stops while faults go on.
const TRIES: usize = 4;
/// How many runs are disturbed at a time.
const AT_ONCE: usize = 12;

/// A fault, or several, that a run is to bear.
pub struct Case {
    name: String,
    rules: Vec<Rule>,
    /// Whether it is nothing that passes: the run stops as denied, and goes on when it is mended.
    denied: bool,
}

fn case(name: &str, rules: impl Into<Vec<Rule>>) -> Case {
    Case { name: name.to_owned(), rules: rules.into(), denied: false }
}

/// What any HTTP server can do to the requests of this kind, and the network on the way.
fn common(at: &Match) -> Vec<Case> {
    let each: [(&str, Fault, Pick); 11] = [
        ("throttled", Fault::Throttle, Pick::Every(3)),
        ("refused with 429", Fault::Status(429, String::new()), Pick::Every(3)),
        ("failing with 500", Fault::Status(500, String::new()), Pick::Every(3)),
        ("failing with 503", Fault::Status(503, "<html>later</html>".to_owned()), Pick::Every(3)),
        ("cut before", Fault::Cut, Pick::Every(3)),
        ("cut in a request", Fault::CutAfter(40), Pick::Every(3)),
        ("lost replies", Fault::LostReply, Pick::Every(3)),
        ("truncated", Fault::Truncate(20), Pick::Every(3)),
        ("delayed", Fault::Delay(Duration::from_millis(150)), Pick::Every(3)),
        ("vanishing", Fault::Down(Some(Duration::from_secs(2))), Pick::At(vec![3])),
        ("failing for long", Fault::Status(503, String::new()), Pick::At((2..22).collect())),
    ];
    let rule = |fault: &Fault, turn: &Pick| Rule::new(at.clone(), fault.clone()).turn(turn.clone());
    let mut cases: Vec<_> = each.iter().map(|(name, fault, turn)| case(name, [rule(fault, turn)])).collect();
    let passing = each.iter().filter(|(name, ..)| *name != "vanishing" && *name != "failing for long");
    let dice = |seed| Pick::Chance { share: 0.04, seed };
    let mixture: Vec<_> = passing.zip(1..).map(|((_, fault, _), seed)| rule(fault, &dice(seed))).collect();
    cases.push(case("mixture", mixture));
    cases
}

/// Runs a scene undisturbed, and then once under each case.
fn bear(scene: &Scene, cases: &[Case]) {
    let expected = undisturbed(scene);
    let next = AtomicUsize::new(0);
    let some = || {
        let cases = iter::from_fn(|| cases.get(next.fetch_add(1, Ordering::Relaxed)));
        cases.flat_map(|case| disturbed(scene, case, &expected)).collect::<Vec<_>>()
    };
    let complaints: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(some)).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn undisturbed(scene: &Scene) -> Left {
    let lab = scene.lab("undisturbed");
    let ran = lab.reindex("run recipe.toml", "");
    assert!(matches!(ran.code, Some(0 | 3)), "{}", ran.seen());
    let left = lab.left();
    assert!(left.documents.len() > 100 && left.repeats == 0 && left.waiting == 0, "{:?} {}", left.counts, left.repeats);
    left
}

/// Answers what is wrong.
fn disturbed(scene: &Scene, case: &Case, expected: &Left) -> Vec<String> {
    let lab = scene.lab(&case.name);
    for (proxy, rule) in lab.proxies.iter().flat_map(|proxy| case.rules.iter().map(move |rule| (proxy, rule))) {
        proxy.add(rule.clone());
    }
    let began = std::time::Instant::now();
    let stopped = finish(&lab, case);
    eprintln!("TIMING {} {}: {:.1} s, {} faults", scene.name, case.name, began.elapsed().as_secs_f64(), lab.fired());
    lab.proxies.iter().for_each(proxy::Proxy::clear);
    let mut complaints: Vec<_> = stopped.err().into_iter().collect();
    if complaints.is_empty() {
        let left = lab.left();
        complaints = left.differs_from(expected, scene.reads_again);
        if left.repeats > lab.fired() * things::BATCH {
            complaints.push(format!("{} repeats after {} faults", left.repeats, lab.fired()));
        }
    }
    if lab.fired() == 0 {
        complaints.push("no fault did bite".to_owned());
    }
    complaints.into_iter().map(|said| format!("{}, {}: {said}", scene.name, case.name)).collect()
}

/// Gives the same command until it finishes, at last without faults.
fn finish(lab: &Lab, case: &Case) -> Result<(), String> {
    let mut log = String::new();
    for attempt in 0..=TRIES {
        if attempt == TRIES || (case.denied && attempt > 0) {
            lab.proxies.iter().for_each(proxy::Proxy::clear);
        }
        let ran = lab.reindex("run recipe.toml", "");
        log += &ran.seen();
        match ran.code {
            Some(0 | 3) if !case.denied || attempt > 0 => return Ok(()),
            Some(4 | 5) if !case.denied => {}
            Some(6) if case.denied && attempt == 0 => {}
            _ => break,
        }
    }
    Err(format!("it does not finish:\n{log}"))
}
