//! The empty room: everything a language's runtime looks for is there, and nothing is behind it.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn files_sockets_names_and_variables_are_refused() {
    let text = Rogue::start(|_| {}).await.says("room").await;
    assert_eq!(text, "files true sockets true names true variables true");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_stands_still_at_the_rooms_time() {
    let rogue = Rogue::start(|_| {}).await;
    let text = rogue.says("clock").await;
    assert_eq!(text, "1767323045 0");
    let second = || jiff::Timestamp::now().as_second();
    let before = second();
    while second() == before {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(rogue.says("clock").await, text);
}

#[tokio::test(flavor = "multi_thread")]
async fn randomness_is_the_same_for_the_same_seed_and_another_for_another() {
    let random = async |seed| Rogue::start(|room| room.seed = seed).await.says("random").await;
    assert_eq!(random(1).await, random(1).await);
    assert_ne!(random(1).await, random(2).await);
    assert_eq!(Rogue::start(|_| {}).await.says("hash-map").await, Rogue::start(|_| {}).await.says("hash-map").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recipes_settings_reach_the_plugin() {
    let rogue = Rogue::start(|room| room.settings = r#"{"a":1}"#.to_owned()).await;
    assert_eq!(rogue.says("settings").await, r#"{"a":1}"#);
}
