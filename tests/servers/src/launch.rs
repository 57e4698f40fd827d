//! How each server is started, as a command line.

use std::{fs, io, path::Path};

use crate::{Options, Server, running::Credentials};

/// Where a server is and what it is to use.
pub(crate) struct Launch<'a> {
    pub(crate) server: Server,
    /// Where it was fetched to.
    pub(crate) installed: &'a Path,
    /// Its own directory, for data and log.
    pub(crate) home: &'a Path,
    pub(crate) port: u16,
    pub(crate) options: &'a Options,
}

impl Launch<'_> {
    /// The command with its arguments; writes the configuration where the server wants a file.
    pub(crate) fn command(&self) -> io::Result<Vec<String>> {
        Ok(match self.server {
            Server::Opensearch => self.opensearch(),
            Server::Elasticsearch => self.elasticsearch(),
            Server::Dynamodb => self.dynamodb(),
            Server::S3 => self.s3()?,
            Server::Sqs => self.sqs(),
            Server::Nats => self.nats()?,
            Server::Minio => self.minio(),
        })
    }

    fn opensearch(&self) -> Vec<String> {
        let log = format!("-Dlog4j.configurationFile={}", self.installed("log4j2.properties"));
        let settings = self.options.settings.iter().map(|(key, value)| format!("{key}={value}"));
        let mut command = self.java("-Xmx512m", vec!["-Djava.security.manager=allow".to_owned(), log]);
        command.extend(["OpensearchNode".to_owned(), self.home(""), self.port.to_string()]);
        command.extend(settings);
        command
    }

    fn elasticsearch(&self) -> Vec<String> {
        let settings = self.options.settings.iter().map(|(key, value)| format!("{key}={value}"));
        let mut command = self.java("-Xmx512m", vec!["-Djava.security.manager=allow".to_owned()]);
        let main = "ElasticsearchNode".to_owned();
        command.extend([main, self.installed(""), self.home(""), self.port.to_string()]);
        command.extend(settings);
        command
    }

    fn dynamodb(&self) -> Vec<String> {
        let native = format!("-Dsqlite4java.library.path={}", self.installed("lib"));
        let mut command = self.java("-Xmx384m", vec![native]);
        let port = self.port.to_string();
        // One set of tables for whatever region and key a test comes with.
        command.extend(["LoopbackDynamodb", "-port", &port, "-disableTelemetry", "-sharedDb"].map(str::to_owned));
        if self.options.in_memory {
            command.push("-inMemory".to_owned());
        } else {
            command.extend(["-dbPath".to_owned(), self.home("")]);
        }
        command.extend(self.flags("-"));
        command
    }

    fn s3(&self) -> io::Result<Vec<String>> {
        let [data, sidecar] = [self.home("data"), self.home("sidecar")];
        fs::create_dir_all(&data)?;
        fs::create_dir_all(&sidecar)?;
        let Credentials { access_key, secret_key, region } = Credentials::TESTS;
        let address = format!("127.0.0.1:{}", self.port);
        let mut command = vec![self.installed("versitygw")];
        command.extend(["--access", access_key, "--secret", secret_key, "--region", region].map(str::to_owned));
        command.extend(["--port".to_owned(), address]);
        command.extend(self.flags("--"));
        // Beside the data and not in extended attributes, which not every file system has.
        command.extend(["posix".to_owned(), "--sidecar".to_owned(), sidecar, data]);
        Ok(command)
    }

    fn sqs(&self) -> Vec<String> {
        let port = self.port;
        let mut settings = vec![
            "-Dnode-address.host=127.0.0.1".to_owned(),
            format!("-Dnode-address.port={port}"),
            "-Drest-sqs.bind-hostname=127.0.0.1".to_owned(),
            format!("-Drest-sqs.bind-port={port}"),
            "-Drest-sqs.sqs-limits=strict".to_owned(),
            "-Drest-stats.enabled=false".to_owned(),
        ];
        if !self.options.in_memory {
            settings.push("-Dqueues-storage.enabled=true".to_owned());
            settings.push(format!("-Dqueues-storage.path={}", self.home("queues.conf")));
            settings.push("-Dmessages-storage.enabled=true".to_owned());
            settings.push(format!("-Dmessages-storage.uri=jdbc:h2:{};WRITE_DELAY=0", self.home("messages")));
        }
        settings.extend(self.options.settings.iter().map(|(key, value)| format!("-D{key}={value}")));
        let mut command = self.java("-Xmx256m", settings);
        command.push("org.elasticmq.server.Main".to_owned());
        command
    }

    fn nats(&self) -> io::Result<Vec<String>> {
        let mut config =
            format!("listen: \"127.0.0.1:{}\"\njetstream {{ store_dir: {:?} }}\n", self.port, self.home(""));
        for (key, value) in &self.options.settings {
            config.push_str(&format!("{key}: {value}\n"));
        }
        let path = self.home("nats.conf");
        fs::write(&path, config)?;
        Ok(vec![self.installed("nats-server"), "--config".to_owned(), path])
    }

    fn minio(&self) -> Vec<String> {
        let Credentials { access_key, secret_key, region } = Credentials::TESTS;
        let own = [
            format!("MINIO_ROOT_USER={access_key}"),
            format!("MINIO_ROOT_PASSWORD={secret_key}"),
            format!("MINIO_REGION={region}"),
            "MINIO_BROWSER=off".to_owned(),
            "MINIO_UPDATE=off".to_owned(),
        ];
        let settings = self.options.settings.iter().map(|(key, value)| format!("{key}={value}"));
        let mut command = vec!["env".to_owned()];
        command.extend(own.into_iter().chain(settings));
        let address = format!("127.0.0.1:{}", self.port);
        command.extend([self.installed("minio"), "server".to_owned(), "--quiet".to_owned()]);
        command.extend(["--address".to_owned(), address, self.home("data")]);
        command
    }

    /// A Java machine up to its main class.
    fn java(&self, heap: &str, more: Vec<String>) -> Vec<String> {
        let classes = format!("{}:{}/*", self.installed("classes"), self.installed("lib"));
        // Starts in half the time, and runs slower for it.
        let quick = ["java", heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"].map(str::to_owned);
        let class_path = ["-cp".to_owned(), classes];
        [quick.to_vec(), more, self.options.jvm.clone(), class_path.to_vec()].concat()
    }

    fn flags(&self, dashes: &str) -> impl Iterator<Item = String> {
        let flag = move |(key, value): &(String, String)| [format!("{dashes}{key}"), value.clone()];
        self.options.settings.iter().flat_map(flag).filter(|word| !word.is_empty())
    }

    fn installed(&self, path: &str) -> String {
        self.installed.join(path).display().to_string()
    }

    fn home(&self, path: &str) -> String {
        self.home.join(path).display().to_string()
    }
}
