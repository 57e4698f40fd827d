//! The processes that decode: what they are, what they can reach, and how they end.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::ExitStatusExt as _,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use landlock::{AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _};
use reindex::{
    backend::{Program, vips::Vips},
    capability::image::{Config, Images as _, Origin},
    error::Kind,
};
use tempfile::TempDir;

use super::{config, place, program, signal, untested};
use crate::contract::image::gradient;

#[tokio::test]
async fn a_process_that_is_killed_has_a_successor_and_one_that_hangs_too() {
    let place = place(Config { workers: 1, wall: Duration::from_secs(2), ..config() });
    place.opener.put("x", gradient(30, 30)).await;
    for name in ["-KILL", "-STOP"] {
        place.opener.describe("x").await.unwrap();
        let before = place.vips.processes();
        assert_eq!(before.len(), 1);
        signal(name, before[0]);
        assert_eq!(place.opener.describe("x").await.unwrap().width, 30, "after {name}");
        assert_ne!(place.vips.processes(), before);
    }
}

#[tokio::test]
async fn a_process_is_replaced_after_some_images() {
    let place = place(Config { workers: 1, renew_after: 2, ..config() });
    place.opener.put("x", gradient(3, 3)).await;
    place.opener.describe("x").await.unwrap();
    assert_eq!(place.vips.processes().len(), 1);
    place.opener.describe("x").await.unwrap();
    assert_eq!(place.vips.processes().len(), 0);
    assert!(place.opener.describe("x").await.is_ok());
}

#[tokio::test]
async fn a_process_knows_nothing_and_reaches_nothing() {
    let place = place(config());
    let about = place.vips.about().await.unwrap();
    assert!(about.maker.starts_with("libvips 8."), "{about:?}");
    // It tried all it must not do.
    let landlock = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    if landlock.handle_access(AccessFs::Execute).and_then(Ruleset::create).is_ok() {
        assert_eq!(about.open, [""; 0]);
    } else {
        untested("that a process reaches nothing", "this kernel has no Landlock");
    }
    let process = place.vips.processes()[0];
    let environment = fs::read_to_string(format!("/proc/{process}/environ")).unwrap();
    let mut names: Vec<_> =
        environment.split('\0').filter_map(|entry| entry.split_once('=')).map(|entry| entry.0).collect();
    names.sort_unstable();
    let known = ["LC_ALL", "MALLOC_ARENA_MAX", "TMPDIR", "VIPS_BLOCK_UNTRUSTED", "VIPS_CONCURRENCY", "XDG_CACHE_HOME"];
    assert_eq!(names, known);
    let directory = fs::read_link(format!("/proc/{process}/cwd")).unwrap();
    assert!(directory.starts_with(place.root.canonicalize().unwrap()));
}

/// A process that waits for its first image, and where it would come from.
fn process(desk: &TempDir) -> (Child, ChildStdin) {
    ["in", "out"].iter().for_each(|half| fs::create_dir(desk.path().join(half)).unwrap());
    let Program { file, arguments } = program();
    let mut command = Command::new(file);
    command.args(arguments).current_dir(desk.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut requests = process.stdin.take().unwrap();
    requests.write_all(b"{\"memory\":1000000000}\n").unwrap();
    let mut hello = String::new();
    BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut hello).unwrap();
    assert!(hello.contains("libvips"), "{hello}");
    (process, requests)
}

#[test]
fn a_process_ends_with_its_input() {
    let desk = tempfile::tempdir().unwrap();
    let (mut process, requests) = process(&desk);
    drop(requests);
    process.wait().unwrap();
}

#[test]
fn a_process_that_is_stopped_ends_with_the_thread_that_started_it() {
    let desk = tempfile::tempdir().unwrap();
    let started = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let (process, requests) = process(&desk);
            signal("-STOP", process.id());
            (process, requests)
        });
        thread.join().unwrap()
    });
    let (mut process, _requests) = started;
    assert_eq!(process.wait().unwrap().signal(), Some(9));
}

#[test]
fn a_process_outlives_the_thread_that_asked_for_it() {
    let place = place(config());
    let (vips, image) = (place.vips.clone(), Origin::Bytes(gradient(5, 5).into()));
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { vips.describe(&image).await.unwrap().unwrap() });
        (vips.processes(), runtime, image)
    });
    let (before, runtime, image) = thread.join().unwrap();
    assert_eq!(before.len(), 1);
    runtime.block_on(async { place.vips.describe(&image).await.unwrap().unwrap() });
    assert_eq!(place.vips.processes(), before, "the same one answers again");
}

#[test]
fn libvips_is_in_the_program_that_decodes_and_nowhere_else() {
    let names_it = |program: &str| fs::read(program).unwrap().windows(10).any(|at| at == b"libvips.so");
    assert!(names_it(env!("CARGO_BIN_EXE_reindex-image-worker")));
    assert!(!names_it(env!("CARGO_BIN_EXE_reindex")));
}

#[tokio::test]
async fn without_a_program_that_decodes_the_run_does_not_begin() {
    let directory = tempfile::tempdir().unwrap();
    let shell = |command: &str| ("/bin/sh", vec!["-c".to_owned(), command.to_owned()]);
    let cases = [
        (("/not/there", vec![]), Kind::Usage, "--features vips"),
        (("/bin/false", vec![]), Kind::Usage, "libvips 8.14"),
        (("/bin/echo", vec!["what?".to_owned()]), Kind::Usage, "libvips 8.14"),
        (shell("kill -9 $$"), Kind::Unavailable, "the same command again"),
    ];
    for ((file, arguments), kind, hint) in cases {
        let program = Program { file: file.into(), arguments };
        let error = Vips::new(program, config(), directory.path()).unwrap().about().await.unwrap_err();
        assert!(error.kind() == kind && error.report().contains(hint), "{error:?}");
    }
}

#[tokio::test]
async fn a_process_that_is_killed_before_it_is_ready_has_a_successor() {
    let directory = tempfile::tempdir().unwrap();
    let begun = directory.path().join("begun");
    // The first one is killed.
    let script = format!("[ -e {0} ] && exec {1}; : > {0}; kill -9 $$", begun.display(), program().file.display());
    let program = Program { file: "/bin/sh".into(), arguments: vec!["-c".to_owned(), script] };
    let vips = Vips::new(program, config(), directory.path().join("scratch")).unwrap();
    assert!(vips.about().await.unwrap().maker.starts_with("libvips"));
    assert!(begun.exists());
}
