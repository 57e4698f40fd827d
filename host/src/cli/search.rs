//! `reindex search` and `reindex get`

use std::sync::Arc;

use clap::Args;
use serde_json::{json, value::RawValue};

use super::{
    exit::Exit,
    json::pretty,
    place::{Place, quoted},
    ui::{DIM, Ui},
};
use crate::{
    backend::Mode,
    capability::index::{Document, Index},
    error::{Error, Kind, Result},
    observe::text::{clean, number, one_line},
};

/// Finds documents in an index
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  reindex search persons Smith
  reindex search persons 'smi* \"high street\"' --limit 3
  reindex search persons '' --json | jq .document.id

Words must all occur; \"quoted words\" in that order; word* is a beginning. An empty query finds everything.")]
pub(super) struct Search {
    /// The index, as recipes name it
    index: String,
    /// The words to look for
    #[arg(required = true, num_args = 1..)]
    query: Vec<String>,
    #[command(flatten)]
    show: Show,
    /// Shows at most N documents
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
}

/// Reads documents of an index by id
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  reindex get persons 0b5c3a4e-1f1d-4b6e-9c6b-0e8f5a2d7c11")]
pub(super) struct Get {
    /// The index, as recipes name it
    index: String,
    /// The documents' ids
    #[arg(required = true, num_args = 1..)]
    id: Vec<String>,
    #[command(flatten)]
    show: Show,
}

#[derive(Debug, Args)]
struct Show {
    /// Prints one JSON object a line, with id, version and document
    #[arg(long)]
    json: bool,
    /// The environment
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
}

impl Search {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let index = self.show.index(place, &self.index).await?;
        let (found, documents) = index.search(&self.query.join(" "), self.limit).await?;
        let shown = documents.len() as u64;
        let rest = if shown < found { format!(", the first {shown} shown") } else { String::new() };
        ui.say(&format!("{} found{rest}", number(found)));
        documents.iter().for_each(|document| self.show.document(ui, document));
        Ok(Exit::Done)
    }
}

impl Get {
    pub(super) async fn run(self, place: &Place, ui: Ui) -> Result<Exit> {
        let index = self.show.index(place, &self.index).await?;
        let documents = index.get_many(None, &self.id).await?;
        documents.iter().flatten().for_each(|document| self.show.document(ui, document));
        let missing: Vec<_> = self.id.iter().zip(&documents).filter(|(_, found)| found.is_none()).collect();
        if missing.is_empty() {
            return Ok(Exit::Done);
        }
        let ids: Vec<_> = missing.into_iter().map(|(id, _)| id.as_str()).collect();
        Err(Error::new(Kind::NotFound, format!("index `{}` has no such document", self.index))
            .with("id", ids.join("\n"))
            .hint(format!(
                "`reindex search {} WORDS{}` finds documents by what they say",
                quoted(&self.index),
                place.options(self.show.env.as_deref())
            )))
    }
}

impl Show {
    /// The index, which a run must have made: an empty answer would hide a misspelt name.
    async fn index(&self, place: &Place, name: &str) -> Result<Arc<dyn Index>> {
        let servers = place.servers(self.env.as_deref(), Mode::ReadOnly).await?;
        let index = servers.index(name)?;
        if index.current().await?.is_some() {
            return Ok(index);
        }
        let recipe = place.recipe_that(|recipe| recipe.grant.write.index.iter().any(|index| index == name));
        let (recipe, options) = (recipe.unwrap_or("RECIPE".to_owned()), place.options(self.env.as_deref()));
        Err(servers.looked_in(Error::new(Kind::NotFound, format!("there is no index `{name}`")), name).hint(format!(
            "run the recipe that fills it: reindex run {recipe}{options}; if it was run elsewhere, name that directory with -C"
        )))
    }

    /// Pretty for eyes; one line a document for programs, with its text as the index holds it.
    fn document(&self, ui: Ui, document: &Document) {
        let body = serde_json::from_str::<&RawValue>(&document.body);
        match body {
            Ok(body) if self.json => ui.json(&Line { id: &document.id, version: document.version, document: body }),
            Ok(body) if ui.eyes => {
                let version = document.version.map(|version| format!(" version {version}")).unwrap_or_default();
                ui.data(&ui.style(DIM, &format!("── {}{version}", one_line(&document.id))));
                ui.data(clean(&pretty(body.get())).trim_end());
            }
            Ok(body) => ui.data(body.get()),
            // Cannot happen in an index of ours, and must not hide the other documents.
            Err(_) => ui.json(&json!({ "id": document.id, "text": document.body })),
        }
    }
}

#[derive(serde::Serialize)]
struct Line<'a> {
    id: &'a str,
    version: Option<u64>,
    document: &'a RawValue,
}
