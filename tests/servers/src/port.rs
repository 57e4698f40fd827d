//! Free ports of this machine.

use std::{
    env,
    fs::{self, File},
    hash::{BuildHasher, RandomState},
    net::{Ipv4Addr, TcpListener},
};

use crate::Error;

/// A port that no other server of this crate takes as long as this lives, in this process or another.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) number: u16,
    /// Held, never read: the operating system lets go of it when the process dies.
    _reserved: File,
}

impl Port {
    /// Takes a port that is free now.
    ///
    /// Ports that the system gives to outgoing connections are left alone: one of those could take the port while
    /// a server is stopped, and keep it from coming back.
    pub(crate) fn free() -> Result<Self, Error> {
        const FIRST: u16 = 18_000;
        const COUNT: u64 = 14_000;
        let folder = env::temp_dir().join("reindex-servers-ports");
        fs::create_dir_all(&folder).map_err(Error::io("make the directory", &folder))?;
        loop {
            let random = RandomState::new().hash_one(());
            let number = FIRST + u16::try_from(random % COUNT).unwrap_or_default();
            let path = folder.join(number.to_string());
            let reserved = File::create(&path).map_err(Error::io("write", &path))?;
            let is_free = || TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok();
            if reserved.try_lock().is_ok() && is_free() {
                return Ok(Self { number, _reserved: reserved });
            }
        }
    }
}
