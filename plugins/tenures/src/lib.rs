//! The plugin that maps tenures to the documents of their index: glue around [`mapping`].

use reindex_guest::{Description, Effect, Item, Outcome, Plugin};

pub mod mapping;

/// The plugin.
pub struct Tenures;

impl Plugin for Tenures {
    fn describe() -> Description {
        Description::new("tenures").fills("tenures", include_str!("../index.json"))
    }

    fn transform(batch: Vec<Item>) -> Vec<Outcome> {
        batch.into_iter().map(outcome).collect()
    }
}

fn outcome(item: Item) -> Outcome {
    mapping::document(&item.body).map(|document| Effect::put_document("tenures", item.id, document)).into()
}

reindex_guest::export!(Tenures);
