//! What a test may ask of a server it starts for itself.

/// How a server is started, beyond what every test wants.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) jvm: Vec<String>,
    pub(crate) in_memory: bool,
}

impl Options {
    /// Adds a setting in the server's own words; the last of one name wins.
    ///
    /// A node setting of OpenSearch and Elasticsearch (`thread_pool.write.size`), an option of DynamoDB Local
    /// (`delayTransientStatuses`) or versitygw (`readonly`), which take an empty value where there is none, a
    /// configuration key of ElasticMQ (`rest-sqs.sqs-limits`), a line of the configuration of NATS (`max_payload`).
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Adds an option of the Java machine, such as `-Xmx1g`, for the servers that run in one; the last one wins.
    ///
    /// By default they compile as little as they can, to start sooner: `-XX:TieredStopAtLevel=4` is for benchmarks.
    #[must_use]
    pub fn jvm(mut self, option: &str) -> Self {
        self.jvm.push(option.to_owned());
        self
    }

    /// Keeps nothing on disk where there is a choice (DynamoDB, SQS): faster, and a restart forgets everything.
    #[must_use]
    pub fn in_memory(mut self) -> Self {
        self.in_memory = true;
        self
    }
}
