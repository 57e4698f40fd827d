//! One large image: memory, which must not grow with it.

use super::{
    cost::Cost,
    picture::picture,
    place::{Pace, Place},
    rivals,
};

/// Prints a line for each number of threads.
pub fn table(place: &Place) {
    let names = ["large".to_owned()];
    place.masters(&picture(12000, 9000), &names);
    println!("\nOne JPEG master of 12000 × 9000, to a deflated pyramid of 4000 × 3000; peak memory in MiB");
    println!("  {:<24}  {:>8}  {:>14}  {:>6}  {:>14}  {:>6}", "", "vips", "worker", "", "with its host", "");
    let cores = std::thread::available_parallelism().unwrap().get();
    for threads in [1, cores] {
        let pace = Pace { workers: 1, threads };
        let theirs = rivals::command_lines(place, &names, 1.0 / 3.0, pace);
        let ours = place.run(&names, pace);
        line(threads, theirs, ours);
    }
}

fn line(threads: usize, theirs: Cost, ours: Cost) {
    let of = |memory: u64| memory as f64 / theirs.peak as f64;
    println!(
        "  {:<24}  {:>8}  {:>14}  {:>5.2}×  {:>14}  {:>5.2}×",
        format!("threads: {threads}"),
        theirs.peak / 1024,
        ours.peak / 1024,
        of(ours.peak),
        ours.all / 1024,
        of(ours.all)
    );
}
