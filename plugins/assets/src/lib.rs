//! The plugin that maps assets to the documents of their index: glue around [`mapping`].

use reindex_guest::{Description, Effect, Item, Outcome, Plugin};

pub mod mapping;

/// The plugin.
pub struct Assets;

impl Plugin for Assets {
    fn describe() -> Description {
        Description::new("assets").fills("assets", include_str!("../index.json"))
    }

    fn transform(batch: Vec<Item>) -> Vec<Outcome> {
        batch.into_iter().map(outcome).collect()
    }
}

fn outcome(item: Item) -> Outcome {
    mapping::document(&item.body).map(|document| Effect::put_document("assets", item.id, document)).into()
}

reindex_guest::export!(Assets);
