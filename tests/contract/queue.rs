//! What every queue promises.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use reindex::capability::queue::{Message, Queue};

use super::{Hand, texts};

const LEASE: Duration = Duration::from_secs(10);

pub fn message(id: &str, priority: u8) -> Message {
    Message { id: id.to_owned(), body: format!("body of {id}"), priority }
}

/// Any queue, empty at first; the clock is the one it was opened with.
pub async fn queue(queue: Arc<dyn Queue>, clock: &Hand) {
    an_empty_queue_answers_at_once(&*queue).await;
    priorities_come_first_then_the_order_of_sending(&*queue).await;
    a_lease_that_ran_out_gives_the_message_to_somebody_else(&*queue, clock).await;
    a_lease_can_be_prolonged_and_given_back(&*queue, clock).await;
    a_repeat_changes_nothing(&*queue).await;
    no_message_is_in_two_hands(queue).await;
}

async fn an_empty_queue_answers_at_once(queue: &dyn Queue) {
    queue.send(&[]).await.unwrap();
    assert!(queue.receive(5, LEASE).await.unwrap().is_empty());
    assert!(queue.peek(5).await.unwrap().is_empty());
    assert_eq!(queue.acknowledge(&texts(&["nonsense", "1-1", ""])).await.unwrap(), [false; 3]);
    assert!(queue.extend(&[], LEASE).await.unwrap().is_empty());
    assert_eq!(queue.depth().await.unwrap(), 0);
}

async fn priorities_come_first_then_the_order_of_sending(queue: &dyn Queue) {
    queue.send(&[message("a", 0), message("b", 9), message("c", 0), message("d", 255)]).await.unwrap();
    let peeked: Vec<_> = queue.peek(3).await.unwrap();
    assert_eq!(peeked, [message("d", 255), message("b", 9), message("a", 0)]);
    assert!(queue.receive(0, LEASE).await.unwrap().is_empty());
    let taken = queue.receive(3, LEASE).await.unwrap();
    assert_eq!(taken.iter().map(|taken| &taken.message).collect::<Vec<_>>(), peeked.iter().collect::<Vec<_>>());
    assert!(taken.iter().all(|taken| taken.attempt == 1));
    assert_eq!(queue.depth().await.unwrap(), 4, "what is in hands counts");
    let mut receipts: Vec<_> = taken.into_iter().map(|taken| taken.receipt).collect();
    receipts.push(receipts[0].clone());
    assert_eq!(queue.acknowledge(&receipts).await.unwrap(), [true, true, true, false]);
    let last = queue.receive(10, LEASE).await.unwrap();
    assert_eq!(last.len(), 1);
    assert_eq!(queue.acknowledge(std::slice::from_ref(&last[0].receipt)).await.unwrap(), [true]);
}

async fn a_lease_that_ran_out_gives_the_message_to_somebody_else(queue: &dyn Queue, clock: &Hand) {
    queue.send(&[message("lease", 0)]).await.unwrap();
    let first = queue.receive(1, LEASE).await.unwrap().remove(0);
    clock.forward(9_999);
    assert!(queue.receive(1, LEASE).await.unwrap().is_empty());
    clock.forward(1);
    assert_eq!(queue.acknowledge(std::slice::from_ref(&first.receipt)).await.unwrap(), [false], "late");
    let second = queue.receive(1, LEASE).await.unwrap().remove(0);
    assert_eq!(second.attempt, 2);
    assert_ne!(second.receipt, first.receipt);
    assert_eq!(queue.extend(std::slice::from_ref(&first.receipt), LEASE).await.unwrap(), [false]);
    assert_eq!(queue.acknowledge(&[first.receipt, second.receipt]).await.unwrap(), [false, true]);
}

async fn a_lease_can_be_prolonged_and_given_back(queue: &dyn Queue, clock: &Hand) {
    queue.send(&[message("long", 0)]).await.unwrap();
    let taken = queue.receive(1, LEASE).await.unwrap().remove(0);
    clock.forward(6_000);
    assert_eq!(queue.extend(std::slice::from_ref(&taken.receipt), LEASE).await.unwrap(), [true]);
    clock.forward(6_000);
    assert!(queue.receive(1, LEASE).await.unwrap().is_empty());
    assert_eq!(queue.extend(std::slice::from_ref(&taken.receipt), Duration::ZERO).await.unwrap(), [true]);
    assert_eq!(queue.acknowledge(&[taken.receipt]).await.unwrap(), [false], "given back");
    let again = queue.receive(1, Duration::MAX).await.unwrap().remove(0);
    assert_eq!(queue.acknowledge(&[again.receipt]).await.unwrap(), [true]);
}

async fn a_repeat_changes_nothing(queue: &dyn Queue) {
    queue.send(&[message("same", 1), message("same", 2)]).await.unwrap();
    queue.send(&[message("same", 3)]).await.unwrap();
    let taken = queue.receive(5, LEASE).await.unwrap();
    assert_eq!(taken.iter().map(|taken| &taken.message).collect::<Vec<_>>(), [&message("same", 1)]);
    queue.acknowledge(std::slice::from_ref(&taken[0].receipt)).await.unwrap();
    queue.send(&[message("same", 4)]).await.unwrap();
    assert_eq!(queue.depth().await.unwrap(), 0);
}

async fn no_message_is_in_two_hands(queue: Arc<dyn Queue>) {
    let messages: Vec<_> = (0..10_000).map(|n| message(&format!("m{n}"), (n % 3) as u8)).collect();
    queue.send(&messages).await.unwrap();
    let hands = (0..4).map(|_| {
        let queue = queue.clone();
        tokio::spawn(async move {
            let mut ids = Vec::new();
            loop {
                let taken = queue.receive(100, LEASE).await.unwrap();
                if taken.is_empty() {
                    return ids;
                }
                let receipts: Vec<_> = taken.iter().map(|taken| taken.receipt.clone()).collect();
                assert!(queue.acknowledge(&receipts).await.unwrap().into_iter().all(|done| done));
                ids.extend(taken.into_iter().map(|taken| taken.message.id));
            }
        })
    });
    let mut ids = Vec::new();
    for hand in hands.collect::<Vec<_>>() {
        ids.extend(hand.await.unwrap());
    }
    assert_eq!((ids.len(), ids.into_iter().collect::<BTreeSet<_>>().len()), (10_000, 10_000));
    assert_eq!(queue.depth().await.unwrap(), 0);
}
