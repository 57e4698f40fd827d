//! What every bucket promises.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use reindex::{
    capability::storage::{Bucket, Chunks, Condition, Listing, ObjectInfo, Put, chunks},
    error::{Error, Kind},
};

use super::texts;

/// Any bucket, empty at first; `other` is empty, too, and may be of another kind.
pub async fn bucket(bucket: Arc<dyn Bucket>, other: Arc<dyn Bucket>) {
    assert!(bucket.list("", None, 10).await.unwrap().objects.is_empty());
    objects_are_found_as_they_were_put(&*bucket).await;
    what_is_noted_down_is_told_again(&*bucket).await;
    large_objects_are_streams(&*bucket).await;
    a_stream_that_fails_leaves_what_was_there(&*bucket).await;
    a_condition_that_does_not_hold_is_an_answer(&*bucket).await;
    of_many_at_once_one_wins(&bucket).await;
    only_the_object_that_is_meant_is_removed(&*bucket).await;
    copies_are_like_their_originals(&*bucket, &*other).await;
    odd_keys_are_keys_or_refused(&*bucket).await;
    lists_go_by_key(&*bucket).await;
    a_walk_meets_all_that_stays_whatever_goes(&bucket).await;
    whoever_reads_sees_a_whole_object(bucket).await;
}

/// Bytes that no part, file or archive holds by chance.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// A stream in pieces of many lengths.
pub fn pieces(bytes: &[u8]) -> Chunks {
    let mut pieces = Vec::new();
    let mut rest = Bytes::copy_from_slice(bytes);
    for length in [1, 70_000, 0, 3_000_000, 11].into_iter().cycle() {
        if rest.is_empty() {
            break;
        }
        pieces.push(Ok(rest.split_to(rest.len().min(length))));
    }
    stream::iter(pieces).boxed()
}

/// These bytes, and then a fault.
fn broken(bytes: &[u8]) -> Chunks {
    pieces(bytes).chain(stream::iter([Err(Error::new(Kind::Stopped, "the well ran dry"))])).boxed()
}

async fn all(bucket: &dyn Bucket, key: &str) -> Option<Vec<u8>> {
    let (info, content) = bucket.read(key).await.unwrap()?;
    let bytes = content.try_fold(Vec::new(), async |mut all, chunk| {
        all.extend_from_slice(&chunk);
        Ok(all)
    });
    let bytes = bytes.await.unwrap();
    assert_eq!(info.size, bytes.len() as u64);
    Some(bytes)
}

/// What a bucket says of an object, without the time, which it must say.
async fn head(bucket: &dyn Bucket, key: &str) -> Option<ObjectInfo> {
    let found = bucket.head_many(&texts(&[key])).await.unwrap().pop().unwrap()?;
    assert!(found.modified.is_some(), "{found:?}");
    Some(ObjectInfo { modified: None, ..found })
}

/// The keys under a prefix, a few at a time.
async fn walked(bucket: &dyn Bucket, prefix: &str, limit: usize) -> Vec<String> {
    let (mut keys, mut after) = (Vec::new(), None);
    loop {
        let Listing { objects, omitted, next } = bucket.list(prefix, after.as_deref(), limit).await.unwrap();
        assert!(objects.len() <= limit && omitted.is_empty(), "{omitted:?}");
        keys.extend(objects.into_iter().map(|info| info.key));
        after = next;
        if after.is_none() {
            return keys;
        }
    }
}

async fn clear(bucket: &dyn Bucket) {
    for info in bucket.list("", None, 1000).await.unwrap().objects {
        bucket.delete(&info.key).await.unwrap();
    }
    assert!(bucket.list("", None, 10).await.unwrap().objects.is_empty());
}

/// No object has one of these; a server may take them for another condition than was meant.
const ODD_ETAGS: [&str; 5] = ["", "*", "\"", "a\", *", "ü\r\n"];

fn only_if(condition: Condition) -> Put {
    Put { condition, ..Put::default() }
}

