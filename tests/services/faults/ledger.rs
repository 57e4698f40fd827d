//! A ledger in DynamoDB that is throttled, cut off and forgotten.

use proxy::{Fault, Match, Pick, Rule};
use servers::Server;

use super::{bear, case, common, lab::Scene, things};
use crate::sandbox::build::rogue;

#[test]
fn a_run_whose_ledger_is_disturbed_leaves_what_an_undisturbed_one_leaves() {
    let scene = Scene {
        name: "ledger",
        servers: &[Server::Dynamodb],
        plugin: || rogue().to_vec(),
        recipe: things::recipe(),
        environment: |name, urls| {
            things::embedded(&format!("[ledger.dynamodb]\ntable = '{name}'\nendpoint = '{}'\ncreate = true\n", urls[0]))
        },
        load: |lab| things::load(lab, false),
        reads_again: false,
    };
    let mut cases = common(&Match::any());
    let commit = Match::any().target("TransactWriteItems");
    cases.push(case("lost commits", [Rule::new(commit, Fault::LostReply).turn(Pick::Every(2))]));
    bear(&scene, &cases);
}
