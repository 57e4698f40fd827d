//! The recipe for pyramid images on buckets of its own, and everything that a run leaves behind in them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::Path,
    process::{Child, Command},
    sync::Arc,
    time::{Duration, Instant},
};

use aws_sdk_s3::Client;
use reindex::{
    backend::{Backends, Mode},
    capability::{
        queue::{Message, Queue},
        storage::{Bucket, ObjectInfo},
    },
    clock::System,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    contract::image::files::{Colour, png_of, read_tiff},
    place::{Place, Ran},
    plugins::{component, root},
    session,
};

/// No wait of these tests takes nearly as long.
const PATIENCE: Duration = Duration::from_secs(240);

/// What the log of a service is called.
const LOG: &str = "serve.log";

/// A master that lies in the repository, which says that it is to be turned.
pub fn dawn() -> Vec<u8> {
    fs::read(root().join("recipes/sample/masters/digital/dawn.jpg")).unwrap()
}

/// A black picture of 1 bit a pixel: as large as it is said to be, of few bytes.
pub fn picture(width: u32, height: u32) -> Vec<u8> {
    let row = 1 + width.div_ceil(8) as usize;
    png_of(width, height, Colour::Grey, 1, &[], &vec![0; row * height as usize])
}

/// What is left in the buckets, in a form in which two runs can be compared.
#[derive(Debug, PartialEq)]
pub struct Left {
    /// The etag, which is a digest, and the metadata of each image.
    pub images: BTreeMap<String, (String, BTreeMap<String, String>)>,
    /// What is still asked for.
    pub asked: Vec<String>,
}

/// The recipe, its environment, and its buckets on a server.
pub struct Studio {
    place: Place,
    name: String,
    objects: String,
    client: Client,
    backends: Backends,
}

impl Studio {
    /// Buckets whose names begin so on a server of objects, in which nothing lies; `more` is further environment. The
    /// recipe follows requests until it is given times.
    pub async fn new(name: &str, objects: &str, more: &str) -> Self {
        let here = Path::new(".");
        let backends = Backends::new(here, here, Mode::ReadWrite, Arc::new(System)).with_aws(session::session());
        let config = aws_sdk_s3::config::Builder::from(&session::config(Some(objects))).force_path_style(true);
        let client = Client::from_conf(config.build());
        let studio = Self { place: Place::new(), name: name.to_owned(), objects: objects.to_owned(), client, backends };
        for role in ["masters", "images", "process"] {
            studio.make(role).await;
        }
        studio.place.write("pyramid.wasm", component("pyramid"));
        let recipe = fs::read_to_string(root().join("recipes/pyramid-s3.toml")).unwrap();
        studio.place.write("pyramid.toml", recipe);
        studio.change("source = \"../plugins/pyramid\"", "file = \"pyramid.wasm\"");
        studio.change("\n[schedule]\ncron = \"30 5 * * *\"\nzone = \"America/New_York\"\n", "");
        studio.reaches(&[], more);
        studio.records(&["of no master"]);
        studio
    }

    /// Says in the environment where the buckets are; some of them elsewhere than where they really are.
    pub fn reaches(&self, elsewhere: &[(&str, &str)], more: &str) {
        let at = |role: &str| elsewhere.iter().find(|(name, _)| *name == role).map_or(&*self.objects, |(_, url)| url);
        let bucket = |role: &str| format!("[backend.{role}.s3]\n{}\n", self.bound(role, at(role)));
        let buckets: String = ["masters", "images", "process"].into_iter().map(bucket).collect();
        self.place
            .write("environments/aws.toml", format!("environment = 1\n[backend.records.sqlite]\n{buckets}{more}\n"));
    }

    fn bound(&self, role: &str, url: &str) -> String {
        format!("bucket = '{}'\nendpoint = '{url}'\npath-style = true", self.called(role))
    }

    /// What the server calls a bucket of the recipe.
    pub fn called(&self, role: &str) -> String {
        format!("{}-{role}", self.name)
    }

