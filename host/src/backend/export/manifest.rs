//! The manifests of an export: which data files belong to it, and what each holds. Pure.

use serde::{Deserialize, de::DeserializeOwned};

use crate::error::{Error, Result};

/// A full export's data files, as its two manifests name them.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) files: Vec<DataFile>,
    /// Distinguishes one export from another.
    pub(super) fingerprint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    output_format: String,
    #[serde(default)]
    export_type: Option<String>,
    #[serde(default)]
    item_count: Option<u64>,
}

/// One line of the manifest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DataFile {
    pub(super) item_count: u64,
    data_file_s3_key: String,
    /// Of the stored file, in base64.
    #[serde(default, rename = "md5Checksum")]
    pub(super) md5: Option<String>,
}

impl Manifest {
    /// Reads both manifests.
    ///
    /// *Errors*: exports that are not full or not in DynamoDB JSON, and manifests that contradict each other.
    pub(super) fn parse(summary: &str, files: &str) -> Result<Self> {
        let summary: Summary = parse(summary)?;
        if summary.output_format != "DYNAMODB_JSON" || summary.export_type.as_deref() == Some("INCREMENTAL_EXPORT") {
            return Err(Error::usage("only full exports in DynamoDB JSON can be read")
                .hint("export the table with `--export-format DYNAMODB_JSON --export-type FULL_EXPORT`"));
        }
        let fingerprint = blake3::hash(files.as_bytes()).to_hex().to_string();
        let lines = files.lines().filter(|line| !line.trim().is_empty());
        let files = lines.map(parse).collect::<Result<Vec<DataFile>>>()?;
        let counted: u64 = files.iter().map(|file| file.item_count).sum();
        match summary.item_count {
            Some(said) if said != counted => Err(Error::usage(format!(
                "the export has {said} items, but the data files its manifest names have {counted}"
            ))
            .hint("fetch `manifest-files.json` again; it is cut off, or of another export")),
            _ => Ok(Self { files, fingerprint }),
        }
    }
}

impl DataFile {
    /// The file's own name. Only the last part of a key in S3 counts: after the export was moved, its files are beside
    /// its manifests, and no other file is read, even if the manifest names one.
    pub(super) fn name(&self) -> Result<&str> {
        let name = self.data_file_s3_key.rsplit('/').next().unwrap_or_default();
        if name.is_empty() || name == ".." {
            let text = format!("the manifest names a data file `{}`, which is none", self.data_file_s3_key);
            return Err(Error::usage(text));
        }
        Ok(name)
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::usage("the manifest of the export cannot be read").because(error))
}
