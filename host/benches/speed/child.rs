//! A child process, with its time and its peak memory.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// What a process cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub wall: Duration,
    /// The most memory it ever held, in KiB, as the kernel counts it.
    pub peak: u64,
}

/// Runs a command to its end; the last look at its memory is at most one pause old.
pub fn run(command: &mut Command, pause: Duration) -> Cost {
    let begun = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = fs::read_to_string(&status).map_or(peak, |text| high_water(&text).unwrap_or(peak));
        std::thread::sleep(pause);
    }
    let wall = begun.elapsed();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Cost { wall, peak }
}

fn high_water(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}
