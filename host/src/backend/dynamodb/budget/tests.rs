//! The budget against servers of every speed and every size of items.

use proptest::prelude::*;

use super::*;

/// What a server charges for a page of items of this size, in units.
fn units(items: i32, bytes: f64) -> f64 {
    (f64::from(items) * bytes / 4096.0).ceil() / 2.0
}

/// Simulates a scan whose segments all want the next page as soon as they have one. Returns what each page cost and
/// when it was answered.
struct Play {
    rate: f64,
    segments: usize,
    /// How long the n-th page takes, and how large its items are.
    page: Box<dyn Fn(usize) -> (Duration, f64)>,
}

impl Play {
    fn of(self, seconds: u64) -> Vec<(Duration, f64)> {
        let start = Instant::now();
        let mut budget = Budget::new(self.rate, 50.0, start);
        let (mut now, mut pages, mut answers) = (start, 0, Vec::new());
        let mut under_way: Vec<(Instant, Ticket, f64)> = Vec::new();
        while now < start + Duration::from_secs(seconds) {
            let mut next = start + Duration::from_secs(seconds);
            while under_way.len() < self.segments {
                match budget.begin(now) {
                    Ok(ticket) => {
                        let (took, bytes) = (self.page)(pages);
                        under_way.push((now + took, ticket, units(ticket.items, bytes)));
                        pages += 1;
                    }
                    Err(later) => {
                        assert!(later > now, "a wait ends later");
                        next = later;
                        break;
                    }
                }
            }
            now = under_way.iter().map(|(at, ..)| *at).fold(next, Instant::min);
            let (here, still): (Vec<_>, _) = under_way.into_iter().partition(|(at, ..)| *at <= now);
            under_way = still;
            for (_, ticket, units) in here {
                let items = u64::try_from(ticket.items).unwrap();
                budget.end(&ticket, Some(Cost { units, items }), now);
                answers.push((now - start, units));
            }
        }
        answers
    }
}

/// The most that any window of five seconds used.
fn busiest(answers: &[(Duration, f64)]) -> f64 {
    let window =
        |n: usize| answers[n..].iter().take_while(|(at, _)| *at < answers[n].0 + WINDOW).map(|(_, units)| units).sum();
    (0..answers.len()).map(window).fold(0.0, f64::max)
}

fn largest(answers: &[(Duration, f64)]) -> f64 {
    answers.iter().map(|(_, units)| *units).fold(0.0, f64::max)
}

fn total(answers: &[(Duration, f64)], from: u64) -> f64 {
    answers.iter().filter(|(at, _)| at.as_secs() >= from).map(|(_, units)| units).sum()
}

proptest! {
    #[test]
    fn no_window_takes_more_than_its_share_and_one_page_and_the_share_is_used(
        rate in 20.0..20_000.0f64, segments in 4usize..64, bytes in 200.0..4000.0f64, took in 5u64..300,
    ) {
        let page = move |_| (Duration::from_millis(took), bytes);
        let answers = Play { rate, segments, page: Box::new(page) }.of(70);
        prop_assert!(busiest(&answers) <= rate * 5.0 + largest(&answers) + 1e-6, "{}", busiest(&answers) / rate);
        let used = total(&answers, 10) / (rate * 60.0);
        prop_assert!((0.9..=1.05).contains(&used), "{used} of the share");
    }

    #[test]
    fn answers_that_come_in_late_all_together_do_not_exceed_it_either(
        rate in 20.0..5000.0f64, segments in 1usize..64, quick in 5u64..50, slow in 50u64..4000, every in 2usize..20,
    ) {
        let page = move |n: usize| {
            let slowly = n.is_multiple_of(every);
            (Duration::from_millis(if slowly { slow } else { quick }), 1000.0)
        };
        let answers = Play { rate, segments, page: Box::new(page) }.of(40);
        prop_assert!(busiest(&answers) <= rate * 5.0 + largest(&answers) + 1e-6, "{}", busiest(&answers) / rate);
    }

    #[test]
    fn a_page_takes_less_than_a_second_of_the_budget_once_items_were_seen(rate in 20.0..5000.0f64, bytes in 100.0..400_000.0f64) {
        let start = Instant::now();
        let mut budget = Budget::new(rate, 50.0, start);
        let mut now = start;
        for _ in 0..50 {
            let ticket = budget.begin(now).or_else(|later| { now = later; budget.begin(now) }).unwrap();
            let cost = units(ticket.items, bytes);
            prop_assert!(cost <= rate.max(units(1, bytes)) + 0.5, "{cost}");
            budget.end(&ticket, Some(Cost { units: cost, items: u64::try_from(ticket.items).unwrap() }), now);
        }
    }
}

#[test]
fn workers_divide_the_budget() {
    let page = |_| (Duration::from_millis(20), 1000.0);
    let whole = total(&Play { rate: 1000.0, segments: 8, page: Box::new(page) }.of(30), 0);
    let start = Instant::now();
    let mut budget = Budget::new(1000.0, 50.0, start);
    budget.share(4);
    let ticket = budget.begin(start).unwrap();
    budget.end(&ticket, None, start);
    assert_eq!(budget.begin(start).unwrap_err(), start + Duration::from_secs(1), "a quarter of the rate pays");
    assert!(whole > 25_000.0);
}

#[test]
fn a_page_without_an_answer_counts_as_what_it_may_have_cost() {
    let start = Instant::now();
    let mut budget = Budget::new(100.0, 50.0, start);
    let ticket = budget.begin(start).unwrap();
    budget.end(&ticket, None, start);
    assert!(budget.begin(start).is_err());
    assert!(budget.begin(start + Duration::from_secs(1)).is_ok());
}
