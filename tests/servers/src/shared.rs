//! One server of each for all tests of a process.

use std::sync::OnceLock;

use crate::{Options, Running, Server, start};

/// The server that all tests of this process share, started when it is first asked for; it ends with the process.
///
/// Tests make resources of their own on it and never stop it.
///
/// # Panics
///
/// When it cannot be fetched or started, with the reason: the tests that need it cannot pass.
#[must_use]
pub fn shared(server: Server) -> &'static Running {
    static SHARED: [OnceLock<Result<Running, String>>; Server::ALL.len()] =
        [const { OnceLock::new() }; Server::ALL.len()];
    let start = || start(server, &Options::default()).map_err(|error| error.to_string());
    match SHARED[server as usize].get_or_init(start) {
        Ok(running) => running,
        Err(why) => panic!("{why}"),
    }
}
