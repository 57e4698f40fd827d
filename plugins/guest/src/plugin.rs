//! What a crate has to say to be a plugin, and how that becomes the exports of its component.

use std::marker::PhantomData;

use crate::{
    Description, Flaw, Item, Outcome,
    bindings::exports::reindex::plugin::{configuration, mapping},
};

/// A plugin: who it is, and its mapping.
pub trait Plugin {
    /// Describes the plugin. Called once, without any grant; must not read anything.
    fn describe() -> Description;

    /// Turns items into outcomes: one for each item, in the same order.
    ///
    /// A pure function of the items, the settings and what it reads: no clock, no randomness, no memory of earlier
    /// batches. The host may call it again with a part of the batch.
    fn transform(batch: Vec<Item>) -> Vec<Outcome>;

    /// Looks the recipe's settings over before a run: the text of a JSON object, as
    /// [`settings::get`](crate::settings::get) returns it. Answers what is wrong with them, so that a misspelt one is
    /// found before the first item is read. A plugin without settings need not say anything.
    fn check(settings: &str) -> Vec<Flaw> {
        let _ = settings;
        Vec::new()
    }
}

/// The exports of a plugin.
#[doc(hidden)]
pub struct Exported<P>(PhantomData<P>);

impl<P: Plugin> mapping::Guest for Exported<P> {
    fn describe() -> Description {
        P::describe()
    }

    fn transform(batch: Vec<Item>) -> Vec<Outcome> {
        P::transform(batch)
    }
}

impl<P: Plugin> configuration::Guest for Exported<P> {
    fn check(settings: String) -> Vec<Flaw> {
        P::check(&settings)
    }
}
