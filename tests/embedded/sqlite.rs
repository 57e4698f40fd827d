//! The suites on SQLite, and what only a file can suffer: other processes, death, age, strangers.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use reindex::{
    backend::sqlite::Database,
    capability::{
        index::{Alias as _, Documents as _},
        queue::Queue as _,
        storage::Scan as _,
        storage::Table as _,
    },
    clock::System,
    error::Kind,
    ledger::{Ledger as _, list::List as _},
    record::Form,
};
use tempfile::TempDir;

use crate::contract::{Hand, index, ledger, list, queue, storage, texts};

fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("reindex.db");
    (directory, path)
}

fn open(path: &Path) -> Arc<Database> {
    Database::open(path, Arc::new(System)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_keeps_the_promises_of_storage() {
    let (_directory, path) = directory();
    let table = open(&path).create_table("people", &texts(&["id"]), Form::Plain).await.unwrap();
    storage::table(Arc::new(table)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_keeps_its_promises() {
    let (_directory, path) = directory();
    let clock = Hand::default();
    let database = Database::open(&path, Arc::new(clock.clone())).unwrap();
    database.queue("other").unwrap().send(&[queue::message("same", 1)]).await.unwrap();
    queue::queue(Arc::new(database.queue("work").unwrap()), &queue::Habits::exact(&clock)).await;
    assert_eq!(database.queue("other").unwrap().depth().await.unwrap().waiting, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_keeps_its_promises() {
    let (_directory, path) = directory();
    index::index(Arc::new(open(&path).index("persons").unwrap()), "sqlite index").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_keeps_its_promises() {
    let (_directory, path) = directory();
    ledger::ledger(Arc::new(open(&path).ledger())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_keeps_its_promises() {
    let (_directory, path) = directory();
    let database = open(&path);
    database.list("other").load(&texts(&["a"]), false).await.unwrap();
    list::list(Arc::new(database.list("ids"))).await;
    assert_eq!(database.list("other").counts().await.unwrap().values().sum::<u64>(), 1);
}

#[tokio::test]
async fn a_typed_table_with_a_composite_key_reads_as_it_was_put() {
    let (_directory, path) = directory();
    let database = open(&path);
    let key = texts(&["a", "n"]);
    let table = database.create_table("t", &key, Form::DynamodbJson).await.unwrap();
    let answers = table.put_many(&texts(&[r#"{"n":{"N":"2"},"a":{"S":"x"}}"#, r#"{"a":"x","n":2}"#])).await.unwrap();
    assert!(answers[0].is_ok() && answers[1].is_err());
    let body = br#"{"a":{"S":"x"},"n":{"N":"2"}}"#.to_vec();
    assert_eq!(table.get_many(&texts(&[r#"["x",2]"#])).await.unwrap(), [Some(body)]);
    assert_eq!(table.info().await.unwrap().form, Form::DynamodbJson);
    let before = table.info().await.unwrap().fingerprint;
    database.create_table("t", &key, Form::DynamodbJson).await.unwrap();
    assert!(database.create_table("t", &key, Form::Plain).await.is_err());
    assert_eq!(table.info().await.unwrap().fingerprint, before);
}

#[tokio::test]
async fn a_file_that_is_removed_or_replaced_while_it_is_written_to_is_noticed() {
    for replaced in [false, true] {
        let (_directory, path) = directory();
        let database = open(&path);
        let list = database.list("ids");
        list.load(&texts(&["a"]), false).await.unwrap();
        let aside = path.with_extension("aside");
        std::fs::copy(&path, &aside).unwrap();
        std::fs::remove_file(&path).unwrap();
        if replaced {
            std::fs::rename(&aside, &path).unwrap();
        }
        let error = list.load(&texts(&["b"]), false).await.unwrap_err();
        assert!(error.message().contains("removed or replaced") && !error.may_retry(), "{error:?}");
    }
}

#[tokio::test]
async fn names_are_checked_before_they_become_sql() {
    let (_directory, path) = directory();
    let database = open(&path);
    for name in ["", "a\"b", "a$records", "a b", "..", "sqlite_x", "a;b", "nul\0", &"x".repeat(201)] {
        assert!(
            database.table(name).is_err() && database.index(name).is_err() && database.queue(name).is_err(),
            "{name}"
        );
    }
    for name in ["Persons", "a-b.c", "größe", "persons_data", "select"] {
        database.create_table(name, &texts(&["id"]), Form::Plain).await.unwrap();
    }
    database.create_table("PERSONS", &texts(&["other"]), Form::Plain).await.unwrap_err();
}

#[tokio::test]
async fn indexes_whose_names_look_like_parts_of_each_other_stay_apart() {
    let (_directory, path) = directory();
    let index = open(&path).index("alias").unwrap();
    for name in ["a", "a_data", "a_idx", "a.search", "a-documents"] {
        index.create(name, "{}", &index::stamp()).await.unwrap();
        index.write(name, vec![index::put("x", None, name)]).await.unwrap();
    }
    index.remove("a").await.unwrap();
    assert_eq!(index.count("a_data").await.unwrap(), 1);
    index.create("alias", "{}", &index::stamp()).await.unwrap();
    assert_eq!(index.current().await.unwrap().unwrap().name, "alias", "an index of this name is used as it is");
    assert!(index.swap(Some("alias"), "a_data").await.is_err());
}

#[tokio::test]
async fn indexes_of_a_file_from_before_there_were_routes_go_on() {
    let (_directory, path) = directory();
    {
        let index = open(&path).index("alias").unwrap();
        index.create("old", "{}", &index::stamp()).await.unwrap();
        index.swap(None, "old").await.unwrap();
    }
    let before = "ALTER TABLE indexes DROP COLUMN identity; DROP TABLE filling; \
        ALTER TABLE tables DROP COLUMN removed; DROP INDEX runs_in_order; ALTER TABLE runs DROP COLUMN number; \
        CREATE INDEX runs_of_recipe ON runs (recipe, id); PRAGMA user_version = 4;";
    rusqlite::Connection::open(&path).unwrap().execute_batch(before).unwrap();
    let index = open(&path).index("alias").unwrap();
    index.create("new", "{}", &index::stamp()).await.unwrap();
    index.announce("new").await.unwrap();
    index.write("old", vec![index::put("x", Some(1), "x")]).await.unwrap();
    let route = index.route().await.unwrap();
    let identity = route.current.unwrap().identity;
    assert!(identity.is_empty() && !route.filling[0].identity.is_empty(), "{identity}");
    index.swap(Some("old"), "new").await.unwrap();
    assert_eq!(index.current().await.unwrap().unwrap().name, "new");
}

#[tokio::test]
async fn what_is_not_there_reads_as_empty_and_is_not_made() {
    let (directory, path) = directory();
    for database in [Database::open_read_only(&path, Arc::new(System)).unwrap(), open(&path)] {
        let table = database.table("people").unwrap();
        let error = table.info().await.unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
        assert_eq!(error.hint_text(), Some("fill it first: reindex load people FILE.jsonl"));
        assert_eq!(database.index("persons").unwrap().current().await.unwrap(), None);
        assert!(
            database
                .queue("work")
                .unwrap()
                .receive(1, Duration::from_secs(1), Duration::ZERO)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(database.ledger().runs("r", 1).await.unwrap().is_empty());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn a_reader_sees_what_another_process_makes_after_it_opened() {
    let (_directory, path) = directory();
    let reader = Database::open_read_only(&path, Arc::new(System)).unwrap();
    assert!(reader.ledger().runs("r", 1).await.unwrap().is_empty());
    open(&path).ledger().begin(&ledger::run("1", "r"), None).await.unwrap();
    assert_eq!(reader.ledger().runs("r", 1).await.unwrap().len(), 1);
    assert!(reader.ledger().begin(&ledger::run("2", "r"), Some("1")).await.is_err());
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_refused_and_left_as_it_is() {
    let (_directory, path) = directory();
    let stranger = || {
        let _ = std::fs::remove_file(&path);
        rusqlite::Connection::open(&path).unwrap()
    };
    open(&path).ledger().begin(&ledger::run("1", "r"), None).await.unwrap();
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 999).unwrap();
    refused(&path, "version 999");
    stranger().execute_batch("CREATE TABLE theirs (x)").unwrap();
    refused(&path, "belongs to another program");
    std::fs::write(&path, "this is a text file, long enough to have a header of a hundred bytes".repeat(9)).unwrap();
    refused(&path, "not a SQLite database");
    std::fs::write(&path, "").unwrap();
    open(&path).ledger().begin(&ledger::run("1", "r"), None).await.unwrap();
}

/// The format before runs were numbered, with runs of three recipes of which one clock was wrong.
#[tokio::test]
async fn runs_of_an_older_file_keep_their_order_and_new_ones_come_after_them() {
    let (_directory, path) = directory();
    let old = rusqlite::Connection::open(&path).unwrap();
    for step in [
        include_str!("../../host/src/backend/sqlite/schema_1.sql"),
        include_str!("../../host/src/backend/sqlite/schema_2.sql"),
        include_str!("../../host/src/backend/sqlite/schema_3.sql"),
        include_str!("../../host/src/backend/sqlite/schema_4.sql"),
    ] {
        old.execute_batch(step).unwrap();
    }
    old.pragma_update(None, "application_id", 0x7269_6478).unwrap();
    old.pragma_update(None, "user_version", 4).unwrap();
    for (id, recipe) in [("2999", "r"), ("2026", "r"), ("2027", "other"), ("2028", "r")] {
        let record = serde_json::to_string(&ledger::run(id, recipe)).unwrap();
        let sql = "INSERT INTO runs (id, recipe, phase, record) VALUES (?1, ?2, 'running', ?3)";
        old.execute(sql, [id, recipe, &record]).unwrap();
    }
    drop(old);
    let database = open(&path).ledger();
    assert!(database.begin(&ledger::run("2029", "r"), Some("2999")).await.unwrap());
    assert!(database.begin(&ledger::run("2030", "r"), Some("2029")).await.unwrap());
    let ids = async |recipe| database.runs(recipe, 9).await.unwrap().into_iter().map(|run| run.id).collect::<Vec<_>>();
    assert_eq!(ids("r").await, ["2030", "2029", "2999", "2028", "2026"]);
    assert_eq!(ids("other").await, ["2027"]);
}

fn refused(path: &Path, why: &str) {
    let before = std::fs::read(path).unwrap();
    for error in [Database::open(path, Arc::new(System)), Database::open_read_only(path, Arc::new(System))] {
        let error = error.unwrap_err();
        assert!(error.message().contains(why), "{error:?}");
        assert!(error.kind() == Kind::Usage && error.hint_text().is_some());
    }
    assert_eq!(std::fs::read(path).unwrap(), before);
}

/// Starts this test binary again as another process that does one of the jobs below.
fn child(job: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "embedded::sqlite::child_process", "--ignored", "--nocapture"])
        .env("CHILD_JOB", job)
        .env("CHILD_PATH", path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
#[ignore = "does the work of another process for the tests beside it"]
async fn child_process() {
    let (Ok(job), Ok(path)) = (std::env::var("CHILD_JOB"), std::env::var("CHILD_PATH")) else { return };
    let database = open(Path::new(&path));
    let steps = if job.starts_with("forever") { usize::MAX } else { 200 };
    for n in 0..steps {
        step(&database, &job, n).await;
    }
}

/// Writes a document and a ledger row that knows of it, one after the other.
async fn step(database: &Arc<Database>, who: &str, n: usize) {
    let index = database.index("persons").unwrap();
    index.create("persons_1", "{}", &index::stamp()).await.unwrap();
    let puts = (0..20).map(|m| index::put(&format!("{who}-{n}-{m}"), Some(1), &format!("shared {who}")));
    index.write("persons_1", puts.collect()).await.unwrap();
    let row = ledger::row(&format!("{who}-{n}"), reindex::ledger::State::KnownError, "g");
    let (ledger, line) = (database.ledger(), u32::from(who == "this"));
    let token = ledger::take_over(&ledger, "run", line).await;
    assert!(ledger.commit("run", token, &ledger::commit(line, &format!("{n}"), vec![row], &[])).await.unwrap());
}

fn integrity(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let check = r#"INSERT INTO "persons_1$search" ("persons_1$search") VALUES ('integrity-check')"#;
    connection.execute_batch(check).unwrap();
}

#[tokio::test]
async fn two_processes_write_to_one_file_and_lose_nothing() {
    let (_directory, path) = directory();
    let mut other = child("other", &path);
    let database = open(&path);
    for n in 0..200 {
        step(&database, "this", n).await;
    }
    assert!(other.wait().unwrap().success());
    let index = database.index("persons").unwrap();
    index.swap(None, "persons_1").await.unwrap();
    assert_eq!(index.count("persons_1").await.unwrap(), 8_000);
    for (query, count) in [("shared", 8_000), ("this", 4_000), ("other", 4_000)] {
        assert_eq!(index.search(query, 0).await.unwrap().0, count);
    }
    assert_eq!(database.ledger().rows("run", &Default::default(), None, 1000).await.unwrap().len(), 400);
    integrity(&path);
}

#[tokio::test]
async fn a_killed_writer_leaves_whole_transactions_in_their_order() {
    let (_directory, path) = directory();
    for round in 0..5 {
        let who = format!("forever{round}");
        let mut writer = child(&who, &path);
        wait_for_rows(&path, &who, 5 + round * 7).await;
        writer.kill().unwrap();
        writer.wait().unwrap();
        let database = open(&path);
        let index = database.index("persons").unwrap();
        let rows = database.ledger().rows("run", &Default::default(), None, usize::MAX).await.unwrap();
        for row in rows {
            let ids: Vec<_> = (0..20).map(|m| format!("{}-{m}", row.position)).collect();
            let found = index.get_many(Some("persons_1"), &ids).await.unwrap();
            assert!(found.iter().all(Option::is_some), "the ledger knows of a document that is gone");
        }
        assert_eq!(index.count("persons_1").await.unwrap() % 20, 0);
    }
    let database = open(&path);
    step(&database, "after", 0).await;
    drop(database);
    integrity(&path);
}

async fn wait_for_rows(path: &Path, who: &str, count: usize) {
    let database = Database::open_read_only(path, Arc::new(System)).unwrap();
    for _ in 0..6000 {
        let rows = database.ledger().rows("run", &Default::default(), None, usize::MAX).await;
        if rows.is_ok_and(|rows| rows.iter().filter(|row| row.position.starts_with(who)).count() >= count) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the other process wrote nothing");
}

#[test]
fn many_handles_that_make_the_same_file_at_once_all_succeed() {
    for _ in 0..20 {
        let (_directory, path) = directory();
        std::thread::scope(|scope| {
            for n in 0..6 {
                let path = &path;
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    let run = ledger::run(&n.to_string(), &format!("r{n}"));
                    assert!(runtime.block_on(async { open(path).ledger().begin(&run, None).await }).unwrap());
                });
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for n in 0..6 {
            assert_eq!(runtime.block_on(open(&path).ledger().runs(&format!("r{n}"), 99)).unwrap().len(), 1);
        }
    }
}
