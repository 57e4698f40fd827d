//! The guest SDK: what a plugin of `reindex` is written with.
//!
//! A plugin is a pure mapping and a little glue. The mapping reads an item with [`Json`], whose values borrow
//! from the item's text, and writes a [`Document`]; it runs and is tested natively like any other function.
//! The glue implements [`Plugin`] and names it in [`export!`], which expands to nothing on native targets:
//!
//! ```
//! use reindex_guest::{Description, Document, Effect, Invalid, Item, Json, Outcome, Plugin};
//!
//! struct Persons;
//!
//! impl Plugin for Persons {
//!     fn describe() -> Description {
//!         Description::new("persons").fills("persons", r#"{"settings":{},"mappings":{}}"#)
//!     }
//!
//!     fn transform(batch: Vec<Item>) -> Vec<Outcome> {
//!         batch.into_iter().map(outcome).collect()
//!     }
//! }
//!
//! fn outcome(item: Item) -> Outcome {
//!     document(&item.body).map(|document| Effect::put_document("persons", item.id, document)).into()
//! }
//!
//! fn document(body: &str) -> Result<String, Invalid> {
//!     let item = Json::parse(body)?;
//!     let person = item.map()?;
//!     let mut document = Document::new();
//!     document.text("id", person.required_text("id")?);
//!     document.text("title", person.text("title").or_empty());
//!     Ok(document.finish())
//! }
//!
//! reindex_guest::export!(Persons);
//! # assert_eq!(document(r#"{"id":"p-1"}"#).unwrap(), r#"{"id":"p-1","title":""}"#);
//! ```
//!
//! What should happen is said with the builders of [`Effect`], and what should be made of an image with those of
//! [`Rendition`]. What a plugin wants to read beside its items goes through [`storage`], [`index`], [`queue`], [`image`]
//! and [`settings`]; these answer inside the host only, so a mapping takes what was read as an argument. A plugin with
//! settings also implements [`Plugin::check`], so that a wrong one is found before anything runs.
//!
//! Does not decide any entity's rules, and holds no state between calls.

mod attribute;
#[doc(hidden)]
#[allow(missing_docs, unsafe_code, reason = "generated from the WIT")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "configured-plugin",
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_bindings",
        default_bindings_module: "reindex_guest::bindings",
    });
}
mod description;
mod document;
mod json;
mod outcome;
mod plugin;
mod read;
mod rendition;
#[cfg(feature = "samples")]
pub mod samples;

pub use {
    attribute::{Attribute, Invalid},
    bindings::{
        exports::reindex::plugin::{
            configuration::Flaw,
            mapping::{Access, Ask, Capability, Description, IndexDefinition, Item, Outcome},
        },
        reindex::plugin::{
            image, index, queue, settings, storage,
            types::{
                Bounds, Colour, Compression, Condition, Content, DocumentDelete, DocumentWrite, Effect, Format, Jpeg,
                Kept, MessageSend, ObjectCopy, ObjectDelete, ObjectWrite, Picture, Png, RecordUpdate, RecordWrite,
                Rendition, Sharpen, Space, Step, Thumbnail, Tiff,
            },
        },
    },
    document::Document,
    json::{Json, List, Map, Text, Value},
    plugin::{Exported, Plugin},
    rendition::Draft,
};

/// Makes a type that implements [`Plugin`] the plugin of its crate. On native targets it expands to nothing.
#[macro_export]
macro_rules! export {
    ($plugin:ident) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Exported = $crate::Exported<$plugin>;
    $crate::bindings::export_bindings!(Exported with_types_in $crate::bindings);
        };
    };
}
