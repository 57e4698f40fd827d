//! What every index promises.

use std::sync::Arc;

use reindex::{
    capability::index::{Document, Index, Listed, MAX_VERSION, Place, Route, Stamp, Write, Written},
    error::Kind,
};

use super::{
    lacks::{self, Promise},
    texts,
};

const DEFINITION: &str = r#"{"mappings":{"properties":{
    "name":{"type":"text"},"secret":{"type":"keyword","index":false,"doc_values":false},"inner":{"properties":{"hidden":{"enabled":false}}}}}}"#;

const ANOTHER: &str = r#"{"mappings":{"properties":{"name":{"type":"keyword"}}}}"#;

pub fn stamp() -> Stamp {
    Stamp { version: "v".to_owned() }
}

/// Of an index whose writers give no versions.
fn unversioned() -> Stamp {
    Stamp { version: "none".to_owned() }
}

pub fn put(id: &str, version: Option<u64>, name: &str) -> Write {
    Write { id: id.to_owned(), version, body: Some(body(name)) }
}

pub fn body(name: &str) -> String {
    serde_json::json!({ "name": name }).to_string()
}

fn delete(id: &str, version: Option<u64>) -> Write {
    Write { id: id.to_owned(), version, body: None }
}

fn document(id: &str, version: Option<u64>, name: &str) -> Option<Document> {
    Some(Document { id: id.to_owned(), version, body: body(name) })
}

/// Any index, whose alias is not set; `backend` is its name among the [`lacks`].
pub async fn index(index: Arc<dyn Index>, backend: &str) {
    before_the_first_run_nothing_is_found(&*index).await;
    an_alias_moves_in_one_step(index.clone()).await;
    a_swap_after_another_ones_changes_nothing(&*index).await;
    what_is_filled_is_on_the_route_until_it_is_swapped_in_or_removed(&*index).await;
    an_index_made_anew_under_its_name_is_another(&*index).await;
    newer_versions_win(&*index).await;
    without_versions_the_last_write_wins(&*index).await;
    a_deletion_stands_against_older_writes(&*index).await;
    each_write_has_its_own_answer(&*index).await;
    a_search_finds_words_phrases_and_prefixes(&*index).await;
    a_search_survives_whatever_is_typed(&*index).await;
    an_update_is_found_by_its_new_words_only(&*index).await;
    settings_for_a_load_come_back(&*index, backend).await;
    a_listing_names_every_document(&*index).await;
    a_watermark_parts_what_was_written_before_it(&*index, backend).await;
    only_what_was_not_written_since_is_removed(&*index).await;
    what_was_made_is_what_was_asked_for(&*index).await;
    many_tasks_write_at_once(index).await;
}

async fn fresh(index: &dyn Index, name: &str) {
    make(index, name, &stamp()).await;
}

async fn make(index: &dyn Index, name: &str, stamp: &Stamp) {
    index.create(name, DEFINITION, stamp).await.unwrap();
    point(index, name).await;
}

/// Points the alias at another index, wherever it points now.
pub async fn point(index: &dyn Index, to: &str) {
    let from = index.current().await.unwrap().map(|current| current.name);
    index.swap(from.as_deref(), to).await.unwrap();
}

async fn found(index: &dyn Index, query: &str) -> Vec<String> {
    if let Some(current) = index.current().await.unwrap() {
        index.refresh(&current.name).await.unwrap();
    }
    let (total, documents) = index.search(query, 100).await.unwrap();
    assert_eq!(total, documents.len() as u64);
    let mut ids: Vec<_> = documents.into_iter().map(|document| document.id).collect();
    ids.sort();
    ids
}

