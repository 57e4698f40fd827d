//! What every table and scan promises.

use std::{collections::BTreeMap, sync::Arc};

use reindex::{
    capability::storage::{Row, Sameness, Scan, Segment, Table, Update},
    error::Kind,
    record::{Form, canonical},
};

use super::texts;

/// Reads a segment to its end, by pages of a size.
pub async fn segment(scan: &dyn Scan, segment: Segment, after: Option<String>, limit: usize) -> Vec<Row> {
    let (mut rows, mut after) = (Vec::new(), after);
    loop {
        let page = scan.read(segment, after.as_deref(), limit).await.unwrap();
        rows.extend(page.rows);
        match page.next {
            Some(next) => after = Some(next),
            None => return rows,
        }
    }
}

/// Reads every segment, one after another.
pub async fn whole(scan: &dyn Scan, total: u32, limit: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for number in 0..total {
        rows.extend(segment(scan, Segment { number, total }, None, limit).await);
    }
    rows
}

/// Any scan: its segments hold every row once, and each row is a place to go on from and is found again.
pub async fn scan(scan: &dyn Scan, count: usize) {
    let info = scan.info().await.unwrap();
    assert!(info.count.is_none_or(|known| known == count as u64));
    for total in [1, 3, 64] {
        let rows = whole(scan, total, 70).await;
        let positions: BTreeMap<_, _> = rows.iter().map(|row| (&row.position, &row.body)).collect();
        assert_eq!((rows.len(), positions.len()), (count, count), "{total} segments");
    }
    goes_on_from_any_row(scan, 2).await;
    let rows = whole(scan, 1, 1000).await;
    let mut positions: Vec<_> = rows.iter().map(|row| row.position.clone()).collect();
    positions.reverse();
    let again = scan.reread(&positions).await.unwrap();
    let bodies: Vec<_> = again.into_iter().map(|row| row.unwrap().body).collect();
    assert_eq!(bodies, rows.into_iter().rev().map(|row| row.body).collect::<Vec<_>>());
    assert!(scan.reread(&[]).await.unwrap().is_empty());
    assert_eq!(scan.info().await.unwrap(), info, "looking changes nothing");
    assert_eq!(scan.compare(&info.fingerprint).await.unwrap(), Sameness::Same);
    assert!(matches!(scan.compare("another").await.unwrap(), Sameness::Changed(_)));
}

async fn goes_on_from_any_row(scan: &dyn Scan, total: u32) {
    for number in 0..total {
        let part = Segment { number, total };
        let rows = segment(scan, part, None, 1000).await;
        for (n, row) in rows.iter().enumerate().step_by(rows.len() / 5 + 1) {
            assert_eq!(segment(scan, part, Some(row.cursor.clone()), 99).await, rows[n + 1..]);
        }
    }
}

