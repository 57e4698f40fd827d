//! The share of a table's read capacity that a scan takes when it may take only so much.

use super::{child::Cost, place::Place};

/// What the scan may consume a second, in capacity units.
const MAX: u32 = 400;
/// A capacity unit is an eventually consistent read of so many bytes.
const UNIT: f64 = 8192.0;

/// Prints what was consumed a second against what was allowed.
pub fn table(place: &mut Place) {
    place.recipe("share", &format!("[source.scan]\ntable = 'people'\nmax-rcu = {MAX}"));
    place.clear("opensearch");
    let lines = std::fs::read_dir(place.path("")).unwrap().filter_map(Result::ok);
    let bytes = lines
        .filter(|file| file.file_name().to_string_lossy().starts_with("people-"))
        .map(|file| file.metadata().unwrap().len())
        .min();
    let Cost { wall, .. } = place.run(&["run", "share", "--env", "opensearch"]);
    // The lines are written with types, as DynamoDB counts them only roughly: the figure is a bound, not a reading.
    let units = bytes.unwrap() as f64 / UNIT;
    println!("\n  scan allowed {MAX} units/s: about {:.0} units/s over {:.0?}", units / wall.as_secs_f64(), wall);
}
