//! Dates as texts: those that are read, and the one form that is written.

pub(crate) mod calendar;
mod clean;
pub(crate) mod lenient;
mod patterns;

pub use clean::clean_date;
