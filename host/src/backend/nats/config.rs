//! The configuration of a queue in NATS JetStream.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    backend::Secret,
    error::{Error, Result},
};

/// `[backend.<name>.nats]`: a `subject`, or several `subjects` for several priorities, of one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The server's address, such as `nats://10.0.0.1:4222` or `tls://nats.example:4222`; several with commas between.
    pub url: Secret,
    /// The stream that keeps the messages.
    pub stream: String,
    /// The subject of the messages; without it, the recipe's name of the queue.
    pub subject: Option<String>,
    /// Subjects for several priorities, the most urgent one first: messages of priority 0 go to the last, those of
    /// priority 1 to the one before it, and so on; higher priorities go to the first.
    #[serde(default)]
    pub subjects: Vec<String>,
    /// The prefix of the durable consumers' names; consumers with the same prefix share the messages. Without it,
    /// `reindex`.
    pub consumer: Option<String>,
    /// Whether the stream is created if it is missing: a work queue in files, which remembers ids for ten minutes.
    #[serde(default)]
    pub create: bool,
    /// A user, with `password`.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// A token instead of a user.
    pub token: Option<Secret>,
    /// A credentials file (`.creds`), relative to the environment.
    pub credentials: Option<PathBuf>,
    /// A file with the certificates of a private authority, relative to the environment.
    pub tls_ca: Option<PathBuf>,
}

impl Config {
    /// Each priority's subject and the name of its consumer, the most urgent one first.
    ///
    /// *Errors*: both keys, a subject with wildcards, or two that have one consumer name.
    pub(super) fn lanes(&self, resource: &str) -> Result<Vec<(String, String)>> {
        let refuse = |message: String| Error::usage(message).with("resource", format!("backend.{resource}.nats"));
        let subjects = match (&self.subject, self.subjects.as_slice()) {
            (Some(_), [_, ..]) => {
                return Err(refuse("both `subject` and `subjects` are said".to_owned())
                    .hint("keep `subjects`, the most urgent one first, or the one `subject`"));
            }
            (Some(subject), []) => vec![subject.clone()],
            (None, []) => vec![resource.to_owned()],
            (None, subjects) => subjects.to_vec(),
        };
        let prefix = self.consumer.as_deref().unwrap_or("reindex");
        let mut lanes: Vec<(String, String)> = Vec::new();
        for subject in subjects {
            if !is_subject(&subject) {
                return Err(refuse(format!("`{subject}` is no subject to send to"))
                    .hint("write words with dots between, without `*`, `>` and spaces"));
            }
            let durable = format!("{prefix}-{}", subject.replace('.', "_"));
            if lanes.iter().any(|(_, other)| *other == durable) {
                return Err(refuse(format!("`{subject}` stands for two priorities")).hint("name each subject once"));
            }
            lanes.push((subject, durable));
        }
        Ok(lanes)
    }
}

fn is_subject(text: &str) -> bool {
    !text.split('.').any(str::is_empty)
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "*>/\\".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(text: &str) -> Result<Vec<(String, String)>> {
        toml::from_str::<Config>(&format!("url = 'nats://ada:hush@x'\nstream = 'WORK'\n{text}")).unwrap().lanes("work")
    }

    #[test]
    fn one_subject_several_or_the_recipes_own_name() {
        assert_eq!(lanes("").unwrap(), [("work".to_owned(), "reindex-work".to_owned())]);
        let several = lanes("subjects = ['a.high', 'a']\nconsumer = 'c'").unwrap();
        assert_eq!(several.iter().map(|lane| lane.1.as_str()).collect::<Vec<_>>(), ["c-a_high", "c-a"]);
        for wrong in [
            "subject = 'a.*'",
            "subject = ''",
            "subject = 'a b'",
            "subject = 'a'\nsubjects = ['b']",
            "subjects = ['a.b', 'a_b']",
        ] {
            assert!(lanes(wrong).unwrap_err().hint_text().is_some(), "{wrong}");
        }
    }

    #[test]
    fn an_address_may_hold_a_password_so_it_is_not_shown() {
        let config: Config = toml::from_str("url = 'nats://ada:hush@x'\nstream = 'WORK'\ntoken = 'hush'").unwrap();
        assert!(!format!("{config:?}").contains("hush"));
    }
}
