//! The suites on local files, and what files of lines can hold.

use std::{
    ffi::OsStr,
    io::Write as _,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, symlink},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    sync::Arc,
};

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use reindex::{
    backend::{
        export::Export,
        files::{Bucket, JsonLines},
    },
    capability::storage::{
        Bucket as _, Condition, Listing, Omissions, Omitted, Put, Row, Sameness, Scan as _, Segment, chunks,
    },
    error::Kind,
    record::Form,
};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use crate::contract::{bucket, export::export, storage, texts};

const WHOLE: Segment = Segment { number: 0, total: 1 };

fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    (directory, path)
}

fn zip(bytes: &[u8]) -> Vec<u8> {
    let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap()
}

fn lines(path: &Path, bytes: impl AsRef<[u8]>, max_bytes: usize) -> JsonLines {
    std::fs::write(path, bytes).unwrap();
    JsonLines::open(path, Form::Plain, max_bytes).unwrap()
}

fn bodies(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| String::from_utf8_lossy(&row.body).into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_keeps_the_promises_of_a_bucket() {
    let (_kept, path) = directory();
    let (_other, other) = directory();
    let served = Arc::new(Bucket::open(path.join("not/yet/there")));
    bucket::bucket(served.clone(), Arc::new(Bucket::open(other))).await;
    bucket::a_newer_object_is_never_removed(served).await;
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1, "nothing outside");
    let unfinished = std::fs::read_dir(path.join("not/yet/there/%unfinished")).unwrap();
    assert_eq!(unfinished.count(), 1, "nothing but the lock");
}

