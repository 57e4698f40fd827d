//! What a backend has to be allowed for what a recipe does with it: AWS actions, and privileges on a search cluster.
//!
//! Each list is what the calls of the backend beside it need, and nothing more.

use super::Config;

/// What a recipe does with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Reads it from end to end, and records again by key.
    Scan,
    /// Reads single records, objects or documents, or how long a queue is.
    Read,
    /// Takes messages from it.
    Consume,
    /// Writes to it.
    Write,
    /// Keeps the ledger in it.
    Ledger,
}

/// Some AWS actions on some resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The actions, such as `dynamodb:Scan`.
    pub actions: Vec<String>,
    /// The names of resources (ARNs) they are for.
    pub resources: Vec<String>,
}

/// The start of the names of AWS resources: `arn:aws:<service>:<region>:<account>:`; what is not known is `*`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Home<'a> {
    /// The account.
    pub account: Option<&'a str>,
    /// The region of what names none itself.
    pub region: Option<&'a str>,
}

impl Home<'_> {
    /// The name of a resource here.
    pub fn arn(&self, service: &str, region: Option<&str>, resource: &str) -> String {
        let region = region.or(self.region).unwrap_or("*");
        format!("arn:aws:{service}:{region}:{}:{resource}", self.account.unwrap_or("*"))
    }
}

impl Permission {
    /// Allows some actions of a service on one resource.
    pub fn new(service: &str, actions: &[&str], resource: String) -> Self {
        let actions = actions.iter().map(|action| format!("{service}:{action}")).collect();
        Self { actions, resources: vec![resource] }
    }
}

/// The actions on a table of DynamoDB.
pub fn of_table(table: &str, used: Use, region: Option<&str>, home: Home<'_>) -> Permission {
    let actions: &[&str] = match used {
        Use::Scan => &["DescribeTable", "Scan", "BatchGetItem"],
        Use::Read | Use::Consume => &["DescribeTable", "BatchGetItem"],
        Use::Write => &["DescribeTable", "BatchWriteItem"],
        Use::Ledger => {
            &["DescribeTable", "GetItem", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem", "Query"]
        }
    };
    Permission::new("dynamodb", actions, home.arn("dynamodb", region, &format!("table/{table}")))
}

impl Config {
    /// The AWS actions that a use of this resource needs. None where it is not on AWS.
    #[cfg_attr(not(feature = "aws"), expect(unused_variables, reason = "nothing is on AWS in this build"))]
    pub fn permissions(&self, name: &str, used: Use, home: Home<'_>) -> Vec<Permission> {
        match self {
            #[cfg(feature = "dynamodb")]
            Self::Dynamodb(config) => {
                let table = config.table.as_deref().unwrap_or(name);
                vec![of_table(table, used, config.region.as_deref(), home)]
            }
            #[cfg(feature = "s3")]
            Self::S3(config) => objects(&config.bucket, &config.prefix, used),
            #[cfg(feature = "sqs")]
            Self::Sqs(config) => {
                let names = config.names(name).unwrap_or_default();
                names.iter().map(|queue| messages(queue, used, config.region.as_deref(), home)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// An S3 bucket's name is its own in the whole world, so neither region nor account is part of it.
#[cfg(feature = "s3")]
fn objects(bucket: &str, prefix: &str, used: Use) -> Vec<Permission> {
    let actions: &[&str] = match used {
        Use::Write => &["GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload"],
        _ => &["GetObject"],
    };
    vec![
        Permission::new("s3", &["ListBucket"], format!("arn:aws:s3:::{bucket}")),
        Permission::new("s3", actions, format!("arn:aws:s3:::{bucket}/{prefix}*")),
    ]
}

#[cfg(feature = "sqs")]
fn messages(queue: &str, used: Use, region: Option<&str>, home: Home<'_>) -> Permission {
    let actions: &[&str] = match used {
        Use::Write => &["GetQueueUrl", "GetQueueAttributes", "SendMessage"],
        Use::Consume | Use::Scan => {
            &["GetQueueUrl", "GetQueueAttributes", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"]
        }
        _ => &["GetQueueUrl", "GetQueueAttributes"],
    };
    Permission::new("sqs", actions, home.arn("sqs", region, queue))
}
