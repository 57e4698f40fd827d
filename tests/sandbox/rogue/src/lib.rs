//! A plugin that misbehaves on request: each item's body says what to do with it.
//!
//! A body is `{"do":"<what>"}`, or `{"do":"<what>","with":"<a text without quotes>"}`. Speaks to the WIT files
//! directly and not through the guest SDK, which would not let it do most of this.

// No native linker takes the names that a component exports.
#![cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "only a component exports it"))]

mod deeds;

#[allow(unsafe_code, reason = "generated code")]
mod bindings {
    wit_bindgen::generate!({ world: "plugin", path: "../../../wit" });
    #[cfg(target_family = "wasm")]
    const _: () = {
        use super::Rogue;
        export!(Rogue);
    };
}

use bindings::{
    exports::reindex::plugin::mapping::{Access, Ask, Capability, Description, Guest, IndexDefinition, Item},
    reindex::plugin::types::Outcome,
};

struct Rogue;

impl Guest for Rogue {
    fn describe() -> Description {
        let ask = |capability, name: &str, access| Ask { capability, name: name.to_owned(), access, optional: false };
        Description {
            entity: "rogues".to_owned(),
            asks: vec![
                ask(Capability::Storage, "people", Access::Read),
                ask(Capability::Index, "rogues", Access::Write),
            ],
            indexes: vec![IndexDefinition {
                index: "rogues".to_owned(),
                body: r#"{"settings":{},"mappings":{"properties":{}}}"#.to_owned(),
            }],
        }
    }

    fn transform(batch: Vec<Item>) -> Vec<Outcome> {
        let mut outcomes: Vec<_> = batch.iter().map(deeds::answer).collect();
        if batch.iter().any(|item| deeds::field(&item.body, "do") == Some("too-few")) {
            outcomes.pop();
        }
        if batch.iter().any(|item| deeds::field(&item.body, "do") == Some("too-many")) {
            outcomes.push(Outcome::Skip("one more".to_owned()));
        }
        outcomes
    }
}
