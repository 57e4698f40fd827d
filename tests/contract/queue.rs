//! What every queue promises.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use reindex::capability::queue::{Delivery, Message, Queue};

use super::{
    Hand,
    lacks::{self, Promise},
    texts,
};

const NOW: Duration = Duration::ZERO;
/// Long enough for anything that is going to come.
const SOON: Duration = Duration::from_secs(20);

/// What differs from service to service. Whoever has a clock to set is held to every word; with real time, what comes
/// is waited for and nothing is said of when.
pub struct Habits {
    /// Its name among the [`lacks`].
    pub backend: &'static str,
    /// The clock the queue goes by, if it can be set.
    pub clock: Option<Hand>,
    /// How long messages are lent.
    pub lease: Duration,
    /// How many messages are many.
    pub many: usize,
}

impl Habits {
    pub fn exact(clock: &Hand) -> Self {
        let lease = Duration::from_secs(10);
        Self { backend: "sqlite queue", clock: Some(clock.clone()), lease, many: 10_000 }
    }

    fn keep(&self, promise: Promise) -> bool {
        lacks::keeps(self.backend, promise)
    }

    async fn pass(&self, time: Duration) {
        match &self.clock {
            Some(clock) => clock.forward(i64::try_from(time.as_millis()).unwrap()),
            None => tokio::time::sleep(time).await,
        }
    }
}

pub fn message(id: &str, priority: u8) -> Message {
    Message { id: id.to_owned(), body: format!("body of {id}"), priority }
}

/// Any queue with three priorities, empty at first.
pub async fn queue(queue: Arc<dyn Queue>, habits: &Habits) {
    assert_eq!(habits.clock.is_some(), habits.keep(Promise::SettableClock));
    an_empty_queue_answers_at_once(&*queue, habits).await;
    priorities_come_first_then_the_order_of_sending(&*queue, habits).await;
    a_lease_that_ran_out_gives_the_message_to_somebody_else(&*queue, habits).await;
    a_lease_can_be_prolonged_and_given_back(&*queue, habits).await;
    a_repeat_has_the_same_id_or_changes_nothing(&*queue, habits).await;
    whoever_waits_is_given_what_comes(queue.clone(), habits).await;
    no_message_is_in_two_hands(queue, habits).await;
}

pub async fn send(queue: &dyn Queue, messages: &[Message]) {
    let answers = queue.send(messages).await.unwrap();
    assert!(answers.len() == messages.len() && answers.iter().all(Result::is_ok), "{answers:?}");
}

/// Takes a message that is there or about to be.
async fn take(queue: &dyn Queue, lease: Duration) -> Delivery {
    queue.receive(1, lease, SOON).await.unwrap().pop().unwrap()
}

async fn done(queue: &dyn Queue, taken: &[Delivery]) -> Vec<bool> {
    let receipts: Vec<_> = taken.iter().map(|taken| taken.receipt.clone()).collect();
    queue.acknowledge(&receipts).await.unwrap()
}

/// How many wait, and how many are in hands.
async fn depth(queue: &dyn Queue) -> (u64, u64) {
    let depth = queue.depth().await.unwrap();
    (depth.waiting, depth.in_hand)
}

async fn an_empty_queue_answers_at_once(queue: &dyn Queue, habits: &Habits) {
    send(queue, &[]).await;
    assert!(queue.receive(5, habits.lease, NOW).await.unwrap().is_empty());
    assert!(queue.peek(5).await.unwrap().is_empty());
    assert_eq!(queue.acknowledge(&texts(&["nonsense", "1-1", "", "9 x"])).await.unwrap(), [false; 4]);
    assert!(queue.extend(&[], habits.lease).await.unwrap().is_empty());
    assert_eq!(depth(queue).await, (0, 0));
}

async fn priorities_come_first_then_the_order_of_sending(queue: &dyn Queue, habits: &Habits) {
    send(queue, &[message("a", 0), message("b", 1), message("c", 0), message("d", 255)]).await;
    let peeked: Vec<_> = queue.peek(3).await.unwrap();
    assert_eq!(peeked.iter().map(|message| message.priority).collect::<Vec<_>>(), [255, 1, 0]);
    assert_eq!(depth(queue).await, (4, 0));
    assert!(queue.receive(0, habits.lease, NOW).await.unwrap().is_empty());
    let taken = queue.receive(3, habits.lease, NOW).await.unwrap();
    let messages: Vec<_> = taken.iter().map(|taken| taken.message.clone()).collect();
    assert_eq!(messages[..2], [message("d", 255), message("b", 1)]);
    if habits.keep(Promise::KeepsOrder) {
        assert_eq!((&messages, &messages[2]), (&peeked, &message("a", 0)));
    }
    assert_eq!(depth(queue).await, (1, 3), "what is in hands counts");
    assert_eq!(done(queue, &taken).await, [true; 3]);
    let last = queue.receive(10, habits.lease, NOW).await.unwrap();
    assert_eq!(last.len(), 1);
    assert_eq!(done(queue, &last).await, [true]);
    if habits.keep(Promise::TellsLapse) {
        assert_eq!(done(queue, &last).await, [false], "it is done already");
    }
}