    /// Says another line in the recipe.
    #[track_caller]
    pub fn change(&self, line: &str, other: &str) {
        let recipe = fs::read_to_string(self.place.path("pyramid.toml")).unwrap();
        assert!(recipe.contains(line), "the recipe does not say {line}");
        self.place.write("pyramid.toml", recipe.replace(line, other));
    }

    pub fn bucket(&self, role: &str) -> Arc<dyn Bucket> {
        let config = toml::from_str(&format!("[s3]\n{}", self.bound(role, &self.objects))).unwrap();
        self.backends.bucket(role, Some(&config)).unwrap()
    }

    /// Makes a bucket that was removed.
    pub async fn make(&self, role: &str) {
        self.client.create_bucket().bucket(self.called(role)).send().await.unwrap();
    }

    /// Removes a bucket with all that lies in it.
    pub async fn remove(&self, role: &str) {
        for key in self.keys(role).await {
            self.bucket(role).delete(&key).await.unwrap();
        }
        self.client.delete_bucket().bucket(self.called(role)).send().await.unwrap();
    }

    /// Stores a master.
    pub async fn upload(&self, key: &str, bytes: Vec<u8>) -> ObjectInfo {
        self.bucket("masters").put(key, bytes, None).await.unwrap();
        self.bucket("masters").head_many(&[key.to_owned()]).await.unwrap().remove(0).unwrap()
    }

    /// Asks for a master as another program does that knows nothing of us.
    pub async fn ask(&self, key: &str) {
        let (path, name) = key.rsplit_once('/').unwrap();
        let request = json!({ "key": key, "path": format!("{path}/") });
        let file = format!("rbsc/{name}.json");
        self.bucket("process").put(&file, request.to_string().into_bytes(), None).await.unwrap();
    }

    /// A master, and a request for it.
    pub async fn with(&self, key: &str, bytes: Vec<u8>) {
        self.upload(key, bytes).await;
        self.ask(key).await;
    }

    pub async fn image(&self, key: &str) -> Option<ObjectInfo> {
        self.bucket("images").head_many(&[key.to_owned()]).await.unwrap().remove(0)
    }

    /// Width and height of a TIFF, by its first directory.
    pub async fn size(&self, key: &str) -> (u64, u64) {
        let bytes = self.bucket("images").get_many(&[key.to_owned()], u64::MAX).await.unwrap().remove(0);
        let tags = read_tiff(&bytes.unwrap_or_else(|| panic!("there is no `{key}`"))).tags;
        (tags[&256][0], tags[&257][0])
    }

    /// Everything that is asked for, in the order of the files' names.
    pub async fn requests(&self) -> Vec<Value> {
        let bucket = self.bucket("process");
        let keys = self.keys("process").await;
        let read = bucket.get_many(&keys, u64::MAX).await.unwrap();
        read.into_iter().flatten().map(|bytes| serde_json::from_slice(&bytes).unwrap()).collect()
    }

    /// The only request for an object.
    pub async fn request(&self, key: &str) -> Value {
        let mut of: Vec<_> = self.requests().await.into_iter().filter(|request| request["key"] == key).collect();
        assert_eq!(of.len(), 1, "{key}: {of:?}");
        of.remove(0)
    }

    pub async fn keys(&self, role: &str) -> Vec<String> {
        self.bucket(role).list("", None, 1000).await.unwrap().objects.into_iter().map(|info| info.key).collect()
    }

    /// How many uploads of images were begun and are neither finished nor given up.
    pub async fn unfinished(&self) -> usize {
        let listed = self.client.list_multipart_uploads().bucket(self.called("images")).send().await.unwrap();
        listed.uploads().len()
    }

    /// Whether there are so many images, and nothing is asked for any more.
    pub async fn is_done(&self, images: usize) -> bool {
        self.keys("images").await.len() == images && self.keys("process").await.is_empty()
    }

