//! One worker process, seen from outside: its start, its requests, and its end.

use std::{
    io,
    os::unix::process::ExitStatusExt as _,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::process::Signal;
use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};

use super::{
    super::Program,
    desk::Desk,
    message::{Answer, Failed, Hello, Request, Settings, Task},
    parent::Parent,
};
use crate::{
    capability::image::Config,
    error::{Error, Kind, Result},
};

/// The longest line that is read from a process.
const LINE: u64 = 4 << 20;
/// How many of the last bytes it printed are kept.
const LAST_WORDS: usize = 1 << 10;
/// How long its start may take.
const BEGINNING: Duration = Duration::from_secs(30);
/// How long reading the header of an image may take.
const LOOK: Duration = Duration::from_secs(30);
/// How long it may take to end by itself.
const LEAVE: Duration = Duration::from_secs(1);
/// How long the system may take to reap it.
const BURIAL: Duration = Duration::from_secs(5);

/// An idle process. It is killed when it is dropped.
pub(super) struct Process {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    printed: Arc<Mutex<Vec<u8>>>,
    listener: JoinHandle<()>,
    pub(super) desk: Desk,
    pub(super) hello: Hello,
    /// How many images it was given.
    pub(super) images: u32,
}

/// Why a process has no answer, and cannot be used any more.
pub(super) enum Death {
    /// It sent the reason before it died.
    Explained(Failed),
    /// It exceeded a limit.
    Exceeded(String),
    /// Any other reason, in words.
    Crashed(String),
}

impl Death {
    /// For a reason that it sent itself.
    fn of(failed: Failed) -> Self {
        match failed {
            // Data that an earlier image left may have used the memory.
            Failed::Memory(said) => Self::Crashed(format!("{NO_MEMORY}: {said}")),
            failed => Self::Explained(failed),
        }
    }
}

