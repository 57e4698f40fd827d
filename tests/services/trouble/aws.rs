//! Trouble with AWS: whoever asks, where, when, and for what.

use proxy::{Fault, Match, Pick, Proxy, Rule};
use servers::{Server, shared};

use crate::dynamodb::server;

use super::{Lab, told};

/// Things in a table of DynamoDB, as lines of an export.
fn items(numbers: std::ops::Range<usize>, more: impl Fn(usize) -> String) -> String {
    let line = |n| {
        format!(
            "{{\"Item\":{{\"id\":{{\"S\":\"t{n:04}\"}},\"v\":{{\"N\":\"1\"}},\"do\":{{\"S\":\"good\"}}{}}}}}\n",
            more(n)
        )
    };
    numbers.map(line).collect()
}

fn environment(url: &str, table: &str, aws: &str) -> String {
    format!("{aws}\n[backend.things.dynamodb]\ntable = '{table}'\nendpoint = '{url}'\n[backend.rogues.sqlite]\n")
}

/// A table of its own behind a proxy, filled.
fn filled(table: &str, count: usize) -> (Proxy, Lab) {
    let proxy = Proxy::http(&server().url());
    let lab = Lab::new(&environment(&proxy.url(), table, ""));
    lab.load(
        &items(0..count, |n| format!(",\"filler\":{{\"S\":\"{}\"}}", "x".repeat(if n % 2 == 0 { 20_000 } else { 0 }))),
        "dynamodb-json",
    );
    (proxy, lab)
}

fn refusal(code: &str, message: &str) -> Fault {
    Fault::Status(400, format!("{{\"__type\":\"com.amazonaws.dynamodb.v20120810#{code}\",\"message\":\"{message}\"}}"))
}

#[test]
fn credentials_that_are_missing_unknown_expired_or_of_another_region_are_told_and_lose_nothing() {
    let (proxy, mut lab) = filled("trouble-credentials", 20);
    let known = std::mem::take(&mut lab.variables);
    lab.variables = vec![("AWS_REGION", "eu-west-2")];
    let mut shown = format!("# no credentials\n{}", lab.reindex("run rogues").exits(6).seen());
    lab.variables = known;
    for (code, message) in [
        ("UnrecognizedClientException", "The security token included in the request is invalid."),
        ("ExpiredTokenException", "The security token included in the request is expired"),
        ("InvalidSignatureException", "Credential should be scoped to a valid region."),
        ("InvalidSignatureException", "Signature expired: 20261121T010000Z is now earlier than 20261121T013000Z"),
        (
            "InvalidSignatureException",
            "Signature not yet current: 20261121T020000Z is still later than 20261121T010000Z",
        ),
        ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."),
        ("AccessDeniedException", "User: arn:aws:iam::1:user/x is not authorized to perform: dynamodb:DescribeTable"),
    ] {
        let rule = proxy.add(Rule::new(Match::any(), refusal(code, message)));
        shown += &format!("\n# {message}\n{}", lab.reindex("run rogues").exits(6).seen());
        proxy.remove(rule);
    }
    told().bind(|| insta::assert_snapshot!("credentials", shown));
    lab.goes_on(20);
}

