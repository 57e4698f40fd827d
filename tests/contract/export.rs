//! An export as DynamoDB writes it, made by hand.

use std::{fs, io::Write as _, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use md5::{Digest as _, Md5};

/// Writes an export whose data files have so many items.
pub fn export(path: &Path, counts: &[usize]) {
    fs::create_dir_all(path.join("data")).unwrap();
    let total: usize = counts.iter().sum();
    let summary = format!(
        r#"{{"version":"2020-06-30","outputFormat":"DYNAMODB_JSON","exportType":"FULL_EXPORT","itemCount":{total}}}"#
    );
    fs::write(path.join("manifest-summary.json"), summary).unwrap();
    let mut manifest = String::new();
    for (n, count) in counts.iter().enumerate() {
        let items: String = (0..*count).map(|m| format!("{{\"Item\":{{\"id\":{{\"S\":\"{n}-{m}\"}}}}}}\n")).collect();
        let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
        zip.write_all(items.as_bytes()).unwrap();
        let zip = zip.finish().unwrap();
        let md5 = STANDARD.encode(Md5::digest(&zip));
        fs::write(path.join(format!("data/f{n}.json.gz")), zip).unwrap();
        let key = format!("prefix/AWSDynamoDB/0123-abc/data/f{n}.json.gz");
        manifest += &format!("{{\"itemCount\":{count},\"md5Checksum\":\"{md5}\",\"dataFileS3Key\":\"{key}\"}}\n");
    }
    fs::write(path.join("manifest-files.json"), manifest).unwrap();
}
