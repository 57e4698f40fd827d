//! `reindex` rebuilds search indexes, and what is derived beside them, from the stores that hold the truth.
//!
//! The host owns every connection, limit and retry; a sandboxed WASM plugin per entity holds nothing but the
//! mapping; a TOML recipe says what runs and what the plugin may touch. Adding an entity is writing a plugin
//! and a recipe, never editing this crate.
//!
//! # Eleven words, one home each
//!
//! | word | means | home |
//! |---|---|---|
//! | recipe | what to do, written by a person; names resources, never servers | [`recipe`] |
//! | environment | which server each named resource is on | [`environment`] |
//! | plugin | a WASM component that turns items into effects | [`sandbox`], `plugins/` |
//! | capability | something a plugin may ask for | [`capability`], `wit/` |
//! | grant | which capability, on which resource, for this recipe's plugin | [`capability::grant`] |
//! | backend | who really does it | [`backend`] |
//! | request | an object to be looked at, written down until that is done | [`request`] |
//! | pipeline | source → batch → plugin → sinks | [`pipeline`] |
//! | ledger | what happened to each id, and how far the run is | [`ledger`] |
//! | migration | from one index to the next behind an alias | `run --rebuild`, in [`run`] |
//! | event | what happened just now; others only listen | [`event`], [`observe`] |
//!
//! # Floors
//!
//! A module names lower floors only, and rooms on one floor are strangers; `tests/house.rs` holds them to it.
//!
//! | floor | rooms |
//! |---|---|
//! | 0 | [`error`], [`clock`] |
//! | 1 | [`record`]: what flows; `document`: TOML that people write |
//! | 2 | [`capability`], [`ledger`]: what is promised, without I/O |
//! | 3 | [`event`]: what just happened |
//! | 4 | [`backend`], [`sandbox`], [`observe`]: who keeps the promises |
//! | 5 | [`pipeline`] |
//! | 6 | [`request`]: objects to be looked at, written down |
//! | 7 | [`recipe`], [`environment`]: what people write; [`build`]: a plugin's source to a component |
//! | 8 | [`run`]: the entry point |
//! | 9 | [`serve`]: runs at their times, and as events come |
//! | 10 | [`cli`] |
//!
//! # How a record flows
//!
//! [`capability::storage::Scan`] hands out rows → [`record::Shape`] makes each a canonical item →
//! [`sandbox::Mapper`] asks the plugin, in batches → the pipeline's sinks carry out the effects, in an order
//! that leaves nothing half-said → [`ledger::Ledger::commit`] writes down what is not done and moves the
//! checkpoint, in one step.
//!
//! # Invariants
//!
//! * A checkpoint passes a record only after its effects were acknowledged or its row was written.
//! * An item is settled only when every index that its alias stands for by then has its documents.
//! * A segment's progress is written only by whoever holds its lease; whoever lost it writes nothing more to the ledger.
//! * Every record read is done, skipped, or a row with a reason. The counts add up at any time.
//! * A message that was taken from a queue ends there only after its effects were acknowledged or its row was written.
//! * An event of a bucket is acknowledged after its request was written down; a request goes after its work was stored.
//! * No image is decoded in this process, and no pixel reaches a plugin.
//! * A plugin reads only what was granted, writes nothing itself, and costs at most its own records.
//! * Nothing secret is in an error, an event or a `Debug` text.
//!
//! # Embedding
//!
//! Open a recipe, or put a [`run::Job`] together from your own storage, queue and index; see
//! `host/examples/embed/main.rs`.

pub mod backend;
pub mod build;
pub mod capability;
pub mod cli;
pub mod clock;
mod document;
pub mod environment;
pub mod error;
pub mod event;
pub mod ledger;
pub mod observe;
pub mod pipeline;
pub mod recipe;
pub mod record;
pub mod request;
pub mod run;
pub mod sandbox;
pub mod serve;
