//! The data of a run: rows of a source, items for a plugin, its outcomes and effects.
//!
//! Pure data and pure functions; nothing here does I/O.

mod attributes;
mod canonical;
mod decimal;
mod effect;
mod item;
mod rendition;
mod typed;

pub use attributes::{attributes, set};
pub use canonical::{canonical, elements, fields};
pub use decimal::{normal, significant};
pub use effect::{Condition, Content, Effect, Outcome};
pub use item::{Form, Item, Key, Refusal, Shape, Version};
pub use rendition::{Compression, Format, Kept, MAX_SIDE, Picture, Rendition, Size, Space, Step, Tiff};
pub use typed::typed_to_plain;
