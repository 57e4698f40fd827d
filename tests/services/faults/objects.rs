//! Objects in S3: stored, copied there, streamed there in parts, and an export read from there.

use std::collections::BTreeMap;

use proxy::{Fault, Match, Pick, Rule};
use servers::{Server, shared};

use super::{
    Case, bear, case, common,
    lab::{Lab, Scene, wait},
    things,
};
use crate::{
    contract::{bucket::noise, export::export},
    place::Place,
    sandbox::build::rogue,
    session::config,
};

fn make(bucket: &str) {
    let config = config(Some(&shared(Server::S3).url()));
    let config = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
    wait(aws_sdk_s3::Client::from_conf(config).create_bucket().bucket(bucket).send()).unwrap();
}

fn bound(resource: &str, bucket: &str, url: &str) -> String {
    format!("[backend.{resource}.s3]\nbucket = '{bucket}'\nendpoint = '{url}'\n")
}

/// Answers in the words of S3 that are not about being too much.
fn said(code: &str) -> Fault {
    Fault::Status(403, format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>"))
}

/// What needs a person: credentials that expire in the midst, and a clock that goes wrong.
fn denied() -> Vec<Case> {
    let from = |code| Rule::new(Match::any(), said(code)).turn(Pick::At((5..1000).collect()));
    ["ExpiredToken", "RequestTimeTooSkewed", "AccessDenied"]
        .map(|code| Case { denied: true, ..case(&code.to_lowercase(), [from(code)]) })
        .into()
}

#[test]
fn objects_are_all_there_and_whole_whatever_their_server_does() {
    let scene = Scene {
        name: "objects",
        servers: &[Server::S3],
        plugin: || rogue().to_vec(),
        recipe: things::recipe(),
        environment: |name, urls| {
            let names = ["files", "images", "masters"];
            things::embedded(&names.map(|it| bound(it, &format!("{name}-{it}"), &urls[0])).concat())
        },
        load: |lab| {
            things::load(lab, true);
            ["files", "images", "masters"].iter().for_each(|it| make(&format!("{}-{it}", lab.name)));
            // Large enough for parts.
            let large = noise(9 << 20, 3);
            wait(lab.bucket("masters").put("a", large.clone(), None)).unwrap();
            wait(lab.bucket("drafts").put("a", large, None)).unwrap();
        },
        reads_again: false,
    };
    let mut cases = common(&Match::any());
    cases.extend(denied());
    let parts = Match::any().contains("partNumber");
    cases.push(case("lost parts", [Rule::new(parts.clone(), Fault::LostReply).turn(Pick::At(vec![0]))]));
    cases.push(case("cut parts", [Rule::new(parts, Fault::CutAfter(3 << 20)).turn(Pick::At(vec![1]))]));
    bear(&scene, &cases);
}

/// Stores an export.
fn upload(lab: &Lab) {
    things::tables(lab);
    make(&lab.name);
    let place = Place::new();
    export(&place.path("export"), &[300, 0, 1, 900, 200]);
    let mut files = BTreeMap::new();
    for directory in ["export", "export/data"] {
        for entry in std::fs::read_dir(place.path(directory)).unwrap().map(Result::unwrap) {
            if entry.path().is_file() {
                let key = format!("{directory}/{}", entry.file_name().into_string().unwrap());
                files.insert(key, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    let bucket = lab.bucket("exports");
    wait(async {
        for (key, body) in files {
            bucket.put(&key, body, None).await.unwrap();
        }
    });
}

#[test]
fn an_export_is_read_to_its_end_whatever_its_server_does() {
    let recipe = things::recipe();
    let (_, rest) = recipe.split_once("[grant.read]").unwrap();
    let scene = Scene {
        name: "export",
        servers: &[Server::S3],
        plugin: || rogue().to_vec(),
        recipe: format!(
            "recipe = 1\nname = \"things\"\n[plugin]\nfile = \"plugin.wasm\"\n[source.export]\nbucket = \"exports\"\n\
             prefix = \"export\"\nkey = \"id\"\nversion = \"none\"\n[grant.read]{rest}"
        ),
        environment: |name, urls| things::embedded(&bound("exports", name, &urls[0])),
        load: upload,
        reads_again: false,
    };
    let data = Match::any().contains(".json.gz");
    let mut cases = common(&Match::any().method("GET"));
    cases.push(case("truncated files", [Rule::new(data, Fault::Truncate(300)).turn(Pick::Every(2))]));
    cases.extend(denied());
    bear(&scene, &cases);
}
