//! A gallery of masters to run the recipe for pyramid images over, and everything that a run leaves behind in it.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use reindex::{
    backend::{Backends, Mode, files::Bucket},
    capability::storage::{Bucket as _, ObjectInfo, Put, chunks},
    clock::System,
};
use serde_json::{Value, json};

use crate::{
    contract::image::files::{Colour, Tiff, png_of, read_tiff},
    place::{Place, Ran},
    plugins::{component, root},
};

/// What a run leaves behind, in a form in which two runs can be compared.
#[derive(Debug, PartialEq)]
pub struct Left {
    /// The etag, which is a digest, and the metadata of each image.
    pub images: BTreeMap<String, (String, BTreeMap<String, String>)>,
    /// The requests that are still there.
    pub requests: Vec<String>,
    /// Records, but for the time in them.
    pub records: Vec<Option<Value>>,
}

pub struct Gallery(pub Place);

/// A black picture of 1 bit a pixel: as large as it is said to be, of few bytes.
pub fn picture(width: u32, height: u32) -> Vec<u8> {
    let row = 1 + width.div_ceil(8) as usize;
    png_of(width, height, Colour::Grey, 1, &[], &vec![0; row * height as usize])
}

impl Gallery {
    /// The recipe of the repository with other settings and further sections, and no master yet.
    pub fn new(settings: &str, sections: &str) -> Self {
        let place = Place::new();
        place.write("pyramid.wasm", component("pyramid"));
        let recipe = fs::read_to_string(root().join("recipes/pyramid.toml")).unwrap();
        let recipe = recipe
            .replace("source = \"../plugins/pyramid\"", "file = \"pyramid.wasm\"")
            .replace("[plugin.settings]\n", &format!("[plugin.settings]\n{settings}\n"))
            .replace("storage = [\"masters\", \"images\"]", "storage = [\"masters\", \"images\", \"records\"]")
            .replace("storage = [\"images\", \"process\"]", "storage = [\"images\", \"process\", \"records\"]");
        place.write("pyramid.toml", format!("{recipe}\n{sections}\n"));
        Self(place)
    }

    /// Says another line in the recipe.
    #[track_caller]
    pub fn change(&self, line: &str, other: &str) {
        let recipe = fs::read_to_string(self.0.path("pyramid.toml")).unwrap();
        assert!(recipe.contains(line), "the recipe does not say {line}");
        self.0.write("pyramid.toml", recipe.replace(line, other));
    }

    fn bucket(&self, name: &str) -> Bucket {
        Bucket::open(self.0.path(".reindex/objects").join(name))
    }

    /// Stores a master, with what is noted down with it.
    pub fn master(&self, key: &str, bytes: impl Into<Vec<u8>>, metadata: &[(&str, &str)]) {
        let metadata = metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let put = Put { metadata, ..Put::default() };
        now(self.bucket("masters").write(key, &put, chunks(bytes.into()))).unwrap();
    }

    /// Asks for a master as another program would, with whatever else the request says.
    pub fn ask(&self, key: &str, more: &Value) {
        let mut request = json!({ "key": key });
        request.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        // The end of a key tells those of a test apart, and is short enough for a file's name.
        let end: String = key.chars().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect();
        let name = format!("requests/{}.json", end.replace('/', "-"));
        now(self.bucket("process").put(&name, request.to_string().into_bytes(), None)).unwrap();
    }

    /// A master, and a request for it.
    pub fn with(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.master(key, bytes, &[]);
        self.ask(key, &json!({}));
    }

    pub fn run(&self, code: i32) -> Ran {
        self.0.reindex("run pyramid").exits(code)
    }

    /// What the last run counted.
    pub fn counts(&self) -> Value {
        self.0.reindex("status pyramid --json").exits(0).json()["counts"].clone()
    }

    pub fn image(&self, key: &str) -> Option<ObjectInfo> {
        now(self.bucket("images").head_many(&[key.to_owned()])).unwrap().pop().unwrap()
    }

    /// The size of a TIFF, by its first directory.
    #[track_caller]
    pub fn size(&self, key: &str) -> (u64, u64) {
        let tiff = self.tiff(key);
        (tiff.tags[&256][0], tiff.tags[&257][0])
    }

    #[track_caller]
    pub fn tiff(&self, key: &str) -> Tiff {
        let bytes = now(self.bucket("images").get_many(&[key.to_owned()], u64::MAX)).unwrap().pop().unwrap();
        read_tiff(&bytes.unwrap_or_else(|| panic!("there is no `{key}`")))
    }

    /// Fills the table of records with nothing but their keys.
    pub fn records(&self, keys: &[&str]) {
        let lines: String = keys.iter().map(|key| json!({ "id": key }).to_string() + "\n").collect();
        self.0.reindex_with("load records -", &lines).exits(0);
    }

    pub fn record(&self, key: &str) -> Option<Value> {
        let state = self.0.path(".reindex");
        let backends = Backends::new(&state, &state, Mode::ReadOnly, Arc::new(System));
        let found = now(async { backends.table("records", None).unwrap().get_many(&[key.to_owned()]).await });
        found.unwrap().pop().unwrap().map(|record| serde_json::from_slice(&record).unwrap())
    }

    pub fn requests(&self) -> Vec<String> {
        keys(&self.bucket("process"))
    }

    /// Looks at everything; `keys` are those of the records.
    pub fn left(&self, of: &[&str]) -> Left {
        let images = keys(&self.bucket("images")).into_iter().map(|key| {
            let info = self.image(&key).unwrap();
            (key, (info.etag, info.metadata))
        });
        let timeless = |mut record: Value| {
            record.as_object_mut().unwrap().remove("processedAt");
            record
        };
        Left {
            images: images.collect(),
            requests: self.requests(),
            records: of.iter().map(|key| self.record(key).map(timeless)).collect(),
        }
    }

    pub fn path(&self, key: &str) -> std::path::PathBuf {
        self.0.path(".reindex/objects").join(Path::new(key))
    }
}

fn keys(bucket: &Bucket) -> Vec<String> {
    now(bucket.list("", None, 1000)).unwrap().objects.into_iter().map(|info| info.key).collect()
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}
