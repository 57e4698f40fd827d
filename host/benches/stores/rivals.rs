//! What people use today, on the same documents and the same server: elasticdump, a Python script of the kind one
//! writes in an afternoon, and one request a document.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    bare,
    child::{self, Cost},
    copy::wait,
    place::{Place, credentials},
};

const ENGINE: &str = "opensearch";
/// One request a document is slow enough for a part to show it.
const SINGLES: u64 = 2_000;

/// Prints a line for each.
pub fn table(place: &mut Place, items: u64) {
    println!("\n  {:<44}  {:>10}  {:>12}  {:>18}", "into opensearch", "documents", "run is", "CPU s per 100 000");
    let (scan, file) = (ours(place, "scan"), ours(place, "file"));
    line("reindex run, from the table", items, scan, None);
    line("reindex run, from JSON lines", items, file, None);
    match elasticdump(place) {
        Some(cost) => line("elasticdump, from JSON lines, 4 at a time", items, cost, Some(per(items, file))),
        None => println!("  elasticdump: npm cannot install it here; NOT measured"),
    }
    match python(place) {
        Some(cost) => line("Python, boto3 + helpers.parallel_bulk", items, cost, Some(per(items, scan))),
        None => println!("  Python: boto3 and opensearch-py cannot be installed here; NOT measured"),
    }
    place.clear(ENGINE);
    wait(bare::prepare(&place.url(ENGINE), "bare"));
    let bodies = place.path("opensearch.bulk");
    let single = place.bare(&["single", &place.url(ENGINE), bodies.to_str().unwrap(), &SINGLES.to_string()]);
    line("one request a document", SINGLES, single, Some(per(items, scan)));
}

/// Seconds a document.
fn per(items: u64, cost: Cost) -> f64 {
    cost.wall.as_secs_f64() / items as f64
}

fn line(what: &str, items: u64, cost: Cost, ours: Option<f64>) {
    let ratio = ours.map_or_else(String::new, |ours| format!("{:.1}× faster", per(items, cost) / ours));
    println!(
        "  {what:<44}  {:>8.0}/s  {ratio:>12}  {:>18.1}",
        1.0 / per(items, cost),
        cost.cpu.as_secs_f64() * 100_000.0 / items as f64
    );
}

fn ours(place: &Place, recipe: &str) -> Cost {
    place.clear(ENGINE);
    place.run(&["run", recipe, "--env", ENGINE])
}

fn elasticdump(place: &Place) -> Option<Cost> {
    let home = tools().join("elasticdump");
    let program = home.join("node_modules/.bin/elasticdump");
    if !program.exists() {
        std::fs::create_dir_all(&home).ok()?;
        let install =
            ["install", "--silent", "--no-audit", "--no-fund", "--prefix", home.to_str()?, "elasticdump@6.125.1"];
        quiet(Command::new("npm").args(install))?;
    }
    place.clear(ENGINE);
    wait(bare::prepare(&place.url(ENGINE), "dump"));
    let (input, output) = (place.path("opensearch.dump"), format!("{}/dump", place.url(ENGINE)));
    let mut command = Command::new(program);
    command.arg(format!("--input={}", input.display())).arg(format!("--output={output}"));
    Some(child::run(command.args(["--type=data", "--limit=1000", "--concurrency=4", "--quiet"])))
}

fn python(place: &Place) -> Option<Cost> {
    let home = tools().join("python");
    let program = home.join("bin/python");
    if !program.exists() {
        quiet(Command::new("python3").args(["-m", "venv", home.to_str()?]))?;
        quiet(Command::new(&program).args(["-m", "pip", "install", "--quiet", "boto3", "opensearch-py"]))?;
    }
    place.clear(ENGINE);
    wait(bare::prepare(&place.url(ENGINE), "script"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/stores/rivals/script.py");
    let mut command = Command::new(program);
    command.arg(script).arg(place.dynamodb.url()).arg(place.url(ENGINE));
    credentials(&mut command);
    Some(child::run(&mut command))
}

fn quiet(command: &mut Command) -> Option<()> {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    status.success().then_some(())
}

/// Where rivals are installed, once for all runs.
fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target/rivals")
}
