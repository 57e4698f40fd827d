//! Whole runs of the binary: start-up, records a second against a bare loop, and peak memory.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use housing::{Housing, Kind};
use reindex::{backend::sqlite::Database, capability::storage::Table, clock::System, record::Form};

use super::{
    bare,
    child::{self, Cost},
};

const STARTS: usize = 21;
const FILL: usize = 5_000;

/// Prints what a run costs that has one record to do and a compiled plugin in the cache.
pub fn start_up(component: &Path) {
    let place = Place::new(component, 1);
    place.run();
    let mut costs: Vec<Cost> = (0..STARTS).map(|_| place.run()).collect();
    costs.sort_by_key(|cost| cost.wall);
    let Cost { wall, peak, .. } = costs[STARTS / 2];
    println!("\nStart to end of `run` with one record and a cached plugin, median of {STARTS}");
    println!("  {wall:.1?}, {} MiB", peak / 1024);
}

/// Prints a row a size: a run against the bare loop that writes the same documents.
pub fn table(component: &Path, sizes: &[u64]) {
    println!(
        "\nPersons from a table into an index, on the embedded default; the bare loop writes the same finished documents"
    );
    println!(
        "  {:>9}  {:>12}  {:>12}  {:>5}  {:>9}  {:>9}  {:>11}",
        "records", "run", "bare", "ratio", "run MiB", "bare MiB", "CPU µs/item"
    );
    for size in sizes {
        row(component, *size);
    }
}

/// Runs and loops take turns, and the best of each counts; a large size is measured once.
fn row(component: &Path, size: u64) {
    let turns = if size > 200_000 { 1 } else { 3 };
    let mut best: Option<(Cost, Cost)> = None;
    for _ in 0..turns {
        let place = Place::new(component, size);
        place.compile();
        let run = place.run();
        let bare = place.bare();
        best = Some(best.map_or((run, bare), |(a, b)| (a.quicker(run), b.quicker(bare))));
    }
    let (run, bare) = best.unwrap();
    let rate = |cost: Cost| size as f64 / cost.wall.as_secs_f64();
    println!(
        "  {size:>9}  {:>10.0}/s  {:>10.0}/s  {:>5.2}  {:>9}  {:>9}  {:>11.1}",
        rate(run),
        rate(bare),
        rate(run) / rate(bare),
        run.peak / 1024,
        bare.peak / 1024,
        run.cpu.as_secs_f64() * 1e6 / size as f64
    );
}

/// A directory with a recipe and a filled table; gone when it is dropped.
struct Place(tempfile::TempDir);

impl Place {
    fn new(component: &Path, size: u64) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target");
        let place = Self(tempfile::Builder::new().prefix("bench-").tempdir_in(root).unwrap());
        fs::copy(component, place.path("persons.wasm")).unwrap();
        let recipe = "recipe = 1\n[plugin]\nfile = 'persons.wasm'\n[source.scan]\ntable = 'people'\nkey = 'id'\nversion = 'versionNumber'\n[grant.write]\nindex = ['persons']\n";
        fs::write(place.path("persons.toml"), recipe).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(place.fill(size));
        place
    }

    async fn fill(&self, size: u64) {
        let database = Database::open(self.path(".reindex/reindex.db"), Arc::new(System)).unwrap();
        let table = database.create_table("people", &["id".to_owned()], Form::DynamodbJson).await.unwrap();
        let mut lines = Housing::new(1).lines(Kind::People, 0..size);
        loop {
            let batch: Vec<String> = lines.by_ref().take(FILL).collect();
            if batch.is_empty() {
                return;
            }
            for answer in table.put_many(&batch).await.unwrap() {
                answer.unwrap();
            }
        }
    }

    fn run(&self) -> Cost {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reindex"));
        child::run(command.arg("run").arg(self.path("persons.toml")))
    }

    /// Leaves the compiled plugin in the cache, where all but the first run find it.
    fn compile(&self) {
        child::run(Command::new(env!("CARGO_BIN_EXE_reindex")).arg("check").arg(self.path("persons.toml")));
    }

    fn bare(&self) -> Cost {
        let documents = self.path("documents");
        bare::finish(&self.path(".reindex/reindex.db"), &documents);
        let mut command = Command::new(std::env::current_exe().unwrap());
        child::run(command.arg("--bare").arg(self.path("bare.db")).arg(documents))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
