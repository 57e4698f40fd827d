//! Fields that live documents have and a run would not write: they are named before they are lost.

use serde_json::{Value, json};

use super::session::{place, session};
use crate::place::{Place, snapshots};

/// Does something to the index of persons that the plugin knows nothing of.
fn change(place: &Place, sql: impl Fn(&str) -> String) {
    let database = rusqlite::Connection::open(place.path(".reindex/reindex.db")).unwrap();
    let sql_name = "SELECT name FROM aliases WHERE alias = 'persons'";
    let name: String = database.query_row(sql_name, [], |row| row.get(0)).unwrap();
    database.execute_batch(&sql(&name)).unwrap();
}

#[test]
fn a_diff_and_a_dry_run_name_each_field_that_documents_would_lose() {
    let place = place();
    place.reindex("run persons").exits(3);
    change(&place, |name| {
        let documents = format!("\"{name}$documents\"");
        format!(
            "UPDATE {documents} SET body = json_set(body, '$.isActive', json('true'));
             UPDATE {documents} SET body = json_set(body, '$.tenures[0].band', 'C', '$.nothing', NULL)
             WHERE number = (SELECT min(number) FROM {documents} WHERE json_array_length(body, '$.tenures') > 0)"
        )
    });
    let told = place.reindex("diff persons --json").exits(7);
    let lines: Vec<Value> = told.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, differences) = lines.split_last().unwrap();
    assert_eq!(differences.len(), 10);
    assert!(differences.iter().all(|line| line["change"]["changed"].is_array()), "{differences:?}");
    assert_eq!(*last, json!({ "lost": { "persons": { "isActive": 10, "tenures[].band": 1 } } }));
    snapshots().bind(|| insta::assert_snapshot!("lost", session(&place, &["run persons --dry-run"])));
    place.reindex("run persons").exits(3);
    let again = place.reindex("diff persons --json").exits(3);
    assert_eq!(again.out, "", "nothing differs, nothing is lost");
}

#[test]
fn an_index_of_another_definition_is_refused_with_the_fields_that_a_new_one_would_lack() {
    let place = place();
    place.reindex("run persons").exits(3);
    change(&place, |name| {
        let more = "'$.mappings.properties.isActive', json('{\"type\":\"boolean\"}')";
        format!("UPDATE indexes SET definition = json_set(definition, {more}) WHERE name = '{name}'")
    });
    let commands = ["check persons --connect", "run persons", "run persons --rebuild --waive 1"];
    snapshots().bind(|| insta::assert_snapshot!("lacking", session(&place, &commands)));
}
