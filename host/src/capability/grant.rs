//! Which capability, on which named resource, for this recipe's plugin. Deny by default.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::Capability;
use crate::error::{Error, Kind, Result};

/// What a plugin wants to do with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Read it.
    Read,
    /// Change it, through effects.
    Write,
}

impl Access {
    /// The word a recipe uses for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// A capability on a resource, with an access. A plugin asks for grants, a recipe gives them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// Which capability.
    pub capability: Capability,
    /// The recipe's name of the resource.
    pub name: String,
    /// Which access.
    pub access: Access,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} `{}`", self.access.word(), self.capability.word(), self.name)
    }
}

/// A recipe's `[grant]`: names by access, then by capability.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What the plugin may read.
    pub read: Names,
    /// What the plugin's effects may change.
    pub write: Names,
}

/// Resource names by capability.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Names {
    /// Tables and buckets.
    #[schemars(inner(regex(pattern = crate::document::NAME)))]
    pub storage: Vec<String>,
    /// Queues.
    #[schemars(inner(regex(pattern = crate::document::NAME)))]
    pub queue: Vec<String>,
    /// Search indexes.
    #[schemars(inner(regex(pattern = crate::document::NAME)))]
    pub index: Vec<String>,
    /// Buckets whose objects are opened as images.
    #[schemars(inner(regex(pattern = crate::document::NAME)))]
    pub image: Vec<String>,
}

impl Names {
    /// The names of each capability.
    pub fn each(&self) -> [(Capability, &[String]); 4] {
        [
            (Capability::Storage, &self.storage),
            (Capability::Queue, &self.queue),
            (Capability::Index, &self.index),
            (Capability::Image, &self.image),
        ]
    }
}

/// What a recipe grants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants(BTreeSet<Grant>);

impl Grants {
    /// Reads the grants of a recipe.
    pub fn new(config: &Config) -> Self {
        [(Access::Read, &config.read), (Access::Write, &config.write)]
            .into_iter()
            .flat_map(|(access, names)| grants(access, names))
            .collect()
    }

    /// Checks that an access is granted.
    ///
    /// *Errors*: [`Kind::Denied`], whose hint is the line to add.
    pub fn check(&self, capability: Capability, name: &str, access: Access) -> Result<()> {
        let grant = Grant { capability, name: name.to_owned(), access };
        if self.0.contains(&grant) { Ok(()) } else { Err(self.denied(&grant)) }
    }

    /// Returns what was asked for and is not granted, in order.
    pub fn missing<'a>(&self, asks: &'a [Grant]) -> Vec<&'a Grant> {
        asks.iter().filter(|grant| !self.0.contains(grant)).collect()
    }

    /// Returns what is granted and was not asked for, in order.
    pub fn unused<'a>(&'a self, asks: &[Grant]) -> Vec<&'a Grant> {
        self.0.iter().filter(|grant| !asks.contains(grant)).collect()
    }

    /// Every grant, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.0.iter()
    }

    /// Spells the grants for the identity of a run, as version 0.1.0 did: runs that it began are resumed.
    pub fn identity(&self) -> String {
        let spell = |Grant { capability, name, access }: &Grant| {
            format!("Door {{ capability: {capability:?}, name: {name:?}, access: {access:?} }}")
        };
        format!("Grants({{{}}})", self.0.iter().map(spell).collect::<Vec<_>>().join(", "))
    }

    /// The error of what is not granted, with the line that would grant it.
    pub fn denied(&self, grant: &Grant) -> Error {
        let (access, capability) = (grant.access.word(), grant.capability.word());
        let granted: Vec<_> = self
            .0
            .iter()
            .filter(|open| open.capability == grant.capability && open.access == grant.access)
            .map(|open| format!("\"{}\"", open.name))
            .collect();
        Error::new(Kind::Denied, format!("the plugin may not {grant}"))
            .with("grants", format!("{capability} = [{}] under [grant.{access}]", granted.join(", ")))
            .hint(format!("add \"{}\" to `{capability}` under `[grant.{access}]`", grant.name))
    }
}

impl FromIterator<Grant> for Grants {
    fn from_iter<I: IntoIterator<Item = Grant>>(grants: I) -> Self {
        Self(grants.into_iter().collect())
    }
}

fn grants(access: Access, names: &Names) -> impl Iterator<Item = Grant> {
    names.each().into_iter().flat_map(move |(capability, names)| {
        names.iter().map(move |name| Grant { capability, name: name.clone(), access })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_open_unless_it_was_granted_by_that_name_for_that_access() {
        let config = Config { read: Names { storage: vec!["a".into()], ..Names::default() }, ..Config::default() };
        let grants = Grants::new(&config);
        assert!(grants.check(Capability::Storage, "a", Access::Read).is_ok());
        for (capability, name, access) in [
            (Capability::Storage, "a", Access::Write),
            (Capability::Storage, "b", Access::Read),
            (Capability::Index, "a", Access::Read),
        ] {
            let error = grants.check(capability, name, access).unwrap_err();
            assert_eq!(error.kind(), Kind::Denied);
        }
    }

    #[test]
    fn a_denial_names_the_line_to_add() {
        let grants = Grants::new(&Config {
            read: Names { storage: vec!["tenures".into()], ..Names::default() },
            ..Config::default()
        });
        let error = grants.check(Capability::Storage, "people", Access::Read).unwrap_err();
        assert_eq!(
            error.report(),
            "error: the plugin may not read storage `people`\n  grants  storage = [\"tenures\"] under [grant.read]\n\nhint: add \"people\" to `storage` under `[grant.read]`"
        );
    }
}
