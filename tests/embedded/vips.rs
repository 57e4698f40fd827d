//! The suite of images on libvips, and what only it can suffer: hostile files, processes that die, disks without room.

mod processes;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use bytesize::ByteSize;
use reindex::{
    backend::{Program, files::Bucket, vips::Vips},
    capability::image::{Config, Flaw, Images as _, Origin},
    error::Kind,
    recipe::Recipe,
    record::{Compression, Step},
};
use tempfile::TempDir;

use crate::contract::image::{self, Opener, files, gradient, pixels, plain, rendition, size, tiff};

fn program() -> Program {
    Program { file: env!("CARGO_BIN_EXE_reindex-image-worker").into(), arguments: Vec::new() }
}

/// What a recipe has that says nothing of images.
fn config() -> Config {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.toml");
    fs::write(directory.path().join("x.wasm"), "").unwrap();
    fs::write(
        &path,
        "recipe = 1\n[plugin]\nfile = 'x.wasm'\n[source.scan]\ntable = 'x'\nkey = 'id'\nversion = 'none'\n",
    )
    .unwrap();
    Recipe::load(&path, &|_| None).unwrap().image
}

struct Place {
    _kept: TempDir,
    root: PathBuf,
    vips: Arc<Vips>,
    opener: Opener,
}

fn place(config: Config) -> Place {
    let kept = tempfile::tempdir().unwrap();
    let root = kept.path().join("scratch");
    at(kept, root, config)
}

fn at(kept: TempDir, root: PathBuf, config: Config) -> Place {
    let vips = Arc::new(Vips::new(program(), config, &root).unwrap());
    let bucket = Arc::new(Bucket::open(kept.path().join("bucket")));
    Place { _kept: kept, root, opener: Opener { images: vips.clone(), bucket }, vips }
}

fn signal(name: &str, process: u32) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

/// Says what was not tested; in CI everything has to be.
#[expect(clippy::print_stderr, reason = "a test that did not run must say so")]
fn untested(what: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none(), "in CI every test has to run, and {what} is not tested: {why}");
    eprintln!("NOT TESTED: {what}: {why}");
}

