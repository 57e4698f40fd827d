//! Work that comes through SQS or NATS, and messages that are sent there.

use std::time::Duration;

use housing::Kind;
use proxy::{Fault, Match, Pick, Rule};
use reindex::capability::queue::Message;
use servers::{Server, shared};

use super::{
    Case, bear, case, common,
    lab::{Lab, Scene, wait},
    persons, things,
};
use crate::{sandbox::build::rogue, session::config};

fn make(queue: &str) {
    let client = aws_sdk_sqs::Client::new(&config(Some(&shared(Server::Sqs).url())));
    wait(client.create_queue().queue_name(queue).send()).unwrap();
}

fn sqs(resource: &str, queue: &str, url: &str) -> String {
    format!("[backend.{resource}.sqs]\nqueue = '{queue}'\nendpoint = '{url}'\n")
}

fn nats(resource: &str, name: &str, url: &str) -> String {
    format!("[backend.{resource}.nats]\nurl = '{url}'\nstream = '{name}'\nsubject = '{name}'\ncreate = true\n")
}

/// Sends a message for every person.
fn name_everybody(lab: &Lab) {
    let town = persons::town();
    let message = |n| Message { id: format!("{}-{n}", lab.name), body: town.id(Kind::People, n), priority: 0 };
    let messages: Vec<_> = (0..persons::PERSONS / 4).map(message).collect();
    let answers = wait(lab.queue("jobs").send(&messages)).unwrap();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

/// The persons whom messages name.
fn named() -> String {
    let recipe = persons::recipe();
    let (head, rest) = recipe.split_once("[source.scan]\ntable = \"people\"\n").unwrap();
    let source =
        "[source.queue]\nqueue = \"jobs\"\ntable = \"people\"\nlease = \"3s\"\nidle = \"2s\"\nmax-deliveries = 100\n";
    format!("{head}{source}{rest}").replace("batch-records = 50", "batch-records = 10")
}

/// An answer that says of each entry of a small batch that it failed by the service's own fault.
fn failed_entries() -> Fault {
    let failed =
        |n| format!("{{\"Id\":\"{n}\",\"Code\":\"InternalError\",\"SenderFault\":false,\"Message\":\"later\"}}");
    let failed: Vec<_> = (0..5).map(failed).collect();
    Fault::Status(200, format!("{{\"Successful\":[],\"Failed\":[{}]}}", failed.join(",")))
}

fn unprocessed() -> Case {
    let rule = Rule::new(Match::any().target("BatchGetItem"), Fault::Unprocessed(Pick::Every(2))).turn(Pick::Every(2));
    case("unprocessed keys", [rule])
}

#[test]
fn persons_named_by_sqs_are_all_there_whatever_it_does() {
    let scene = Scene {
        name: "from-sqs",
        servers: &[Server::Sqs, Server::Dynamodb],
        plugin: persons::plugin,
        recipe: named(),
        environment: |name, urls| {
            sqs("jobs", name, &urls[0]) + &persons::table(&urls[1]) + "[backend.persons.sqlite]\n"
        },
        load: |lab| {
            persons::load(lab);
            make(&lab.name);
            name_everybody(lab);
        },
        reads_again: true,
    };
    let mut cases = common(&Match::any());
    cases.push(unprocessed());
    let delete = Match::any().target("DeleteMessageBatch");
    cases.push(case("failed entries", [Rule::new(delete, failed_entries()).turn(Pick::Every(2))]));
    bear(&scene, &cases);
}

#[test]
fn messages_to_sqs_are_all_there_and_repeated_with_their_own_ids_only() {
    let scene = Scene {
        name: "to-sqs",
        servers: &[Server::Sqs],
        plugin: || rogue().to_vec(),
        recipe: things::recipe(),
        environment: |name, urls| things::embedded(&sqs("work", name, &urls[0])),
        load: |lab| {
            things::load(lab, false);
            make(&lab.name);
        },
        reads_again: false,
    };
    let mut cases = common(&Match::any());
    let send = Match::any().target("SendMessageBatch");
    cases.push(case("lost sendings", [Rule::new(send.clone(), Fault::LostReply).turn(Pick::Every(2))]));
    cases.push(case("failed entries", [Rule::new(send.clone(), failed_entries()).turn(Pick::Every(2))]));
    // Longer than anybody sends entries again.
    cases.push(case("failed entries for long", [Rule::new(send, failed_entries()).turn(Pick::At((2..32).collect()))]));
    bear(&scene, &cases);
}

/// What can happen to a connection that is no HTTP.
fn connection(sent: &str) -> Vec<Case> {
    let at = Match::any().contains(sent);
    let rule = |fault, turn| Rule::new(at.clone(), fault).turn(turn);
    let places = || Pick::At(vec![1, 4, 9]);
    let vanish = Fault::Down(Some(Duration::from_secs(2)));
    vec![
        case("cut before", [rule(Fault::Cut, places())]),
        case("cut in a request", [rule(Fault::CutAfter(20), places())]),
        case("lost replies", [rule(Fault::LostReply, places())]),
        case("truncated", [rule(Fault::Truncate(10), places())]),
        case("delayed", [rule(Fault::Delay(Duration::from_millis(150)), Pick::Every(3))]),
        case("vanishing", [rule(vanish.clone(), Pick::At(vec![3]))]),
        case("vanishing twice", [rule(vanish, Pick::At(vec![2, 7]))]),
        case(
            "mixture",
            [
                rule(Fault::Cut, Pick::Chance { share: 0.03, seed: 1 }),
                rule(Fault::LostReply, Pick::Chance { share: 0.03, seed: 2 }),
                rule(Fault::Delay(Duration::from_millis(100)), Pick::Chance { share: 0.1, seed: 3 }),
                rule(Fault::Truncate(30), Pick::Chance { share: 0.03, seed: 4 }),
            ],
        ),
    ]
}

#[test]
fn persons_named_by_nats_are_all_there_whatever_the_network_does() {
    let scene = Scene {
        name: "from-nats",
        servers: &[Server::Nats],
        plugin: persons::plugin,
        recipe: named(),
        environment: |name, urls| {
            let table = persons::table(&shared(Server::Dynamodb).url());
            nats("jobs", name, &urls[0]) + &table + "[backend.persons.sqlite]\n"
        },
        load: |lab| {
            persons::load(lab);
            name_everybody(lab);
        },
        reads_again: true,
    };
    bear(&scene, &connection(""));
}

#[test]
fn messages_to_nats_are_all_there_and_none_is_repeated() {
    let scene = Scene {
        name: "to-nats",
        servers: &[Server::Nats],
        plugin: || rogue().to_vec(),
        recipe: things::recipe(),
        environment: |name, urls| things::embedded(&nats("work", name, &urls[0])),
        load: |lab| things::load(lab, false),
        reads_again: false,
    };
    bear(&scene, &connection("PUB"));
}