impl Process {
    /// Starts a process.
    ///
    /// *Errors*: of kind [`Kind::Unavailable`] if it was killed; of kind [`Kind::Usage`] if none can start.
    pub(super) async fn start(parent: &Parent, program: &Program, config: &Config, desk: Desk) -> Result<Self> {
        let mut child = parent.start(command(program, config, &desk)).await.map_err(|error| absent(program, error))?;
        let missing = || Error::bug("a process has no streams");
        let mut requests = child.stdin.take().ok_or_else(missing)?;
        let mut answers = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        let printed = Arc::default();
        let listener = listen(child.stderr.take().ok_or_else(missing)?, Arc::clone(&printed));
        let settings = Settings { memory: config.memory.as_u64() };
        let hello = async {
            write(&mut requests, &settings).await?;
            read::<Hello>(&mut answers).await
        };
        let said = match timeout(BEGINNING, hello).await {
            Ok(Ok(Some(hello))) => {
                return Ok(Self { child, requests, answers, printed, listener, desk, hello, images: 0 });
            }
            Ok(Ok(None)) => String::new(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it says nothing".to_owned(),
        };
        Err(stillborn(program, ended(&mut child).await, &last_words(listener, &printed, &said).await))
    }

    /// The process id.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Sends a request and returns the answer.
    pub(super) async fn ask(&mut self, request: &Request, wall: Duration) -> Result<Answer, Death> {
        self.images += 1;
        let (within, exceeded) = match request.task {
            Task::Render { .. } => (wall, wall_exceeded(wall)),
            // A header is read quickly, or never.
            _ if wall > LOOK => (LOOK, format!("its header takes longer than {} to read", friendly(LOOK))),
            _ => (wall, wall_exceeded(wall)),
        };
        let mut failing = None;
        let heard = timeout(within, self.hear(request, &mut failing)).await;
        let death = match heard {
            Ok(Ok(Some(Answer::Failed(failed @ Failed::Memory(_))))) => Death::of(failed),
            // It did not crash then, but its memory may be damaged.
            Ok(Ok(Some(Answer::Failed(failed)))) if failing.is_some() => Death::of(failed),
            Ok(Ok(Some(answer))) => return Ok(answer),
            Ok(Ok(None) | Err(_)) => self.burial().await,
            Err(_) => Death::Exceeded(exceeded),
        };
        Err(failing.map_or(death, Death::of))
    }

    /// Sends a request, and waits for the answer; none if it ends before. A reason for its end comes before that.
    async fn hear(&mut self, request: &Request, failing: &mut Option<Failed>) -> io::Result<Option<Answer>> {
        write(&mut self.requests, request).await?;
        loop {
            match read::<Answer>(&mut self.answers).await? {
                Some(Answer::Failing(failed)) => *failing = Some(failed),
                answer => return Ok(answer),
            }
        }
    }

    /// How it died.
    async fn burial(&mut self) -> Death {
        let status = ended(&mut self.child).await;
        let how = status.map_or_else(|| "its process does not answer".to_owned(), cause);
        let listener = std::mem::replace(&mut self.listener, tokio::spawn(async {}));
        let words = last_words(listener, &self.printed, &how).await;
        match status.and_then(|status| status.signal()).and_then(Signal::from_named_raw) {
            Some(Signal::XCPU) => Death::Exceeded(words),
            _ => Death::Crashed(words),
        }
    }
}

const NO_MEMORY: &str = "it needs more memory than `memory` under `[image]` allows";

fn wall_exceeded(wall: Duration) -> String {
    format!("it takes longer than `wall` under `[image]` allows ({})", friendly(wall))
}

/// How a process ended; it is killed if it has not ended.
async fn ended(child: &mut Child) -> Option<ExitStatus> {
    // A process that closed its output is about to end by itself, with a status.
    if timeout(LEAVE, child.wait()).await.is_err() {
        let _ = child.start_kill();
    }
    timeout(BURIAL, child.wait()).await.ok()?.ok()
}

/// The error of a program that cannot be run.
fn absent(program: &Program, error: io::Error) -> Error {
    let said = match error.kind() {
        io::ErrorKind::NotFound => Error::usage("the program that decodes images is not there").hint(
            "build it with `--features vips`, which takes libvips 8.14 or newer (on Debian, `apt-get install \
                   libvips-dev`), and keep it beside `reindex`",
        ),
        io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory => {
            Error::new(Kind::Unavailable, "the system starts no more processes")
        }
        _ => Error::usage("the program that decodes images does not start"),
    };
    said.of_place().with("program", program.file.display().to_string()).because(error)
}

/// The error of a program that ran, and ended before it was ready.
fn stillborn(program: &Program, status: Option<ExitStatus>, said: &str) -> Error {
    let error = match status {
        Some(status) if status.signal().is_none() => Error::usage("the program that decodes images does not start")
            .hint("it needs libvips 8.14 or newer: on Debian, `apt-get install libvips42`"),
        _ => Error::new(Kind::Unavailable, "the process that decodes images ended before it was ready")
            .hint("run the same command again; if memory is short, lower `workers` under `[image]`"),
    };
    let how = status.map_or_else(|| "it says nothing".to_owned(), cause);
    let error = error.of_place().with("program", program.file.display().to_string());
    error.because(io::Error::other(if said.is_empty() { how } else { format!("{how}: {said}") }))
}

fn command(program: &Program, config: &Config, desk: &Desk) -> Command {
    let mut command = Command::new(&program.file);
    command.args(&program.arguments).current_dir(desk.path()).env_clear();
    command.env("TMPDIR", desk.out()).env("XDG_CACHE_HOME", desk.out()).env("LC_ALL", "C");
    command.env("VIPS_CONCURRENCY", config.threads.max(1).to_string()).env("MALLOC_ARENA_MAX", "2");
    if !config.untrusted_loaders {
        command.env("VIPS_BLOCK_UNTRUSTED", "1");
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

async fn write(requests: &mut ChildStdin, what: &impl serde::Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    requests.write_all(&line).await
}

/// Reads one line; none at the end of the output.
async fn read<T: DeserializeOwned>(answers: &mut BufReader<ChildStdout>) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    answers.take(LINE).read_until(b'\n', &mut line).await?;
    Ok(if line.is_empty() { None } else { Some(serde_json::from_slice(&line)?) })
}

/// Keeps the last bytes that it prints.
fn listen(mut errors: ChildStderr, printed: Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut piece = [0; LAST_WORDS];
        while let Ok(read @ 1..) = errors.read(&mut piece).await {
            let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
            printed.extend_from_slice(&piece[..read]);
            let excess = printed.len().saturating_sub(LAST_WORDS);
            printed.drain(..excess);
        }
    })
}

async fn last_words(listener: JoinHandle<()>, printed: &Mutex<Vec<u8>>, how: &str) -> String {
    // The process has closed its output, or never will.
    let _ = timeout(BURIAL, listener).await;
    let printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
    let printed = String::from_utf8_lossy(&printed);
    let lines: Vec<_> = printed.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(3)..].join("; ");
    let how = if last.contains("allocate") || last.contains("out of memory") { NO_MEMORY } else { how };
    if last.is_empty() { how.to_owned() } else { format!("{how}: {last}") }
}

fn cause(status: ExitStatus) -> String {
    let Some(signal) = status.signal() else { return "its process gave up".to_owned() };
    match Signal::from_named_raw(signal) {
        Some(Signal::XCPU) => "it takes more of the processor than `cpu` under `[image]` allows".to_owned(),
        Some(Signal::XFSZ) => "it writes more than there is room for".to_owned(),
        Some(Signal::KILL) => "its process was killed".to_owned(),
        _ => format!("its process crashed with signal {signal}"),
    }
}

fn friendly(time: Duration) -> String {
    jiff::SignedDuration::try_from(time).map_or_else(|_| format!("{time:?}"), |time| format!("{time:#}"))
}
