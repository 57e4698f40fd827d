//! Requests: small JSON files that each name an object to look at. The files in their bucket are the work to do.
//!
//! An event of a bucket is read ([`notice`]), becomes a [`Request`] and is written by [`Requests`] before the event is
//! acknowledged ([`Intake`]); a run scans the requests. A request is removed by the plugin's effects once the work is
//! done, never here.

mod again;
mod choice;
mod intake;
pub mod notice;
mod record;
mod scan;
mod store;
#[cfg(test)]
mod tests;

pub use again::{Again, Asked};
pub use choice::{Choice, Passed};
pub use intake::{Intake, Notifier, Report};
pub use record::Request;
pub use store::{Requests, Served};
