//! Many images: time on the wall and of the processor.

use super::{
    cost::Cost,
    picture::picture,
    place::{Pace, Place},
    rivals,
};

const SCALE: f64 = 0.5;

/// Prints a line for each way to divide the cores, best of the command lines first.
pub fn table(place: &Place, images: usize, turns: usize) {
    let cores = std::thread::available_parallelism().unwrap().get();
    let names: Vec<_> = (1..=images).map(|number| format!("master-{number}")).collect();
    place.masters(&picture(8000, 6000), &names);
    let paces = [(1, cores), (cores, 1), (cores, cores), (cores + 1, 1)];
    let paces = paces.map(|(workers, threads)| Pace { workers, threads });
    // Compiles the plugin, and has the masters in the memory of the system.
    place.run(&names[..1], paces[0]);
    let mut costs = [[None; 2]; 4];
    let mut script = None;
    for _ in 0..turns {
        for (pace, costs) in paces.iter().zip(&mut costs) {
            keep(&mut costs[0], rivals::command_lines(place, &names, SCALE, *pace));
            keep(&mut costs[1], place.run(&names, *pace));
        }
        if let Some(cost) = rivals::script(place, SCALE) {
            keep(&mut script, cost);
        }
    }
    let costs = costs.map(|costs| costs.map(Option::unwrap));
    let best = costs.iter().map(|[lines, _]| lines.wall).min().unwrap();
    println!("{images} JPEG masters of 8000 × 6000, to deflated pyramids of 4000 × 3000; {cores} cores");
    println!("  {:<42}  {:>8}  {:>10}  {:>13}", "", "images/s", "CPU s each", "of the best");
    let line = |what: &str, cost: Cost| {
        let wall = cost.wall.as_secs_f64();
        let (rate, each) = (images as f64 / wall, cost.cpu.as_secs_f64() / images as f64);
        println!("  {what:<42}  {rate:>8.3}  {each:>10.2}  {:>12.2}×", best.as_secs_f64() / wall);
    };
    for (Pace { workers, threads }, [lines, ours]) in paces.iter().zip(costs) {
        line(&format!("vips, {workers} at a time, {threads} threads each"), lines);
        line(&format!("reindex run, {workers} workers, {threads} threads"), ours);
        println!("  {:<42}  {:>20.2}×", "  CPU, of the command line's", ratio(ours, lines));
    }
    match script {
        Some(cost) => line("Python, pyvips, three threads", cost),
        None => println!("  Python: pyvips cannot be installed here; NOT measured"),
    }
}

fn ratio(ours: Cost, theirs: Cost) -> f64 {
    ours.cpu.as_secs_f64() / theirs.cpu.as_secs_f64()
}

fn keep(best: &mut Option<Cost>, cost: Cost) {
    *best = Some(best.map_or(cost, |best| best.best(cost)));
}