async fn a_lease_that_ran_out_gives_the_message_to_somebody_else(queue: &dyn Queue, habits: &Habits) {
    send(queue, &[message("lease", 0)]).await;
    let first = take(queue, habits.lease).await;
    assert_eq!(first.attempt, 1);
    if habits.clock.is_some() {
        habits.pass(habits.lease - Duration::from_millis(1)).await;
        assert!(queue.receive(1, habits.lease, NOW).await.unwrap().is_empty());
        habits.pass(Duration::from_millis(1)).await;
    }
    if habits.keep(Promise::TellsLapse) {
        assert_eq!(done(queue, std::slice::from_ref(&first)).await, [false], "late");
    }
    let second = take(queue, habits.lease).await;
    assert_eq!((second.attempt, &second.message, &second.name), (2, &first.message, &first.name));
    assert_ne!(second.receipt, first.receipt);
    if habits.keep(Promise::TellsLapse) {
        assert_eq!(queue.extend(std::slice::from_ref(&first.receipt), habits.lease).await.unwrap(), [false]);
        assert_eq!(done(queue, &[first]).await, [false]);
    }
    assert_eq!(done(queue, &[second]).await, [true]);
}

async fn a_lease_can_be_prolonged_and_given_back(queue: &dyn Queue, habits: &Habits) {
    send(queue, &[message("long", 0)]).await;
    let taken = take(queue, habits.lease).await;
    for _ in 0..2 {
        habits.pass(habits.lease / 2 + Duration::from_millis(100)).await;
        assert_eq!(queue.extend(std::slice::from_ref(&taken.receipt), habits.lease).await.unwrap(), [true]);
    }
    assert!(queue.receive(1, habits.lease, NOW).await.unwrap().is_empty(), "longer than one lease");
    assert_eq!(queue.extend(std::slice::from_ref(&taken.receipt), Duration::ZERO).await.unwrap(), [true]);
    if habits.keep(Promise::TellsLapse) {
        assert_eq!(done(queue, std::slice::from_ref(&taken)).await, [false], "given back");
    }
    let again = take(queue, Duration::MAX).await;
    assert_eq!((again.message.id.as_str(), again.attempt), ("long", 2));
    assert_eq!(done(queue, &[again]).await, [true]);
}

async fn a_repeat_has_the_same_id_or_changes_nothing(queue: &dyn Queue, habits: &Habits) {
    send(queue, &[message("same", 1), message("same", 2)]).await;
    send(queue, &[message("same", 3)]).await;
    let taken = queue.receive(5, habits.lease, NOW).await.unwrap();
    assert!(!taken.is_empty() && taken.iter().all(|taken| taken.message.body == "body of same"), "{taken:?}");
    assert!(taken.iter().all(|taken| taken.message.id == "same"));
    let names: BTreeSet<_> = taken.iter().map(|taken| &taken.name).collect();
    assert_eq!(names.len(), taken.len(), "each is a message of its own");
    if habits.keep(Promise::RefusesRepeats) {
        assert_eq!(taken.iter().map(|taken| &taken.message).collect::<Vec<_>>(), [&message("same", 1)]);
    }
    done(queue, &taken).await;
    if habits.keep(Promise::RefusesRepeats) {
        send(queue, &[message("same", 4)]).await;
    }
    assert_eq!(depth(queue).await, (0, 0));
}

async fn whoever_waits_is_given_what_comes(queue: Arc<dyn Queue>, habits: &Habits) {
    let mut waiting = queue.receive(5, habits.lease, SOON);
    assert!(futures::poll!(&mut waiting).is_pending(), "it waits before anything was sent");
    let late = [message("late", 0)];
    let ((), taken) = tokio::join!(send(&*queue, &late), waiting);
    let taken = taken.unwrap();
    assert_eq!(taken.iter().map(|taken| taken.message.id.as_str()).collect::<Vec<_>>(), ["late"]);
    assert_eq!(done(&*queue, &taken).await, [true]);
}

async fn no_message_is_in_two_hands(queue: Arc<dyn Queue>, habits: &Habits) {
    let messages: Vec<_> = (0..habits.many).map(|n| message(&format!("m{n}"), (n % 3) as u8)).collect();
    send(&*queue, &messages).await;
    // Nobody's lease may run out here, however slow the machine is.
    let lease = Duration::from_secs(600);
    let hands = (0..4).map(|_| {
        let queue = queue.clone();
        tokio::spawn(async move {
            let mut ids = Vec::new();
            loop {
                let taken = queue.receive(100, lease, NOW).await.unwrap();
                if taken.is_empty() {
                    return ids;
                }
                assert!(done(&*queue, &taken).await.into_iter().all(|done| done));
                ids.extend(taken.into_iter().map(|taken| taken.message.id));
            }
        })
    });
    let mut ids = Vec::new();
    for hand in hands.collect::<Vec<_>>() {
        ids.extend(hand.await.unwrap());
    }
    assert_eq!((ids.len(), ids.into_iter().collect::<BTreeSet<_>>().len()), (habits.many, habits.many));
    assert_eq!(depth(&*queue).await, (0, 0));
}
