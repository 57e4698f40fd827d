//! Whether the servers are those the environment says: its AWS account, its clusters. A development table must never
//! reach a production index.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{
    backend::aws::Session,
    capability::Resources,
    error::{Error, Kind, Result},
};

use super::Finding;

/// What an environment says its servers are. Says nothing by default, and then nothing is held against it.
#[derive(Debug, Clone, Default)]
pub struct Servers {
    /// The environment's file.
    pub file: Option<PathBuf>,
    /// Who calls AWS, if anybody does.
    pub session: Option<Session>,
    /// The AWS account it has to be.
    pub account: Option<String>,
    /// The cluster each index has to be on, as the uuid it gives itself, by the recipe's name of the index.
    pub clusters: BTreeMap<String, String>,
}

impl Servers {
    /// Asks every server who it is.
    ///
    /// *Errors*: one is another than the environment says.
    pub(super) async fn look(&self, resources: &Resources) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        if let Some(session) = &self.session {
            findings.push(self.account(session).await?);
        }
        for (name, index) in &resources.indexes {
            if let Some(cluster) = index.cluster().await? {
                findings.push(self.cluster(name, &cluster)?);
            }
        }
        Ok(findings)
    }

    async fn account(&self, session: &Session) -> Result<Finding> {
        let Some(wanted) = &self.account else {
            let text = "the environment does not say which; add `account` under `[aws]`, and others are refused";
            return Ok(Finding { attention: true, ..Finding::new("AWS account", text) });
        };
        let found = session.account().await?;
        if found == *wanted {
            return Ok(Finding::new("AWS account", format!("{found}, as the environment says")));
        }
        Err(self.other(
            "AWS account",
            wanted,
            &found,
            "sign in to that account, or name another environment with `--env`",
        ))
    }

    fn cluster(&self, index: &str, found: &str) -> Result<Finding> {
        let subject = format!("cluster of index `{index}`");
        match self.clusters.get(index) {
            Some(wanted) if wanted == found => Ok(Finding::new(subject, format!("{found}, as the environment says"))),
            Some(wanted) => {
                let hint =
                    "check `url` in the environment; if the cluster was set up anew, write its uuid as `cluster`";
                Err(self.other(&subject, wanted, found, hint))
            }
            None => {
                let text = format!("the environment does not say which; add there: cluster = \"{found}\"");
                Ok(Finding { attention: true, ..Finding::new(subject, text) })
            }
        }
    }

    fn other(&self, what: &str, wanted: &str, found: &str, hint: &str) -> Error {
        let error = Error::new(Kind::Denied, format!("the {what} is {found}, and the environment says {wanted}"));
        let error = match &self.file {
            Some(file) => error.with("environment", file.display().to_string()),
            None => error,
        };
        error.hint(hint)
    }
}