    pub async fn left(&self) -> Left {
        let keys = self.keys("images").await;
        let infos = self.bucket("images").head_many(&keys).await.unwrap().into_iter().flatten();
        let images = infos.map(|info| (info.key, (info.etag, info.metadata))).collect();
        Left { images, asked: self.keys("process").await }
    }

    fn command(&self, arguments: &str) -> Command {
        let by = servers::Credentials::TESTS;
        let mut command = self.place.command(arguments);
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN"] {
            command.env_remove(name);
        }
        // No profile of whoever runs the tests, and no machine's own role.
        command.env("HOME", self.place.path("")).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_ACCESS_KEY_ID", by.access_key).env("AWS_SECRET_ACCESS_KEY", by.secret_key);
        command.env("AWS_REGION", by.region);
        command
    }

    pub fn reindex(&self, arguments: &str) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Fills the table of records with nothing but their keys.
    pub fn records(&self, keys: &[&str]) {
        let lines: String = keys.iter().map(|key| json!({ "id": key }).to_string() + "\n").collect();
        self.place.write("records.jsonl", lines);
        self.reindex("load records records.jsonl --env aws").exits(0);
    }

    pub async fn record(&self, key: &str) -> Value {
        let state = self.place.path(".reindex/aws");
        let backends = Backends::new(&state, &state, Mode::ReadOnly, Arc::new(System));
        let found = backends.table("records", None).unwrap().get_many(&[key.to_owned()]).await.unwrap().remove(0);
        serde_json::from_slice(&found.unwrap()).unwrap()
    }

    /// What the ledger says of the last run.
    pub fn status(&self) -> Value {
        self.reindex("status pyramid --json").exits(0).json()
    }

    /// What its services logged, as lines of JSON.
    pub fn log(&self) -> String {
        fs::read_to_string(self.place.path(LOG)).unwrap()
    }

    /// Starts a service for the recipe.
    pub fn serve(&self) -> Serving<'_> {
        let log = File::options().create(true).append(true).open(self.place.path(LOG)).unwrap();
        let mut command = self.command("serve pyramid --listen none --log json");
        Serving { child: command.stderr(log).spawn().unwrap(), studio: self }
    }

    /// A queue of the environment.
    pub fn queue(&self, config: &str) -> Arc<dyn Queue> {
        self.backends.queue("uploads", Some(&toml::from_str(config).unwrap())).unwrap()
    }
}

/// A service that runs; it does not outlive its test, however that ends.
pub struct Serving<'a> {
    child: Child,
    studio: &'a Studio,
}

impl Serving<'_> {
    /// Waits until something is so.
    pub async fn until(&mut self, what: &str, is_so: impl AsyncFn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so().await {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "waiting for {what}, it ended with {ended:?}: {}", self.studio.log());
            assert!(Instant::now() < end, "waited for {what} in vain: {}", self.studio.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until there are these images.
    pub async fn makes(&mut self, keys: &[&str]) {
        let studio = self.studio;
        self.until("images", async || {
            let made = studio.keys("images").await;
            keys.iter().all(|&key| made.iter().any(|made| made == key))
        })
        .await;
    }

    /// Waits until a queue is empty, with nothing in anybody's hand.
    pub async fn empties(&mut self, queue: &Arc<dyn Queue>) {
        self.until("an empty queue", async || {
            let depth = queue.depth().await.unwrap();
            depth.waiting + depth.in_hand == 0
        })
        .await;
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until it has ended well.
    pub fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let ended = self.child.wait().unwrap();
        assert_eq!(ended.code(), Some(0), "{}", self.studio.log());
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends messages as they are.
pub async fn tell(queue: &Arc<dyn Queue>, messages: &[String]) {
    let message = |(n, body): (usize, &String)| Message { id: format!("m{n}"), body: body.clone(), priority: 0 };
    let messages: Vec<_> = messages.iter().enumerate().map(message).collect();
    assert!(queue.send(&messages).await.unwrap().iter().all(Result::is_ok));
}
