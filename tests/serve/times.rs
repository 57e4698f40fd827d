//! When recipes run: at their times, once, whatever the clock and the neighbours do.

use std::fs;

use reindex::{
    event::Events,
    pipeline::Stop,
    run::{Options, Summary},
};

use super::{
    RECIPE, load, place,
    service::{Kept, Turned, project, runs},
};
use crate::place::Place;

#[tokio::test]
async fn a_recipe_runs_at_its_time_and_waits_for_the_next() {
    let (place, clock) = (place(30, "good"), Turned::at("2026-11-25T05:00:00Z"));
    let mut kept = Kept::going(&place, &["rogues"], &clock).await;
    assert_eq!(kept.due("rogues").await, "2026-11-25T05:30:00Z");
    assert_eq!(kept.health.unready(), [""; 0]);
    assert!(runs(&place, "rogues").await.is_empty(), "a recipe that never ran is not late");
    clock.to("2026-11-25T05:30:00Z");
    kept.finished("rogues").await;
    assert_eq!(place.documents("rogues", "").len(), 30);
    assert_eq!(kept.due("rogues").await, "2026-11-26T05:30:00Z");
    kept.stop().await;
}

#[tokio::test]
async fn runs_that_were_missed_are_caught_up_once_also_after_a_long_sleep() {
    let (place, clock) = (place(30, "good"), Turned::at("2026-11-19T05:00:00Z"));
    let mut kept = Kept::going(&place, &["rogues"], &clock).await;
    kept.due("rogues").await;
    clock.to("2026-11-20T07:00:00Z");
    kept.finished("rogues").await;
    assert_eq!(kept.due("rogues").await, "2026-11-21T05:30:00Z");
    kept.stop().await;
    clock.to("2026-11-25T09:00:00Z");
    let mut kept = Kept::going(&place, &["rogues"], &clock).await;
    kept.finished("rogues").await;
    assert_eq!(kept.due("rogues").await, "2026-11-26T05:30:00Z");
    kept.stop().await;
    let began = runs(&place, "rogues").await.iter().map(|run| run.started.to_string()).collect::<Vec<_>>();
    assert_eq!(began, ["2026-11-25T09:00:00Z", "2026-11-20T07:00:00Z"]);
}

#[tokio::test]
async fn a_clock_that_is_turned_back_repeats_nothing_and_a_wrong_one_holds_up_nothing() {
    let (place, clock) = (place(30, "good"), Turned::at("2030-01-01T05:00:00Z"));
    for (now, time, next, back) in [
        ("2030-01-01T05:00:00Z", "2030-01-01T05:30:00Z", "2030-01-02T05:30:00Z", "2030-01-01T05:25:00Z"),
        ("2026-11-25T05:00:00Z", "2026-11-25T05:30:00Z", "2026-11-26T05:30:00Z", "2026-11-25T05:25:00Z"),
    ] {
        clock.to(now);
        let mut kept = Kept::going(&place, &["rogues"], &clock).await;
        assert_eq!(kept.due("rogues").await, time);
        clock.to(time);
        kept.finished("rogues").await;
        assert_eq!(kept.due("rogues").await, next);
        kept.stop().await;
        clock.to(back);
        let mut kept = Kept::going(&place, &["rogues"], &clock).await;
        assert_eq!(kept.due("rogues").await, next);
        kept.stop().await;
    }
    assert_eq!(runs(&place, "rogues").await.len(), 2);
}

#[tokio::test]
async fn what_fails_in_one_recipe_touches_no_other_and_is_tried_again_at_its_next_time() {
    let (place, clock) = (place(25, "trap"), Turned::at("2026-11-25T05:00:00Z"));
    load(&place, "others", 1, 5, "good");
    place.write("others.toml", RECIPE.replace("\"things\"", "\"others\""));
    let mut kept = Kept::going(&place, &["rogues", "others"], &clock).await;
    kept.due("rogues").await;
    kept.due("others").await;
    clock.to("2026-11-25T05:30:00Z");
    assert!(kept.error("rogues").await.contains("the plugin is broken"));
    assert_eq!(kept.due("rogues").await, "2026-11-26T05:30:00Z");
    kept.finished("others").await;
    load(&place, "things", 2, 25, "good");
    clock.to("2026-11-26T05:30:00Z");
    // What was left undone is gone on with; since that began before the time, another run reads everything anew.
    assert_eq!(kept.due("rogues").await, "2026-11-27T05:30:00Z");
    kept.stop().await;
    let read = runs(&place, "rogues").await.iter().map(|run| run.counts.unwrap().read).collect::<Vec<_>>();
    assert_eq!(read, [25, 25]);
}

#[tokio::test]
async fn a_store_that_is_away_is_waited_for() {
    let (place, clock) = (place(30, "good"), Turned::at("2026-11-25T05:00:00Z"));
    let lock = place.path(".reindex/rogues.lock");
    let _ = fs::remove_file(&lock);
    fs::create_dir_all(lock.join("in the way")).unwrap();
    let mut kept = Kept::going(&place, &["rogues"], &clock).await;
    kept.due("rogues").await;
    clock.to("2026-11-25T05:30:00Z");
    assert_eq!(kept.error("rogues").await, "the lock file cannot be written");
    fs::remove_dir_all(&lock).unwrap();
    kept.finished("rogues").await;
    kept.stop().await;
    assert_eq!(place.documents("rogues", "").len(), 30);
}

#[tokio::test]
async fn two_services_under_one_clock_work_a_time_off_once() {
    let (place, clock) = (place(30, "good"), Turned::at("2026-11-25T05:00:00Z"));
    let mut first = Kept::going(&place, &["rogues"], &clock).await;
    let mut second = Kept::going(&place, &["rogues"], &clock).await;
    for time in ["2026-11-25T05:30:00Z", "2026-11-26T05:30:00Z"] {
        for kept in [&mut first, &mut second] {
            assert_eq!(kept.due("rogues").await, time);
        }
        clock.to(time);
    }
    for kept in [&mut first, &mut second] {
        assert_eq!(kept.due("rogues").await, "2026-11-27T05:30:00Z");
    }
    assert_eq!(runs(&place, "rogues").await.len(), 2);
    first.stop().await;
    second.stop().await;
}

/// Runs the recipe, unless a run that began since then is finished.
async fn run(place: &Place, since: Option<&str>) -> Summary {
    let (events, since) = (Events::ignore(), since.map(|since| since.parse().unwrap()));
    let job = project(place, "rogues").job(false, &events).await.unwrap();
    job.run(Options { since, ..Options::default() }, &events, &Stop::new()).await.unwrap()
}

#[tokio::test]
async fn a_run_that_another_service_ended_in_the_meantime_is_not_done_once_more() {
    let place = place(30, "good");
    let first = run(&place, None).await.run;
    let began = first.started.to_string();
    assert_eq!(run(&place, Some(&began)).await.run.id, first.id);
    let later = (first.started + jiff::SignedDuration::from_millis(1)).to_string();
    let second = run(&place, Some(&later)).await.run;
    assert_ne!(second.id, first.id);
    assert_eq!(runs(&place, "rogues").await.len(), 2);
}
