//! Processes that work through one list of ids on DynamoDB, one of which is killed.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Command,
};

use servers::{Server, shared};

use crate::{
    list::{existing, make},
    place::{Place, Ran},
    plugins::{component, root},
};

const PERSONS: usize = 300;

/// Persons in a table, all of them listed, with one more whom nobody knows.
fn place(ledger: &str, ids: &str) -> Place {
    let place = Place::new();
    place.write("persons.wasm", component("persons"));
    let recipe = fs::read_to_string(root().join("recipes/persons.toml")).unwrap();
    let recipe = recipe.replace("source = \"../plugins/persons\"", "file = \"persons.wasm\"");
    place.write("persons.toml", recipe + "\n[run]\nlease = \"1s\"\nbatch-records = 10\n");
    let url = shared(Server::Dynamodb).url();
    place.write(
        "environments/shared.toml",
        format!(
            "environment = 1\n[backend.people.sqlite]\n[backend.tenancies.sqlite]\n[backend.persons.sqlite]\n\
             [ledger.dynamodb]\ntable = {ledger:?}\nregion = \"eu-west-2\"\nendpoint = {url:?}\ncreate = true\n{ids}\n"
        ),
    );
    let person =
        |n| format!("{{\"id\":{{\"S\":\"p-{n}\"}},\"versionNumber\":{{\"N\":\"1\"}},\"tenures\":{{\"L\":[]}}}}");
    let people: String = (0..PERSONS).map(|n| format!("{{\"Item\":{}}}\n", person(n))).collect();
    place.reindex_with("load people - --env shared --format dynamodb-json", &people).exits(0);
    let ids: String = (0..PERSONS).map(|n| format!("p-{n}\n")).collect();
    place.write("ids.txt", ids + "nobody\n");
    run(command(&place, "ids load persons ids.txt --env shared")).exits(0);
    place
}

fn command(place: &Place, arguments: &str) -> Command {
    let mut command = place.command(arguments);
    command.env("AWS_ACCESS_KEY_ID", "somebody").env("AWS_SECRET_ACCESS_KEY", "secret");
    command
}

fn run(mut command: Command) -> Ran {
    Ran::of(command.output().unwrap())
}

/// Kills one of three processes in its midst; the two others end with every id where it belongs.
fn one_is_killed(place: &Place) {
    let mut killed = command(place, "run persons --loaded --env shared --log json").spawn().unwrap();
    let mut log = BufReader::new(killed.stderr.take().unwrap()).lines();
    let midst = log.find(|line| line.as_ref().is_ok_and(|line| line.contains("progress")));
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(midst.is_some(), "it was killed while it worked");
    let both: Vec<_> = (0..2).map(|_| command(place, "run persons --loaded --env shared").spawn().unwrap()).collect();
    for one in both {
        let ran = Ran::of(one.wait_with_output().unwrap()).exits(0);
        assert!(ran.err.contains(&format!("in the list: 1 not-found, {PERSONS} verified")), "{}", ran.err);
    }
    let found = place.documents("persons", "--env shared");
    assert_eq!(found.len(), PERSONS);
}

#[test]
fn a_process_that_is_killed_over_a_sharded_list_loses_nothing() {
    one_is_killed(&place("killed-sharded", ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_over_a_table_that_others_made_loses_nothing() {
    make(&existing("killed-ids")).await;
    let place = place("killed-existing", "ids = { table = \"killed-ids\", index = \"by_state\" }");
    tokio::task::spawn_blocking(move || one_is_killed(&place)).await.unwrap();
}
