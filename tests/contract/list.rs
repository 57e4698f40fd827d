//! What every list of ids promises.

use std::{collections::BTreeMap, sync::Arc};

use reindex::ledger::{
    State,
    list::{List, Listed, Loaded, Move},
};

use super::texts;

/// Any list, empty at first.
pub async fn list(list: Arc<dyn List>) {
    loading_twice_changes_nothing(&*list).await;
    an_id_moves_only_from_where_it_was_found(&*list).await;
    one_of_many_that_claim_an_id_at_once_has_it(list.clone()).await;
    what_a_dead_worker_held_is_taken_over_once(&*list).await;
    loading_again_with_reset_makes_ready(&*list).await;
    every_id_is_on_one_page(&*list).await;
}

/// Every id of a state, sorted.
pub async fn all(list: &dyn List, state: Option<State>, limit: usize) -> Vec<Listed> {
    let (mut ids, mut from) = (Vec::new(), None);
    loop {
        let page = list.page(state, from.as_deref(), limit).await.unwrap();
        assert!(page.ids.len() <= limit);
        ids.extend(page.ids);
        from = page.next;
        if from.is_none() {
            ids.sort_by(|a, b| a.id.cmp(&b.id));
            return ids;
        }
    }
}

pub fn to(found: &Listed, state: State, owner: Option<&str>, reason: &str) -> Move {
    Move { found: found.clone(), state, reason: reason.to_owned(), owner: owner.map(str::to_owned) }
}

async fn one(list: &dyn List, id: &str) -> Listed {
    all(list, None, 1000).await.into_iter().find(|listed| listed.id == id).unwrap()
}

async fn shift(list: &dyn List, step: Move) -> bool {
    let moved = list.shift(&[step]).await.unwrap();
    assert_eq!(moved.len(), 1);
    moved[0]
}

async fn loading_twice_changes_nothing(list: &dyn List) {
    assert!(list.counts().await.unwrap().is_empty());
    assert!(all(list, None, 9).await.is_empty() && all(list, Some(State::Ready), 9).await.is_empty());
    let ids = texts(&["a", "b", "a b", "é😀", &"x".repeat(512), "#", "0#1", "a/b"]);
    let loaded = list.load(&ids, false).await.unwrap();
    assert_eq!(loaded, Loaded { added: 8, ..Loaded::default() });
    let again = texts(&["a", "new"]);
    assert_eq!(list.load(&again, false).await.unwrap(), Loaded { added: 1, kept: 1, reset: 0 });
    assert_eq!(list.counts().await.unwrap(), BTreeMap::from([(State::Ready, 9)]));
    let ready = all(list, Some(State::Ready), 2).await;
    assert_eq!(ready, all(list, None, 1000).await);
    let fresh = Listed { id: "a".to_owned(), state: State::Ready, reason: String::new(), owner: None, token: 0 };
    assert_eq!(one(list, "a").await, fresh);
}

async fn an_id_moves_only_from_where_it_was_found(list: &dyn List) {
    let found = one(list, "a").await;
    assert!(shift(list, to(&found, State::InProgress, Some("me"), "")).await);
    let held = one(list, "a").await;
    assert_eq!((held.state, held.owner.as_deref(), held.token), (State::InProgress, Some("me"), 1));
    assert!(!shift(list, to(&found, State::InProgress, Some("you"), "")).await, "it is not there any more");
    let wrong = Listed { state: State::Locating, ..held.clone() };
    assert!(!shift(list, to(&wrong, State::Done, None, "")).await, "it is in another state");
    assert!(shift(list, to(&held, State::KnownError, None, "the reason\nin full")).await);
    let failed = one(list, "a").await;
    assert_eq!((failed.state, failed.owner.as_deref()), (State::KnownError, None));
    assert_eq!((failed.reason.as_str(), failed.token), ("the reason\nin full", 2));
    assert_eq!(list.counts().await.unwrap(), BTreeMap::from([(State::Ready, 8), (State::KnownError, 1)]));
    assert_eq!(all(list, Some(State::KnownError), 9).await, [failed]);
    let nowhere = Listed { id: "never there".to_owned(), ..found };
    assert!(!shift(list, to(&nowhere, State::Done, None, "")).await);
}

async fn one_of_many_that_claim_an_id_at_once_has_it(list: Arc<dyn List>) {
    let found = one(&*list, "b").await;
    let claims = (0..16).map(|n| {
        let (list, found) = (list.clone(), found.clone());
        tokio::spawn(
            async move { shift(&*list, to(&found, State::InProgress, Some(&format!("worker {n}")), "")).await },
        )
    });
    let mut won = Vec::new();
    for (n, claim) in claims.collect::<Vec<_>>().into_iter().enumerate() {
        if claim.await.unwrap() {
            won.push(format!("worker {n}"));
        }
    }
    assert_eq!(won.len(), 1);
    assert_eq!(one(&*list, "b").await.owner, won.pop());
}

async fn what_a_dead_worker_held_is_taken_over_once(list: &dyn List) {
    let dead = one(list, "b").await;
    assert!(shift(list, to(&dead, State::InProgress, Some("heir"), "")).await);
    assert!(!shift(list, to(&dead, State::InProgress, Some("late heir"), "")).await);
    assert!(!shift(list, to(&dead, State::Done, None, "")).await, "its own word comes too late");
    let held = one(list, "b").await;
    assert_eq!(held.owner.as_deref(), Some("heir"));
    let moved = list.shift(&[to(&held, State::Done, None, ""), to(&dead, State::UnknownError, None, "")]).await;
    assert_eq!(moved.unwrap(), [true, false]);
}

async fn loading_again_with_reset_makes_ready(list: &dyn List) {
    let before = one(list, "a").await;
    assert_eq!(list.load(&texts(&["a", "#"]), true).await.unwrap(), Loaded { reset: 2, ..Loaded::default() });
    let after = one(list, "a").await;
    assert_eq!((after.state, after.reason.as_str(), after.owner), (State::Ready, "", None));
    assert!(after.token > before.token);
    assert!(!shift(list, to(&before, State::Done, None, "")).await);
    assert_eq!(one(list, "b").await.state, State::Done);
}

async fn every_id_is_on_one_page(list: &dyn List) {
    let ids: Vec<_> = (0..250).map(|n| format!("page {n:03}")).collect();
    assert_eq!(list.load(&ids, false).await.unwrap().added, 250);
    for limit in [7, 100, 1000] {
        for state in [None, Some(State::Ready)] {
            let read: Vec<_> = all(list, state, limit).await.into_iter().map(|listed| listed.id).collect();
            assert!(read.iter().filter(|id| id.starts_with("page ")).eq(&ids), "{limit} {state:?}");
        }
    }
    let ready = all(list, Some(State::Ready), 100).await;
    let moves: Vec<_> = ready.iter().map(|listed| to(listed, State::TooBig, None, "")).collect();
    assert!(list.shift(&moves).await.unwrap().into_iter().all(|moved| moved));
    let counts = BTreeMap::from([(State::Done, 1), (State::TooBig, 258)]);
    assert_eq!(list.counts().await.unwrap(), counts);
}
