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
    /// The time its threads computed, as last seen before it ended; some milliseconds at the end may be missing.
    pub cpu: Duration,
    /// The most memory it ever held, in KiB, as the kernel counts it.
    pub peak: u64,
}

impl Cost {
    /// The one of two that took less time.
    pub fn quicker(self, other: Self) -> Self {
        if other.wall < self.wall { other } else { self }
    }
}

/// The kernel counts a process's time in ticks of a hundredth of a second on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Cost {
    let begun = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let process = format!("/proc/{}", child.id());
    let ended = AtomicBool::new(false);
    let (output, wall, (peak, cpu)) = std::thread::scope(|scope| {
        let looking = scope.spawn(|| watch(&process, &ended));
        let output = child.wait_with_output().unwrap();
        let wall = begun.elapsed();
        ended.store(true, Relaxed);
        (output, wall, looking.join().unwrap())
    });
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Cost { wall, cpu, peak }
}

fn watch(process: &str, ended: &AtomicBool) -> (u64, Duration) {
    let (mut peak, mut cpu) = (0, Duration::ZERO);
    while !ended.load(Relaxed) {
        peak = fs::read_to_string(format!("{process}/status")).ok().and_then(|text| high_water(&text)).unwrap_or(peak);
        cpu = fs::read_to_string(format!("{process}/stat")).ok().and_then(|text| computed(&text)).unwrap_or(cpu);
        std::thread::sleep(LOOK);
    }
    (peak, cpu)
}

/// The time in user and in system mode, the 14th and 15th field; the second one, the name, may contain spaces.
fn computed(stat: &str) -> Option<Duration> {
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u32 = fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?;
    Some(TICK * ticks)
}

fn high_water(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}