async fn objects_are_found_as_they_were_put(bucket: &dyn Bucket) {
    bucket.put("a/x", b"one".to_vec(), Some("text/plain")).await.unwrap();
    bucket.put("empty", Vec::new(), None).await.unwrap();
    let found = bucket.get_many(&texts(&["empty", "none", "a/x", "a", "a/x/y"]), 3).await.unwrap();
    assert_eq!(found, [Some(vec![]), None, Some(b"one".to_vec()), None, None]);
    assert_eq!(bucket.get_many(&texts(&["a/x"]), 2).await.unwrap_err().kind(), Kind::Usage);
    let before = bucket.head_many(&texts(&["a/x", "none", "a/x"])).await.unwrap();
    assert_eq!((before[0].as_ref().unwrap().size, &before[1], &before[2]), (3, &None, &before[0]));
    bucket.put("a/x", b"two".to_vec(), None).await.unwrap();
    assert_ne!(head(bucket, "a/x").await.unwrap().etag, before[0].as_ref().unwrap().etag);
    assert!(all(bucket, "none").await.is_none() && bucket.read("").await.unwrap().is_none());
    let listed = bucket.list("", None, 10).await.unwrap().objects;
    assert!(listed.len() == 2 && listed.iter().all(|info| info.modified.is_some()), "{listed:?}");
    for key in ["a/x", "a/x", "a", "none/none", "empty", ""] {
        bucket.delete(key).await.unwrap();
    }
    assert!(bucket.list("", None, 10).await.unwrap().objects.is_empty());
    bucket.put("a", b"free again".to_vec(), None).await.unwrap();
    bucket.delete("a").await.unwrap();
}

async fn what_is_noted_down_is_told_again(bucket: &dyn Bucket) {
    let noted = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let metadata = noted(&[("page", "3"), ("source-file", "a b/\"c\" = ~; %20"), ("long", &"x".repeat(1500))]);
    let put = Put { content_type: Some("image/tiff".to_owned()), metadata: metadata.clone(), ..Put::default() };
    let written = bucket.write("noted", &put, chunks("x")).await.unwrap().unwrap();
    let found = head(bucket, "noted").await.unwrap();
    assert_eq!(found, written);
    assert_eq!((found.content_type.as_deref(), &found.metadata), (Some("image/tiff"), &metadata));
    let (read, _) = bucket.read("noted").await.unwrap().unwrap();
    assert!(read.modified.is_some());
    assert_eq!(ObjectInfo { modified: None, ..read }, found);
    for (name, value) in [("Upper", "x"), ("a", "tab\t"), ("a", "ü"), ("", "x"), ("a", &"x".repeat(2048))] {
        let put = Put { metadata: noted(&[(name, value)]), ..Put::default() };
        assert_eq!(bucket.write("bad", &put, chunks("x")).await.unwrap_err().kind(), Kind::Usage);
    }
    assert_eq!(head(bucket, "bad").await, None);
    clear(bucket).await;
}

async fn large_objects_are_streams(bucket: &dyn Bucket) {
    let large = noise((21 << 20) + 7, 1);
    for size in [None, Some(large.len() as u64)] {
        let metadata = [("n".to_owned(), "1".to_owned())].into();
        let put = Put { size, metadata, content_type: Some("image/tiff".to_owned()), ..Put::default() };
        let written = bucket.write("large", &put, pieces(&large)).await.unwrap().unwrap();
        assert_eq!((written.size, head(bucket, "large").await.unwrap()), (large.len() as u64, written));
        assert!(all(bucket, "large").await.unwrap() == large);
    }
    let exact = noise(16 << 20, 2);
    bucket.write("large", &Put::default(), chunks(exact.clone())).await.unwrap().unwrap();
    assert!(all(bucket, "large").await.unwrap() == exact, "whole parts and no more");
    assert!(bucket.get_many(&texts(&["large"]), 1 << 20).await.is_err());
    for size in [0, 7, exact.len() as u64 - 1, exact.len() as u64 + 1] {
        let put = Put { size: Some(size), ..Put::default() };
        let error = bucket.write("other", &put, pieces(&exact)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Usage, "{error:?}");
    }
    assert_eq!(head(bucket, "other").await, None);
    clear(bucket).await;
}

