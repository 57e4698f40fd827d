//! A child process, with its time and its peak memory.

use std::{
    fs,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// How often its memory is looked at: the kernel remembers the peak, so only the last look has to be late.
const LOOK: Duration = Duration::from_millis(2);

/// What a process cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub wall: Duration,
    /// The most memory it ever held, in KiB, as the kernel counts it.
    pub peak: u64,
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Cost {
    let begun = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let ended = AtomicBool::new(false);
    let (output, wall, peak) = std::thread::scope(|scope| {
        let looking = scope.spawn(|| watch(&status, &ended));
        let output = child.wait_with_output().unwrap();
        let wall = begun.elapsed();
        ended.store(true, Relaxed);
        (output, wall, looking.join().unwrap())
    });
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Cost { wall, peak }
}

fn watch(status: &str, ended: &AtomicBool) -> u64 {
    let mut peak = 0;
    while !ended.load(Relaxed) {
        peak = fs::read_to_string(status).ok().and_then(|text| high_water(&text)).unwrap_or(peak);
        std::thread::sleep(LOOK);
    }
    peak
}

fn high_water(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}
