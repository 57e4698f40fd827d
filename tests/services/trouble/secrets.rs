//! Secrets stay secret: whatever goes wrong, nothing that is printed or kept holds one.

use std::{fs, path::Path};

use proxy::{Fault, Match, Proxy, Rule};
use servers::{Server, shared};

use crate::dynamodb::server;

use super::{Lab, plain};

/// Part of every secret here.
const CANARY: &str = "hush5ecret";

const COMMANDS: [&str; 12] = [
    "check rogues",
    "check rogues --connect",
    "check rogues --connect --log json",
    "run rogues",
    "run rogues --log json",
    "run rogues --dry-run",
    "retry rogues",
    "status rogues --json",
    "diff rogues --json",
    "iam rogues",
    "search rogues ''",
    "prune rogues",
];

/// Runs every command, and looks for the canary in all that was said and in every file that was written.
#[track_caller]
fn is_silent(lab: &Lab, what: &str) {
    for command in COMMANDS {
        let ran = lab.reindex(command);
        assert!(!ran.seen().contains(CANARY), "{what}: {command}\n{}", ran.seen());
    }
    kept(&lab.place.path("."), what);
}

fn kept(directory: &Path, what: &str) {
    let named = |path: &Path, name: &str| path.file_name().is_some_and(|file| file == name);
    for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if named(&path, "environments") {
            continue;
        }
        if path.is_dir() {
            kept(&path, what);
        } else {
            let bytes = fs::read(&path).unwrap();
            let found = bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes());
            assert!(!found, "{what}: {}", path.display());
        }
    }
}

