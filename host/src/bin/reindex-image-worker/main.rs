//! The process that decodes images for `reindex`: it sandboxes itself, and then answers one request after the other.
//! `reindex` starts it; it is the only program that contains libvips.
//!
//! It knows only its own directory: no bucket, no key, no environment. It can be killed at any time without damage. It
//! ends with its parent process: its input ends then, and the kernel kills it.

mod blocks;
mod describe;
mod fence;
mod kind;
mod open;
mod operation;
mod paint;
mod pixels;
mod save;
mod steps;
mod tiff;
mod turn;
mod verify;

use std::{
    fs::File,
    io::{self, BufReader, Write as _},
    process::ExitCode,
    sync::mpsc,
};

use reindex::{
    backend::vips::message::{Answer, Failed, Hello, IMAGE, Limits, MADE, Placed, Request, Settings, Task},
    error::{Error, Result},
};
use rustix::{
    process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit},
    stdio,
    time::{ClockId, clock_gettime},
};
use serde::{Serialize, de::DeserializeOwned};

#[expect(clippy::print_stderr, reason = "the process that started this one keeps what it prints")]
fn main() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.report());
            ExitCode::FAILURE
        }
    }
}

/// Decodes images for the parent process, over the standard streams and in the working directory, until the input ends.
///
/// *Errors*: those that prevent the start.
fn work() -> Result<()> {
    let failed = |error: io::Error| Error::bug("the process that asks cannot be answered").because(error);
    // A stopped process does not notice that its input ended.
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| failed(error.into()))?;
    let mut answers = answers().map_err(failed)?;
    let mut requests = BufReader::new(io::stdin());
    let Some(settings) = read::<Settings>(&mut requests).map_err(failed)? else { return Ok(()) };
    bound(settings).map_err(failed)?;
    // Before libvips: it may start threads, and the sandbox applies to threads that are started after it.
    fence::build();
    let early = answers.try_clone().map_err(failed)?;
    operation::start(move |failed| warn(&early, failed))
        .map_err(|why| Error::usage(format!("libvips does not start: {why:?}")))?;
    say(&mut answers, &Hello { maker: operation::maker(), open: fence::gaps() }).map_err(failed)?;
    for request in listen(requests) {
        operation::forget();
        say(&mut answers, &answer(&request)).map_err(failed)?;
    }
    Ok(())
}

/// The output for answers. No library can write to it: the standard output of libraries goes to the standard error from
/// now on.
fn answers() -> io::Result<File> {
    let answers = File::from(rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?);
    stdio::dup2_stdout(io::stderr())?;
    Ok(answers)
}

/// Reports why there will be no picture, before libvips cleans up: releases up to 8.14 may crash while they do.
fn warn(mut answers: &File, failed: Failed) {
    // If this fails, the crash itself is the reason.
    let _ = say(&mut answers, &Answer::Failing(failed));
}

/// The limits that are the same for every image.
fn bound(settings: Settings) -> io::Result<()> {
    let both = |limit| Rlimit { current: Some(limit), maximum: Some(limit) };
    setrlimit(Resource::Core, both(0))?;
    setrlimit(Resource::Nofile, both(256))?;
    setrlimit(Resource::Data, both(settings.memory))?;
    Ok(())
}

/// Sets the limits of one image: those of the system count from the start of the process.
fn bound_image(limits: &Limits) -> io::Result<()> {
    let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec.unsigned_abs();
    let soft = |resource, limit| {
        let maximum = getrlimit(resource).maximum;
        setrlimit(resource, Rlimit { current: Some(maximum.map_or(limit, |most| most.min(limit))), maximum })
    };
    soft(Resource::Cpu, used.saturating_add(limits.cpu).saturating_add(1))?;
    soft(Resource::Fsize, limits.file)?;
    Ok(())
}

/// Returns requests as they come. A thread of its own waits for them, so that the end of the input is noticed at any
/// time: no answer is needed after that.
fn listen(mut requests: impl io::BufRead + Send + 'static) -> mpsc::IntoIter<Request> {
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        while let Ok(Some(request)) = read(&mut requests) {
            if sender.send(request).is_err() {
                return;
            }
        }
        std::process::abort();
    });
    receiver.into_iter()
}

fn read<T: DeserializeOwned>(requests: &mut impl io::BufRead) -> io::Result<Option<T>> {
    let mut line = String::new();
    requests.read_line(&mut line)?;
    Ok(if line.is_empty() { None } else { Some(serde_json::from_str(&line)?) })
}

fn say(answers: &mut impl io::Write, what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    answers.write_all(&line)
}

fn answer(request: &Request) -> Answer {
    let done = bound_image(&request.limits).map_err(Failed::from).and_then(|()| match &request.task {
        Task::Describe { page, purpose } => describe::describe(*page, *purpose, &request.limits).map(Answer::Described),
        Task::Blocks(max_bytes) => read_blocks(*max_bytes).map(Answer::Blocks),
        Task::Render { page, steps, format } => {
            let painted = paint::paint(*page, steps, format, &request.limits);
            painted.map(|(picture, size)| Answer::Rendered { picture, size })
        }
    });
    done.unwrap_or_else(Answer::Failed)
}

fn read_blocks(max_bytes: u64) -> Result<Vec<Placed>, Failed> {
    let blocks = blocks::read(&mut File::open(IMAGE)?, max_bytes)?;
    let mut made = File::create(MADE)?;
    for block in &blocks {
        made.write_all(&block.data)?;
    }
    let placed = blocks.into_iter().map(|block| Placed {
        name: block.name,
        offset: block.offset,
        length: block.data.len() as u64,
    });
    Ok(placed.collect())
}
