//! What flows: rows out of a source, items into a plugin, outcomes and effects out of it.
//!
//! Pure data and pure functions; nothing here does I/O.

mod canonical;
mod effect;
mod item;

pub use canonical::{MAX_DEPTH, canonical, elements, fields, typed_to_plain};
pub use effect::{Content, Effect, Outcome};
pub use item::{Form, Item, Key, Refusal, Shape, Version};
