//! Whole runs of the recipe for pyramid images, on embedded stores and the real libvips.

mod gallery;

use std::io::{BufRead, BufReader};

use gallery::{Gallery, picture};
use serde_json::{Value, json};

use crate::{contract::image::files::pdf, plugins::root};

const RECORDS: &str = "[plugin.settings.records]";

#[test]
fn every_size_of_the_specification_comes_out_and_is_noted_in_the_record() {
    let gallery = Gallery::new("", RECORDS);
    let rows = [
        ((8000, 6000), (4000, 3000)),
        ((6000, 8000), (3000, 4000)),
        ((4001, 4000), (4000, 3999)),
        ((4096, 300), (4000, 293)),
        ((4000, 4000), (4000, 4000)),
    ];
    let protected = [
        ((8000, 6000), (747, 560)),
        ((900, 700), (720, 560)),
        ((700, 900), (436, 560)),
        ((800, 600), (747, 560)),
        ((843, 560), (843, 560)),
        ((560, 843), (372, 560)),
    ];
    let name = |folder: &str, (width, height): (u32, u32)| format!("{folder}/{width}x{height}");
    for (own, _) in rows {
        gallery.with(&(name("free", own) + ".png"), picture(own.0, own.1));
    }
    for (own, _) in protected {
        let key = name("copyright", own) + ".png";
        gallery.master(&key, picture(own.0, own.1), &[]);
        gallery.ask(&key, &json!({ "copyrightStatus": "Copyright" }));
    }
    gallery.records(&["free/8000x6000.png", "copyright/900x700.png"]);
    gallery.run(0);
    let expected = rows.map(|row| ("free", row)).into_iter().chain(protected.map(|row| ("copyright", row)));
    for (folder, (own, made)) in expected {
        assert_eq!(gallery.size(&(name(folder, own) + ".tif")), made, "{folder} {own:?}");
    }
    assert_eq!(gallery.requests(), [""; 0]);
    let record = gallery.record("copyright/900x700.png").unwrap();
    assert_eq!((&record["height"], &record["width"]), (&json!(560), &json!(720)));
    assert!(record["processedAt"].as_str().unwrap().ends_with('Z'));
    assert_eq!(gallery.record("free/8000x6000.png").unwrap()["width"], 4000);
    assert_eq!(gallery.record("free/4096x300.png"), None);
    let counts = gallery.counts();
    assert_eq!((&counts["done"], &counts["renditions"], &counts["records"]), (&json!(11), &json!(11), &json!(2)));
    assert!(counts["pixels"].as_u64().unwrap() > 2 * 48_000_000, "{counts}");
}

#[test]
fn a_tiff_is_written_as_its_preset_says() {
    const TILE_WIDTH: u16 = 322;
    const COMPRESSION: u16 = 259;
    const PREDICTOR: u16 = 317;
    for (settings, tile, compression) in [("", 512, 8), ("tile = 128\ncompression = \"lzw\"", 128, 5)] {
        let gallery = Gallery::new(settings, "");
        gallery.with("p.png", picture(900, 700));
        gallery.run(0);
        let tags = gallery.tiff("p.tif").tags;
        assert_eq!((tags[&TILE_WIDTH][0], tags[&COMPRESSION][0], tags[&PREDICTOR][0]), (tile, compression, 2));
    }
    let gallery = Gallery::new("", "");
    gallery.change("preset = \"archive\"", "preset = \"serving\"");
    gallery.with("p.png", picture(900, 700));
    gallery.run(0);
    let tags = gallery.tiff("p.tif").tags;
    assert_eq!((tags[&TILE_WIDTH][0], tags[&COMPRESSION][0]), (256, 7));
}

#[test]
fn an_image_is_turned_as_it_says_and_keeps_its_profile() {
    const PROFILE: u16 = 34675;
    let gallery = Gallery::new("", "");
    gallery.with("a/dawn.jpg", std::fs::read(root().join("recipes/sample/masters/digital/dawn.jpg")).unwrap());
    gallery.run(0);
    assert_eq!(gallery.size("a/dawn.tif"), (480, 640));
    assert_eq!(gallery.tiff("a/dawn.tif").tags[&PROFILE].len(), 736);
}

