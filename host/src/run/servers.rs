//! Whether the servers are those the environment says: its AWS account, its clusters. A development table must never
//! reach a production index.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{
    backend::aws::Session,
    capability::{Resources, storage::SourceInfo},
    error::{Error, Kind, Result},
};

use super::Finding;

/// What an environment says its servers are. Says nothing by default, and then nothing is held against it.
#[derive(Debug, Clone, Default)]
pub struct Servers {
    /// The environment's file.
    pub file: Option<PathBuf>,
    /// The credentials for AWS; none if nothing calls it.
    pub session: Option<Session>,
    /// The AWS account it has to be.
    pub account: Option<String>,
    /// The AWS region the source has to be in.
    pub region: Option<String>,
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

    /// Holds a source to what the environment says, by the ARN its fingerprint begins with if it is on AWS.
    ///
    /// *Errors*: it is of another account or region.
    pub(super) fn own(&self, info: &SourceInfo) -> Result<()> {
        let Some((region, account)) = place(&info.fingerprint) else { return Ok(()) };
        let hint = "check `[aws]`, and `region` and `endpoint` of the table, in the environment";
        for (what, wanted, found) in [("account", &self.account, account), ("region", &self.region, region)] {
            match wanted {
                Some(wanted) if wanted != found => {
                    return Err(self.other(&format!("{what} of the source"), wanted, found, hint));
                }
                _ => {}
            }
        }
        Ok(())
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

/// The region DynamoDB Local gives its tables, in an account that does not exist.
const EMULATED: &str = "ddblocal";

/// The region and the account of an ARN (`arn:aws:dynamodb:<region>:<account>:…`); none of an emulator's.
fn place(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.strip_prefix("arn:")?.splitn(5, ':').skip(2);
    let place = (parts.next()?, parts.next()?);
    (place.0 != EMULATED).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Form;

    fn info(fingerprint: &str) -> SourceInfo {
        let (form, fingerprint) = (Form::DynamodbJson, fingerprint.to_owned());
        SourceInfo { fingerprint, count: None, form, segments: None, max_segments: None, key: None, passing: false }
    }

    #[test]
    fn a_table_of_another_account_or_region_is_refused_and_an_emulators_is_nobodys() {
        let servers = Servers { account: Some("111".into()), region: Some("eu-west-2".into()), ..Servers::default() };
        let said = |arn: &str| servers.own(&info(arn)).map_err(|error| error.message().to_owned());
        assert_eq!(said("arn:aws:dynamodb:eu-west-2:111:table/People 2026"), Ok(()));
        assert_eq!(said("arn:aws:dynamodb:ddblocal:000000000000:table/People"), Ok(()));
        assert_eq!(said("12 345 digest"), Ok(()));
        let account = "the account of the source is 222, and the environment says 111".to_owned();
        assert_eq!(said("arn:aws:dynamodb:eu-west-2:222:table/People"), Err(account));
        let region = "the region of the source is us-east-1, and the environment says eu-west-2".to_owned();
        assert_eq!(said("arn:aws-cn:dynamodb:us-east-1:111:table/People"), Err(region));
        assert!(Servers::default().own(&info("arn:aws:dynamodb:x:y:table/z")).is_ok(), "nothing said, nothing held");
    }
}
