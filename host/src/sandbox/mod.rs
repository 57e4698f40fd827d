//! One sandboxed plugin per entity: loading, limits, grants, bisection.
//!
//! [`Engine`] → [`Plugin::load`] → [`Plugin::start`] in a [`Context`] → [`Mapper::transform`]. A plugin is a pure
//! function of its items, its settings and what it reads, so the host may repeat a call with a part of a batch. Nothing
//! here carries out an effect: effects are checked and returned.

mod check;
mod code_cache;
mod context;
mod engine;
mod fault;
mod guest;
mod instance;
mod limits;
mod mapper;
mod meter;
mod plugin;
mod reads;
mod rendition;

pub use code_cache::CodeCache;
pub use context::Context;
pub use engine::Engine;
pub use instance::Flaw;
pub use limits::Limits;
pub use mapper::{Answer, Failure, Mapper};
pub use plugin::{Description, IndexDefinition, Plugin};