#[test]
fn the_first_page_of_a_document_is_made_and_the_document_copied_where_that_is_allowed() {
    let refused = Gallery::new("", "");
    refused.with("a/p.PDF", pdf(2));
    let ran = refused.run(3);
    assert!(ran.err.contains("untrusted-loaders"), "{}", ran.err);
    assert!(refused.image("a/p.tif").is_none() && refused.image("a/p.pdf").is_none());
    let gallery = Gallery::new("", "[image]\nuntrusted-loaders = true");
    gallery.with("a/p.PDF", pdf(2));
    gallery.run(0);
    assert_eq!(gallery.size("a/p.tif"), (300, 600));
    assert_eq!(gallery.image("a/p.pdf").unwrap().size, pdf(2).len() as u64);
    assert_eq!(gallery.requests(), [""; 0]);
}

#[test]
fn the_status_comes_from_the_request_else_from_the_object_else_from_the_recipe() {
    let gallery = Gallery::new("", "");
    gallery.change("default-status = \"\"", "default-status = \"copyright\"");
    for (key, metadata, request) in [
        ("recipe.png", "", json!({})),
        ("object.png", "free", json!({})),
        ("request.png", "copyright", json!({ "copyrightStatus": "free" })),
    ] {
        let metadata: Vec<_> =
            Some(("copyrightstatus", metadata)).into_iter().filter(|said| !said.1.is_empty()).collect();
        gallery.master(key, picture(900, 700), &metadata);
        gallery.ask(key, &request);
    }
    gallery.run(0);
    let sizes = ["recipe.tif", "object.tif", "request.tif"].map(|key| gallery.size(key));
    assert_eq!(sizes, [(720, 560), (900, 700), (900, 700)]);
}

#[test]
fn of_two_masters_of_one_stem_one_is_made_and_the_other_refused_also_later() {
    let gallery = Gallery::new("", "");
    let keys = ["a/p.jpg.png", "a/q.png", "a/q.PNG"];
    keys.iter().for_each(|key| gallery.with(key, picture(64, 48)));
    let ran = gallery.run(3);
    assert!(ran.err.contains("`a/q.tif` is made of `a/q.PNG`"), "{}", ran.err);
    assert_eq!(gallery.size("a/p.jpg.tif"), (64, 48));
    assert_eq!(gallery.requests(), ["requests/a-q.png.json"]);
    // The master whose TIFF it is goes away: then it is the other one's.
    std::fs::remove_file(gallery.path("masters/a/q.PNG")).unwrap();
    gallery.0.reindex("retry pyramid").exits(0);
    assert_eq!(gallery.image("a/q.tif").unwrap().metadata["master-ending"], ".png");
    assert_eq!(gallery.requests(), [""; 0]);
}

#[test]
fn what_is_made_already_is_left_alone_unless_it_is_forced_or_another_master_came() {
    let gallery = Gallery::new("", "");
    let renditions = |request: &Value| {
        gallery.ask("p.png", request);
        gallery.run(0);
        assert_eq!(gallery.requests(), [""; 0]);
        gallery.counts()["renditions"].clone()
    };
    gallery.master("p.png", picture(64, 48), &[]);
    assert_eq!(renditions(&json!({})), 1);
    assert_eq!(renditions(&json!({})), 0);
    assert_eq!(renditions(&json!({ "force": true })), 1);
    gallery.master("p.png", picture(65, 48), &[]);
    assert_eq!(renditions(&json!({ "eTag": "of an event that came late" })), 1);
    assert_eq!(gallery.size("p.tif"), (65, 48));
    assert_eq!(renditions(&json!({ "copyrightStatus": "copyright" })), 1);
}