async fn a_stream_that_fails_leaves_what_was_there(bucket: &dyn Bucket) {
    bucket.put("there", b"before".to_vec(), None).await.unwrap();
    for length in [0, 10, 20 << 20] {
        for key in ["there", "new/x"] {
            let error = bucket.write(key, &Put::default(), broken(&noise(length, 3))).await.unwrap_err();
            assert_eq!((error.kind(), error.message()), (Kind::Stopped, "the well ran dry"));
        }
    }
    // Neither does a call that nobody waits for any more.
    let endless = stream::iter([Ok(Bytes::from(noise(20 << 20, 4)))]).chain(stream::pending()).boxed();
    let put = Put::default();
    let write = bucket.write("there", &put, endless);
    let waited = tokio::time::timeout(std::time::Duration::from_millis(500), write).await;
    assert!(waited.is_err());
    assert_eq!(all(bucket, "there").await.unwrap(), b"before");
    assert_eq!(bucket.list("", None, 9).await.unwrap().objects.len(), 1);
    clear(bucket).await;
}

async fn a_condition_that_does_not_hold_is_an_answer(bucket: &dyn Bucket) {
    for length in [5, 9 << 20] {
        let content = |n| chunks(noise(length, n));
        let missing = only_if(Condition::Etag("0123456789abcdef0123456789abcdef".to_owned()));
        assert_eq!(bucket.write("c", &missing, content(0)).await.unwrap(), None);
        assert_eq!(head(bucket, "c").await, None);
        let first = bucket.write("c", &only_if(Condition::Absent), content(1)).await.unwrap().unwrap();
        assert_eq!(bucket.write("c", &only_if(Condition::Absent), content(2)).await.unwrap(), None);
        assert_eq!(bucket.write("c", &missing, content(2)).await.unwrap(), None);
        let in_place = only_if(Condition::Etag(first.etag));
        let second = bucket.write("c", &in_place, content(3)).await.unwrap().unwrap();
        assert_eq!(bucket.write("c", &in_place, content(4)).await.unwrap(), None, "its turn is over");
        for odd in ODD_ETAGS {
            let odd = only_if(Condition::Etag(odd.to_owned()));
            assert_eq!(bucket.write("c", &odd, content(5)).await.unwrap(), None, "{odd:?}");
        }
        assert_eq!(head(bucket, "c").await.unwrap().etag, second.etag);
        assert!(all(bucket, "c").await.unwrap() == noise(length, 3));
        clear(bucket).await;
    }
}

async fn of_many_at_once_one_wins(bucket: &Arc<dyn Bucket>) {
    for (length, racers) in [(1000, 16), (9 << 20, 4)] {
        let mut condition = Condition::Absent;
        for round in 0..4 {
            let racers = (0..racers).map(|n| {
                let (bucket, put) = (bucket.clone(), only_if(condition.clone()));
                tokio::spawn(async move {
                    let content = noise(length, round * 100 + n);
                    bucket.write("race", &put, chunks(content)).await.unwrap().map(|info| (info, n))
                })
            });
            let mut winners = Vec::new();
            for racer in racers.collect::<Vec<_>>() {
                winners.extend(racer.await.unwrap());
            }
            let [(info, n)] = &winners[..] else { panic!("{} winners", winners.len()) };
            assert!(all(&**bucket, "race").await.unwrap() == noise(length, round * 100 + n));
            condition = Condition::Etag(info.etag.clone());
        }
        bucket.delete("race").await.unwrap();
    }
}

