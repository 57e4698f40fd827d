//! Many images: how many a second, and the processor's time for each.

use super::{
    cost::Cost,
    picture::picture,
    place::{Pace, Place},
    rivals,
};

const SCALE: f64 = 0.5;

/// What the same masters cost: those command lines, and those runs, at each pace; and the script.
struct Costs {
    lines: Vec<Cost>,
    runs: Vec<Cost>,
    script: Option<Cost>,
}

/// Prints a line for each way to divide the cores.
pub fn table(place: &Place, images: usize, turns: usize) {
    let cores = std::thread::available_parallelism().unwrap().get();
    let names: Vec<_> = (1..=images).map(|number| format!("master-{number}")).collect();
    place.masters(&picture(8000, 6000), &names);
    let paces = [(1, cores), (cores, 1), (cores, cores), (cores + 1, 1)];
    let paces = paces.map(|(workers, threads)| Pace { workers, threads });
    // Compiles the plugin, and has the masters in the memory of the system.
    place.run(&names[..1], paces[0]);
    let first = measure(place, &names, &paces);
    let Costs { lines, runs, script } = (1..turns).fold(first, |best, _| best.best(measure(place, &names, &paces)));

    let rate = |cost: &Cost| images as f64 / cost.wall.as_secs_f64();
    let each = |cost: &Cost| cost.cpu.as_secs_f64() / images as f64;
    let best = lines.iter().map(rate).fold(0.0, f64::max);
    println!("{images} JPEG masters of 8000 × 6000 to deflated pyramids of 4000 × 3000, on {cores} cores");
    println!("  {:<30}  {:>8}  {:>14}  {:>10}", "", "images/s", "of best vips", "CPU s each");
    let line = |what: &str, cost: &Cost, more: &str| {
        let (rate, of) = (rate(cost), rate(cost) / best);
        println!("  {what:<30}  {rate:>8.3}  {of:>13.2}×  {:>10.2}  {more}", each(cost));
    };
    for ((Pace { workers, threads }, vips), run) in paces.iter().zip(&lines).zip(&runs) {
        line(&format!("vips, {workers} at a time, threads: {threads}"), vips, "");
        line(&format!("run, {workers} workers, threads: {threads}"), run, &format!("{:.2}×", each(run) / each(vips)));
    }
    match script {
        Some(cost) => line("Python, pyvips, three threads", &cost, ""),
        None => println!("  Python: pyvips cannot be installed here; NOT measured"),
    }
}

/// Everything once, side by side: machines are noisy.
fn measure(place: &Place, names: &[String], paces: &[Pace]) -> Costs {
    let both = |pace: &Pace| (rivals::command_lines(place, names, SCALE, *pace), place.run(names, *pace));
    let (lines, runs) = paces.iter().map(both).unzip();
    Costs { lines, runs, script: rivals::script(place, SCALE) }
}

impl Costs {
    /// The best of each.
    fn best(self, other: Self) -> Self {
        let best = |(a, b): (Cost, Cost)| a.best(b);
        Self {
            lines: self.lines.into_iter().zip(other.lines).map(best).collect(),
            runs: self.runs.into_iter().zip(other.runs).map(best).collect(),
            script: self.script.zip(other.script).map(best),
        }
    }
}
