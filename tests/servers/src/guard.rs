//! The small shell between us and a server, which ends the server when we are gone.
//!
//! A process that is killed with -9 runs no destructor, so somebody else has to look: `guard.sh` waits on a pipe that
//! closes when we die.

use std::{
    io::{self, Write},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// A server's process; dropping it kills the server and removes its directory.
#[derive(Debug)]
pub(crate) struct Guard {
    shell: Child,
}

impl Guard {
    /// Runs a command with its output appended to the file `log` of its directory.
    pub(crate) fn run(home: &Path, command: &[String]) -> io::Result<Self> {
        let mut shell = Command::new("sh");
        shell.args(["-c", include_str!("guard.sh"), "guard"]).arg(home).args(command);
        let shell = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Self { shell })
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.shell.try_wait().ok().flatten()
    }

    /// Asks the server to end, and kills it when it takes too long. Its directory stays.
    pub(crate) fn stop(&mut self) {
        const PATIENCE: Duration = Duration::from_secs(20);
        self.signal("TERM");
        let asked = Instant::now();
        while self.ended().is_none() && asked.elapsed() < PATIENCE {
            sleep(Duration::from_millis(10));
        }
        self.kill();
    }

    /// Kills the server and waits until it is gone. Its directory stays.
    pub(crate) fn kill(&mut self) {
        while self.ended().is_none() {
            self.signal("KILL");
            sleep(Duration::from_millis(5));
        }
    }

    /// A server that is gone already needs no signal.
    fn signal(&mut self, name: &str) {
        let _ = self.shell.stdin.as_mut().map(|pipe| writeln!(pipe, "{name}"));
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