async fn only_the_object_that_is_meant_is_removed(bucket: &dyn Bucket) {
    for key in ["r", "r/x", ""] {
        assert!(bucket.delete_if(key, "0123456789abcdef0123456789abcdef").await.unwrap(), "there is none");
    }
    for length in [5, 9 << 20] {
        let write = async |n| bucket.write("in/r", &Put::default(), chunks(noise(length, n))).await.unwrap().unwrap();
        let (first, second) = (write(1).await, write(2).await);
        assert!(!bucket.delete_if("in/r", &first.etag).await.unwrap(), "another one has its key");
        for odd in ODD_ETAGS {
            assert!(!bucket.delete_if("in/r", odd).await.unwrap(), "{odd:?}");
        }
        assert!(all(bucket, "in/r").await.unwrap() == noise(length, 2));
        assert!(bucket.delete_if("in/r", &second.etag).await.unwrap());
        assert_eq!(head(bucket, "in/r").await, None);
        assert!(bucket.delete_if("in/r", &second.etag).await.unwrap(), "it is gone, as was asked for");
    }
    bucket.put("in", b"free again".to_vec(), None).await.unwrap();
    clear(bucket).await;
}

/// Any bucket whose server decides and removes in one step: of many who remove what they read while others write, none
/// removes an object that is newer.
pub async fn a_newer_object_is_never_removed(bucket: Arc<dyn Bucket>) {
    for round in 0..200u32 {
        let first = bucket.write("newer", &Put::default(), chunks(format!("old {round}"))).await.unwrap().unwrap();
        let removers = (0..6).map(|_| {
            let (bucket, etag) = (bucket.clone(), first.etag.clone());
            tokio::spawn(async move { bucket.delete_if("newer", &etag).await.unwrap() })
        });
        let removers: Vec<_> = removers.collect();
        let writers = (0..2).map(|n| {
            let bucket = bucket.clone();
            tokio::spawn(
                async move { bucket.put("newer", format!("new {round} {n}").into_bytes(), None).await.unwrap() },
            )
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        for remover in removers {
            remover.await.unwrap();
        }
        assert!(head(&*bucket, "newer").await.is_some(), "round {round}");
    }
    bucket.delete("newer").await.unwrap();
}

async fn copies_are_like_their_originals(bucket: &dyn Bucket, other: &dyn Bucket) {
    let key = "from/a b+ü%20.tif";
    let put = Put {
        content_type: Some("image/tiff".to_owned()),
        metadata: [("page".to_owned(), "1".to_owned())].into(),
        ..Put::default()
    };
    let large = noise((9 << 20) + 1, 5);
    for (source, content) in [(bucket, b"small".to_vec()), (bucket, large.clone()), (other, large)] {
        let original = source.write(key, &put, pieces(&content)).await.unwrap().unwrap();
        let copy = bucket.copy((source, key), "to/copy").await.unwrap().unwrap();
        let copy = ObjectInfo { modified: None, ..copy };
        assert_eq!(ObjectInfo { key: "to/copy".to_owned(), etag: copy.etag.clone(), ..original }, copy);
        assert_eq!(head(bucket, "to/copy").await.unwrap(), copy);
        assert!(all(bucket, "to/copy").await.unwrap() == content);
        assert_eq!(source.copy((source, key), key).await.unwrap().unwrap().size, content.len() as u64, "onto itself");
        assert_eq!(bucket.copy((source, "none"), "to/none").await.unwrap(), None);
        source.delete(key).await.unwrap();
    }
    clear(bucket).await;
}

/// Not every server takes every key.
async fn odd_keys_are_keys_or_refused(bucket: &dyn Bucket) {
    let long = ["x".repeat(255), "y".repeat(255), "z".repeat(200)].join("/");
    let usual = ["a b", "🐚/ä", "%2E", "100%", "a+b", "q?x=1&y#z", "quote\"<>'`", &long];
    let odd = ["../up", "dots/..", ".", "%", "c\\d", "tab\there", "\u{7f}"];
    let mut stored = Vec::new();
    for key in usual.into_iter().chain(odd) {
        match bucket.put(key, key.as_bytes().to_vec(), None).await {
            Ok(()) => stored.push(key),
            Err(error) => assert!(error.kind() == Kind::Usage && odd.contains(&key), "{key:?}: {error:?}"),
        }
    }
    for key in &stored {
        let found = bucket.get_many(&texts(&[key]), 1024).await.unwrap();
        assert_eq!(found, [Some(key.as_bytes().to_vec())], "{key:?}");
    }
    stored.sort_unstable();
    let listed = bucket.list("", None, 100).await.unwrap().objects;
    assert_eq!(listed.iter().map(|info| info.key.as_str()).collect::<Vec<_>>(), stored);
    for key in stored {
        bucket.delete(key).await.unwrap();
    }
    for key in ["", &"k".repeat(1025)] {
        assert_eq!(bucket.put(key, Vec::new(), None).await.unwrap_err().kind(), Kind::Usage);
    }
    clear(bucket).await;
}

async fn lists_go_by_key(bucket: &dyn Bucket) {
    let mut keys = texts(&["a-b/1", "a/1", "a/2", "a/b/c", "a0", "b", "a.txt", "a/b-1"]);
    for key in &keys {
        bucket.put(key, Vec::new(), None).await.unwrap();
    }
    keys.sort();
    for prefix in ["", "a", "a/", "a/b", "b", "zz"] {
        let expected: Vec<_> = keys.iter().filter(|key| key.starts_with(prefix)).cloned().collect();
        for limit in [1, 2, 3, 100] {
            assert_eq!(walked(bucket, prefix, limit).await, expected, "{prefix}");
        }
    }
    let all = bucket.list("", None, keys.len()).await.unwrap();
    assert_eq!((all.objects.len(), all.next), (keys.len(), None), "a full part may be the last one, and says so");
    let after = bucket.list("", Some("a/1/never"), 1).await.unwrap().objects;
    assert_eq!(after[0].key, "a/2", "a key that is not there is a place all the same");
    clear(bucket).await;
}

/// Objects that are removed while a bucket is listed are listed or not; they end no walk before its end.
async fn a_walk_meets_all_that_stays_whatever_goes(bucket: &Arc<dyn Bucket>) {
    let key = |n: usize| format!("walk/{n:03}{}", if n.is_multiple_of(3) { "-stays" } else { "-goes" });
    let puts: Vec<_> = (0..150).map(|n| (bucket.clone(), key(n))).collect();
    let put = async |(bucket, key): (Arc<dyn Bucket>, String)| bucket.put(&key, Vec::new(), None).await.unwrap();
    stream::iter(puts).for_each_concurrent(16, put).await;
    let (removing, gone) = (bucket.clone(), (0..150).map(key).filter(|key| key.ends_with("-goes")));
    let gone: Vec<_> = gone.collect();
    let remover = tokio::spawn(async move {
        for key in gone.iter().rev() {
            removing.delete(key).await.unwrap();
        }
    });
    let mut walks = 0;
    while !remover.is_finished() || walks == 0 {
        let met = walked(&**bucket, "walk/", 7).await;
        let stays: Vec<_> = met.into_iter().filter(|key| key.ends_with("-stays")).collect();
        assert_eq!(stays, (0..150).step_by(3).map(key).collect::<Vec<_>>());
        walks += 1;
    }
    remover.await.unwrap();
    clear(&**bucket).await;
}

async fn whoever_reads_sees_a_whole_object(bucket: Arc<dyn Bucket>) {
    let writers = (0..3u8).map(|byte| {
        let bucket = bucket.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                bucket.put("shared/x", vec![byte; 100_000], None).await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    for _ in 0..20 {
        match bucket.get_many(&texts(&["shared/x"]), 1 << 20).await.map(|mut found| found.pop().flatten()) {
            Ok(Some(bytes)) => assert!(bytes == vec![bytes[0]; 100_000]),
            Ok(None) => {}
            // A server may hand out one object with the checksum of the next: that is noticed.
            Err(error) => assert!(error.may_retry(), "{error:?}"),
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(bucket.list("", None, 10).await.unwrap().objects.len(), 1);
    bucket.delete("shared/x").await.unwrap();
}
