//! The ledger as one recipe sees it. Recipes of one name may share a ledger from different files; the runs of each are
//! told by where its file is, so that none is resumed, retried or pruned after as the other's.

use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;

use crate::{
    error::Result,
    ledger::{Commit, Filter, Group, IdRow, Lease, Ledger, Progress, Run},
};

/// A ledger that shows only the runs of a recipe in one place, and those of older versions, which tell no place.
pub(super) struct Own {
    inner: Arc<dyn Ledger>,
    place: String,
}

impl Own {
    /// Shows the runs of the recipe in this place.
    pub fn new(inner: Arc<dyn Ledger>, place: String) -> Self {
        Self { inner, place }
    }

    /// Where another recipe of this name is whose run is the newest of all.
    pub async fn other(&self, recipe: &str) -> Result<Option<String>> {
        let newest = self.inner.runs(recipe, 1).await?.into_iter().next();
        Ok(newest.filter(|run| !self.has(run)).and_then(|run| run.place))
    }

    fn has(&self, run: &Run) -> bool {
        run.place.as_ref().is_none_or(|place| *place == self.place)
    }
}

#[async_trait]
impl Ledger for Own {
    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    async fn begin(&self, run: &Run, after: Option<&str>) -> Result<bool> {
        // Looked up before the own ones: a run that is begun in between is refused by the ledger.
        let newest = self.inner.runs(&run.recipe, 1).await?.into_iter().next();
        let own = self.runs(&run.recipe, 1).await?.into_iter().next();
        if own.as_ref().map(|run| run.id.as_str()) != after {
            return Ok(false);
        }
        let run = Run { place: Some(self.place.clone()), ..run.clone() };
        self.inner.begin(&run, newest.as_ref().map(|run| run.id.as_str())).await
    }

    async fn save(&self, run: &mut Run) -> Result<bool> {
        run.place = Some(self.place.clone());
        self.inner.save(run).await
    }

    async fn find(&self, run: &str) -> Result<Option<Run>> {
        self.inner.find(run).await
    }

    async fn runs(&self, recipe: &str, limit: usize) -> Result<Vec<Run>> {
        let (mut most, mut before) = (limit, 0);
        loop {
            let mut runs = self.inner.runs(recipe, most).await?;
            let found = runs.len();
            runs.retain(|run| self.has(run));
            // Those of the other recipe must not hide older ones of this.
            if runs.len() == found || runs.len() >= limit || found <= before {
                runs.truncate(limit);
                return Ok(runs);
            }
            (before, most) = (found, most.saturating_mul(2));
        }
    }

    async fn progress(&self, run: &Run) -> Result<Vec<Progress>> {
        self.inner.progress(run).await
    }

    async fn claim(
        &self,
        run: &str,
        line: u32,
        found: Option<&Lease>,
        owner: &str,
        lasting: Duration,
    ) -> Result<Option<Progress>> {
        self.inner.claim(run, line, found, owner, lasting).await
    }

    async fn hold(&self, run: &str, line: u32, token: u64) -> Result<bool> {
        self.inner.hold(run, line, token).await
    }

    async fn release(&self, run: &str, line: u32, token: u64) -> Result<bool> {
        self.inner.release(run, line, token).await
    }

    async fn commit(&self, run: &str, token: u64, commit: &Commit) -> Result<bool> {
        self.inner.commit(run, token, commit).await
    }

    async fn rows(&self, run: &str, filter: &Filter, after: Option<&str>, limit: usize) -> Result<Vec<IdRow>> {
        self.inner.rows(run, filter, after, limit).await
    }

    async fn groups(&self, run: &str, examples: usize) -> Result<Vec<Group>> {
        self.inner.groups(run, examples).await
    }
}

/// The way from a directory to a recipe's file. It stays the same where both are moved, and on another machine.
pub(super) fn place(from: &Path, recipe: &Path) -> String {
    let name = recipe.file_name().map(PathBuf::from).unwrap_or_default();
    let (from, to) = (real(from), real(recipe.parent().unwrap_or(Path::new(""))));
    let common = from.components().zip(to.components()).take_while(|(from, to)| from == to).count();
    let up = from.components().skip(common).map(|_| Component::ParentDir);
    let way: PathBuf = up.chain(to.components().skip(common)).collect();
    way.join(name).display().to_string()
}

/// A path without links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let resolved = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    resolved.and_then(|(above, real)| Some(real.join(path.strip_prefix(above).ok()?))).unwrap_or(path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_alike_by_any_path_that_leads_there() {
        let directory = tempfile::tempdir().unwrap();
        let (base, link) = (directory.path().join("base"), directory.path().join("link"));
        std::fs::create_dir_all(base.join("recipes")).unwrap();
        std::os::unix::fs::symlink(&base, &link).unwrap();
        let recipe = |base: &Path| base.join("recipes/persons.toml");
        let expected = "../../recipes/persons.toml";
        assert_eq!(place(&base.join(".reindex/prod"), &recipe(&base)), expected, "before the state is there");
        std::fs::create_dir_all(base.join(".reindex/prod")).unwrap();
        for (state, recipe) in
            [(&base, recipe(&link)), (&link, recipe(&base)), (&base, base.join("recipes/../recipes/persons.toml"))]
        {
            assert_eq!(place(&state.join(".reindex/prod"), &recipe), expected);
        }
        assert_eq!(place(&base, &base.join("a.toml")), "a.toml");
        assert_ne!(place(&base, &base.join("a/x.toml")), place(&base, &base.join("b/x.toml")));
    }
}
