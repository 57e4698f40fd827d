//! The least a recipe has to be allowed: an IAM policy for AWS, and roles for the search clusters.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Project;
use crate::{
    backend::permission::{Home, Use, of_ledger},
    capability::{
        Capability,
        grant::{Access, Grants},
    },
    recipe::{ExportAt, Intake, Source},
};

/// What has to be allowed, where.
#[derive(Debug, Clone, PartialEq)]
pub struct Permissions {
    /// The policy of the role that runs the recipe; none where nothing is on AWS.
    pub policy: Option<Value>,
    /// The role on each cluster, by the cluster's address and engine.
    pub roles: BTreeMap<String, Value>,
}

impl Project {
    /// The least that has to be allowed for runs of this recipe in this environment.
    pub fn permissions(&self) -> Permissions {
        let aws = &self.environment.aws;
        let home = Home { account: aws.account.as_deref(), region: aws.region.as_deref() };
        let mut actions: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let ledger = self.environment.ledger.iter().flat_map(|ledger| of_ledger(ledger, &self.recipe.name, home));
        let used = self
            .uses()
            .into_iter()
            .filter_map(|(name, used)| Some(self.environment.backends.get(&name)?.permissions(&name, used, home)));
        for permission in used.flatten().chain(ledger) {
            for resource in permission.resources {
                actions.entry(resource).or_default().extend(permission.actions.iter().cloned());
            }
        }
        Permissions { policy: policy(actions), roles: self.roles() }
    }

    /// What the recipe does with each resource it names.
    fn uses(&self) -> Vec<(String, Use)> {
        let source = match &self.recipe.source {
            Source::Scan { table, .. } => vec![(table.clone(), Use::Scan)],
            Source::Export { at: ExportAt::Bucket { bucket, .. }, .. } => vec![(bucket.clone(), Use::Read)],
            Source::Queue { queue, table, .. } => {
                let table = table.iter().map(|table| (table.clone(), Use::Read));
                std::iter::once((queue.clone(), Use::Consume)).chain(table).collect()
            }
            Source::Requests { bucket, objects, intake, .. } => {
                let queue = match intake {
                    Some(Intake::Queue(queue)) => Some((queue.clone(), Use::Consume)),
                    _ => None,
                };
                // Events that come in and `rerun`, which lists the objects, write requests.
                let reads = [bucket, objects].map(|bucket| (bucket.clone(), Use::Read));
                reads.into_iter().chain([(bucket.clone(), Use::Write)]).chain(queue).collect()
            }
            Source::File { .. } | Source::Export { .. } => Vec::new(),
        };
        let grants = Grants::new(&self.recipe.grant);
        let granted = grants
            .iter()
            .map(|grant| (grant.name.clone(), if grant.access == Access::Write { Use::Write } else { Use::Read }));
        source.into_iter().chain(granted).collect()
    }

    fn roles(&self) -> BTreeMap<String, Value> {
        let mut roles: BTreeMap<String, (bool, Vec<Value>)> = BTreeMap::new();
        for grant in Grants::new(&self.recipe.grant).iter().filter(|grant| grant.capability == Capability::Index) {
            if let Some(config) = self.environment.backends.get(&grant.name)
                && let Some((cluster, opensearch, alias)) = config.searched(&grant.name)
            {
                let writes = grant.access == Access::Write;
                roles.entry(cluster).or_insert((opensearch, Vec::new())).1.push(privileges(opensearch, &alias, writes));
            }
        }
        roles.into_iter().map(|(cluster, (opensearch, indices))| (cluster, role(opensearch, &indices))).collect()
    }
}

fn policy(actions: BTreeMap<String, Vec<String>>) -> Option<Value> {
    let mut by_actions: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for (resource, mut actions) in actions {
        actions.sort();
        actions.dedup();
        by_actions.entry(actions).or_default().push(resource);
    }
    let statement = |(actions, resources)| json!({ "Effect": "Allow", "Action": actions, "Resource": resources });
    let statements: Vec<_> = by_actions.into_iter().map(statement).collect();
    (!statements.is_empty()).then(|| json!({ "Version": "2012-10-17", "Statement": statements }))
}

/// Privileges on the alias and on every concrete index behind it.
fn privileges(opensearch: bool, alias: &str, writes: bool) -> Value {
    let names = json!([alias, format!("{alias}_*")]);
    match (opensearch, writes) {
        (true, true) => {
            json!({ "index_patterns": names, "allowed_actions": ["crud", "create_index", "manage", "indices:monitor/*"] })
        }
        (true, false) => json!({ "index_patterns": names, "allowed_actions": ["read", "indices:monitor/stats"] }),
        (false, true) => {
            json!({ "names": names, "privileges": ["read", "index", "delete", "create_index", "delete_index", "manage", "view_index_metadata", "monitor"] })
        }
        (false, false) => json!({ "names": names, "privileges": ["read", "view_index_metadata", "monitor"] }),
    }
}

fn role(opensearch: bool, indices: &[Value]) -> Value {
    if opensearch {
        json!({ "cluster_permissions": ["cluster:monitor/main", "indices:data/write/bulk", "indices:data/read/mget"], "index_permissions": indices })
    } else {
        json!({ "cluster": ["monitor"], "indices": indices })
    }
}