#[tokio::test]
async fn what_was_noted_down_goes_with_its_object() {
    let (_kept, path) = directory();
    let bucket = Bucket::open(&path);
    let put = Put { metadata: [("page".to_owned(), "1".to_owned())].into(), ..Put::default() };
    let first = bucket.write("a", &put, chunks("x")).await.unwrap().unwrap();
    let again = bucket.write("a", &Put::default(), chunks("x")).await.unwrap().unwrap();
    assert!(first.etag == again.etag && again.metadata.is_empty(), "{again:?}");
    bucket.write("a", &put, chunks("x")).await.unwrap();
    std::fs::write(path.join("a"), "changed by hand").unwrap();
    let found = bucket.head_many(&texts(&["a"])).await.unwrap().pop().flatten().unwrap();
    assert!(found.size == 15 && found.etag != first.etag && found.metadata.is_empty(), "{found:?}");
    let only = |etag: &str| Put { condition: Condition::Etag(etag.to_owned()), ..Put::default() };
    assert_eq!(bucket.write("a", &only(&first.etag), chunks("y")).await.unwrap(), None);
    assert!(bucket.write("a", &only(&found.etag), chunks("y")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_directory_takes_every_key_for_itself() {
    let (_kept, path) = directory();
    let bucket = Bucket::open(path.join("in"));
    let keys = texts(&["../up", ".", "/root", "a//b", "a/b", "dir/", "dots/..", "nul\0", "%2E", "%"]);
    for key in &keys {
        bucket.put(key, key.as_bytes().to_vec(), None).await.unwrap();
    }
    let found: Vec<_> = bucket.get_many(&keys, 99).await.unwrap().into_iter().flatten().collect();
    assert_eq!(found, keys.iter().map(String::as_bytes).collect::<Vec<_>>());
    assert_eq!(bucket.list("", None, 99).await.unwrap().objects.len(), keys.len());
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1, "nothing outside");
}

/// Objects, and entries that are none with their reasons, of a directory that is listed a few entries at a time.
async fn walked(bucket: &Bucket, limit: usize) -> (Vec<String>, Vec<Omitted>) {
    let (mut keys, mut none, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let Listing { objects, omitted, next } = bucket.list("", after.as_deref(), limit).await.unwrap();
        assert!(objects.len() + omitted.len() <= limit);
        keys.extend(objects.into_iter().map(|info| info.key));
        none.extend(omitted);
        after = next;
        if after.is_none() {
            return (keys, none);
        }
    }
}

#[tokio::test]
async fn what_is_no_object_costs_only_itself_and_is_listed_with_its_reason() {
    let (_kept, path) = directory();
    let bucket = Bucket::open(&path);
    let keys: Vec<_> = (0..25).map(|n| format!("d/{n:02}.tif")).collect();
    for key in &keys {
        bucket.put(key, b"x".to_vec(), None).await.unwrap();
    }
    let inside = path.join("d");
    let (_outside, out) = directory();
    std::fs::write(out.join("secret"), "secret").unwrap();
    mknodat(CWD, inside.join("03.fifo"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let _socket = UnixListener::bind(inside.join("07.socket")).unwrap();
    symlink(out.join("secret"), inside.join("09.link")).unwrap();
    symlink("00.tif", inside.join("10.link")).unwrap();
    symlink("nowhere", inside.join("11.link")).unwrap();
    symlink("12.link", inside.join("12.link")).unwrap();
    symlink(&out, inside.join("linked")).unwrap();
    for name in [&b"line\nfeed.tif"[..], b"back\\slash.tif", b"not\xFFtext.tif", b"odd%25.tif"] {
        std::fs::write(inside.join(OsStr::from_bytes(name)), "x").unwrap();
    }
    let strange = inside.join(OsStr::from_bytes(b"str\xFFange"));
    std::fs::create_dir(&strange).unwrap();
    std::fs::write(strange.join("within.tif"), "x").unwrap();
    let long = (0..5).fold(inside.clone(), |path, _| path.join("l".repeat(230)));
    std::fs::create_dir_all(&long).unwrap();
    std::fs::write(long.join("far.tif"), "x").unwrap();
    let unreadable = inside.join("20.unreadable");
    std::fs::write(&unreadable, "x").unwrap();
    std::fs::set_permissions(&unreadable, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Whoever may read everything reads it.
    let may_read = std::fs::File::open(&unreadable).is_ok();
    let all = |keys: &[String]| {
        let mut keys = keys.to_vec();
        keys.extend(may_read.then(|| "d/20.unreadable".to_owned()));
        keys.sort();
        keys
    };
    for limit in [1, 2, 7, 1000] {
        let (found, omitted) = walked(&bucket, limit).await;
        assert_eq!(found, all(&keys), "{limit} at a time");
        let mut omissions = Omissions::default();
        omitted.into_iter().filter(|entry| entry.name != "d/20.unreadable").for_each(|entry| omissions.add(entry));
        let long = format!("d/{}far.tif", format!("{}/", "l".repeat(230)).repeat(5));
        assert_eq!(
            omissions.lines(),
            [
                "5 omitted: a link, which is not followed (d/09.link, d/10.link, d/11.link, …)".to_owned(),
                "2 omitted: a pipe, a socket or a device (d/03.fifo, d/07.socket)".to_owned(),
                format!("1 omitted: its key has more than 1024 bytes ({long})"),
                "1 omitted: its name has a `%` with digits that mean a character no name of a file has here (d/odd%25.tif)"
                    .to_owned(),
                "1 omitted: its name has a backslash (d/back\\slash.tif)".to_owned(),
                "1 omitted: its name has a line feed or another control character (d/line\\nfeed.tif)".to_owned(),
                "2 omitted: its name is not UTF-8 (d/not\\xfftext.tif, d/str\\xffange/within.tif)".to_owned(),
            ],
            "{limit} at a time"
        );
    }
    no_link_leads_out(&bucket, &out).await;
}

async fn no_link_leads_out(bucket: &Bucket, out: &Path) {
    let others = texts(&["d/03.fifo", "d/07.socket", "d/09.link", "d/12.link", "d/linked/secret", "d/linked"]);
    assert_eq!(bucket.get_many(&others, 99).await.unwrap(), vec![None; others.len()], "and none is waited for");
    for key in &others {
        bucket.delete(key).await.unwrap();
        assert!(bucket.delete_if(key, "x").await.unwrap());
    }
    assert_eq!(std::fs::read(out.join("secret")).unwrap(), b"secret");
    let error = bucket.put("d/linked/secret", b"mine".to_vec(), None).await.unwrap_err();
    assert!(error.concerns_item() && error.message().contains("is a link"), "{error:?}");
    // What is stored under the name of a link takes its place.
    bucket.put("d/09.link", b"mine".to_vec(), None).await.unwrap();
    assert_eq!(bucket.get_many(&texts(&["d/09.link"]), 99).await.unwrap(), [Some(b"mine".to_vec())]);
    assert_eq!(std::fs::read(out.join("secret")).unwrap(), b"secret");
    assert_eq!(std::fs::read_dir(out).unwrap().count(), 1);
}

#[tokio::test]
async fn a_key_that_is_also_a_directory_is_refused_in_words() {
    let (_kept, path) = directory();
    let bucket = Bucket::open(&path);
    bucket.put("a/b", b"x".to_vec(), None).await.unwrap();
    bucket.put("c", b"x".to_vec(), None).await.unwrap();
    for key in ["a", "c/d", "c/d/e"] {
        let error = bucket.put(key, b"y".to_vec(), None).await.unwrap_err();
        assert!(error.kind() == Kind::Usage && error.message().contains("also a directory"), "{error:?}");
    }
    assert_eq!(bucket.list("", None, 9).await.unwrap().objects.len(), 2);
}

#[tokio::test]
async fn plain_and_compressed_lines_keep_the_promises_of_a_scan() {
    let (_kept, path) = directory();
    let text: String = (0..2000).map(|n| format!("{{\"id\":\"k{n}\"}}\n")).collect();
    for (name, bytes) in [("x.jsonl", text.clone().into_bytes()), ("x.jsonl.gz", zip(text.as_bytes()))] {
        storage::scan(&lines(&path.join(name), bytes, 1000), 2000).await;
    }
    let halves = [zip(&text.as_bytes()[..500]), zip(&text.as_bytes()[500..])].concat();
    storage::scan(&lines(&path.join("halves.gz"), halves, 1000), 2000).await;
}

#[tokio::test]
async fn lines_are_what_people_call_lines() {
    let (_kept, path) = directory();
    let bytes = b"\xEF\xBB\xBF{\"a\":1}\r\n\n \t\r\nnot json\n\xFF\xFE\n{\"last\":true}";
    let rows = storage::whole(&lines(&path.join("odd.jsonl"), bytes, 100), 1, 10).await;
    assert_eq!(bodies(&rows), ["{\"a\":1}", "not json", "\u{FFFD}\u{FFFD}", "{\"last\":true}"]);
    let positions: Vec<_> = rows.iter().map(|row| row.position.as_str()).collect();
    assert_eq!(positions, ["odd.jsonl:1@0", "odd.jsonl:4@17", "odd.jsonl:5@26", "odd.jsonl:6@29"]);
    for bytes in ["", "\n", "\n\n\r\n", "\u{FEFF}"] {
        assert!(storage::whole(&lines(&path.join("empty"), bytes, 100), 1, 10).await.is_empty());
    }
}

#[tokio::test]
async fn a_line_too_long_is_handed_out_cut_and_the_next_one_whole() {
    let (_kept, path) = directory();
    let text = format!("{{\"a\":1}}\n{}\n{}\nfine\n", "x".repeat(3_000_000), " ".repeat(50));
    for bytes in [text.clone().into_bytes(), zip(text.as_bytes())] {
        let rows = storage::whole(&lines(&path.join("long"), bytes, 10), 1, 2).await;
        let lengths: Vec<_> = rows.iter().map(|row| row.body.len()).collect();
        assert_eq!(lengths, [7, 11, 11, 4], "one byte more than the limit, so that it is refused as too large");
    }
}

#[tokio::test]
async fn a_damaged_archive_yields_what_is_whole_and_then_says_so() {
    let (_kept, path) = directory();
    let text: String = (0..50_000).map(|n| format!("{{\"id\":\"k{n}\"}}\n")).collect();
    let mut bytes = zip(text.as_bytes());
    bytes.truncate(bytes.len() / 2);
    let file = lines(&path.join("cut.gz"), bytes, 100);
    let (mut after, mut count) = (None, 0);
    let error = loop {
        match file.read(WHOLE, after.as_deref(), 1000).await {
            Ok(page) => {
                count += page.rows.len();
                after = Some(page.next.expect("a cut file has no end"));
            }
            Err(error) => break error,
        }
    };
    assert!(count > 10_000 && error.kind() == Kind::Usage, "{count} {error:?}");
    assert!(error.message().contains("cut off or damaged"));
}

#[tokio::test]
async fn the_fingerprint_follows_the_content() {
    let (_kept, path) = directory();
    let fingerprint = async |bytes: &str| lines(&path.join("f"), bytes, 100).info().await.unwrap().fingerprint;
    let first = fingerprint("a\n").await;
    assert_eq!(first, fingerprint("a\n").await);
    assert_ne!(first, fingerprint("b\n").await);
    assert_eq!(JsonLines::open(path.join("none"), Form::Plain, 9).unwrap_err().kind(), Kind::NotFound);
    assert_eq!(JsonLines::open(&path, Form::Plain, 9).unwrap_err().kind(), Kind::Usage);
    let file = lines(&path.join("f"), "a\n", 9);
    for position in ["", "f", "f:1", "f:0@0", "f:x@0", "f:1@x"] {
        assert_eq!(file.reread(&texts(&[position])).await.unwrap_err().kind(), Kind::Usage, "{position}");
    }
    assert_eq!(file.reread(&texts(&["f:9@999"])).await.unwrap(), [None]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_bytes_are_read_alike_whatever_the_page_and_the_compression(
        bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b' '), any::<u8>()], 0..200),
        limit in 1usize..5,
    ) {
        // A file that happens to begin like an archive is one.
        prop_assume!(!bytes.starts_with(&[0x1F, 0x8B]));
        // And one that happens to begin like UTF-16 is refused.
        prop_assume!(![&b"\xFF\xFE"[..], b"\xFE\xFF", b"\0\0\xFE"].iter().any(|mark| bytes.starts_with(mark)));
        let (_kept, path) = directory();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let plain = storage::whole(&lines(&path.join("x"), &bytes, 20), 1, 1000).await;
            let paged = storage::whole(&lines(&path.join("x"), &bytes, 20), 1, limit).await;
            let zipped = storage::whole(&lines(&path.join("x"), zip(&bytes), 20), 1, limit).await;
            assert_eq!((&plain, &plain), (&paged, &zipped));
        });
    }
}

fn opened(path: &Path) -> impl Future<Output = reindex::error::Result<Export>> {
    let bucket = Arc::new(Bucket::open(path));
    async move { Export::open(bucket, "", 1000).await }
}

#[tokio::test]
async fn an_export_keeps_the_promises_of_a_scan() {
    let (_kept, path) = directory();
    export(&path, &[30, 0, 1, 100, 7]);
    let export = opened(&path).await.unwrap();
    let info = export.info().await.unwrap();
    assert_eq!((info.count, info.max_segments, info.form), (Some(138), Some(5), Form::DynamodbJson));
    storage::scan(&export, 138).await;
}

#[tokio::test]
async fn an_export_that_lost_a_part_is_refused() {
    let (_kept, path) = directory();
    export(&path, &[30, 5]);
    std::fs::remove_file(path.join("data/f1.json.gz")).unwrap();
    let error = opened(&path).await.unwrap_err();
    assert!(error.kind() == Kind::NotFound && error.report().contains("f1.json.gz"), "{error:?}");
    let manifest = std::fs::read_to_string(path.join("manifest-files.json")).unwrap();
    std::fs::write(path.join("manifest-files.json"), manifest.lines().next().unwrap()).unwrap();
    let error = opened(&path).await.unwrap_err();
    assert_eq!(error.message(), "the export has 35 items, but the data files its manifest names have 30");
    let incremental = r#"{"outputFormat":"DYNAMODB_JSON","exportType":"INCREMENTAL_EXPORT"}"#;
    for summary in [incremental, r#"{"outputFormat":"ION"}"#, "nonsense", "{}"] {
        std::fs::write(path.join("manifest-summary.json"), summary).unwrap();
        assert_eq!(opened(&path).await.unwrap_err().kind(), Kind::Usage, "{summary}");
    }
    assert_eq!(opened(&path.join("none")).await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn an_export_that_changes_while_it_is_read_is_refused() {
    let (_kept, path) = directory();
    export(&path, &[30, 5]);
    let opened = opened(&path).await.unwrap();
    let then = opened.info().await.unwrap().fingerprint;
    assert_eq!(opened.compare(&then).await.unwrap(), Sameness::Same);
    let second = path.join("data/f1.json.gz");
    let (bytes, beside) = (std::fs::read(&second).unwrap(), path.join("beside"));
    std::fs::write(&beside, &bytes).unwrap();
    std::fs::rename(&beside, &second).unwrap();
    let (count, error) = until_trouble(&opened).await;
    assert!(count == 30 && error.is_some_and(|error| error.message().contains("changed")), "{count}");
    let said = |sameness: Sameness| if let Sameness::Changed(how) = sameness { how } else { String::new() };
    assert!(said(opened.compare(&then).await.unwrap()).contains("f1.json.gz"));
    std::fs::remove_file(&second).unwrap();
    assert!(said(opened.compare(&then).await.unwrap()).contains("f1.json.gz"));
    export(&path, &[30, 6]);
    assert!(said(opened.compare(&then).await.unwrap()).contains("manifest"));
}

#[tokio::test]
async fn a_line_of_the_largest_size_may_end_in_two_bytes() {
    let (_kept, path) = directory();
    let record = format!(r#"{{"id":"{}"}}"#, "x".repeat(20));
    let rows = storage::whole(&lines(&path.join("x"), format!("{record}\r\n{record}\n"), record.len()), 1, 9).await;
    assert_eq!(bodies(&rows), [record.clone(), record]);
}

#[tokio::test]
async fn a_file_in_another_encoding_is_refused_by_name() {
    let (_kept, path) = directory();
    let error = lines(&path.join("x"), b"\xFF\xFE{\0}\0", 9).read(WHOLE, None, 9).await.unwrap_err();
    assert!(error.kind() == Kind::Usage && error.report().contains("UTF-16"), "{}", error.report());
}

/// Reads a segment until it ends or fails.
async fn until_trouble(export: &Export) -> (usize, Option<reindex::error::Error>) {
    let (mut after, mut count) = (None, 0);
    loop {
        match export.read(WHOLE, after.as_deref(), 100).await {
            Ok(page) => {
                count += page.rows.len();
                match page.next {
                    Some(next) => after = Some(next),
                    None => return (count, None),
                }
            }
            Err(error) => return (count, Some(error)),
        }
    }
}

#[tokio::test]
async fn a_data_file_that_is_not_the_one_its_manifest_means_is_refused() {
    let (_kept, path) = directory();
    export(&path, &[30, 5]);
    let (count, error) = until_trouble(&opened(&path).await.unwrap()).await;
    assert!(count == 35 && error.is_none(), "{error:?}");
    let [first, second] = ["data/f0.json.gz", "data/f1.json.gz"].map(|name| path.join(name));
    let (good, other) = (std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
    let mut flipped = good.clone();
    flipped[40] ^= 1;
    for bad in [&other, &flipped, &good[..good.len() - 9].to_vec(), &Vec::new()] {
        std::fs::write(&first, bad).unwrap();
        let (count, error) = until_trouble(&opened(&path).await.unwrap()).await;
        assert!(count < 35 && error.as_ref().is_some_and(|error| error.kind() == Kind::Usage), "{count} {error:?}");
    }
    std::fs::write(&first, good).unwrap();
    let manifest = std::fs::read_to_string(path.join("manifest-files.json")).unwrap();
    let manifest = manifest.replace("\"itemCount\":30", "\"itemCount\":31");
    std::fs::write(path.join("manifest-files.json"), manifest).unwrap();
    std::fs::write(path.join("manifest-summary.json"), r#"{"outputFormat":"DYNAMODB_JSON"}"#).unwrap();
    let (_, error) = until_trouble(&opened(&path).await.unwrap()).await;
    assert_eq!(error.unwrap().message(), "a data file has 30 items where the manifest says 31");
}
