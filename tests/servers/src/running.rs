//! A server that runs, from its start to its end.

use std::{
    fs, io,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    Error, Options, Server, error::last_lines, fetch::fetch, guard::Guard, health::is_healthy, launch::Launch,
    port::Port,
};

/// What a client signs its requests with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The access key id.
    pub access_key: &'static str,
    /// The secret access key; it opens nothing but these servers.
    pub secret_key: &'static str,
    /// The region requests are signed for.
    pub region: &'static str,
}

impl Credentials {
    /// The same for every server that asks for some: versitygw checks them, the others only want to see them.
    pub const TESTS: Self = Self { access_key: "reindex", secret_key: "reindex-tests", region: "eu-west-2" };
}

/// A server of this process alone, on a port of 127.0.0.1; dropping it ends the server and removes its data.
#[derive(Debug)]
pub struct Running {
    server: Server,
    options: Options,
    installed: PathBuf,
    home: PathBuf,
    port: Port,
    /// Nothing while it is stopped.
    guard: Mutex<Option<Guard>>,
}

/// Starts a server on a free port, fetching it first if need be, and waits until it is healthy.
///
/// # Errors
///
/// Those of [`fetch`], and [`Error::Start`] with the end of the server's log.
pub fn start(server: Server, options: &Options) -> Result<Running, Error> {
    const TRIES: usize = 5;
    let installed = fetch(server)?;
    let mut tries = 0;
    loop {
        tries += 1;
        let running = Running::prepare(server, options, installed.clone())?;
        match running.restart() {
            // Somebody took the port between our look at it and the server's.
            Err(Error::Start(_, _, log)) if tries < TRIES && log.contains("in use") => {}
            started => return started.map(|()| running),
        }
    }
}

impl Running {
    fn prepare(server: Server, options: &Options, installed: PathBuf) -> Result<Self, Error> {
        let port = Port::free()?;
        let home = tempfile::Builder::new().prefix(&format!("reindex-{server}-")).tempdir();
        let home = home.map_err(|cause| Error::Io(format!("make a directory for {server}"), cause))?.keep();
        Ok(Self { server, options: options.clone(), installed, home, port, guard: Mutex::new(None) })
    }

    /// Which server it is.
    #[must_use]
    pub fn server(&self) -> Server {
        self.server
    }

    /// The port of 127.0.0.1 it listens on, the same after a restart.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number
    }

    /// Where clients reach it, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.server == Server::Nats { "nats" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port.number)
    }

    /// What to sign requests with, where the server's protocol wants that.
    #[must_use]
    pub fn credentials(&self) -> Option<Credentials> {
        let signed = !matches!(self.server, Server::Opensearch | Server::Elasticsearch | Server::Nats);
        signed.then_some(Credentials::TESTS)
    }

    /// The last lines of its log.
    #[must_use]
    pub fn log(&self) -> String {
        let log = fs::read(self.home.join("log")).unwrap_or_default();
        last_lines(&String::from_utf8_lossy(&log))
    }

    /// Stops it in good order; its data stays for a restart. Does nothing if it is stopped.
    pub fn stop(&self) {
        if let Some(mut guard) = self.guard().take() {
            guard.stop();
        }
    }

    /// Kills it with what it was doing half done; its data stays for a restart. Does nothing if it is stopped.
    pub fn kill(&self) {
        if let Some(mut guard) = self.guard().take() {
            guard.kill();
        }
    }

    /// Stops it if it runs, and starts it on the same port with the same data; returns when it is healthy.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] with the end of its log; it is stopped then.
    pub fn restart(&self) -> Result<(), Error> {
        self.stop();
        let mut guard = self.launch().map_err(Error::io("start the server in", &self.home))?;
        if let Err(why) = self.wait(&mut guard) {
            guard.kill();
            return Err(Error::Start(self.server, why, self.log()));
        }
        *self.guard() = Some(guard);
        Ok(())
    }

    fn launch(&self) -> io::Result<Guard> {
        let Self { server, options, installed, home, port, .. } = self;
        let launch = Launch { server: *server, installed, home, port: port.number, options };
        Guard::run(home, &launch.command()?)
    }

    /// Waits until it is healthy, or says why there is nothing to wait for.
    fn wait(&self, guard: &mut Guard) -> Result<(), String> {
        const PATIENCE: Duration = Duration::from_secs(180);
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = guard.ended() {
                return Err(format!("it ended with {status}"));
            }
            if is_healthy(self.server, self.port.number) {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        Err(format!("it was not healthy after {} s", PATIENCE.as_secs()))
    }

    fn guard(&self) -> MutexGuard<'_, Option<Guard>> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.guard().take());
        // Gone with its guard already, unless it was stopped.
        let _ = fs::remove_dir_all(&self.home);
    }
}
