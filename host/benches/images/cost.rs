//! What a whole family of processes costs: those that were started, and whatever they started.

use std::{
    fs,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rustix::process::{WaitOptions, getpid, set_child_subreaper, wait};

/// How often their memory is looked at. The kernel remembers each one's peak; what all have together is sampled.
const LOOK: Duration = Duration::from_millis(20);

/// The kernel counts a process's time in ticks of a hundredth of a second on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// What a family cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub wall: Duration,
    /// The time all of them computed.
    pub cpu: Duration,
    /// The most memory one of them ever held, in KiB.
    pub peak: u64,
    /// The most memory all of them held at a time, in KiB; what they share is counted for each.
    pub all: u64,
}

impl Cost {
    /// The least time on the wall and of the processor of two that did the same.
    pub fn best(self, other: Self) -> Self {
        Self { wall: self.wall.min(other.wall), cpu: self.cpu.min(other.cpu), ..self }
    }
}

/// Runs commands to their ends, so many at a time.
pub fn run(commands: Vec<Command>, at_once: usize) -> Cost {
    // Processes that outlive whoever started them come to this one, so that they are counted, too.
    set_child_subreaper(Some(getpid())).unwrap();
    let (begun, before, ended) = (Instant::now(), computed(), AtomicBool::new(false));
    let waiting = Mutex::new(commands.into_iter());
    let next = || waiting.lock().unwrap().next();
    let (peak, all, wall) = std::thread::scope(|scope| {
        let looking = scope.spawn(|| watch(&ended));
        let lines: Vec<_> = (0..at_once).map(|_| scope.spawn(|| while next().is_some_and(finish) {})).collect();
        lines.into_iter().for_each(|line| line.join().unwrap());
        let wall = begun.elapsed();
        ended.store(true, Relaxed);
        let (peak, all) = looking.join().unwrap();
        (peak, all, wall)
    });
    while wait(WaitOptions::empty()).is_ok_and(|found| found.is_some()) {}
    Cost { wall, cpu: computed().saturating_sub(before), peak, all }
}

fn finish(mut command: Command) -> bool {
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    true
}

/// The time that processes computed which this one has buried: the 16th and 17th field; the second one, the name, may
/// contain spaces.
fn computed() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    TICK * (fields[13].parse::<u32>().unwrap() + fields[14].parse::<u32>().unwrap())
}

fn watch(ended: &AtomicBool) -> (u64, u64) {
    let (mut peak, mut all) = (0, 0);
    while !ended.load(Relaxed) {
        let mut now = 0;
        for process in family(std::process::id()) {
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            peak = peak.max(field(&status, "VmHWM:"));
            now += field(&status, "VmRSS:");
        }
        all = all.max(now);
        std::thread::sleep(LOOK);
    }
    (peak, all)
}

/// The processes that this one started, and those that they did.
fn family(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let text = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).unwrap_or_default();
    let children: Vec<u32> = threads.flat_map(|thread| numbers(&text(thread))).collect();
    children.into_iter().flat_map(|child| [vec![child], family(child)].concat()).collect()
}

fn numbers(text: &str) -> Vec<u32> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