#[test]
fn credentials_that_expire_and_a_clock_that_goes_wrong_half_way_stop_a_run_that_goes_on_where_it_stopped() {
    for (n, refused) in [
        refusal("ExpiredTokenException", "The security token included in the request is expired"),
        refusal("InvalidSignatureException", "Signature expired: 1 is now earlier than 2"),
    ]
    .into_iter()
    .enumerate()
    {
        // Several pages: one holds a megabyte.
        let (proxy, lab) = filled(&format!("trouble-half-way-{n}"), 300);
        proxy.add(Rule::new(Match::any().target("Scan"), refused).turn(Pick::At((1..99).collect())));
        lab.reindex("run rogues").exits(6);
        assert!(proxy.fired() > 0);
        let some = lab.reindex("status rogues --json").exits(0).json()["counts"]["read"].as_u64().unwrap();
        assert!(some > 0 && some < 300, "{some}");
        proxy.clear();
        let ran = lab.reindex("run rogues").exits(0);
        assert!(
            ran.err.contains("goes on with run") && ran.err.contains("done: 300 read, 300 documents"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn another_account_than_the_environment_says_is_refused_before_anything_is_written() {
    let (table, lab) = filled("trouble-account", 5);
    let sts = Proxy::http("http://127.0.0.1:1");
    let said = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>arn:aws:iam::222222222222:user/x</Arn><UserId>x</UserId><Account>222222222222</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
    sts.add(Rule::new(Match::any(), Fault::Status(200, said.to_owned())));
    let aws = |account: &str| format!("[aws]\naccount = '{account}'\nendpoint = '{}'", sts.url());
    lab.environment(&environment(&table.url(), "trouble-account", &aws("111111111111")));
    let shown = ["check rogues --connect", "run rogues", "retry rogues"]
        .map(|command| format!("$ reindex {command}\n{}", lab.reindex(command).exits(6).seen()));
    told().bind(|| insta::assert_snapshot!("account", shown.join("\n")));
    assert_eq!(lab.reindex("status rogues --json").exits(0).out.trim(), "null", "no run was begun");
    lab.environment(&environment(&table.url(), "trouble-account", &aws("222222222222")));
    lab.goes_on(5);
}

#[test]
fn a_table_or_bucket_that_is_not_there_and_a_key_that_is_another_are_told() {
    let (proxy, lab) = filled("trouble-there", 5);
    lab.environment(&environment(&proxy.url(), "trouble-nowhere", ""));
    let mut shown = format!("# no table\n{}", lab.reindex("run rogues").exits(2).seen());
    lab.environment(&environment(&proxy.url(), "trouble-there", ""));
    lab.recipe("key = \"id\"", "key = \"number\"");
    shown += &format!("\n# another key\n{}", lab.reindex("run rogues").exits(2).seen());
    let bucket = |url: &str, more: &str| {
        format!("[backend.exports.s3]\nbucket = 'nowhere'\nendpoint = '{url}'\n{more}\n[backend.rogues.sqlite]\n")
    };
    lab.recipe("[source.scan]\ntable = \"things\"", "[source.export]\nbucket = \"exports\"");
    let recipe = std::fs::read_to_string(lab.place.path("rogues.toml")).unwrap();
    lab.place.write("rogues.toml", recipe.replace("segments = 1\n", ""));
    let s3 = shared(Server::S3).url();
    lab.environment(&bucket(&s3, ""));
    shown += &format!("\n# no bucket\n{}", lab.reindex("run rogues").exits(5).seen());
    lab.environment(&bucket(&s3, "region = 'eu-west-1'"));
    shown += &format!("\n# a bucket asked in another region\n{}", lab.reindex("run rogues").seen());
    let late = Proxy::http(&s3);
    let skewed = "<?xml version=\"1.0\"?><Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is too large.</Message></Error>";
    late.add(Rule::new(Match::any(), Fault::Status(403, skewed.to_owned())));
    lab.environment(&bucket(&late.url(), ""));
    shown += &format!("\n# a clock that goes wrong\n{}", lab.reindex("run rogues").exits(6).seen());
    told().bind(|| insta::assert_snapshot!("not-there", shown));
    lab.place.write("rogues.toml", super::RECIPE);
    lab.environment(&environment(&proxy.url(), "trouble-there", ""));
    lab.goes_on(5);
}

#[test]
fn items_as_large_as_they_get_long_ids_and_versions_below_zero_cost_only_themselves() {
    let proxy = Proxy::http(&server().url());
    let lab = Lab::new(&environment(&proxy.url(), "trouble-items", ""));
    let mut lines = items(0..20, |n| match n {
        3 => format!(",\"filler\":{{\"S\":\"{}\"}}", "x".repeat(409_000)),
        _ => String::new(),
    });
    lines += &items(20..21, |_| String::new()).replace("\"N\":\"1\"", "\"N\":\"-1\"");
    lines += &items(21..22, |_| String::new()).replace("\"N\":\"1\"", "\"N\":\"1.5\"");
    lines += &items(22..23, |_| String::new()).replace("\"N\":\"1\"", "\"N\":\"9223372036854775808\"");
    lines += &items(23..24, |_| String::new()).replace("t0023", &"i".repeat(600));
    lab.load(&lines, "dynamodb-json");
    lab.reindex("run rogues").exits(3);
    let status = lab.reindex("status rogues").exits(0).seen();
    told().bind(|| insta::assert_snapshot!("items", status));
    assert_eq!(lab.place.documents("rogues", "--env lab").len(), 20);
    lab.load(&items(20..23, |_| String::new()), "dynamodb-json");
    let retried = lab.reindex("retry rogues").exits(3);
    assert!(retried.err.contains("23 documents, 1 failed"), "{}", retried.err);
}