#[test]
fn a_master_that_fails_keeps_its_request_with_the_reason_and_is_tried_again() {
    let gallery = Gallery::new("", "");
    let whole = picture(640, 480);
    gallery.with("a/broken.png", &whole[..whole.len() / 2]);
    gallery.with("a/text.tif", "no image at all");
    gallery.with("a/bomb.png", picture(30_000, 30_000));
    gallery.with("a/whole.png", picture(64, 48));
    gallery.ask("a/gone.png", &json!({}));
    gallery.ask("a/notes.txt", &json!({}));
    let ran = gallery.run(3);
    assert!(ran.err.contains("max-pixels"), "{}", ran.err);
    let counts = gallery.counts();
    let parts = ["done", "failed", "not-found", "skipped"].map(|part| counts[part].as_u64().unwrap());
    assert_eq!(parts, [1, 3, 1, 1], "{counts}");
    for key in ["a/broken.tif", "a/text.tif", "a/bomb.tif"] {
        assert!(gallery.image(key).is_none(), "{key}");
    }
    assert_eq!(gallery.requests().len(), 5);
    gallery.master("a/broken.png", whole, &[]);
    gallery.0.reindex("retry pyramid").exits(3);
    assert_eq!(gallery.size("a/broken.tif"), (640, 480));
    assert_eq!(gallery.requests().len(), 4);
}

#[test]
fn settings_that_cannot_be_are_all_found_before_anything_runs() {
    let gallery = Gallery::new("tiles = 256\nquality = 0", "[plugin.settings.records]\nhight = \"h\"");
    gallery.with("p.png", picture(64, 48));
    for command in ["check pyramid", "run pyramid"] {
        let refused = gallery.0.reindex(command).exits(2);
        insta::assert_snapshot!("settings", refused.err);
    }
    assert_eq!(gallery.requests().len(), 1);
    assert!(gallery.0.reindex("status pyramid").exits(0).err.contains("no run yet"));
}

#[test]
fn keys_of_all_kinds_are_found_and_kept() {
    let gallery = Gallery::new("", "");
    let long = format!("{}/{}.png", vec!["灯".repeat(84); 3].join("/"), "b".repeat(200));
    let keys = ["p.png", "a+b/100%.png", "a%2Bb/c.png", " a / b .png", "写真/灯.PNG", long.as_str()];
    keys.iter().for_each(|key| gallery.with(key, picture(64, 48)));
    gallery.run(0);
    for key in keys {
        assert_eq!(gallery.size(&(key[..key.len() - 4].to_owned() + ".tif")), (64, 48), "{key}");
    }
    assert_eq!(gallery.requests(), [""; 0]);
}

const MASTERS: [&str; 3] = ["a/p.png", "a/q.png", "b/r.pdf"];

fn hung() -> Gallery {
    let gallery = Gallery::new("", &format!("{RECORDS}\n[image]\nuntrusted-loaders = true"));
    for key in MASTERS {
        gallery.with(key, if key.ends_with("pdf") { pdf(1) } else { picture(900, 700) });
    }
    gallery.with("a/broken.png", "no image at all");
    gallery.records(&MASTERS);
    gallery
}

#[test]
fn a_run_killed_after_any_event_ends_like_an_undisturbed_one() {
    let undisturbed = hung();
    undisturbed.run(3);
    let expected = undisturbed.left(&MASTERS);
    assert_eq!((expected.images.len(), expected.requests.len()), (4, 1));
    for event in 0.. {
        let gallery = hung();
        let mut child = gallery.0.start("run pyramid --log json");
        let log = BufReader::new(child.stderr.take().unwrap());
        let heard = log.lines().take(event).map_while(Result::ok).count();
        child.kill().unwrap();
        child.wait().unwrap();
        gallery.run(3);
        assert_eq!(gallery.left(&MASTERS), expected, "killed after event {event}");
        if heard < event {
            assert!(event > 5, "only {event} events");
            break;
        }
    }
}
