//! Requests that others put into the bucket, and those of `reindex rerun`.

use servers::{Server, shared};

use super::studio::{Studio, dawn, picture};

async fn studio(name: &str) -> Studio {
    Studio::new(name, &shared(Server::S3).url(), "[backend.uploads.sqlite]").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_another_program_are_worked_on_and_taken_away() {
    let studio = studio("asked").await;
    studio.with("rbsc/isaac_gala/lantern 1+2.png", picture(900, 700)).await;
    studio.with("digital/dawn.jpg", dawn()).await;
    studio.bucket("process").put("beside.json", b"not ours".to_vec(), None).await.unwrap();
    studio.reindex("run pyramid").exits(0);
    assert_eq!(studio.size("rbsc/isaac_gala/lantern 1+2.tif").await, (900, 700));
    assert_eq!(studio.size("digital/dawn.tif").await, (480, 640));
    assert_eq!(studio.keys("process").await, ["beside.json"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rerun_makes_what_lies_under_its_prefixes_once_more() {
    let studio = studio("again").await;
    for key in ["digital/a/1 +%.png", "digital/a/2.PNG", "digital/b/3.png", "rbsc/4.png", "elsewhere/5.png"] {
        studio.upload(key, picture(640, 480)).await;
    }
    studio.upload("digital/a/notes.txt", b"no image".to_vec()).await;
    let dry = studio.reindex("rerun pyramid digital/a/ rbsc/ --dry-run").exits(0);
    assert_eq!(dry.out.lines().collect::<Vec<_>>(), ["digital/a/1 +%.png", "digital/a/2.PNG", "rbsc/4.png"]);
    assert_eq!(studio.keys("process").await, [""; 0]);
    let made = ["digital/a/1 +%.tif", "digital/a/2.tif", "rbsc/4.tif"];
    for _ in 0..2 {
        let ran = studio.reindex("rerun pyramid digital/a/ rbsc/ --json").exits(0).json();
        assert_eq!((&ran["asked"], &ran["dry-run"]), (&3.into(), &false.into()));
        assert!(studio.requests().await.iter().all(|request| request["force"] == true));
        studio.reindex("run pyramid").exits(0);
        assert_eq!(studio.status()["counts"]["renditions"], 3, "what is forced is made again");
        assert_eq!((studio.keys("images").await, studio.requests().await.len()), (made.map(String::from).into(), 0));
    }
    let all = studio.reindex("rerun pyramid --all --dry-run --json").exits(0).json();
    assert_eq!(all["asked"], 4, "those of the recipe's prefixes");
}
