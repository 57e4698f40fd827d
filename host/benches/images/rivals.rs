//! What people do today with the same files: the `vips` command line, and a Python script of the kind one writes in an
//! afternoon.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use super::{
    cost::{self, Cost},
    place::{Pace, Place, target},
};

/// What the command line is told to write, which is what the plugin does.
const WRITTEN: &str = "tile,tile-width=512,tile-height=512,pyramid,compression=deflate,predictor=horizontal,\
                       xres=11.812,yres=11.812";

/// A command line for each master, as many at a time as there are workers; `scale` brings them to the same size.
pub fn command_lines(place: &Place, names: &[String], scale: f64, Pace { workers, threads }: Pace) -> Cost {
    let command = |name: &String| {
        let mut vips = Command::new("vips");
        vips.arg("resize").arg(format!("{}[access=sequential]", place.master(name).display()));
        vips.arg(format!("{}[{WRITTEN}]", place.path(&format!("made/{name}.tif")).display()));
        vips.arg(scale.to_string()).env("VIPS_CONCURRENCY", threads.to_string());
        vips
    };
    cost::run(names.iter().map(command).collect(), workers)
}

/// The script on every master, in three threads. None if Python or pyvips cannot be had.
pub fn script(place: &Place, scale: f64) -> Option<Cost> {
    let home = target().join("rivals/pyvips");
    let program = home.join("bin/python");
    if !program.exists() {
        quiet(Command::new("python3").args(["-m", "venv", home.to_str()?]))?;
    }
    quiet(Command::new(&program).args(["-c", "import pyvips"]))
        .or_else(|| quiet(Command::new(&program).args(["-m", "pip", "install", "--quiet", "pyvips"])))?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/images/rivals/script.py");
    let mut command = Command::new(program);
    command.arg(script).arg(place.path("masters")).arg(place.path("made")).arg(scale.to_string());
    Some(cost::run(vec![command], 1))
}

fn quiet(command: &mut Command) -> Option<()> {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    status.success().then_some(())
}
