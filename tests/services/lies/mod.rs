//! Answers that no server gives to what it was asked: by a proxy in between, cut off, of another address, without parts,
//! without end. None of them says that something is absent, and none is believed to have done anything.

mod aws;
mod search;

use std::fmt::Debug;

use proxy::{Fault, Match, Proxy, Rule};
use reindex::error::{Error, Kind, Result};

/// The host of a redirect. Nobody is there.
const ELSEWHERE: &str = "elsewhere.invalid:9";

/// What may stand in between answers to any request.
fn strangers() -> Vec<(&'static str, Fault)> {
    let page = "<html><head><title>no</title></head><body>no</body></html>";
    let status = |status, body: &str| Fault::Status(status, body.to_owned());
    let location = vec![("location".to_owned(), format!("http://user:hush@{ELSEWHERE}/path?token=hush"))];
    vec![
        ("a page with 200", status(200, page)),
        ("a page with 400", status(400, page)),
        ("a page with 404", status(404, page)),
        ("413", status(413, "")),
        ("a redirect", Fault::Reply(307, location.clone(), Vec::new())),
        ("a redirect for good", Fault::Reply(301, location, Vec::new())),
        ("no end", Fault::Endless(200)),
        ("a refusal without end", Fault::Endless(400)),
    ]
}

/// What a server answers in JSON.
fn json(lies: &[(u16, &'static str)]) -> Vec<(&'static str, Fault)> {
    lies.iter().map(|(status, body)| (*body, Fault::Status(*status, (*body).to_owned()))).collect()
}

/// Asks under each lie, and at last the server itself, whose answer counts.
async fn disbelieves<T: Debug>(
    proxy: &Proxy,
    at: Match,
    lies: impl IntoIterator<Item = (&'static str, Fault)>,
    ask: impl AsyncFn() -> Result<T>,
) -> T {
    for (name, lie) in lies {
        let before = proxy.fired();
        let rule = proxy.add(Rule::new(at.clone(), lie));
        let answer = ask().await;
        proxy.remove(rule);
        assert!(proxy.fired() > before, "{name}: nothing was asked");
        let error = answer.map_or_else(|error| error, |answer| panic!("{name} was believed: {answer:?}"));
        tells(name, &error);
    }
    ask().await.unwrap()
}

fn tells(name: &str, error: &Error) {
    let report = error.report();
    assert!(matches!(error.kind(), Kind::Unavailable | Kind::Usage), "{name}: {:?} {report}", error.kind());
    assert!(!report.contains("hush") && report.len() < 3_000, "{name}: {report}");
    if name.starts_with("a redirect") {
        assert!(report.contains(ELSEWHERE), "{name}: {report}");
    }
}
