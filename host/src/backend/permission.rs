//! The permissions that a backend needs for a use of a resource: AWS actions, and privileges on a search cluster.
//!
//! Each list has what the calls of the backend beside it need, and nothing more.

#[cfg(feature = "elasticsearch")]
use super::elasticsearch::{Service, Sign};
use super::{Config, LedgerConfig};

/// How a recipe uses a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Reads it from start to end, and records again by key.
    Scan,
    /// Reads single records, objects or documents, or the length of a queue.
    Read,
    /// Receives messages from it.
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
    /// The ARNs of the resources they are for.
    pub resources: Vec<String>,
}

/// The start of the ARNs of AWS resources: `arn:aws:<service>:<region>:<account>:`; unknown parts are `*`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Home<'a> {
    /// The account.
    pub account: Option<&'a str>,
    /// The region of resources that set none.
    pub region: Option<&'a str>,
}

impl Home<'_> {
    /// The ARN of a resource here.
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

/// The actions on a table of DynamoDB. Users and `load` create tables, but a run never does.
pub fn of_table(table: &str, used: Use, region: Option<&str>, home: Home<'_>) -> Permission {
    let actions: &[&str] = match used {
        Use::Scan => &["DescribeTable", "Scan", "BatchGetItem"],
        Use::Read | Use::Consume => &["DescribeTable", "BatchGetItem"],
        Use::Write => &["DescribeTable", "BatchWriteItem", "UpdateItem"],
        Use::Ledger => &[
            "DescribeTable",
            "BatchGetItem",
            "PutItem",
            "UpdateItem",
            "DeleteItem",
            "ConditionCheckItem",
            "Query",
            "Scan",
        ],
    };
    let table = home.arn("dynamodb", region, &format!("table/{table}"));
    let mut permission = Permission::new("dynamodb", actions, table.clone());
    if used == Use::Ledger {
        permission.resources.push(format!("{table}/index/*"));
    }
    permission
}

/// The actions on the tables of a shared ledger: its own, and that of the recipe's list of ids.
#[cfg(feature = "dynamodb")]
pub fn of_ledger(config: &LedgerConfig, recipe: &str, home: Home<'_>) -> Vec<Permission> {
    let ids = config.ids.table.clone().unwrap_or_else(|| format!("{}-ids-{recipe}", config.table));
    let mut permissions =
        [&config.table, &ids].map(|table| of_table(table, Use::Ledger, config.region.as_deref(), home));
    if config.create {
        permissions.iter_mut().for_each(|permission| permission.actions.push("dynamodb:CreateTable".to_owned()));
    }
    permissions.into()
}

/// None: this build contains no shared ledger.
#[cfg(not(feature = "dynamodb"))]
pub fn of_ledger(_config: &LedgerConfig, _recipe: &str, _home: Home<'_>) -> Vec<Permission> {
    Vec::new()
}