/// Answers that say too much, and none at all.
fn faults() -> Vec<(&'static str, Option<Fault>)> {
    let says = |status, text: &str| Some(Fault::Status(status, text.to_owned()));
    vec![
        ("as it is", None),
        ("unknown", says(401, r#"{"error":{"type":"security_exception","reason":"unable to authenticate"}}"#)),
        ("denied", says(403, r#"{"__type":"x#AccessDeniedException","message":"no"}"#)),
        ("expired", says(400, r#"{"__type":"x#ExpiredTokenException","message":"expired"}"#)),
        ("broken", says(500, "it broke")),
        ("no JSON", says(200, "<html>hello</html>")),
        ("cut", Some(Fault::Cut)),
    ]
}

#[test]
fn no_aws_key_token_or_address_with_a_password_is_ever_shown_or_kept() {
    let proxy = Proxy::http(&server().url());
    let address = proxy.url().replace("http://", "http://user:hush5ecret@");
    for (n, url) in [proxy.url(), address].into_iter().enumerate() {
        let mut lab = Lab::new(&format!(
            "[backend.things.dynamodb]\ntable = 'trouble-secrets-{n}'\nendpoint = '{url}'\n[backend.rogues.sqlite]\n"
        ));
        lab.variables = vec![
            ("AWS_ACCESS_KEY_ID", "AKIAhush5ecret"),
            ("AWS_SECRET_ACCESS_KEY", "hush5ecret/key"),
            ("AWS_SESSION_TOKEN", "hush5ecret/token"),
            ("AWS_REGION", "eu-west-2"),
        ];
        lab.place.write("things.jsonl", "{\"Item\":{\"id\":{\"S\":\"a\"},\"v\":{\"N\":\"1\"}}}\n");
        let loaded = lab.reindex("load things things.jsonl --format dynamodb-json");
        assert!(!loaded.seen().contains(CANARY), "{}", loaded.seen());
        for (what, fault) in faults() {
            let rule = fault.map(|fault| proxy.add(Rule::new(Match::any(), fault)));
            is_silent(&lab, what);
            rule.into_iter().for_each(|rule| proxy.remove(rule));
        }
    }
}

#[test]
fn no_s3_secret_is_shown_by_a_server_that_checks_signatures() {
    let url = shared(Server::S3).url();
    let mut lab =
        Lab::new(&format!("[backend.exports.s3]\nbucket = 'trouble'\nendpoint = '{url}'\n[backend.rogues.sqlite]\n"));
    lab.recipe(
        "[source.scan]\ntable = \"things\"\nkey = \"id\"\nversion = \"v\"\nsegments = 1",
        "[source.export]\nbucket = \"exports\"\nkey = \"id\"\nversion = \"v\"",
    );
    lab.variables =
        vec![("AWS_ACCESS_KEY_ID", "reindex"), ("AWS_SECRET_ACCESS_KEY", "hush5ecret"), ("AWS_REGION", "eu-west-2")];
    let refused = lab.reindex("run rogues").exits(6);
    assert!(!refused.seen().contains(CANARY), "{}", refused.seen());
    is_silent(&lab, "a wrong secret");
}

#[test]
fn no_key_or_password_of_a_cluster_is_ever_shown_or_kept() {
    let server = shared(Server::Opensearch);
    let proxy = Proxy::http(&server.url());
    let with = proxy.url().replace("http://", "http://user:hush5ecret@");
    let ways = [
        (proxy.url(), "api-key = 'hush5ecret'"),
        (proxy.url(), "username = 'me'\npassword = 'hush5ecret'"),
        (proxy.url(), "username = 'me'\npassword = 'hush5ecret'\napi-key = 'hush5ecret'"),
        (proxy.url(), "password = 'hush5ecret'\nmisspelt = 1"),
        (with, ""),
    ];
    for (n, (url, more)) in ways.into_iter().enumerate() {
        let lab = Lab::new(&super::searched(server, &url, &format!("trouble-secrets-{n}"), more));
        lab.place.write("things.jsonl", plain(0..1));
        lab.reindex("load things things.jsonl --format plain");
        for (what, fault) in if n < 2 { faults() } else { vec![("refused", None)] } {
            let rule = fault.map(|fault| proxy.add(Rule::new(Match::any(), fault)));
            is_silent(&lab, what);
            rule.into_iter().for_each(|rule| proxy.remove(rule));
        }
    }
}

#[test]
fn no_token_or_password_of_a_queue_is_ever_shown_or_kept() {
    let proxy = Proxy::tcp(&shared(Server::Nats).url());
    let with = |url: &str| url.replace("nats://", "nats://user:hush5ecret@");
    let ways = [
        (proxy.url(), "token = 'hush5ecret'"),
        (proxy.url(), "user = 'me'\npassword = 'hush5ecret'"),
        (with(&proxy.url()), ""),
        ("nats://user:hush5ecret@no address".to_owned(), ""),
        (proxy.url(), "password = 'hush5ecret'\nmisspelt = 1"),
    ];
    for (url, more) in ways {
        let queue = format!("[backend.work.nats]\nurl = '{url}'\nstream = 'trouble'\n{more}\n");
        let lab = Lab::new(&format!("[backend.things.sqlite]\n[backend.rogues.sqlite]\n{queue}"));
        lab.recipe("index = [\"rogues\"]", "index = [\"rogues\"]\nqueue = [\"work\"]");
        lab.place.write("things.jsonl", plain(0..1).replace("\"good\"", "\"send\",\"with\":\"work\""));
        lab.reindex("load things things.jsonl --format plain");
        is_silent(&lab, "as it is");
        proxy.down();
        is_silent(&lab, "gone");
        proxy.up();
    }
}

#[tokio::test]
async fn who_calls_aws_and_what_an_environment_says_show_no_secret_to_whoever_debugs() {
    let texts = [
        "[opensearch]\nurl = 'https://x'\nusername = 'u'\npassword = 'hush5ecret'",
        "[elasticsearch]\nurl = 'https://x'\napi-key = 'hush5ecret'",
        "[nats]\nurl = 'nats://u:hush5ecret@x'\nstream = 's'\ntoken = 'hush5ecret'\npassword = 'hush5ecret'",
    ];
    for text in texts {
        let config: reindex::backend::Config = toml::from_str(text).unwrap();
        assert!(!format!("{config:?}").contains(CANARY), "{text}");
    }
    let keys = aws_credential_types::Credentials::new("a", CANARY, Some(CANARY.to_owned()), None, "tests");
    let config = aws_config::SdkConfig::builder()
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(keys))
        .build();
    assert!(!format!("{:?}", reindex::backend::aws::Session::new(config)).contains(CANARY));
}
