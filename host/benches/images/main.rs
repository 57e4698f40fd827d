//! The table of benchmarks on images: `cargo bench -p reindex --features vips --bench images -- [IMAGES [TURNS]]`.
//!
//! Each figure is a ratio of two things measured in this one run: `reindex run` with the pyramid plugin, with its fence
//! around the processes that decode, against `vips` command lines that make the same TIFFs of the same masters. A
//! rival that cannot be had (Python) is named and left out.

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs, reason = "a benchmark prints, and may fail")]

mod cost;
mod first;
mod memory;
mod picture;
mod place;
mod rivals;
mod throughput;

/// As many masters as make what happens once small.
const IMAGES: usize = 8;
/// How often each is measured, in turns; its best counts, since machines are noisy.
const TURNS: usize = 3;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |at: usize, usual| words.get(at).map_or(usual, |word| word.parse().expect("a number"));
    let (images, turns) = (number(0, IMAGES), number(1, TURNS));
    let place = place::Place::new();
    throughput::table(&place, images, turns);
    memory::table(&place);
    first::line(&place);
}
