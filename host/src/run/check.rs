//! Looking a job over before it runs. Changes nothing that is bound; a probe works on scratch of its own.

use serde::Serialize;

use crate::{
    capability::{Resources, grant::Access, image::About},
    error::Result,
    event::Events,
};

use super::{Job, Work, targets::Target};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, such as ``index `persons` ``.
    pub subject: String,
    /// What was found.
    pub text: String,
    /// Whether it needs attention, though it does not forbid a run.
    pub attention: bool,
}

impl Finding {
    pub(super) fn new(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { subject: subject.into(), text: text.into(), attention: false }
    }
}

impl Job {
    /// Makes sure before a run that every server is the one that is meant, and that images can be opened if they are to
    /// be; warns if one could do harm.
    ///
    /// *Errors*: everything that forbids the run.
    pub(super) async fn look(&self, events: &Events) -> Result<()> {
        self.servers.look(&self.resources).await?;
        if let Some(finding) = self.images().await?.filter(|finding| finding.attention) {
            events.warn(format!("{}: {}", finding.subject, finding.text));
        }
        Ok(())
    }

    /// What opens images; none if nothing does.
    async fn images(&self) -> Result<Option<Finding>> {
        let Some(images) = &self.resources.images else { return Ok(None) };
        let About { maker, open } = images.about().await?;
        let finding = |text: String| Finding::new("images", text);
        Ok(Some(if open.is_empty() {
            finding(format!("opened by {maker}, in fenced processes"))
        } else {
            let open = open.join(", ");
            let text = format!(
                "opened by {maker}, but this kernel lacks a fence: a hostile image could {open}; it takes Linux 5.13 with \
                 Landlock and seccomp"
            );
            Finding { attention: true, ..finding(text) }
        }))
    }

    /// Compares the plugin with the recipe. Does no I/O.
    ///
    /// *Errors*: everything that would forbid a run.
    pub fn check(&self) -> Result<Vec<Finding>> {
        Self::compare_grants(&self.plugin, &self.grants)?;
        let description = self.plugin.description();
        let about = format!(
            "maps {}, API {}, digest {}",
            description.entity,
            description.api_version,
            &self.plugin.digest()[..16]
        );
        let mut findings = vec![Finding::new(format!("plugin `{}`", self.plugin.name()), about)];
        for grant in self.grants.iter() {
            let asked = description.asks.contains(grant) || description.wishes.contains(grant);
            let text = if asked {
                "granted and asked for"
            } else {
                "granted, but the plugin does not ask for it: take it away"
            };
            findings.push(Finding { attention: !asked, ..Finding::new(grant.to_string(), text) });
        }
        for target in self.targets()? {
            let text =
                format!("defined in {} bytes, versions from `{}`", target.definition.len(), target.stamp.version);
            findings.push(Finding::new(format!("index `{}`", target.alias), text));
        }
        Ok(findings)
    }

    /// Looks at every resource the run would touch, without changing one.
    ///
    /// *Errors*: a resource that cannot be reached or does not fit.
    pub async fn connect(&self) -> Result<Vec<Finding>> {
        let mut findings = self.servers.look(&self.resources).await?;
        findings.extend(self.images().await?);
        let info = self.source.info().await?;
        self.fits(&info)?;
        let count = info.count.map_or_else(|| "an unknown number of".to_owned(), |count| count.to_string());
        let segments = self.segments(&Work::Full, &info);
        findings.push(Finding::new("source", format!("{count} records, read in {segments} segments")));
        for target in self.targets()? {
            findings.extend(Self::index(&target).await?);
        }
        for (name, queue) in &self.resources.queues {
            let depth = queue.depth().await?;
            let text = format!("{} messages wait, {} are in flight", depth.waiting, depth.in_hand);
            findings.push(Finding::new(format!("queue `{name}`"), text));
        }
        findings.extend(self.buckets().await?);
        for grant in self.grants.iter().filter(|grant| grant.access == Access::Read) {
            if let Some(table) = self.resources.tables.get(&grant.name)
                && let Ok(info) = table.info().await
            {
                findings.push(Finding::new(grant.to_string(), format!("{} records", info.count.unwrap_or_default())));
            }
        }
        Ok(findings)
    }

    /// The index behind an alias, and which of its fields the definition lacks.
    async fn index(target: &Target) -> Result<Vec<Finding>> {
        let finding = |text: String| Finding::new(format!("index `{}`", target.alias), text);
        let Some(current) = target.index.current().await? else {
            return Ok(vec![finding("does not exist yet; the first run makes it".to_owned())]);
        };
        target.fits(&current)?;
        let count = target.index.count(&current.name).await?;
        let names = format!("names {}, {count} documents", current.name);
        let filling = target.index.route().await?.filling.into_iter();
        let there = finding(filling.fold(names, |names, place| format!("{names}; a rebuild fills {}", place.name)));
        let lacking = target.lacks(&current).map(|fields| {
            let text = format!("has fields that the definition lacks, so that a rebuild would lose them: {fields}");
            Finding { attention: true, ..finding(text) }
        });
        Ok([there].into_iter().chain(lacking).collect())
    }

    /// Lists each bucket, so that one that is not there, or may not be listed, does not fail every item of a run.
    async fn buckets(&self) -> Result<Vec<Finding>> {
        let Resources { buckets, tables, .. } = &self.resources;
        let mut findings = Vec::new();
        // A name that nothing binds may be either, and is there once it is written.
        for (name, bucket) in buckets.iter().filter(|(name, _)| !tables.contains_key(*name)) {
            let is_empty = bucket.list("", None, 1).await?.objects.is_empty();
            let text = if is_empty { "nothing lies in it" } else { "objects lie in it" };
            findings.push(Finding::new(format!("bucket `{name}`"), text));
        }
        Ok(findings)
    }
}
