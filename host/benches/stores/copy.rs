//! From the table, and from a file, into an index: against loops that do nothing but read and send.

use super::{
    bare,
    child::Cost,
    place::{Place, SEGMENTS},
};

/// How many requests the bare loops have under way; more did not make them faster.
const CONNECTIONS: &str = "4";
const TURNS: usize = 3;

/// Prints both tables, for each engine.
pub fn tables(place: &mut Place, items: u64) {
    let lines = place.lines(items);
    place.run(&["load", "people", lines.to_str().unwrap(), "--format", "dynamodb-json", "--env", "opensearch"]);
    place.recipe("scan", &format!("[source.scan]\ntable = 'people'\nsegments = {SEGMENTS}"));
    place.recipe("file", &format!("[source.file]\npath = '{}'\nform = 'dynamodb-json'", lines.display()));
    println!("\n  {:<34}  {:>10}  {:>10}  {:>5}  {:>11}  {:>7}", "", "run", "bare", "ratio", "CPU µs/item", "MiB");
    for engine in ["opensearch", "elasticsearch"] {
        place.clear(engine);
        place.run(&["run", "file", "--env", engine]);
        let (bodies, dump) = (place.path(&format!("{engine}.bulk")), place.path(&format!("{engine}.dump")));
        wait(bare::finish(&place.url(engine), &bodies, &dump));
        let url = place.url(engine);
        let dynamodb = place.dynamodb.url();
        let (segments, bodies) = (SEGMENTS.to_string(), bodies.to_str().unwrap());
        let copy = ["copy", &dynamodb, &segments, &url, bodies, CONNECTIONS];
        row(place, engine, &format!("DynamoDB → plugin → {engine}"), items, "scan", &copy);
        row(
            place,
            engine,
            &format!("JSON lines → plugin → {engine}"),
            items,
            "file",
            &["bulk", &url, bodies, CONNECTIONS],
        );
    }
}

/// Runs and loops take turns, and the best of each counts.
fn row(place: &Place, engine: &str, what: &str, items: u64, recipe: &str, loops: &[&str]) {
    let mut best: Option<(Cost, Cost)> = None;
    for _ in 0..TURNS {
        place.clear(engine);
        let run = place.run(&["run", recipe, "--env", engine]);
        place.clear(engine);
        wait(bare::prepare(&place.url(engine), "bare"));
        let bare = place.bare(loops);
        best = Some(best.map_or((run, bare), |(a, b)| (a.quicker(run), b.quicker(bare))));
    }
    let (run, bare) = best.unwrap();
    let rate = |cost: Cost| items as f64 / cost.wall.as_secs_f64();
    println!(
        "  {what:<34}  {:>8.0}/s  {:>8.0}/s  {:>5.2}  {:>11.1}  {:>7}",
        rate(run),
        rate(bare),
        rate(run) / rate(bare),
        run.cpu.as_secs_f64() * 1e6 / items as f64,
        run.peak / 1024
    );
}

/// Prints the memory that a run of another size takes.
pub fn memory(place: &mut Place, items: u64) {
    place.clear("opensearch");
    let lines = place.lines(items);
    place.recipe("many", &format!("[source.file]\npath = '{}'\nform = 'dynamodb-json'", lines.display()));
    let cost = place.run(&["run", "many", "--env", "opensearch"]);
    println!(
        "\nJSON lines → plugin → opensearch, {items} items: {} MiB, {:.0}/s",
        cost.peak / 1024,
        items as f64 / cost.wall.as_secs_f64()
    );
}

pub fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
