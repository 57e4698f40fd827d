//! MinIO tells NATS of new masters itself.

use std::time::Duration;

use servers::{Server, shared};

use super::studio::{Studio, dawn};
use crate::minio;

const ODD: &str = "digital/a b+ü%.jpg";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_comes_to_minio_becomes_a_tiff() {
    let queue = minio::queue("MASTERS", "masters.uploads");
    // The stream is made by whoever wants something of it, and what is told before is lost.
    queue.receive(1, Duration::from_secs(60), Duration::ZERO).await.unwrap();
    let running = minio::telling("masters.uploads");
    let uploads = format!(
        "[backend.uploads.nats]\nurl = '{}'\nstream = 'MASTERS'\nsubject = 'masters.uploads'\n",
        shared(Server::Nats).url()
    );
    let studio = Studio::new("told", &running.url(), &uploads).await;
    minio::tell(&running, &studio.called("masters")).await;
    let mut serving = studio.serve();
    studio.upload("digital/dawn.jpg", dawn()).await;
    studio.upload(ODD, dawn()).await;
    studio.upload("digital/notes.txt", b"no image".to_vec()).await;
    serving.until("all images", async || studio.is_done(2).await).await;
    serving.empties(&queue).await;
    serving.stop();
    assert_eq!(studio.size("digital/a b+ü%.tif").await, (480, 640));
}
