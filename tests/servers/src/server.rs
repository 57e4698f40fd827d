//! Which servers there are, and what each takes to be had.

use std::{fmt, path::PathBuf, str::FromStr};

use crate::Recipe;

/// A real server that tests run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Server {
    /// OpenSearch, with analysis, painless and reindex.
    Opensearch,
    /// Elasticsearch, with the analysis that index definitions need.
    Elasticsearch,
    /// DynamoDB Local.
    Dynamodb,
    /// versitygw, which speaks S3 with real signatures.
    S3,
    /// ElasticMQ, which speaks SQS.
    Sqs,
    /// nats-server with JetStream.
    Nats,
    /// MinIO, the other S3, which tells of new objects.
    Minio,
}

impl Server {
    /// Every server there is.
    pub const ALL: [Self; 7] =
        [Self::Opensearch, Self::Elasticsearch, Self::Dynamodb, Self::S3, Self::Sqs, Self::Nats, Self::Minio];

    /// Names the server as the command line does; also the directory of its recipe in this crate.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Opensearch => "opensearch",
            Self::Elasticsearch => "elasticsearch",
            Self::Dynamodb => "dynamodb",
            Self::S3 => "s3",
            Self::Sqs => "sqs",
            Self::Nats => "nats",
            Self::Minio => "minio",
        }
    }

    /// How it is fetched.
    pub(crate) fn recipe(self) -> Recipe {
        let tools: &[Tool] = match self {
            Self::Opensearch | Self::Elasticsearch | Self::Dynamodb | Self::Sqs => &Tool::JAVA,
            Self::S3 | Self::Nats | Self::Minio => &Tool::GO,
        };
        Recipe { name: self.name(), folder: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(self.name()), tools }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Server {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|server| server.name() == name);
        found.ok_or_else(|| format!("there is no server {name}; there are {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// A command that has to be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool {
    /// As it is called.
    pub command: &'static str,
    /// What brings it.
    pub install: &'static str,
}

impl Tool {
    /// What it takes to fetch Java programs, to compile and to run them.
    pub const JAVA: [Self; 3] = [
        Self { command: "java", install: "a JDK of version 17 or 21 (Debian: openjdk-17-jdk-headless)" },
        Self { command: "javac", install: "a JDK of version 17 or 21 (Debian: openjdk-17-jdk-headless)" },
        Self { command: "mvn", install: "Maven (Debian: maven)" },
    ];
    /// What it takes to build programs in Go.
    pub const GO: [Self; 1] = [Self { command: "go", install: "Go, 1.21 or later (Debian 12's golang-go is older)" }];
}
