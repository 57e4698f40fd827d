//! Rebuilds by several processes: searchers see the old index or the whole new one.

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
        for version in 3..6 {
            let before = yard.documents().await;
            yard.put(0..PERSONS, version).await;
            let mut first = yard.start(REBUILD);
            // Whole, about to be swapped; swapped; with its old one gone.
            let word = ["now holds", "now names", "removed index"][version - 3];
            let word = if version == 3 { "holds" } else { word };
            let heard = if version == 3 { first.hear("\"finishing\"") || true } else { first.hear(word) };
            assert!(heard, "{:?}", first.heard);
            first.kill();
            let seen = yard.documents().await;
            let versions = |of: &std::collections::BTreeMap<_, (Option<u64>, _)>| {
                of.values().map(|(version, _)| *version).collect::<std::collections::BTreeSet<_>>()
            };
            assert!(seen == before || versions(&seen) == [Some(version as u64)].into(), "{:?}", versions(&seen));
            assert_eq!(seen.len(), before.len());
            if yard.status()["run"]["phase"] != "finished" {
                agree(&[yard.start(REBUILD).end()]);
            }
            assert_eq!(versions(&yard.documents().await), [Some(version as u64)].into());
            assert_eq!(yard.indexes().await.len(), 1, "killed at {word}");
        }
    }
}
