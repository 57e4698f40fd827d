//! Worker processes: as many as images are decoded at a time, each with one image.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread::available_parallelism,
};

use tokio::sync::Semaphore;

use super::{
    super::{
        Program,
        files::{blocking, explain},
    },
    desk::Desk,
    message::{Answer, Failed, Hello, Limits, Request, Task},
    parent::Parent,
    process::{Death, Process},
    scratch::{Held, Loose, Reserved, Scratch},
};
use crate::{
    capability::image::{self, Config, Flaw},
    error::{Error, Kind, Result},
};

/// How many bytes are written to check whether the disk is full.
const PROBE: usize = 64 << 10;

/// Starts processes as they are needed, and keeps them for the next image.
pub(super) struct Pool {
    program: Program,
    config: Config,
    scratch: Arc<Scratch>,
    slots: Semaphore,
    idle: Mutex<Vec<Process>>,
    parent: Parent,
}

/// The answer of a process, and its output file, if it made one.
pub(super) struct Done {
    pub answer: Answer,
    pub made: Option<(Loose, u64)>,
}

impl Pool {
    pub(super) fn new(program: Program, config: Config, scratch: Arc<Scratch>) -> Result<Self> {
        let workers = match config.workers {
            0 => available_parallelism().map_or(1, usize::from),
            workers => workers as usize,
        };
        let parent = Parent::new().map_err(|error| {
            Error::new(Kind::Unavailable, "the thread that starts processes cannot be started").because(error)
        })?;
        Ok(Self { program, config, scratch, slots: Semaphore::new(workers), idle: Mutex::default(), parent })
    }

    /// The first message of a process.
    pub(super) async fn hello(&self) -> Result<Hello> {
        let _slot = self.slot().await?;
        let process = self.process(false).await?;
        let hello = process.hello.clone();
        self.park(process);
        Ok(hello)
    }

    /// The ids of the idle processes.
    pub(super) fn ids(&self) -> Vec<u32> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.iter().filter_map(Process::id).collect()
    }

    /// Runs one task for an image. If the process dies, another one tries once more; if the process was fresh and
    /// exceeded a limit, the task is not retried, since the next one would exceed it, too.
    pub(super) async fn work(&self, image: &Held, task: Task, room: Reserved) -> Result<image::Answer<Done>> {
        let _slot = self.slot().await?;
        let request = Request { limits: self.limits(&room), task };
        let mut death = String::new();
        for again in [false, true] {
            let mut process = self.process(again).await?;
            let (path, image) = (process.desk.path().to_owned(), image.path().to_owned());
            process = blocking(move || {
                process.desk.lay(&image).map_err(|error| explain(error, &path))?;
                Ok(process)
            })
            .await?;
            match process.ask(&request, self.config.wall).await {
                Ok(Answer::Failed(failed)) => {
                    self.finish(process, room).await?;
                    return failed.into_flaw().map(Err);
                }
                Ok(answer) => return Ok(Ok(Done { answer, made: self.finish(process, room).await? })),
                Err(Death::Explained(failed)) => return failed.into_flaw().map(Err),
                Err(Death::Exceeded(why)) if process.images == 1 => return Ok(Err(Flaw::Fatal(why))),
                Err(Death::Exceeded(why) | Death::Crashed(why)) => {
                    // A library may crash in any way when the disk is full; its output is still there.
                    probe(process.desk.path().join("probe")).await?;
                    death = why;
                }
            }
        }
        Ok(Err(Flaw::Fatal(death)))
    }

    /// Clears the directory of a process, and keeps the process for the next image.
    async fn finish(&self, process: Process, mut room: Reserved) -> Result<Option<(Loose, u64)>> {
        let to = self.scratch.fresh();
        let (process, size, to) = blocking(move || {
            let size = process.desk.take(&to).map_err(|error| explain(error, &to))?;
            Ok((process, size, to))
        })
        .await?;
        self.park(process);
        Ok(size.map(|size| (Loose::new(to, room.split(size)), size)))
    }

    fn limits(&self, room: &Reserved) -> Limits {
        let Config { max_pixels, max_pages, max_bands, max_profile, untrusted_loaders, cpu, .. } = self.config;
        let (cpu, file, max_profile) = (cpu.as_secs().max(1), room.bytes(), max_profile.as_u64());
        Limits { max_pixels, max_pages, max_bands, max_profile, untrusted_loaders, cpu, file }
    }

    async fn slot(&self) -> Result<tokio::sync::SemaphorePermit<'_>> {
        self.slots.acquire().await.map_err(|error| Error::bug("images are closed").because(error))
    }

    /// An idle process, or a fresh one. One that dies at its start was killed, perhaps by accident: the next one
    /// starts, or returns the reason.
    async fn process(&self, fresh: bool) -> Result<Process> {
        let waiting = || self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(process) = if fresh { None } else { waiting() } {
            return Ok(process);
        }
        match self.start().await {
            Err(error) if error.kind() == Kind::Unavailable => self.start().await,
            started => started,
        }
    }

    async fn start(&self) -> Result<Process> {
        let path = self.scratch.fresh();
        let desk = blocking(move || Desk::make(path.clone()).map_err(|error| explain(error, &path))).await?;
        Process::start(&self.parent, &self.program, &self.config, desk).await
    }

    /// Keeps a process for reuse, unless it is old, so that leaks of a library do not add up.
    fn park(&self, process: Process) {
        if process.images < self.config.renew_after.max(1) {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(process);
        }
    }
}

impl Failed {
    /// The result for the image; an error if it is the same for every image.
    fn into_flaw(self) -> Result<Flaw> {
        match self {
            Self::Refused(why) => Ok(Flaw::Refused(why)),
            Self::Unreadable(why) => Ok(Flaw::Unreadable(why)),
            Self::Memory(why) => Ok(Flaw::Fatal(why)),
            Self::Full => Err(full()),
        }
    }
}

/// Fails if nothing can be written, which would affect every image.
async fn probe(path: PathBuf) -> Result<()> {
    blocking(move || {
        let written = fs::write(&path, [1; PROBE]);
        // It is removed with its directory.
        written.map_err(|error| explain(error, &path))
    })
    .await
}

/// The error of a full disk, which affects every image.
fn full() -> Error {
    Error::new(Kind::Unavailable, "the disk is full")
        .hint("make room under `.reindex/scratch` and run the same command again; nothing was half written")
}