/// A record in a table's form.
pub fn record(form: Form, n: usize, text: &str) -> String {
    match form {
        Form::Plain => format!(r#"{{"id":"k{n}","text":"{text}"}}"#),
        Form::DynamodbJson => format!(r#"{{"id":{{"S":"k{n}"}},"text":{{"S":"{text}"}}}}"#),
    }
}

fn records(form: Form, numbers: impl Iterator<Item = usize>, text: &str) -> Vec<String> {
    numbers.map(|n| record(form, n, text)).collect()
}

/// Any table, empty at first, whose key is the attribute `id`.
pub async fn table(table: Arc<dyn Table>) {
    assert_eq!(table.key().await.unwrap(), ["id"]);
    let info = table.info().await.unwrap();
    assert_eq!(info.key.unwrap(), ["id"]);
    assert!(whole(&*table, 3, 10).await.is_empty());
    answers_come_in_the_order_asked(&*table, info.form).await;
    the_last_record_of_a_key_is_kept(&*table, info.form).await;
    a_bad_record_costs_only_itself(&*table, info.form).await;
    many_tasks_write_at_once(table.clone(), info.form).await;
    scan(&*table, 10_000).await;
    attributes_are_set_and_others_stay(&*table, info.form).await;
    a_bad_update_costs_only_itself(&*table, info.form).await;
    updates_of_different_attributes_at_once_all_last(table.clone(), info.form).await;
    scan(&*table, 10_000).await;
    segments_stand_still(&*table, info.form).await;
    removed_records_are_gone(&*table, info.form).await;
}

/// Bodies as canonical text: a store may keep attributes in any order.
async fn found(table: &dyn Table, keys: &[&str]) -> Vec<Option<String>> {
    let bodies = table.get_many(&texts(keys)).await.unwrap();
    let canonical = |body: Vec<u8>| canonical(std::str::from_utf8(&body).unwrap()).unwrap();
    bodies.into_iter().map(|body| body.map(canonical)).collect()
}

async fn answers_come_in_the_order_asked(table: &dyn Table, form: Form) {
    assert!(table.put_many(&[]).await.unwrap().is_empty());
    table.put_many(&records(form, 0..3, "first")).await.unwrap();
    table.put_many(&[record(form, 1, "second")]).await.unwrap();
    let second = Some(record(form, 1, "second"));
    let first = Some(record(form, 2, "first"));
    assert_eq!(found(table, &["k2", "none", "k1", "k2"]).await, [first.clone(), None, second, first]);
    assert!(table.get_many(&[]).await.unwrap().is_empty());
    table.put_many(&records(form, 0..250, "many")).await.unwrap();
    let keys: Vec<_> = (0..250).rev().map(|n| format!("k{n}")).collect();
    let many = table.get_many(&keys).await.unwrap();
    assert!(many.iter().all(Option::is_some), "more than one request can ask for");
}

async fn the_last_record_of_a_key_is_kept(table: &dyn Table, form: Form) {
    let batch: Vec<_> = (0..60).map(|n| record(form, n % 3, &format!("{n}"))).collect();
    assert!(table.put_many(&batch).await.unwrap().iter().all(Result::is_ok));
    let last = [57, 58, 59].map(|n| Some(record(form, n % 3, &format!("{n}"))));
    assert_eq!(found(table, &["k0", "k1", "k2"]).await, last);
}

async fn a_bad_record_costs_only_itself(table: &dyn Table, form: Form) {
    let plain = r#"{"id":"k","x":DEEP}|{"no":"key"}|{"id":""}|{"id":"k","id":"k"}|{"id":true}"#;
    let typed = r#"{"id":{"S":"k"},"x":DEEP}|{"no":{"S":"key"}}|{"id":{"S":""}}|{"id":{"S":"k"},"id":{"S":"k"}}|{"id":"k"}|{"id":{"S":"k"},"n":{"N":"x"}}|{"id":{"S":"k"},"b":{"B":"?"}}"#;
    let (text, open, close) = match form {
        Form::Plain => (plain, "[", "]"),
        Form::DynamodbJson => (typed, r#"{"L":["#, "]}"),
    };
    let text = text.replace("DEEP", &format!("{}{}", open.repeat(10_000), close.repeat(10_000)));
    for bad in ["", "[]", "{", "\"k\""].into_iter().chain(text.split('|')) {
        let answers = table.put_many(&[record(form, 0, "x"), bad.to_owned(), record(form, 1, "x")]).await.unwrap();
        assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true], "{bad:.60}");
    }
    assert_eq!(table.get_many(&texts(&["k", ""])).await.unwrap(), [None, None]);
}

fn update(n: usize, attributes: &str) -> Update {
    Update { key: format!("k{n}"), attributes: attributes.to_owned() }
}

/// A record with attributes of a table's form.
fn with(form: Form, n: usize, plain: &str, typed: &str) -> Option<String> {
    let record = record(form, n, "many");
    let more = if form == Form::Plain { plain } else { typed };
    Some(canonical(&record.replacen('{', &format!("{{{more},"), 1)).unwrap())
}

async fn attributes_are_set_and_others_stay(table: &dyn Table, form: Form) {
    assert!(table.update_many(&[]).await.unwrap().is_empty());
    let updates = [
        update(1, r#"{"size":{"width":4000,"height":3000.5},"when":"now"}"#),
        update(99_999, r#"{"made":"never"}"#),
        update(2, r##"{"a.b":[true,null,"x"],"#0":1}"##),
        update(1, r#"{"when":"later"}"#),
        update(3, "{}"),
        Update { key: String::new(), attributes: "{}".to_owned() },
    ];
    let answers: Vec<_> = table.update_many(&updates).await.unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, [true, false, true, true, true, false]);
    let plain = r#""size":{"width":4000,"height":3000.5},"when":"later""#;
    let typed = r#""size":{"M":{"width":{"N":"4000"},"height":{"N":"3000.5"}}},"when":{"S":"later"}"#;
    let first = with(form, 1, plain, typed);
    let plain = r##""a.b":[true,null,"x"],"#0":1"##;
    let typed = r##""a.b":{"L":[{"BOOL":true},{"NULL":true},{"S":"x"}]},"#0":{"N":"1"}"##;
    let second = with(form, 2, plain, typed);
    let third = Some(record(form, 3, "many"));
    assert_eq!(found(table, &["k1", "k2", "k3", "k99999"]).await, [first, second, third, None]);
}

async fn a_bad_update_costs_only_itself(table: &dyn Table, form: Form) {
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    for bad in ["", "[]", "{", "\"k\"", r#"{"id":"k5"}"#, r#"{"x":1,"id":"other"}"#, r#"{"x":1,"x":2}"#, &deep] {
        let updates = [update(4, r#"{"n":"first"}"#), update(5, bad), update(6, r#"{"n":"last"}"#)];
        let answers = table.update_many(&updates).await.unwrap();
        let kinds: Vec<_> = answers.iter().map(|answer| answer.as_ref().map_err(reindex::error::Error::kind)).collect();
        assert_eq!(kinds, [Ok(&true), Err(Kind::Usage), Ok(&true)], "{bad:.60}");
    }
    let changed = |n, text: &str| with(form, n, &format!(r#""n":"{text}""#), &format!(r#""n":{{"S":"{text}"}}"#));
    let untouched = Some(record(form, 5, "many"));
    assert_eq!(found(table, &["k4", "k5", "k6"]).await, [changed(4, "first"), untouched, changed(6, "last")]);
}

async fn removed_records_are_gone(table: &dyn Table, form: Form) {
    let before = whole(table, 3, 1000).await.len();
    let keys = texts(&["k100", "never there", "k101", "k100"]);
    assert_eq!(table.remove_many(&keys).await.unwrap(), [true, false, true, false]);
    assert_eq!(found(table, &["k100", "k101"]).await, [None, None]);
    assert_eq!(whole(table, 3, 1000).await.len(), before - 2);
    assert!(table.put_many(&records(form, [100].into_iter(), "again")).await.unwrap().iter().all(Result::is_ok));
    assert_eq!(found(table, &["k100"]).await, [Some(record(form, 100, "again"))]);
    assert!(table.remove_many(&[]).await.unwrap().is_empty());
}

async fn updates_of_different_attributes_at_once_all_last(table: Arc<dyn Table>, form: Form) {
    let tasks = (0..8).map(|task| {
        let table = table.clone();
        tokio::spawn(async move {
            let updates: Vec<_> = (100..120).map(|n| update(n, &format!(r#"{{"t{task}":"x"}}"#))).collect();
            assert!(table.update_many(&updates).await.unwrap().into_iter().all(|answer| answer.unwrap()));
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let all = |value: &str| (0..8).map(|task| format!(r#""t{task}":{value}"#)).collect::<Vec<_>>().join(",");
    let expected: Vec<_> = (100..120).map(|n| with(form, n, &all("\"x\""), &all(r#"{"S":"x"}"#))).collect();
    let keys: Vec<_> = (100..120).map(|n| format!("k{n}")).collect();
    assert_eq!(found(table.as_ref(), &keys.iter().map(String::as_str).collect::<Vec<_>>()).await, expected);
}

async fn many_tasks_write_at_once(table: Arc<dyn Table>, form: Form) {
    let tasks = (0..4).map(|task| {
        let table = table.clone();
        tokio::spawn(async move {
            for batch in 0..10 {
                let numbers = (0..250).map(|n| batch * 1000 + n * 4 + task);
                assert!(table.put_many(&records(form, numbers, "many")).await.unwrap().iter().all(Result::is_ok));
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

/// A scan under way sees what was there all the time once, whatever is updated or added meanwhile.
async fn segments_stand_still(table: &dyn Table, form: Form) {
    let before: Vec<_> = whole(table, 4, 999).await.into_iter().map(|row| row.position).collect();
    let mut seen = BTreeMap::<String, usize>::new();
    for number in 0..4 {
        let part = Segment { number, total: 4 };
        let mut after = None;
        for round in 0.. {
            let page = table.read(part, after.as_deref(), 500).await.unwrap();
            page.rows.into_iter().for_each(|row| *seen.entry(row.position).or_default() += 1);
            let new = 20_000 + number as usize * 1000 + round;
            table.put_many(&[record(form, round * 7, "moved"), record(form, new, "new")]).await.unwrap();
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    assert!(before.iter().all(|position| seen[position] == 1));
    assert!(seen.values().all(|&times| times == 1));
}
