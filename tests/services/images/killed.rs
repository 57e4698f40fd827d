//! A service that dies in the midst of its masters leaves nothing half done behind it.

use super::{
    events::{studio, upload},
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
    serving.until("all images", async || studio.requests().await.is_empty()).await;
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
