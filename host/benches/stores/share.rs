//! The share of a table's read capacity that a scan takes when it may take only so much.

use super::{bare, child::Cost, copy::wait, place::Place};

/// What the scan may consume a second, in capacity units.
const MAX: u32 = 400;

/// Prints what was consumed a second against what was allowed; pages are counted as the server counts them.
pub fn table(place: &mut Place) {
    place.recipe("share", &format!("[source.scan]\ntable = 'people'\nmax-rcu = {MAX}"));
    place.clear("opensearch");
    let Cost { wall, .. } = place.run(&["run", "share", "--env", "opensearch"]);
    let units = wait(bare::units(place.dynamodb.url()));
    println!("\n  scan allowed {MAX} units/s: {:.0} units/s over {:.0?}", units / wall.as_secs_f64(), wall);
}