impl Config {
    /// The AWS actions that a use of this resource needs. None if it is not on AWS.
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
            #[cfg(feature = "elasticsearch")]
            Self::Elasticsearch(config) | Self::Opensearch(config) => {
                config.sign.iter().map(|sign| documents(&config.url, sign, used, home)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The name of an S3 bucket is globally unique, so neither region nor account is part of its ARN.
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

/// What one of Amazon's search services has to allow before the cluster checks its own roles.
#[cfg(feature = "elasticsearch")]
fn documents(url: &str, sign: &Sign, used: Use, home: Home<'_>) -> Permission {
    let region = Some(sign.region.as_str());
    if sign.service == Service::Aoss {
        return Permission::new("aoss", &["APIAccessAll"], home.arn("aoss", region, "collection/*"));
    }
    let actions: &[&str] = match used {
        Use::Write => &["ESHttpGet", "ESHttpPost", "ESHttpPut", "ESHttpDelete"],
        _ => &["ESHttpGet", "ESHttpPost"],
    };
    Permission::new("es", actions, home.arn("es", region, &format!("domain/{}/*", domain(url).unwrap_or("*"))))
}

/// The domain's name, from the host of an Amazon address: `search-NAME-xyz.REGION.es.amazonaws.com`.
#[cfg(feature = "elasticsearch")]
fn domain(url: &str) -> Option<&str> {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', ':']).next()?;
    let label = host.ends_with(".es.amazonaws.com").then(|| host.split('.').next())??;
    let label = label.strip_prefix("search-").or_else(|| label.strip_prefix("vpc-"))?;
    label.rsplit_once('-').map(|(name, _)| name)
}

#[cfg(test)]
#[cfg(all(feature = "dynamodb", feature = "s3", feature = "sqs"))]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// Every operation of the SDKs that the backends call, and the permission it needs.
    const NEEDS: [(&str, &[&str]); 22] = [
        ("abort_multipart_upload", &["s3:AbortMultipartUpload"]),
        ("batch_get_item", &["dynamodb:BatchGetItem"]),
        ("batch_write_item", &["dynamodb:BatchWriteItem"]),
        ("change_message_visibility_batch", &["sqs:ChangeMessageVisibility"]),
        ("complete_multipart_upload", &["s3:PutObject"]),
        ("copy_object", &["s3:GetObject", "s3:PutObject"]),
        ("create_multipart_upload", &["s3:PutObject"]),
        ("delete_message_batch", &["sqs:DeleteMessage"]),
        ("delete_object", &["s3:DeleteObject"]),
        ("describe_table", &["dynamodb:DescribeTable"]),
        ("get_object", &["s3:GetObject"]),
        ("get_queue_attributes", &["sqs:GetQueueAttributes"]),
        ("get_queue_url", &["sqs:GetQueueUrl"]),
        ("head_object", &["s3:GetObject"]),
        ("list_objects_v2", &["s3:ListBucket"]),
        ("put_item", &["dynamodb:PutItem"]),
        ("put_object", &["s3:PutObject"]),
        ("query", &["dynamodb:Query"]),
        ("receive_message", &["sqs:ReceiveMessage"]),
        ("scan", &["dynamodb:Scan"]),
        ("send_message_batch", &["sqs:SendMessage"]),
        ("update_item", &["dynamodb:UpdateItem"]),
    ];

    /// The same for calls that need several actions, or that no run makes.
    const MORE: [(&str, &[&str]); 8] = [
        (
            "transact_write_items",
            &["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"],
        ),
        ("upload_part", &["s3:PutObject"]),
        ("create_queue", &[]),
        ("create_table", &[]),
        ("delete_item", &["dynamodb:DeleteItem"]),
        ("delete_queue", &[]),
        ("delete_table", &[]),
        ("wait_until_table_exists", &[]),
    ];

    const USES: [Use; 5] = [Use::Scan, Use::Read, Use::Consume, Use::Write, Use::Ledger];

    fn allowed() -> BTreeSet<String> {
        let home = Home::default();
        let of = |used| {
            let stores = objects("b", "", used).into_iter().chain([messages("q", used, None, home)]);
            stores.chain([of_table("t", used, None, home)]).flat_map(|permission| permission.actions)
        };
        USES.into_iter().flat_map(of).collect()
    }

    /// The methods that the sources in a directory call on a `client`.
    fn called(directory: &Path, calls: &mut BTreeSet<String>) {
        for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                called(&entry, calls);
                continue;
            }
            let text = fs::read_to_string(entry).unwrap();
            for rest in text.split("client").skip(1) {
                let Some(call) = rest.trim_start().strip_prefix('.') else { continue };
                let name = call.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_').next().unwrap();
                if call[name.len()..].starts_with("()") && name != "clone" {
                    calls.insert(name.to_owned());
                }
            }
        }
    }

    #[test]
    fn every_operation_the_backends_call_is_allowed_and_nothing_else_is() {
        let mut calls = BTreeSet::new();
        for backend in ["dynamodb", "s3", "sqs"] {
            called(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/backend").join(backend), &mut calls);
        }
        assert!(calls.contains("scan") && calls.contains("put_object"), "{calls:?}");
        let (known, allowed) = (NEEDS.iter().chain(&MORE), allowed());
        for call in &calls {
            let needs = known.clone().find(|(name, _)| name == call);
            let (_, needs) = needs.unwrap_or_else(|| panic!("say here what `{call}` needs"));
            assert!(needs.iter().all(|action| allowed.contains(*action)), "{call}: {needs:?}");
        }
        let needed: BTreeSet<_> = known.flat_map(|(_, needs)| needs.iter().map(ToString::to_string)).collect();
        assert_eq!(allowed, needed);
    }

    #[cfg(feature = "elasticsearch")]
    #[test]
    fn a_domain_is_named_by_its_address_where_that_is_amazons_own() {
        let named = domain("search-my-people-abc123xyz.eu-west-2.es.amazonaws.com:443/");
        assert_eq!(named, Some("my-people"));
        assert_eq!(domain("vpc-people-abc.eu-west-2.es.amazonaws.com"), Some("people"));
        assert_eq!(domain("https://search.example.org"), None);
    }
}
