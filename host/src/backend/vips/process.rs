//! One process that decodes, seen from outside: started, asked, and buried.

use std::{
    os::unix::process::ExitStatusExt as _,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

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
    message::{Answer, Failed, Hello, Request, Settings},
};
use crate::{
    capability::image::Config,
    error::{Error, Kind, Result},
};

/// The longest line that is read of one.
const LINE: u64 = 4 << 20;
/// How much of what it last printed is kept.
const LAST_WORDS: usize = 1 << 10;
/// How long it may take to begin.
const BEGINNING: Duration = Duration::from_secs(30);
/// How long the system may take to bury it.
const BURIAL: Duration = Duration::from_secs(5);

/// A process that waits for images. It is killed when it is dropped.
pub(super) struct Process {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    printed: Arc<Mutex<Vec<u8>>>,
    listener: JoinHandle<()>,
    pub(super) desk: Desk,
    pub(super) hello: Hello,
    /// How many images it was asked about.
    pub(super) images: u32,
}

impl Process {
    /// Starts one.
    ///
    /// *Errors*: whatever keeps every one from being started.
    pub(super) async fn start(program: &Program, config: &Config, desk: Desk) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(Kind::Usage, "the process that decodes images does not start")
                .of_place()
                .with("program", program.file.display().to_string())
                .because(error)
        };
        let mut child = command(program, config, &desk).spawn().map_err(failed)?;
        let missing = || failed(std::io::Error::other("it has no streams"));
        let mut requests = child.stdin.take().ok_or_else(missing)?;
        let mut answers = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        let printed = Arc::default();
        let listener = listen(child.stderr.take().ok_or_else(missing)?, Arc::clone(&printed));
        let settings = Settings { memory: config.memory.as_u64() };
        let hello = async {
            write(&mut requests, &settings).await?;
            read::<Hello>(&mut answers).await
        };
        let (hello, problem) = match timeout(BEGINNING, hello).await {
            Ok(Ok(hello)) => (hello, String::new()),
            Ok(Err(error)) => (None, error.to_string()),
            Err(_) => (None, "it says nothing".to_owned()),
        };
        match hello {
            Some(hello) => Ok(Self { child, requests, answers, printed, listener, desk, hello, images: 0 }),
            None => Err(failed(std::io::Error::other(last_words(listener, &printed, &problem).await))
                .hint("it needs libvips 8.14 or newer: on Debian, `apt-get install libvips42`")),
        }
    }

    /// The number the system knows it by.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Asks for one thing. In words how it died, if it did; it is of no use any more then.
    pub(super) async fn ask(&mut self, request: &Request, wall: Duration) -> Result<Answer, String> {
        self.images += 1;
        let asked = async {
            write(&mut self.requests, request).await?;
            read::<Answer>(&mut self.answers).await
        };
        match timeout(wall, asked).await {
            Err(_) => Err(format!("it takes longer than `wall` under `[image]` allows ({})", friendly(wall))),
            Ok(Ok(Some(Answer::Failed(Failed::Memory(said))))) => Err(format!("{NO_MEMORY}: {said}")),
            Ok(Ok(Some(answer))) => Ok(answer),
            Ok(Ok(None) | Err(_)) => Err(self.burial().await),
        }
    }

    /// How it died.
    async fn burial(&mut self) -> String {
        let _ = self.child.start_kill();
        let status = timeout(BURIAL, self.child.wait()).await;
        let how = match status {
            Ok(Ok(status)) => cause(status),
            _ => "its process does not answer".to_owned(),
        };
        let listener = std::mem::replace(&mut self.listener, tokio::spawn(async {}));
        last_words(listener, &self.printed, &how).await
    }
}

const NO_MEMORY: &str = "it needs more memory than `memory` under `[image]` allows";

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

async fn write(requests: &mut ChildStdin, what: &impl serde::Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    requests.write_all(&line).await
}

/// One line; none if it says no more.
async fn read<T: DeserializeOwned>(answers: &mut BufReader<ChildStdout>) -> std::io::Result<Option<T>> {
    let mut line = Vec::new();
    answers.take(LINE).read_until(b'\n', &mut line).await?;
    Ok(if line.is_empty() { None } else { Some(serde_json::from_slice(&line)?) })
}

/// Keeps the last of what it prints.
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
    // It has closed its end, or will never.
    let _ = timeout(BURIAL, listener).await;
    let printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
    let printed = String::from_utf8_lossy(&printed);
    let lines: Vec<_> = printed.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(3)..].join("; ");
    let how = if last.contains("allocate") || last.contains("out of memory") { NO_MEMORY } else { how };
    if last.is_empty() { how.to_owned() } else { format!("{how}: {last}") }
}

fn cause(status: ExitStatus) -> String {
    match status.signal() {
        Some(libc::SIGXCPU) => "it takes more of the processor than `cpu` under `[image]` allows".to_owned(),
        Some(libc::SIGXFSZ) => "it writes more than there is room for".to_owned(),
        Some(libc::SIGKILL) => "its process was killed".to_owned(),
        Some(signal) => format!("its process crashed with signal {signal}"),
        None => "its process gave up".to_owned(),
    }
}

fn friendly(time: Duration) -> String {
    jiff::SignedDuration::try_from(time).map_or_else(|_| format!("{time:?}"), |time| format!("{time:#}"))
}
