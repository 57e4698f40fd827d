//! From a master that comes to its pyramid, with a service that waits for it.

use std::{
    fs,
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use super::{
    picture::picture,
    place::{Pace, Place},
    rivals,
};

const LOOK: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(120);

/// A service that is ended with its measurement.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Prints how long it takes, and how much of that the command line needs for the same TIFF.
pub fn line(place: &Place) {
    let pace = Pace { workers: 1, threads: 1 };
    let picture = picture(8000, 6000);
    place.masters(&picture, &["master".to_owned()]);
    let work = rivals::command_lines(place, &["master".to_owned()], 0.5, pace).wall;
    place.masters(&picture, &[]);
    place.recipe(pace, true);
    let mut serve = place.reindex("serve");
    let serve = serve.args(["--listen", "none"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let service = Service(serve.spawn().unwrap());
    // The first one waits for the service, too.
    come(place, &picture, "early");
    let wall = come(place, &picture, "late");
    drop(service);
    println!("\nFrom a master of 8000 × 6000 in a watched folder to its pyramid, with `reindex serve` waiting for it");
    println!("  {wall:.2?}, of which the command line needs {work:.2?}");
}

/// Lays a master down, and waits for its pyramid.
fn come(place: &Place, picture: &Path, name: &str) -> Duration {
    fs::copy(picture, place.master(name)).unwrap();
    let begun = Instant::now();
    while !place.image(name).exists() {
        assert!(begun.elapsed() < PATIENCE, "no pyramid of {name}");
        std::thread::sleep(LOOK);
    }
    begun.elapsed()
}