async fn before_the_first_run_nothing_is_found(index: &dyn Index) {
    assert_eq!(index.current().await.unwrap(), None);
    assert_eq!(index.search("x", 10).await.unwrap(), (0, vec![]));
    assert_eq!(index.get_many(None, &texts(&["x"])).await.unwrap(), [None]);
    assert_eq!(index.count("none").await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(index.write("none", vec![]).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(index.get_many(Some("none"), &[]).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(index.route().await.unwrap(), Route::default());
    assert_eq!(index.describe("none").await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(index.announce("none").await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(index.swap(None, "none").await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(index.listed().unwrap().list("none", None, None, None, 10).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(index.listed().unwrap().remove_listed("none", &[]).await.unwrap_err().kind(), Kind::NotFound);
    let write = Write { id: "x".into(), version: Some(1), body: Some("{}".into()) };
    let error = index.write("none", vec![write]).await.unwrap_err();
    assert!(error.kind() == Kind::NotFound && !error.concerns_item(), "no document is to blame: {error:?}");
    index.remove("none").await.unwrap();
}

async fn an_alias_moves_in_one_step(index: Arc<dyn Index>) {
    for name in ["one", "two"] {
        index.create(name, DEFINITION, &stamp()).await.unwrap();
        index.create(name, DEFINITION, &stamp()).await.unwrap();
        assert!(index.create(name, ANOTHER, &stamp()).await.is_err());
        assert!(index.create(name, DEFINITION, &unversioned()).await.is_err());
        index.write(name, vec![put(name, Some(1), "shared")]).await.unwrap();
        index.refresh(name).await.unwrap();
    }
    assert!(index.create("three", "nonsense", &stamp()).await.is_err());
    assert_eq!(index.current().await.unwrap(), None, "not before the swap");
    index.swap(None, "one").await.unwrap();
    let watcher = index.clone();
    let watching = tokio::spawn(async move {
        for _ in 0..200 {
            assert_eq!(watcher.search("shared", 10).await.unwrap().0, 1);
        }
    });
    for to in ["two", "one"].into_iter().cycle().take(51) {
        point(&*index, to).await;
    }
    watching.await.unwrap();
    let current = index.current().await.unwrap().unwrap();
    assert_eq!((current.name.as_str(), current.stamp), ("two", Some(stamp())));
    assert!((*index).remove("two").await.is_err(), "the alias names it");
    (*index).remove("one").await.unwrap();
    assert_eq!(index.count("one").await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(found(&*index, "shared").await, ["two"]);
}

async fn a_swap_after_another_ones_changes_nothing(index: &dyn Index) {
    for name in ["swap_a", "swap_b", "swap_c"] {
        index.create(name, DEFINITION, &stamp()).await.unwrap();
    }
    point(index, "swap_a").await;
    for _ in 0..2 {
        index.swap(Some("swap_a"), "swap_b").await.unwrap();
    }
    for from in [None, Some("swap_a"), Some("swap_c"), Some("none")] {
        let error = index.swap(from, "swap_c").await.unwrap_err();
        assert!(error.kind() == Kind::Usage && error.hint_text().is_some(), "{error:?}");
        assert!(error.message().contains("now names swap_b, so it was not swapped"), "{error:?}");
        assert_eq!(index.current().await.unwrap().unwrap().name, "swap_b", "{from:?}");
    }
}

async fn what_is_filled_is_on_the_route_until_it_is_swapped_in_or_removed(index: &dyn Index) {
    let mut places = Vec::new();
    for name in ["route_a", "route_b", "route_c"] {
        index.create(name, DEFINITION, &stamp()).await.unwrap();
        places.push(Place::from(&index.describe(name).await.unwrap()));
    }
    let [a, b, c] = <[Place; 3]>::try_from(places).unwrap();
    let route = |current: &Place, filling: &[&Place]| Route {
        current: Some(current.clone()),
        filling: filling.iter().map(|place| (*place).clone()).collect(),
    };
    point(index, "route_a").await;
    assert_eq!(index.route().await.unwrap(), route(&a, &[]));
    for name in ["route_a", "route_c", "route_b", "route_b"] {
        index.announce(name).await.unwrap();
    }
    assert_eq!(index.route().await.unwrap(), route(&a, &[&b, &c]));
    index.swap(Some("route_a"), "route_b").await.unwrap();
    assert_eq!(index.route().await.unwrap(), route(&b, &[&c]));
    index.remove("route_c").await.unwrap();
    index.remove("route_a").await.unwrap();
    assert_eq!(index.route().await.unwrap(), route(&b, &[]));
}

async fn an_index_made_anew_under_its_name_is_another(index: &dyn Index) {
    let mut identities = Vec::new();
    for _ in 0..2 {
        index.create("anew", DEFINITION, &stamp()).await.unwrap();
        let made = index.describe("anew").await.unwrap().identity;
        index.write("anew", vec![put("x", Some(1), "x")]).await.unwrap();
        index.create("anew", DEFINITION, &stamp()).await.unwrap();
        assert_eq!(index.describe("anew").await.unwrap().identity, made, "it is the same index still");
        index.remove("anew").await.unwrap();
        let error = index.write("anew", vec![put("x", Some(1), "x")]).await.unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound, "{error:?}");
        identities.push(made);
    }
    assert!(identities[0] != identities[1] && !identities[0].is_empty(), "{identities:?}");
}

async fn newer_versions_win(index: &dyn Index) {
    fresh(index, "versions").await;
    let cases = [
        (Some(5), "five", Written::Done, "five", Some(5)),
        (Some(4), "four", Written::NewerThere, "five", Some(5)),
        (Some(5), "five again", Written::Done, "five again", Some(5)),
        (Some(MAX_VERSION), "largest", Written::Done, "largest", Some(MAX_VERSION)),
        (Some(0), "zero", Written::NewerThere, "largest", Some(MAX_VERSION)),
    ];
    for (version, name, answer, there, version_there) in cases {
        assert_eq!(index.write("versions", vec![put("x", version, name)]).await.unwrap(), [answer]);
        assert_eq!(index.get_many(None, &texts(&["x"])).await.unwrap(), [document("x", version_there, there)]);
    }
    assert_eq!(index.count("versions").await.unwrap(), 1);
}

async fn without_versions_the_last_write_wins(index: &dyn Index) {
    make(index, "unversioned", &unversioned()).await;
    for name in ["first", "second", "second"] {
        assert_eq!(index.write("unversioned", vec![put("x", None, name)]).await.unwrap(), [Written::Done]);
        assert_eq!(index.get_many(None, &texts(&["x"])).await.unwrap(), [document("x", None, name)]);
    }
    let gone = vec![delete("x", None), delete("x", None), delete("never there", None)];
    assert_eq!(index.write("unversioned", gone).await.unwrap(), [Written::Done, Written::Done, Written::Done]);
    assert_eq!(index.get_many(Some("unversioned"), &texts(&["x"])).await.unwrap(), [None]);
}

async fn a_deletion_stands_against_older_writes(index: &dyn Index) {
    fresh(index, "deletions").await;
    use Written::{Done, NewerThere};
    let writes = [
        (put("x", Some(3), "x"), Done),
        (delete("x", Some(2)), NewerThere),
        (delete("x", Some(3)), Done),
        (put("x", Some(2), "late"), NewerThere),
        (delete("never there", Some(7)), Done),
        (put("never there", Some(6), "late"), NewerThere),
        (delete("never there either", Some(0)), Done),
        (put("never there either", Some(0), "here"), Done),
    ];
    for (write, expected) in &writes {
        let written = index.write("deletions", vec![write.clone()]).await.unwrap();
        assert_eq!(written, std::slice::from_ref(expected), "{write:?}");
        // Nothing of a deletion may be lost when what was deleted is cleared away.
        index.refresh("deletions").await.unwrap();
    }
    let (all, expected): (Vec<_>, Vec<_>) = writes.into_iter().unzip();
    fresh(index, "deletions_at_once").await;
    assert_eq!(index.write("deletions_at_once", all).await.unwrap(), expected);
    for name in ["deletions", "deletions_at_once"] {
        point(index, name).await;
        assert_eq!(index.count(name).await.unwrap(), 1);
        assert_eq!(found(index, "late").await, texts(&[]));
        assert_eq!(found(index, "").await, ["never there either"]);
        index.write(name, vec![put("x", Some(3), "back"), delete("never there either", Some(1))]).await.unwrap();
        assert_eq!((found(index, "back").await, index.count(name).await.unwrap()), (texts(&["x"]), 1));
    }
}

async fn each_write_has_its_own_answer(index: &dyn Index) {
    make(index, "answers", &unversioned()).await;
    let bad = |id: &str, body: &str| Write { id: id.to_owned(), version: None, body: Some(body.to_owned()) };
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let longest = "x".repeat(512);
    let writes = vec![
        put("a", None, "a"),
        bad("b", "[]"),
        bad("b", "{"),
        bad("b", &deep),
        put("", None, "b"),
        put(&"x".repeat(513), None, "b"),
        put("b", Some(MAX_VERSION + 1), "b"),
        delete("b", Some(u64::MAX)),
        put(&longest, None, "longest"),
        put("a", None, "a again"),
    ];
    let answers = index.write("answers", writes).await.unwrap();
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(matches!(answer, Written::Refused(reason) if !reason.is_empty()), (1..8).contains(&n), "{n}");
    }
    assert!(index.write("answers", vec![]).await.unwrap().is_empty());
    let found = index.get_many(Some("answers"), &[longest.clone(), "b".into(), "a".into(), "a".into()]).await.unwrap();
    let again = document("a", None, "a again");
    assert_eq!(found, [document(&longest, None, "longest"), None, again.clone(), again]);
    assert_eq!(index.count("answers").await.unwrap(), 2);
    let lines = "{\n\"name\":\r\n\"two\\nlines\"}\n";
    assert_eq!(index.write("answers", vec![bad("lines", lines)]).await.unwrap(), [Written::Done]);
    let read = index.get_many(Some("answers"), &texts(&["lines"])).await.unwrap().remove(0).unwrap();
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(parse(&read.body), parse(lines));
}

async fn a_search_finds_words_phrases_and_prefixes(index: &dyn Index) {
    make(index, "search", &unversioned()).await;
    let whole = r#"{"name":"Ms Ada of Lovelace","inner":{"hidden":"shy","list":["Größe","x"],"deep":[{"n":4711}]},"secret":"hush"}"#;
    let ada = Write { id: "ada".to_owned(), version: None, body: Some(whole.to_owned()) };
    index
        .write("search", vec![ada, put("bob", None, "Lovelace of Ada Street"), put("eve", None, "Eve")])
        .await
        .unwrap();
    let cases: [(&str, &[&str]); 16] = [
        ("", &["ada", "bob", "eve"]),
        ("  ", &["ada", "bob", "eve"]),
        ("ada", &["ada", "bob"]),
        ("LOVELACE Ada", &["ada", "bob"]),
        ("ada eve", &[]),
        ("\"of lovelace\"", &["ada"]),
        ("\"of ada\" street", &["bob"]),
        ("lov*", &["ada", "bob"]),
        ("lov", &[]),
        ("str* lov*", &["bob"]),
        ("grosse", &[]),
        ("größe", &["ada"]),
        ("4711", &["ada"]),
        ("hush", &[]),
        ("shy", &[]),
        ("name", &[]),
    ];
    for (query, ids) in cases {
        assert_eq!(found(index, query).await, ids, "{query}");
    }
    index.refresh("search").await.unwrap();
    let (total, some) = index.search("", 2).await.unwrap();
    assert_eq!((total, some.len()), (3, 2));
    assert_eq!(index.search("ada", 0).await.unwrap(), (2, vec![]));
}

async fn a_search_survives_whatever_is_typed(index: &dyn Index) {
    let long = "word ".repeat(20_000);
    let quotes = "\"a\" ".repeat(2_000);
    let typed = [
        "\"",
        "\"\"",
        "\"open",
        "*",
        "**",
        "a**",
        "* a",
        "-a",
        "+a",
        "a AND",
        "NOT",
        "OR OR",
        "NEAR(a b)",
        "a:b",
        "name:",
        "^a",
        "(",
        ")",
        "{a b}",
        "a'b",
        "';--",
        "a\0b",
        "\0",
        "%",
        "\\",
        "🐚",
        "\u{301}",
        "a\u{301}*",
        "search MATCH",
        &long,
        &quotes,
    ];
    for typed in typed {
        index.search(typed, 10).await.unwrap_or_else(|error| panic!("{typed:.20}: {error:?}"));
    }
}

async fn an_update_is_found_by_its_new_words_only(index: &dyn Index) {
    make(index, "updates", &unversioned()).await;
    for round in ["red", "green", "blue", "blue"] {
        index.write("updates", vec![put("x", None, "nothing"), put("x", None, round)]).await.unwrap();
    }
    for (query, ids) in [("red", vec![]), ("nothing", vec![]), ("blue", texts(&["x"]))] {
        assert_eq!(found(index, query).await, ids, "{query}");
    }
}

async fn settings_for_a_load_come_back(index: &dyn Index, backend: &str) {
    fresh(index, "tuned").await;
    let before = index.current().await.unwrap().unwrap();
    let tune = index.tunes();
    assert_eq!(tune.is_some(), lacks::keeps(backend, Promise::LoadSettings));
    let Some(tune) = tune else { return };
    let kept = tune.load_settings("tuned").await.unwrap();
    tune.tune("tuned").await.unwrap();
    index.write("tuned", vec![put("x", Some(1), "loaded")]).await.unwrap();
    assert_eq!(index.count("tuned").await.unwrap(), 1);
    for _ in 0..2 {
        tune.restore("tuned", &kept).await.unwrap();
    }
    assert_eq!(found(index, "loaded").await, ["x"]);
    assert_eq!(index.contradictions(&before, &index.current().await.unwrap().unwrap().definition), [""; 0]);
    assert_eq!(tune.load_settings("tuned").await.unwrap(), kept, "all is as it was");
}

/// Every document of a listing, in parts of `limit`; written to in between.
async fn listed(index: &dyn Index, name: &str, limit: usize) -> Vec<Listed> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let part = index.listed().unwrap().list(name, None, None, after.as_deref(), limit).await.unwrap();
        all.extend(part.documents);
        after = match part.next {
            Some(next) => Some(next),
            None => return all,
        };
    }
}

async fn a_listing_names_every_document(index: &dyn Index) {
    fresh(index, "listed").await;
    let ids: Vec<_> = (0..25).map(|n| format!("d-{n:02}")).collect();
    index.write("listed", ids.iter().map(|id| put(id, Some(1), "listed")).collect()).await.unwrap();
    index.write("listed", vec![put("gone", Some(1), "gone"), delete("gone", Some(1))]).await.unwrap();
    for limit in [1, 2, 5, 25, 26, 1000] {
        let mut all: Vec<_> = listed(index, "listed", limit).await.into_iter().map(|listed| listed.id).collect();
        all.sort();
        assert_eq!(all, ids, "{limit}");
    }
    assert!(index.listed().unwrap().list("listed", Some("nonsense"), None, None, 5).await.is_err());
}

async fn a_watermark_parts_what_was_written_before_it(index: &dyn Index, backend: &str) {
    fresh(index, "marked").await;
    index.write("marked", vec![put("old", Some(1), "old"), put("again", Some(1), "old")]).await.unwrap();
    let mark = index.listed().unwrap().watermark("marked").await.unwrap();
    assert_eq!(mark.is_some(), lacks::keeps(backend, Promise::Watermark));
    let Some(mark) = mark else { return };
    index.write("marked", vec![put("again", Some(1), "new"), put("new", Some(1), "new")]).await.unwrap();
    let part = index.listed().unwrap().list("marked", None, Some(mark), None, 10).await.unwrap();
    assert_eq!(part.documents.into_iter().map(|listed| listed.id).collect::<Vec<_>>(), ["old"]);
}

async fn only_what_was_not_written_since_is_removed(index: &dyn Index) {
    fresh(index, "pruned").await;
    let ids = ["a", "b", "c", "d"];
    index.write("pruned", ids.map(|id| put(id, Some(1), "old")).to_vec()).await.unwrap();
    let mut all = listed(index, "pruned", 100).await;
    all.sort_by(|a, b| a.id.cmp(&b.id));
    index.write("pruned", vec![put("b", Some(2), "new"), delete("c", Some(2))]).await.unwrap();
    assert_eq!(index.listed().unwrap().remove_listed("pruned", &all).await.unwrap(), [true, false, false, true]);
    assert_eq!(
        index.listed().unwrap().remove_listed("pruned", &all).await.unwrap(),
        [false; 4],
        "repeated, it does nothing"
    );
    assert_eq!((found(index, "").await, index.count("pruned").await.unwrap()), (texts(&["b"]), 1));
    assert_eq!(index.listed().unwrap().remove_listed("pruned", &[]).await.unwrap(), [false; 0]);
}

async fn what_was_made_is_what_was_asked_for(index: &dyn Index) {
    fresh(index, "compared").await;
    index.write("compared", vec![put("x", Some(1), "x")]).await.unwrap();
    let made = index.current().await.unwrap().unwrap();
    assert_eq!(index.contradictions(&made, DEFINITION), [""; 0]);
    let more = r#"{"mappings":{"properties":{"name":{"type":"text"},"more":{"type":"text"}}}}"#;
    for other in [ANOTHER, more] {
        assert_eq!(index.contradictions(&made, other).len(), 1, "{other}");
    }
}

async fn many_tasks_write_at_once(index: Arc<dyn Index>) {
    fresh(&*index, "many").await;
    let tasks = (0..4u64).map(|task| {
        let index = index.clone();
        tokio::spawn(async move {
            for batch in 0..10 {
                // Every task writes every id, each with its own version: the highest stays.
                let writes = (0..1000).map(|n| put(&format!("{batch}-{n}"), Some(task), &format!("task{task}")));
                let answers = index.write("many", writes.collect()).await.unwrap();
                assert!(answers.iter().all(|answer| matches!(answer, Written::Done | Written::NewerThere)));
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(index.count("many").await.unwrap(), 10_000);
    index.refresh("many").await.unwrap();
    assert_eq!(index.search("task3", 1).await.unwrap().0, 10_000);
    assert_eq!(index.search("task2", 1).await.unwrap().0, 0);
}
