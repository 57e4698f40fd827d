//! A bucket that refuses what is made, for good or for a while.

use proxy::{Fault, Match, Proxy, Rule};
use servers::{Server, shared};

use super::studio::{Left, Studio, picture};
use crate::contract::{
    bucket::noise,
    image::files::{Colour, png_of},
};

const DENIED: &str = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";

/// Nothing comes through it.
const UPLOADS: &str = "[backend.uploads.sqlite]";

/// Requests of another program, for masters whose TIFFs come through a proxy.
async fn studio(name: &str) -> (Studio, Proxy) {
    let proxy = Proxy::http(&shared(Server::S3).url());
    let studio = Studio::new(name, &shared(Server::S3).url(), UPLOADS).await;
    for n in 0..10 {
        studio.with(&format!("digital/{n}.png"), picture(640 + n, 480)).await;
    }
    studio.reaches(&[("images", &proxy.url())], UPLOADS);
    (studio, proxy)
}

async fn undisturbed(name: &str) -> Left {
    let (studio, _proxy) = studio(name).await;
    studio.reindex("run pyramid").exits(0);
    let left = studio.left().await;
    assert_eq!((left.images.len(), left.asked.len()), (10, 0));
    left
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_may_not_be_written_to_stops_the_run_which_goes_on_once_it_may() {
    let (studio, proxy) = studio("denied").await;
    proxy.add(Rule::new(Match::any().method("PUT"), Fault::Status(403, DENIED.to_owned())));
    let ran = studio.reindex("run pyramid").exits(6);
    assert!(ran.err.contains("hint: "), "{}", ran.err);
    assert!(proxy.fired() > 0);
    let left = studio.left().await;
    assert_eq!((left.images.len(), left.asked.len()), (0, 10));
    proxy.clear();
    let ran = studio.reindex("run pyramid").exits(0);
    assert!(ran.err.contains("goes on with run"), "{}", ran.err);
    assert_eq!(studio.left().await, undisturbed("allowed").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_has_too_much_to_do_is_asked_again() {
    let (studio, proxy) = studio("busy").await;
    proxy.add(Rule::new(Match::any().method("PUT"), Fault::Throttle).times(15));
    studio.reindex("run pyramid").exits(0);
    assert_eq!(proxy.fired(), 15);
    assert_eq!(studio.left().await, undisturbed("idle").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_may_not_be_taken_away_stays_and_its_image_is_not_made_twice() {
    let (studio, proxy) = studio("kept").await;
    studio.reaches(&[("images", &proxy.url()), ("process", &proxy.url())], UPLOADS);
    proxy.add(Rule::new(Match::any().method("DELETE"), Fault::Status(403, DENIED.to_owned())));
    studio.reindex("run pyramid").exits(6);
    assert!(proxy.fired() > 0);
    let denied = studio.left().await;
    assert!(!denied.images.is_empty() && denied.asked.len() == 10, "{denied:?}");
    proxy.clear();
    studio.reindex("run pyramid").exits(0);
    assert_eq!(studio.left().await, undisturbed("taken-away").await);
    let puts = proxy.requests().iter().filter(|request| request.method == "PUT").count();
    assert_eq!(puts, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_outlives_a_bucket_that_may_not_be_written_to_and_goes_on_once_it_may() {
    let (studio, proxy) = studio("outlived").await;
    proxy.add(Rule::new(Match::any().method("PUT"), Fault::Status(403, DENIED.to_owned())));
    let mut serving = studio.serve();
    serving.until("a refusal", async || proxy.fired() > 0).await;
    serving.until("what is wrong", async || studio.log().contains("\"event\":\"error\"")).await;
    assert_eq!(studio.left().await.asked.len(), 10);
    proxy.clear();
    serving.until("all images", async || studio.is_done(10).await).await;
    serving.stop();
    assert_eq!(studio.left().await, undisturbed("lived").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_outlives_a_bucket_that_vanishes_and_marks_no_image_failed() {
    let studio = Studio::new("vanishing", &shared(Server::S3).url(), UPLOADS).await;
    studio.with("digital/first.png", picture(640, 480)).await;
    let mut serving = studio.serve();
    serving.until("the first image", async || studio.is_done(1).await).await;
    let missing = || studio.log().matches("there is no such bucket").count();
    let unfound =
        || [&studio.status()["counts"]["failed"], &studio.status()["counts"]["not-found"]].map(ToString::to_string);
    studio.remove("images").await;
    for n in 0..3 {
        studio.with(&format!("digital/{n}.png"), picture(640 + n, 480)).await;
    }
    serving.until("a bucket to be missed", async || missing() > 0).await;
    assert_eq!(unfound(), ["0", "0"]);
    studio.make("images").await;
    serving.until("all images", async || studio.is_done(3).await).await;
    let before = missing();
    studio.remove("masters").await;
    for n in 3..6 {
        studio.ask(&format!("digital/{n}.png")).await;
    }
    serving.until("another bucket to be missed", async || missing() > before).await;
    assert_eq!(unfound(), ["0", "0"]);
    studio.make("masters").await;
    for n in 3..6 {
        studio.upload(&format!("digital/{n}.png"), picture(640 + n, 480)).await;
    }
    serving.until("all images", async || studio.is_done(6).await).await;
    serving.stop();
    assert_eq!(studio.status()["counts"]["failed"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_of_several_parts_of_which_one_is_refused_leaves_none_behind() {
    let proxy = Proxy::http(&shared(Server::S3).url());
    let studio = Studio::new("parts", &shared(Server::S3).url(), UPLOADS).await;
    studio.reaches(&[("images", &proxy.url())], UPLOADS);
    // What cannot be compressed takes more than one part.
    let (width, height) = (2400, 1600);
    studio.with("digital/large.png", png_of(width, height, Colour::Rgb, 8, &[], &rows(width, height))).await;
    proxy.add(Rule::new(Match::any().contains("partNumber=2"), Fault::Status(403, DENIED.to_owned())));
    studio.reindex("run pyramid").exits(6);
    assert!(proxy.fired() > 0);
    assert_eq!((studio.keys("images").await.len(), studio.unfinished().await), (0, 0));
    proxy.clear();
    studio.reindex("run pyramid").exits(0);
    assert_eq!(studio.size("digital/large.tif").await, (u64::from(width), u64::from(height)));
    assert_eq!((studio.requests().await.len(), studio.unfinished().await), (0, 0));
}

/// Rows of noise, each behind a byte that says that it is as it is.
fn rows(width: u32, height: u32) -> Vec<u8> {
    let mut rows = noise(height as usize * (1 + 3 * width as usize), 7);
    rows.chunks_mut(1 + 3 * width as usize).for_each(|row| row[0] = 0);
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_finds_a_bucket_that_may_not_be_listed_or_is_not_there() {
    let (studio, proxy) = studio("checked").await;
    let sound = studio.reindex("check pyramid --connect").exits(0).err;
    assert!(sound.contains("bucket `images`  nothing lies in it"), "{sound}");
    for role in ["masters", "process"] {
        assert!(sound.contains(&format!("bucket `{role}`  objects lie in it")), "{sound}");
    }
    proxy.add(Rule::new(Match::any().method("GET"), Fault::Status(403, DENIED.to_owned())));
    let denied = studio.reindex("check pyramid --connect").exits(6).err;
    assert!(denied.contains("checked-images") && denied.contains("reindex iam"), "{denied}");
    studio.reaches(&[("masters", &shared(Server::Minio).url())], UPLOADS);
    let missing = studio.reindex("check pyramid --connect").exits(5).err;
    assert!(missing.contains("checked-masters") && missing.contains("there is no such bucket"), "{missing}");
}
