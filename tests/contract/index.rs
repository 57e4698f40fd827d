//! What every index promises.

use std::sync::Arc;

use reindex::{
    capability::index::{Document, Index, MAX_VERSION, Stamp, Write, Written},
    error::Kind,
};

use super::texts;

const DEFINITION: &str = r#"{"mappings":{"properties":{
    "name":{"type":"text"},"secret":{"type":"keyword","index":false},"inner":{"properties":{"hidden":{"enabled":false}}}}}}"#;

pub fn stamp() -> Stamp {
    Stamp { version: "v".to_owned() }
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

/// Any index, whose alias is not set.
pub async fn index(index: Arc<dyn Index>) {
    before_the_first_run_nothing_is_found(&*index).await;
    an_alias_moves_in_one_step(index.clone()).await;
    newer_versions_win(&*index).await;
    a_deletion_stands_against_older_writes(&*index).await;
    each_write_has_its_own_answer(&*index).await;
    a_search_finds_words_phrases_and_prefixes(&*index).await;
    a_search_survives_whatever_is_typed(&*index).await;
    an_update_is_found_by_its_new_words_only(&*index).await;
    many_tasks_write_at_once(index).await;
}

async fn fresh(index: &dyn Index, name: &str) {
    index.create(name, DEFINITION, &stamp()).await.unwrap();
    index.swap(name).await.unwrap();
}

async fn found(index: &dyn Index, query: &str) -> Vec<String> {
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
    assert_eq!(index.swap("none").await.unwrap_err().kind(), Kind::NotFound);
    index.remove("none").await.unwrap();
}

async fn an_alias_moves_in_one_step(index: Arc<dyn Index>) {
    for name in ["one", "two"] {
        index.create(name, DEFINITION, &stamp()).await.unwrap();
        index.create(name, DEFINITION, &stamp()).await.unwrap();
        assert!(index.create(name, "{}", &stamp()).await.is_err());
        index.write(name, vec![put(name, None, "shared")]).await.unwrap();
    }
    assert!(index.create("three", "nonsense", &stamp()).await.is_err());
    assert_eq!(index.current().await.unwrap(), None, "not before the swap");
    index.swap("one").await.unwrap();
    let watcher = index.clone();
    let watching = tokio::spawn(async move {
        for _ in 0..200 {
            assert_eq!(watcher.search("shared", 10).await.unwrap().0, 1);
        }
    });
    for to in ["two", "one"].into_iter().cycle().take(51) {
        index.swap(to).await.unwrap();
    }
    watching.await.unwrap();
    let current = index.current().await.unwrap().unwrap();
    assert_eq!((current.name.as_str(), current.stamp), ("two", Some(stamp())));
    assert!((*index).remove("two").await.is_err(), "the alias names it");
    (*index).remove("one").await.unwrap();
    assert_eq!(index.count("one").await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(found(&*index, "shared").await, ["two"]);
}

async fn newer_versions_win(index: &dyn Index) {
    fresh(index, "versions").await;
    let cases = [
        (Some(5), "five", Written::Done, "five", Some(5)),
        (Some(4), "four", Written::NewerThere, "five", Some(5)),
        (Some(5), "five again", Written::Done, "five again", Some(5)),
        (Some(MAX_VERSION), "largest", Written::Done, "largest", Some(MAX_VERSION)),
        (Some(0), "zero", Written::NewerThere, "largest", Some(MAX_VERSION)),
        (None, "none", Written::Done, "none", None),
        (Some(0), "zero", Written::Done, "zero", Some(0)),
    ];
    for (version, name, answer, there, version_there) in cases {
        assert_eq!(index.write("versions", vec![put("x", version, name)]).await.unwrap(), [answer]);
        assert_eq!(index.get_many(None, &texts(&["x"])).await.unwrap(), [document("x", version_there, there)]);
    }
    assert_eq!(index.count("versions").await.unwrap(), 1);
}

async fn a_deletion_stands_against_older_writes(index: &dyn Index) {
    fresh(index, "deletions").await;
    let writes = vec![
        put("x", Some(3), "x"),
        delete("x", Some(2)),
        delete("x", Some(3)),
        put("x", Some(2), "late"),
        delete("never there", Some(7)),
        put("never there", Some(6), "late"),
        delete("unversioned", None),
        put("unversioned", Some(0), "here"),
    ];
    let answers = index.write("deletions", writes).await.unwrap();
    use Written::{Done, NewerThere};
    assert_eq!(answers, [Done, NewerThere, Done, NewerThere, Done, NewerThere, Done, Done]);
    assert_eq!(index.count("deletions").await.unwrap(), 1);
    assert_eq!(found(index, "late").await, texts(&[]));
    assert_eq!(found(index, "").await, ["unversioned"]);
    index.write("deletions", vec![put("x", Some(3), "back"), delete("unversioned", None)]).await.unwrap();
    assert_eq!((found(index, "back").await, index.count("deletions").await.unwrap()), (texts(&["x"]), 1));
}

async fn each_write_has_its_own_answer(index: &dyn Index) {
    fresh(index, "answers").await;
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
}

async fn a_search_finds_words_phrases_and_prefixes(index: &dyn Index) {
    fresh(index, "search").await;
    let whole = r#"{"name":"Ms Ada of Lovelace","inner":{"hidden":"shy","list":["Größe",{"n":4711}]},"secret":"hush"}"#;
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
    fresh(index, "updates").await;
    for round in ["red", "green", "blue", "blue"] {
        index.write("updates", vec![put("x", None, "nothing"), put("x", None, round)]).await.unwrap();
    }
    for (query, ids) in [("red", vec![]), ("nothing", vec![]), ("blue", texts(&["x"]))] {
        assert_eq!(found(index, query).await, ids, "{query}");
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
    assert_eq!(index.search("task3", 1).await.unwrap().0, 10_000);
    assert_eq!(index.search("task2", 1).await.unwrap().0, 0);
}
