//! One, two and four workers on one table, with a shared ledger.

use std::{process::Stdio, time::Instant};

use super::place::Place;

const ENGINE: &str = "opensearch";

/// Prints how long the same run takes by so many workers.
pub fn table(place: &mut Place, items: u64) {
    println!("\n  workers on one run, ledger in DynamoDB, all on this machine's cores");
    let mut alone = None;
    for count in [1, 2, 4] {
        let name = format!("workers{count}");
        place.environment(&name, ENGINE, &format!("[ledger.dynamodb]\ntable = 'ledger{count}'\ncreate = true"));
        place.clear(ENGINE);
        let begun = Instant::now();
        let workers: Vec<_> = (0..count)
            .map(|_| {
                let mut command = place.reindex(&["run", "scan", "--env", &name]);
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for worker in workers {
            let output = worker.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let rate = items as f64 / begun.elapsed().as_secs_f64();
        let alone = *alone.get_or_insert(rate);
        println!("  {count}  {rate:>8.0}/s  {:.2}× of one", rate / alone);
    }
}
