//! Rebuilds by several processes: searchers see the old index or the whole new one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    ENGINES,
    yard::{Left, PERSONS, Worker, Yard, agree},
};

const REBUILD: &str = "run persons --rebuild --waive 10 --drop-old";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_rebuild_and_searchers_see_a_whole_index_whoever_is_killed_around_the_swap() {
    for engine in ENGINES {
        let yard = Yard::new(engine, "rebuilt", "").await;
        agree(&[yard.start("run persons").end()]);
        let old = yard.documents().await;
        yard.put(0..PERSONS, 2).await;
        let workers: Vec<_> = (0..2).map(|_| yard.start(REBUILD)).collect();
        agree(&workers.into_iter().map(Worker::end).collect::<Vec<_>>());
        let expected: Left = yard.left().await;
        assert!(expected.documents != old && expected.documents.len() == old.len());
        assert_eq!(yard.indexes().await.len(), 1, "the old one is gone");
        for (version, word) in (3..).zip(["item-failed", "now names", "removed index"]) {
            let before = yard.documents().await;
            yard.put(0..PERSONS, version).await;
            let mut first = yard.start(REBUILD);
            assert!(first.hear_progress());
            let second = yard.start(REBUILD);
            // Where the other one closes it, nobody is killed.
            if first.hear(word) {
                first.kill();
                let seen = yard.documents().await;
                assert!(seen == before || versions(&seen) == [Some(version as u64)].into(), "{word}");
                assert_eq!(seen.len(), before.len());
            }
            agree(&[second.end()]);
            assert_eq!(versions(&yard.documents().await), [Some(version as u64)].into());
            assert_eq!(yard.indexes().await.len(), 1, "killed at {word}");
        }
    }
}

fn versions(documents: &BTreeMap<String, (Option<u64>, Value)>) -> BTreeSet<Option<u64>> {
    documents.values().map(|(version, _)| *version).collect()
}
