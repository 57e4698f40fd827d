//! What a rogue can do.

use std::{
    collections::HashMap,
    hint::black_box,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use crate::bindings::{
    exports::reindex::plugin::mapping::Item,
    reindex::plugin::{
        index, queue, settings,
        storage::{Bucket, ObjectInfo, Table},
        types::{
            Bounds, Compression, Condition, Content, DocumentDelete, DocumentWrite, Effect, Format, Kept, MessageSend,
            ObjectCopy, ObjectDelete, ObjectWrite, Outcome, Picture, RecordUpdate, RecordWrite, Rendition, Sharpen,
            Step, Tiff,
        },
    },
};

/// The text of a field of a body that holds nothing but plain texts.
pub fn field<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = body.split_once(&format!("\"{name}\":\""))?;
    Some(rest.split_once('"')?.0)
}

pub fn answer(item: &Item) -> Outcome {
    let with = field(&item.body, "with").unwrap_or_default();
    match field(&item.body, "do").unwrap_or("good") {
        "good" | "too-few" | "too-many" => put(&item.id, &item.body),
        "trap" => trap(with),
        "spin" => spin(),
        "allocate" => allocate(),
        "recurse" => said(recurse(0)),
        "exit" => std::process::exit(7),
        "print" => print(with),
        "hash-map" => said(hash_map()),
        "clock" => said(clock()),
        "random" => said(random()),
        "room" => said(room()),
        "settings" => said(settings::get()),
        "retry" => Outcome::Retry(with.to_owned()),
        "document" => put(&item.id, with),
        "long-id" => put(&"i".repeat(513), "{}"),
        "large" => effect(Effect::PutDocument(DocumentWrite { body: large(with), ..document(&item.id, "") })),
        "many-effects" => Outcome::Effects(vec![delete(&item.id); with.parse().unwrap_or(0)]),
        "version" => effect(Effect::PutDocument(DocumentWrite { version: Some(u64::MAX), ..document(&item.id, "{}") })),
        "trespass" => effect(Effect::PutDocument(DocumentWrite { index: with.to_owned(), ..document(&item.id, "{}") })),
        "record" => effect(Effect::PutRecord(RecordWrite { table: "people".to_owned(), body: with.to_owned() })),
        "object" => effect(Effect::PutObject(object("images", with, vec![0]))),
        "metadata" => effect(Effect::PutObject(ObjectWrite {
            metadata: vec![("By".to_owned(), with.to_owned())],
            ..object("images", "a", vec![0])
        })),
        "rendition" => rendition(with, &item.id, Vec::new()),
        "no-box" => rendition(with, &item.id, vec![Step::Reduce(Bounds { width: 100, height: 0 })]),
        "no-number" => rendition(with, &item.id, vec![Step::Sharpen(Sharpen { sigma: f64::NAN, amount: 1.0 })]),
        "update" => effect(Effect::UpdateRecord(update("people", "a", with))),
        "note" => effect(Effect::UpdateRecord(RecordUpdate {
            timed: Some("at".to_owned()),
            ..update("copies", with, &format!(r#"{{"by":"{}"}}"#, item.id))
        })),
        "claim" => claim(item, with).unwrap_or_else(Outcome::Retry),
        "copy" => effect(Effect::CopyObject(ObjectCopy {
            source_bucket: with.to_owned(),
            source_key: "a".to_owned(),
            bucket: "images".to_owned(),
            key: "b".to_owned(),
        })),
        "send" => effect(Effect::SendMessage(MessageSend { queue: with.to_owned(), body: String::new(), priority: 0 })),
        "everything" => everything(item),
        "finish" => finish(item),
        "seek" => seek(item, with),
        "table" => said(table(with)),
        "table-or-retry" => Outcome::Retry(table(with)),
        "same-key" => said(same_key(with)),
        "bucket" => said(bucket(with)),
        "index" => said(format!("{:?}", index::get_many(with, &["a".to_owned()]))),
        "queue" => said(format!("{:?}", queue::depth_many(&[with.to_owned()]))),
        "handles" => said(handles(with)),
        other => Outcome::Invalid(format!("no such deed: {other}")),
    }
}

fn said(text: String) -> Outcome {
    Outcome::Skip(text)
}

fn effect(effect: Effect) -> Outcome {
    Outcome::Effects(vec![effect])
}

fn document(id: &str, body: &str) -> DocumentWrite {
    DocumentWrite { index: "rogues".to_owned(), id: id.to_owned(), version: None, body: body.to_owned() }
}

fn put(id: &str, body: &str) -> Outcome {
    effect(Effect::PutDocument(document(id, body)))
}

fn delete(id: &str) -> Effect {
    Effect::DeleteDocument(DocumentDelete { index: "rogues".to_owned(), id: id.to_owned(), version: None })
}

/// One effect of every kind, each of which tells what it came from.
fn everything(item: &Item) -> Outcome {
    let Item { id, body, .. } = item;
    Outcome::Effects(vec![
        Effect::SendMessage(MessageSend { queue: "work".to_owned(), body: id.clone(), priority: 0 }),
        Effect::PutDocument(document(id, body)),
        Effect::PutRecord(RecordWrite { table: "copies".to_owned(), body: body.clone() }),
        Effect::PutObject(object("files", id, body.clone().into_bytes())),
    ])
}

/// Stores an object only if it saw what is there now, notes it on a record that others note things on, too, and removes
/// what asked for it, if that is what it saw or what `stale` names.
fn claim(item: &Item, stale: &str) -> Result<Outcome, String> {
    let Item { id, body, .. } = item;
    let condition = head("files", id)?.map_or(Condition::Absent, |found| Condition::Etag(found.etag));
    let asked = head("requests", id)?.map_or("gone".to_owned(), |found| found.etag);
    let etag = if stale.is_empty() { asked } else { stale.to_owned() };
    let metadata = vec![("by".to_owned(), id.clone())];
    Ok(Outcome::Effects(vec![
        Effect::PutDocument(document(id, body)),
        Effect::DeleteObject(ObjectDelete { bucket: "requests".to_owned(), key: id.clone(), etag: Some(etag) }),
        Effect::UpdateRecord(update("copies", "first", &format!(r#"{{"{id}":true}}"#))),
        Effect::PutObject(ObjectWrite { condition, metadata, ..object("files", id, body.clone().into_bytes()) }),
    ]))
}

fn head(bucket: &str, key: &str) -> Result<Option<ObjectInfo>, String> {
    let found = Bucket::open(bucket).and_then(|bucket| bucket.head_many(&[key.to_owned()]));
    found.map(|mut found| found.pop().flatten()).map_err(|error| format!("{error:?}"))
}

fn object(bucket: &str, key: &str, bytes: Vec<u8>) -> ObjectWrite {
    ObjectWrite {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        content: Content::Bytes(bytes),
        content_type: None,
        metadata: Vec::new(),
        condition: Condition::Always,
    }
}

fn update(table: &str, key: &str, attributes: &str) -> RecordUpdate {
    RecordUpdate { table: table.to_owned(), key: key.to_owned(), attributes: attributes.to_owned(), timed: None }
}

/// A pyramid of the item's own image in a bucket.
fn rendition(bucket: &str, id: &str, steps: Vec<Step>) -> Outcome {
    let picture = Picture { bucket: bucket.to_owned(), key: id.to_owned(), etag: None, page: 0, density: None };
    let format = Format::Tiff(Tiff {
        pyramid: true,
        tile: 512,
        compression: Compression::Deflate,
        quality: 85,
        subifd: false,
        bigtiff: false,
        rgb_jpeg: false,
        resolution: None,
        keep: Kept::All,
    });
    let content = Content::Rendition(Rendition { picture, steps, format });
    effect(Effect::PutObject(ObjectWrite { content, ..object("images", &format!("{id}.tif"), Vec::new()) }))
}

/// A document, and the request it came from away as it was read.
fn finish(Item { id, body, .. }: &Item) -> Outcome {
    let request = body.split_once("\"request\":").map_or("", |(_, request)| request);
    let part = |name| field(request, name).unwrap_or_default().to_owned();
    Outcome::Effects(vec![
        Effect::PutDocument(document(id, body)),
        Effect::DeleteObject(ObjectDelete { bucket: part("bucket"), key: part("key"), etag: Some(part("eTag")) }),
    ])
}

/// A JSON object of about so many bytes, and not a byte more of memory.
fn large(bytes: &str) -> String {
    let bytes: usize = bytes.parse().unwrap_or(0);
    let piece = "x".repeat(10_000);
    let mut body = String::with_capacity(bytes + 8);
    body.push_str(r#"{"a":""#);
    for _ in 0..bytes / piece.len() {
        body.push_str(&piece);
    }
    body.push_str(r#""}"#);
    body
}

#[inline(never)]
fn trap(why: &str) -> Outcome {
    panic!("{why}")
}

/// Is done once there is such an object.
fn seek(item: &Item, key: &str) -> Outcome {
    match head("masters", key) {
        Ok(Some(_)) => finish(item),
        Ok(None) => Outcome::NotFound(format!("there is no `{key}`")),
        Err(reason) => Outcome::Retry(reason),
    }
}

#[inline(never)]
fn spin() -> Outcome {
    let mut n = 0u64;
    loop {
        n = black_box(n.wrapping_add(1));
    }
}

#[inline(never)]
fn allocate() -> Outcome {
    let mut hoard = Vec::new();
    loop {
        hoard.push(black_box(vec![1u8; 1 << 20]));
    }
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "that is the deed")]
fn recurse(depth: u64) -> String {
    let mut frame = [depth; 16];
    black_box(&mut frame);
    format!("{}{}", recurse(depth + 1), frame[0])
}

fn print(lines: &str) -> Outcome {
    for n in 0..lines.parse::<u32>().unwrap_or(0) {
        println!("line {n}");
    }
    said("printed".to_owned())
}

fn hash_map() -> String {
    let map: HashMap<_, _> = (0..100).map(|n| (n, n)).collect();
    map.values().map(i32::to_string).collect::<Vec<_>>().join(",")
}

fn clock() -> String {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    format!("{wall} {}", Instant::now().elapsed().as_nanos())
}

fn random() -> String {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(1).to_string()
}

/// Tries every door of the room.
fn room() -> String {
    let files = std::fs::read_dir("/").is_err() && std::fs::read_to_string("/etc/passwd").is_err();
    let files = files && std::fs::write("x", "y").is_err();
    let sockets = std::net::TcpStream::connect("127.0.0.1:80").is_err()
        && std::net::UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"x", "127.0.0.1:9")).is_err();
    let names = std::net::ToSocketAddrs::to_socket_addrs("localhost:80").is_err();
    let variables = std::env::vars().next().is_none() && std::env::args().next().is_none();
    format!("files {files} sockets {sockets} names {names} variables {variables}")
}

fn table(name_and_keys: &str) -> String {
    let (name, keys) = name_and_keys.split_once(' ').unwrap_or((name_and_keys, ""));
    let keys: Vec<_> = keys.split(' ').map(str::to_owned).collect();
    match Table::open(name) {
        Ok(table) => format!("{:?}", table.get_many(&keys)),
        Err(error) => format!("{error:?}"),
    }
}

/// Asks for one key so often that the answers together are enormous.
fn same_key(times: &str) -> String {
    let keys = vec!["a".to_owned(); times.parse().unwrap_or(0)];
    match Table::open("people").map(|table| table.get_many(&keys)) {
        Ok(Ok(records)) => format!("{} records", records.len()),
        Ok(Err(error)) | Err(error) => format!("{error:?}"),
    }
}

fn bucket(name: &str) -> String {
    let keys = ["a".to_owned()];
    match Bucket::open(name) {
        Ok(bucket) => format!("{:?} {:?}", bucket.head_many(&keys), bucket.get_many(&keys).map(|found| found.len())),
        Err(error) => format!("{error:?}"),
    }
}

fn handles(name: &str) -> String {
    let hoard: Vec<_> = (0..100_000).map_while(|_| Table::open(name).ok()).collect();
    format!("{} handles", hoard.len())
}
