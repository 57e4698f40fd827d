//! A service that dies in the midst of its masters leaves nothing half done behind it.

use servers::{Server, shared};

use super::{
    events::{studio, studio_with, upload},
    studio::{Left, picture},
};

/// Masters of some work each.
fn masters() -> Vec<(String, Vec<u8>)> {
    (0..12).map(|n| (format!("digital/{n:02}.png"), picture(3000 + n, 2000))).collect()
}

/// What a service leaves that is killed when there are so many images, and started anew; never if there are none.
async fn left(name: &str, kills: &[usize]) -> Left {
    let (studio, queue) = studio(name).await;
    let masters = masters();
    let mut serving = studio.serve();
    upload(&studio, &queue, &masters).await;
    for count in kills {
        serving.until("some images", async || studio.keys("images").await.len() >= *count).await;
        serving.kill();
        assert!(studio.keys("images").await.len() < masters.len(), "it was killed too late");
        serving = studio.serve();
    }
    serving.until("all images", async || studio.is_done(masters.len()).await).await;
    serving.empties(&queue).await;
    serving.stop();
    studio.left().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_killed_in_the_midst_of_its_masters_ends_like_an_undisturbed_one() {
    let undisturbed = left("undisturbed", &[]).await;
    assert_eq!(undisturbed.images.len(), masters().len());
    assert_eq!(left("killed", &[1, 5]).await, undisturbed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_services_that_share_a_ledger_one_does_what_the_other_left_when_it_died() {
    let ledger = format!(
        "[ledger.dynamodb]\ntable = 'pyramids'\nendpoint = '{}'\ncreate = true\n",
        shared(Server::Dynamodb).url()
    );
    let (studio, queue) = studio_with("shared", &ledger).await;
    studio.change("[run]", "[run]\nlease = \"5s\"");
    let mut dies = studio.serve();
    let mut lives = studio.serve();
    upload(&studio, &queue, &masters()).await;
    dies.until("some images", async || !studio.keys("images").await.is_empty()).await;
    dies.kill();
    lives.until("all images", async || studio.is_done(masters().len()).await).await;
    lives.stop();
    assert_eq!(studio.left().await, left("alone", &[]).await);
}
