//! The configuration of a queue in SQS.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// `[backend.<name>.sqs]`: one `queue`, or several `queues` for several priorities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The queue's name.
    pub queue: Option<String>,
    /// The names of queues for several priorities, the most urgent one first: messages of priority 0 go to the last,
    /// those of priority 1 to the one before it, and so on; higher priorities go to the first.
    #[serde(default)]
    pub queues: Vec<String>,
    /// The AWS region; without it, the one the standard chain finds.
    pub region: Option<String>,
    /// The address of a server other than AWS.
    pub endpoint: Option<String>,
}

impl Config {
    /// The queues' names, the most urgent one first; by default the recipe's own name.
    ///
    /// *Errors*: both keys, a name twice, or a FIFO queue.
    pub(in crate::backend) fn names(&self, resource: &str) -> Result<Vec<String>> {
        let refuse = |message: String| Error::usage(message).with("resource", format!("backend.{resource}.sqs"));
        let names = match (&self.queue, self.queues.as_slice()) {
            (Some(_), [_, ..]) => {
                return Err(refuse("both `queue` and `queues` are said".to_owned())
                    .hint("keep `queues`, the most urgent one first, or the one `queue`"));
            }
            (Some(name), []) => vec![name.clone()],
            (None, []) => vec![resource.to_owned()],
            (None, names) => names.to_vec(),
        };
        if let Some(name) = names.iter().find(|name| name.ends_with(".fifo")) {
            return Err(refuse(format!("`{name}` is a FIFO queue, which nothing here needs"))
                .hint("use a standard queue: a message that comes twice changes nothing"));
        }
        if let Some(name) = names.iter().enumerate().find_map(|(n, name)| names[..n].contains(name).then_some(name)) {
            return Err(refuse(format!("`{name}` stands for two priorities")).hint("name each queue once"));
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<Vec<String>> {
        toml::from_str::<Config>(text).unwrap().names("work")
    }

    #[test]
    fn one_queue_several_or_the_recipes_own_name() {
        assert_eq!(names("").unwrap(), ["work"]);
        assert_eq!(names("queue = 'x'").unwrap(), ["x"]);
        assert_eq!(names("queues = ['high', 'low']").unwrap(), ["high", "low"]);
        for wrong in ["queue = 'x.fifo'", "queue = 'x'\nqueues = ['y']", "queues = ['y', 'y']"] {
            assert!(names(wrong).unwrap_err().hint_text().is_some(), "{wrong}");
        }
    }
}