/// Everything under a directory that is a file.
fn left(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { left(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn libvips_keeps_the_promises_of_images() {
    let place = place(config());
    image::headers(&place.opener).await;
    image::flaws(&place.opener).await;
    image::turns(&place.opener).await;
    image::colours(&place.opener).await;
    image::pages_and_tags(&place.opener).await;
    image::metadata(&place.opener).await;
    pixels::matrix(&place.opener).await;
    pixels::pngs(&place.opener).await;
    pixels::flat(&place.opener).await;
    pixels::lab(&place.opener).await;
    assert_eq!(fs::read_dir(&place.root).unwrap().count(), 3, "a lock for all, a directory and its lock");
    let Place { root, vips, opener, _kept } = place;
    drop((vips, opener));
    assert_eq!(left(&root), [root.join("lock")], "nothing is left behind");
}

#[tokio::test]
async fn a_rendition_has_the_size_that_was_measured() {
    image::sizes(&place(config()).opener).await;
}

#[tokio::test]
async fn what_is_too_much_is_refused_with_the_key_to_raise() {
    let small = Config { max_pixels: 1000, max_pages: 2, max_bands: 3, max_bytes: ByteSize::mib(1), ..config() };
    let place = place(small);
    let files: [(&str, Vec<u8>); 5] = [
        ("max-pixels", files::bomb(200, 200)),
        ("max-pages", files::gif(3)),
        ("max-bands", files::png(3, 3, files::Colour::Rgba, 8, |_, _| vec![0; 4])),
        ("max-bytes", vec![0; 2 << 20]),
        ("max-pages", files::tiff(&[(3, 3); 5])),
    ];
    for (key, file) in files {
        place.opener.put(key, file).await;
        let flaw = place.opener.describe(key).await.unwrap_err();
        assert!(matches!(&flaw, Flaw::Refused(why) if why.contains(&format!("`{key}` under `[image]`"))), "{flaw:?}");
    }
    // A later page may be larger than the first, and a picture larger than the image.
    place.opener.put("second", files::tiff(&[(3, 3), (900, 900)])).await;
    let mut second = rendition("second", &[], plain());
    second.picture.page = 1;
    let flaw = place.opener.render(&second).await.err();
    assert!(matches!(flaw, Some(Flaw::Refused(why)) if why.contains("max-pixels")));
    let enlarged = Step::Thumbnail { bounds: size(9000, 9000), enlarge: true };
    let flaw = place.opener.render(&rendition("second", &[enlarged], plain())).await.err();
    assert!(matches!(flaw, Some(Flaw::Refused(why)) if why.contains("max-pixels")));
}

#[tokio::test]
async fn readers_that_nobody_tests_are_used_only_if_the_recipe_says_so() {
    let kinds = [("BMP", files::bmp(9, 7)), ("SVG", files::svg(9, 7)), ("PDF", files::pdf(3))];
    let (guarded, trusting) = (place(config()), place(Config { untrusted_loaders: true, ..config() }));
    for (name, file) in kinds {
        guarded.opener.put("x.jpg", file.clone()).await;
        let flaw = guarded.opener.describe("x.jpg").await.unwrap_err();
        let said = |why: &str| why.starts_with(name) && why.contains("untrusted-loaders");
        assert!(matches!(&flaw, Flaw::Refused(why) if said(why)), "{flaw:?}");
        trusting.opener.put(name, file).await;
        let header = trusting.opener.describe(name).await.unwrap();
        assert_eq!(header.format, name.to_lowercase());
        assert_eq!(header.pages, if name == "PDF" { 3 } else { 1 });
        trusting.opener.made(name, &[Step::Thumbnail { bounds: size(40, 40), enlarge: true }], plain()).await;
    }
    pixels::light(&trusting.opener).await;
    let mut page = rendition("PDF", &[], plain());
    (page.picture.page, page.picture.density) = (2, Some(144.0));
    assert_eq!(trusting.opener.render(&page).await.unwrap().size, size(144, 288));
}

/// A pyramid, whose levels libvips writes at the side.
fn pyramid() -> reindex::record::Format {
    reindex::record::Format::Tiff(reindex::record::Tiff { pyramid: true, tile: 128, ..tiff(Compression::Deflate) })
}

#[tokio::test]
async fn a_master_that_is_cut_off_or_damaged_has_its_decoders_words_for_a_reason() {
    let place = place(Config { workers: 1, ..config() });
    let noise = |x: u32, y: u32| (x * 7919 + y * 104_729).wrapping_mul(2_654_435_761).to_le_bytes()[1..].to_vec();
    place.opener.put("whole", files::png(700, 500, files::Colour::Rgb, 8, noise)).await;
    let strips = reindex::record::Format::Tiff(tiff(Compression::Lzw));
    let mut masters = vec![("png", files::png(700, 500, files::Colour::Rgb, 8, noise))];
    masters.push(("jpeg", place.opener.made("whole", &[], image::jpeg(90)).await.bytes));
    masters.push(("tiff", place.opener.made("whole", &[], strips).await.bytes));
    for (name, whole) in masters {
        for share in [30, 60, 90] {
            let mut damaged = whole.clone();
            let at = whole.len() * share / 100;
            if name == "tiff" {
                // Its directory stands at the end.
                damaged[at..at + 2000].fill(0xff);
            } else {
                damaged.truncate(at);
            }
            place.opener.put("x", damaged).await;
            for steps in [vec![], vec![Step::Reduce(size(300, 300))]] {
                let flaw = place.opener.render(&rendition("x", &steps, pyramid())).await.err();
                let says = |why: &str| !why.is_empty() && !why.contains("signal") && !why.contains("no reason");
                assert!(matches!(&flaw, Some(Flaw::Unreadable(why)) if says(why)), "{name}, {share} %: {flaw:?}");
            }
        }
    }
    assert!(place.opener.render(&rendition("whole", &[], pyramid())).await.is_ok());
}

#[tokio::test]
async fn no_reader_looks_at_what_is_not_opened() {
    let place = place(Config { workers: 1, ..config() });
    place.opener.put("good", gradient(9, 9)).await;
    place.opener.describe("good").await.unwrap();
    let process = place.vips.processes();
    let svg =
        "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>".to_owned() + &"<rect width='9'/>".repeat(99);
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(svg.as_bytes()).unwrap();
    let zipped = zip.finish().unwrap();
    place.opener.put("svgz.jpg", &zipped[..zipped.len() - 20]).await;
    let flaw = place.opener.describe("svgz.jpg").await.unwrap_err();
    let advises = |why: &str| why.starts_with("SVG") && why.contains("untrusted-loaders");
    assert!(matches!(&flaw, Flaw::Refused(why) if advises(why)), "{flaw:?}");
    // The setting would not open these.
    let strips = reindex::record::Format::Tiff(tiff(Compression::Lzw));
    let mut lzw = place.opener.made("good", &[], strips).await.bytes;
    lzw.truncate(lzw.len() / 2);
    let others = [
        ("zeros", vec![0; 100_000]),
        ("lzw", lzw),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec()),
        ("empty", vec![]),
    ];
    for (name, file) in others {
        place.opener.put(name, file).await;
        let flaw = place.opener.describe(name).await.unwrap_err();
        let says = |why: &str| !why.is_empty() && !why.contains("untrusted-loaders") && !why.contains("no reason");
        assert!(matches!(&flaw, Flaw::Unreadable(why) if says(why)), "{name}: {flaw:?}");
    }
    assert_eq!(place.vips.processes(), process, "none of them cost a process");
}

#[tokio::test]
async fn what_libvips_only_logs_is_a_reason() {
    let place = place(config());
    let whole = files::png(40, 40, files::Colour::Rgb, 8, |x, y| vec![x.to_le_bytes()[0], y.to_le_bytes()[0], 9]);
    let header = 8 + 8;
    for (name, at, value) in [("no width", header + 3, 0), ("a colour type", header + 9, 1), ("a depth", header + 8, 5)]
    {
        let mut broken = whole.clone();
        broken[at] = value;
        let mut crc = flate2::Crc::new();
        crc.update(&broken[header - 4..header + 13]);
        broken[header + 13..header + 17].copy_from_slice(&crc.sum().to_be_bytes());
        place.opener.put(name, broken).await;
        let flaw = place.opener.describe(name).await.unwrap_err();
        assert!(matches!(&flaw, Flaw::Unreadable(why) if !why.contains("no reason")), "{name}: {flaw:?}");
    }
}

#[tokio::test]
async fn a_profile_that_is_too_large_to_be_handed_on_is_kept_all_the_same() {
    let place = place(Config { max_profile: ByteSize::kib(64), ..config() });
    let profile = vec![7; 100_000];
    let written = files::Written {
        width: 40,
        height: 30,
        photometric: 2,
        bits: 8,
        numbers: 1,
        samples: 3,
        extra: vec![],
        profile,
    };
    place.opener.put("x", written.file(|_, _| vec![1, 2, 3])).await;
    let flaw = place.opener.describe("x").await.unwrap_err();
    let says = |why: &str| why.contains("97.7 KiB") && why.contains("`max-profile` under `[image]`, which is 64.0 KiB");
    assert!(matches!(&flaw, Flaw::Refused(why) if says(why)), "{flaw:?}");
    let keep = reindex::record::Format::Tiff(reindex::record::Tiff {
        keep: reindex::record::Kept::Profile,
        ..tiff(Compression::None)
    });
    assert!(place.opener.made("x", &[], keep).await.bytes.len() > 100_000);
}

#[tokio::test]
async fn a_broken_profile_and_broken_exif_leave_a_picture() {
    let place = place(config());
    let rows: Vec<u8> = (0..20).flat_map(|_| vec![0; 61]).collect();
    let profile = [b"junk\0\0".to_vec(), files::zipped(&[7; 300])].concat();
    let png = files::png_of(20, 20, files::Colour::Rgb, 8, &[("iCCP", profile)], &rows);
    place.opener.put("profile", png).await;
    let srgb = Step::Colour { space: reindex::record::Space::Srgb, ignore_profile: false };
    place.opener.made("profile", &[srgb], plain()).await;
    place.opener.put("plain", gradient(20, 20)).await;
    let jpeg = place.opener.made("plain", &[], image::jpeg(90)).await.bytes;
    place.opener.put("exif", files::with_segment(&jpeg, 0xe1, b"Exif\0\0MM\0\x2a\0\0\0\x08\xff\xff\xff\xff")).await;
    assert_eq!(place.opener.describe("exif").await.unwrap().orientation, 1);
    place.opener.made("exif", &[Step::Orient, srgb], image::jpeg(90)).await;
    let broken = files::with_segment(&jpeg, 0xe2, &[b"ICC_PROFILE\0\x01\x01".to_vec(), vec![9; 200]].concat());
    place.opener.put("icc", broken).await;
    place.opener.made("icc", &[srgb], plain()).await;
}

#[tokio::test]
async fn an_image_that_takes_too_long_or_too_much_costs_itself_alone() {
    let hasty = place(Config { wall: Duration::from_millis(30), ..config() });
    hasty.opener.put("x", gradient(4000, 4000)).await;
    let slow = rendition("x", &[Step::Sharpen { sigma: 3.0, amount: 1.0 }], plain());
    let flaw = hasty.opener.render(&slow).await.err();
    assert!(matches!(&flaw, Some(Flaw::Fatal(why)) if why.contains("`wall` under `[image]`")), "{flaw:?}");
    let poor = place(Config { memory: ByteSize::mib(100), ..config() });
    poor.opener.put("small", gradient(50, 50)).await;
    poor.opener.put("high", files::bomb(5000, 10_000)).await;
    poor.opener.put("wide", files::bomb(2_000_000, 50)).await;
    let turned = rendition("high", &[Step::Turn(90)], plain());
    assert!(poor.opener.render(&turned).await.is_ok(), "what is turned lies on the disk");
    let wide = rendition("wide", &[Step::Reduce(size(1000, 1000))], plain());
    let (flaw, small) = futures::future::join(poor.opener.render(&wide), poor.opener.describe("small")).await;
    assert!(
        matches!(flaw.as_ref().err(), Some(Flaw::Fatal(why)) if why.contains("`memory` under `[image]`")),
        "{:?}",
        flaw.err()
    );
    assert!(small.is_ok());
}

#[tokio::test]
async fn an_image_is_fetched_once_for_all_that_is_made_of_it() {
    let place = place(config());
    place.opener.put("x", gradient(300, 200)).await;
    place.opener.describe("x").await.unwrap();
    let files = left(&place.root).len();
    place.opener.made("x", &[Step::Reduce(size(10, 10))], plain()).await;
    assert_eq!(left(&place.root).len(), files);
}

#[tokio::test]
async fn scratch_is_bounded_and_what_does_not_fit_is_refused() {
    let place = place(Config { scratch: ByteSize::mib(40), workers: 2, ..config() });
    place.opener.put("x", gradient(600, 600)).await;
    let rendition = rendition("x", &[], image::jpeg(80));
    let makes: Vec<_> = (0..6).map(|_| place.opener.render(&rendition)).collect();
    let made = futures::future::join_all(makes).await;
    assert!(made.iter().all(Result::is_ok), "each waits for room, and none for each other");
    place.opener.put("large", gradient(3000, 3000)).await;
    let flaw = place.opener.render(&image::rendition("large", &[], plain())).await.err();
    assert!(matches!(&flaw, Some(Flaw::Refused(why)) if why.contains("`scratch` under `[image]`")), "{flaw:?}");
}

#[tokio::test]
async fn what_a_dead_process_left_behind_is_removed() {
    let place = place(config());
    fs::create_dir_all(place.root.join("images-dead/1/in")).unwrap();
    fs::write(place.root.join("images-dead/1/in/image"), "x").unwrap();
    fs::write(place.root.join("images-dead.lock"), "").unwrap();
    let lives = Arc::new(Vips::new(program(), config(), &place.root).unwrap());
    let bytes = Origin::Bytes(gradient(3, 3).into());
    lives.describe(&bytes).await.unwrap().unwrap();
    assert!(!place.root.join("images-dead").exists() && !place.root.join("images-dead.lock").exists());
    let before = left(&place.root).len();
    assert!(place.vips.describe(&bytes).await.unwrap().is_ok());
    assert!(left(&place.root).len() > before, "who lives keeps what it has");
}

/// A disk of 48 MiB; it takes an administrator to make one.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=48m", "none"]).arg(at).output();
        mounted.is_ok_and(|mounted| mounted.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_stops_the_run_and_blames_no_image() {
    let kept = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(&kept.path().join("disk")) else {
        untested("a full disk", "only an administrator can make a small one");
        return;
    };
    let place = at(kept, disk.0.join("scratch"), config());
    place.opener.put("x", gradient(60, 60)).await;
    place.opener.describe("x").await.unwrap();
    let full = |error: reindex::error::Error| {
        assert_eq!((error.kind(), error.message()), (Kind::Unavailable, "the disk is full"), "{error:?}");
    };
    // No room for what is made: noise of some 60 MB.
    let enlarged = Step::Thumbnail { bounds: size(5000, 5000), enlarge: true };
    let large = rendition("x", &[enlarged], reindex::record::Format::Tiff(tiff(Compression::None)));
    full(place.vips.render(&place.opener.origin("x"), &large).await.err().unwrap());
    let deflated = rendition("x", &[enlarged, Step::Sharpen { sigma: 0.6, amount: 9.0 }], {
        reindex::record::Format::Tiff(reindex::record::Tiff { pyramid: true, tile: 256, ..tiff(Compression::None) })
    });
    full(place.vips.render(&place.opener.origin("x"), &deflated).await.err().unwrap());
    // No room for what is fetched.
    place.opener.put("y", vec![1; 60 << 20]).await;
    full(place.vips.describe(&place.opener.origin("y")).await.err().unwrap());
    assert!(place.opener.describe("x").await.is_ok(), "there is room again");
}
