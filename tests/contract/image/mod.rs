//! What whoever opens images promises.

pub mod files;
pub mod pixels;

use std::sync::Arc;

use futures::TryStreamExt as _;
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use reindex::{
    capability::{
        image::{Answer, Flaw, Images, Origin},
        storage::Bucket,
    },
    record::{Compression, Format, Kept, Picture, Rendition, Size, Space, Step, Tiff},
};

use self::files::{Colour, png, read_tiff, with_orientation};

/// Opens images of one bucket.
#[derive(Clone)]
pub struct Opener {
    pub images: Arc<dyn Images>,
    pub bucket: Arc<dyn Bucket>,
}

/// A picture that was made.
pub struct Made {
    pub picture: Size,
    pub size: Size,
    pub bytes: Vec<u8>,
}

pub fn size(width: u32, height: u32) -> Size {
    Size { width, height }
}

pub fn tiff(compression: Compression) -> Tiff {
    Tiff {
        pyramid: false,
        tile: 0,
        compression,
        quality: 85,
        subifd: false,
        bigtiff: false,
        rgb_jpeg: false,
        resolution: None,
        keep: Kept::Nothing,
    }
}

/// The pixels as they are.
pub fn plain() -> Format {
    Format::Tiff(tiff(Compression::None))
}

pub fn jpeg(quality: u8) -> Format {
    Format::Jpeg { quality, progressive: false, keep: Kept::All }
}

pub fn rendition(key: &str, steps: &[Step], format: Format) -> Rendition {
    let picture = Picture { bucket: "b".into(), key: key.into(), etag: None, page: 0, density: None };
    Rendition { picture, steps: steps.to_vec(), format }
}

/// Colours that are nowhere the same.
pub fn gradient(width: u32, height: u32) -> Vec<u8> {
    png(width, height, Colour::Rgb, 8, |x, y| vec![x.to_le_bytes()[0], y.to_le_bytes()[0], 128])
}

impl Opener {
    pub async fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.bucket.put(key, bytes.into(), None).await.unwrap();
    }

    pub fn origin(&self, key: &str) -> Origin {
        Origin::Object { bucket: self.bucket.clone(), name: "b".into(), key: key.into() }
    }

    pub async fn describe(&self, key: &str) -> Answer<reindex::capability::image::Header> {
        self.images.describe(&self.origin(key)).await.unwrap()
    }

    pub async fn measure(&self, rendition: &Rendition) -> Answer<Size> {
        self.images.measure(&self.origin(&rendition.picture.key), rendition).await.unwrap()
    }

    /// Makes a rendition, and holds what was said of it against what it is.
    pub async fn render(&self, rendition: &Rendition) -> Answer<Made> {
        let origin = self.origin(&rendition.picture.key);
        let rendered = self.images.render(&origin, rendition).await.unwrap()?;
        let bytes = rendered.content.try_collect::<Vec<_>>().await.unwrap().concat();
        assert_eq!(bytes.len() as u64, rendered.bytes);
        assert_eq!(self.measure(rendition).await, Ok(rendered.size), "{rendition:?}");
        Ok(Made { picture: rendered.picture, size: rendered.size, bytes })
    }

    pub async fn made(&self, key: &str, steps: &[Step], format: Format) -> Made {
        let rendition = rendition(key, steps, format);
        self.render(&rendition).await.unwrap_or_else(|flaw| panic!("{rendition:?}: {flaw:?}"))
    }
}

/// An image is what its bytes say.
pub async fn headers(opener: &Opener) {
    opener.put("photo.jpg", gradient(40, 30)).await;
    let header = opener.describe("photo.jpg").await.unwrap();
    assert_eq!((header.format.as_str(), header.width, header.height, header.pages), ("png", 40, 30, 1));
    assert_eq!((header.bands, header.bits, header.colour.as_str(), header.alpha), (3, 8, "srgb", false));
    assert_eq!((header.size, header.orientation, header.profile), (gradient(40, 30).len() as u64, 1, None));
    opener.put("deep", png(4, 4, Colour::GreyAlpha, 16, |_, _| vec![1, 2, 3, 4])).await;
    let header = opener.describe("deep").await.unwrap();
    assert_eq!((header.bands, header.bits, header.colour.as_str(), header.alpha), (2, 16, "grey16", true));
    opener.put("pages", files::tiff(&[(8, 6), (5, 3), (2, 2)])).await;
    let header = opener.describe("pages").await.unwrap();
    assert_eq!((header.format.as_str(), header.width, header.height, header.pages), ("tiff", 8, 6, 3));
    opener.put("moving", files::gif(3)).await;
    let header = opener.describe("moving").await.unwrap();
    assert_eq!((header.format.as_str(), header.width, header.height, header.pages), ("gif", 2, 2, 3));
    let jpeg = opener.made("photo.jpg", &[], jpeg(90)).await.bytes;
    opener.put("turned", with_orientation(&jpeg, 6)).await;
    let header = opener.describe("turned").await.unwrap();
    assert_eq!((header.format.as_str(), header.width, header.height, header.orientation), ("jpeg", 40, 30, 6));
    let bytes = Origin::Bytes(gradient(7, 5).into());
    assert_eq!(opener.images.describe(&bytes).await.unwrap().unwrap().width, 7);
}

/// What is wrong with one image is said of it alone.
pub async fn flaws(opener: &Opener) {
    assert_eq!(opener.describe("absent").await.unwrap_err(), Flaw::Missing);
    let whole = gradient(300, 300);
    opener.put("cut", &whole[..whole.len() / 2]).await;
    opener.put("empty", []).await;
    opener.put("text.jpg", "no image at all, but a sentence").await;
    opener.put("numbers.png", "2 2\n1 2\n3 4\n").await;
    for key in ["empty", "text.jpg", "numbers.png"] {
        let flaw = opener.describe(key).await.unwrap_err();
        assert!(matches!(&flaw, Flaw::Unreadable(why) if !why.is_empty()), "{key}: {flaw:?}");
    }
    let cut = opener.render(&rendition("cut", &[], plain())).await.err();
    assert!(matches!(&cut, Some(Flaw::Unreadable(why)) if !why.contains("in/")), "{cut:?}");
    opener.put("one", gradient(5, 5)).await;
    let mut second = rendition("one", &[], plain());
    second.picture.page = 1;
    assert!(matches!(opener.measure(&second).await, Err(Flaw::Unreadable(_))));
    let mut older = rendition("one", &[], plain());
    older.picture.etag = Some("another".into());
    assert!(matches!(opener.render(&older).await.err(), Some(Flaw::Changed)));
    let etag = opener.bucket.head_many(&["one".to_owned()]).await.unwrap()[0].clone().unwrap().etag;
    older.picture.etag = Some(etag);
    assert!(opener.render(&older).await.is_ok());
    opener.put("one", gradient(6, 6)).await;
    assert!(matches!(opener.measure(&older).await, Err(Flaw::Changed)));
    assert_eq!(opener.describe("one").await.unwrap().width, 6, "nothing old is kept");
}

/// Every rendition comes out as it was measured, to the pixel.
pub async fn sizes(opener: &Opener) {
    let sizes = [(1, 1), (1, 100_000), (100_000, 1), (333, 77), (4001, 400), (843, 560), (17, 1000)];
    for (width, height) in sizes {
        let key = format!("{width}x{height}");
        opener.put(&key, png(width, height, Colour::Grey, 8, |x, y| vec![(x + y).to_le_bytes()[0]])).await;
        for bounds in [size(400, 400), size(843, 560), size(1, 1), size(7, 3000)] {
            let reduced = opener.made(&key, &[Step::Reduce(bounds)], plain()).await;
            assert_eq!(
                (reduced.picture, reduced.size),
                (size(width, height), size(width, height).fitted(bounds, false))
            );
            let thumbnail = Step::Thumbnail { bounds, enlarge: width * height < 1000 };
            opener.made(&key, &[thumbnail], jpeg(80)).await;
        }
    }
    let mut runner = TestRunner::new(Config::default());
    let cases = (1u32..2000, 1u32..2000, 1u32..900, 1u32..900, 1u8..9);
    for _ in 0..20 {
        let (width, height, across, down, orientation) = cases.new_tree(&mut runner).unwrap().current();
        opener.put("any.png", gradient(width, height)).await;
        let jpeg = opener.made("any.png", &[], jpeg(80)).await.bytes;
        opener.put("any", with_orientation(&jpeg, orientation)).await;
        let bounds = size(across, down);
        for step in [Step::Reduce(bounds), Step::Thumbnail { bounds, enlarge: false }] {
            let upright = if orientation >= 5 { size(height, width) } else { size(width, height) };
            let made = opener.made("any", &[Step::Orient, step], plain()).await;
            assert_eq!(made.size, upright.fitted(bounds, false), "{width} × {height}, {orientation}, {step:?}");
            opener.made("any", &[step, Step::Orient], plain()).await;
            opener.made("any", &[Step::Turn(90), step, Step::Orient, Step::Turn(180)], plain()).await;
        }
    }
}

/// An orientation is followed once, to the pixel, and forgotten.
pub async fn turns(opener: &Opener) {
    // Eight pixels a side of one colour, so that JPEG leaves them alone: light and dark, in this order.
    let stored = [[10, 60, 110], [160, 210, 250]];
    let block = |x: u32, y: u32| vec![stored[y as usize / 8][x as usize / 8]];
    opener.put("stored.png", png(24, 16, Colour::Grey, 8, block)).await;
    let jpeg = opener.made("stored.png", &[], jpeg(100)).await.bytes;
    let upright: [&[&[u8]]; 8] = [
        &[&[10, 60, 110], &[160, 210, 250]],
        &[&[110, 60, 10], &[250, 210, 160]],
        &[&[250, 210, 160], &[110, 60, 10]],
        &[&[160, 210, 250], &[10, 60, 110]],
        &[&[10, 160], &[60, 210], &[110, 250]],
        &[&[160, 10], &[210, 60], &[250, 110]],
        &[&[250, 110], &[210, 60], &[160, 10]],
        &[&[110, 250], &[60, 210], &[10, 160]],
    ];
    for (orientation, rows) in (1..=8).zip(upright) {
        opener.put("stored.jpg", with_orientation(&jpeg, orientation)).await;
        let keep = Format::Tiff(Tiff { keep: Kept::All, ..tiff(Compression::None) });
        let made = opener.made("stored.jpg", &[Step::Orient], keep).await;
        let tiff = read_tiff(&made.bytes);
        let width = made.size.width as usize;
        for (y, row) in rows.iter().enumerate() {
            for (x, wanted) in row.iter().enumerate() {
                let found = tiff.pixels[(y * 8 + 4) * width + x * 8 + 4];
                assert!(found.abs_diff(*wanted) <= 2, "orientation {orientation}, {x} {y}: {found}, not {wanted}");
            }
        }
        assert!(tiff.tags.get(&274).is_none_or(|turn| turn == &[1]), "it would be turned twice");
    }
}

/// Every kind of colours comes out as it went in, and suits what it is written as.
pub async fn colours(opener: &Opener) {
    let tags = |made: &Made, tag: u16| read_tiff(&made.bytes).tags.get(&tag).cloned().unwrap_or_default();
    let (bits, photometric, samples) = (258, 262, 277);
    opener.put("deep", png(9, 9, Colour::Rgb, 16, |_, _| vec![0x80, 0, 0x40, 0, 0x20, 0])).await;
    let deep = opener.made("deep", &[], Format::Tiff(tiff(Compression::Deflate))).await;
    assert_eq!(tags(&deep, bits), [16, 16, 16]);
    let flat = opener.made("deep", &[], Format::Tiff(tiff(Compression::Jpeg))).await;
    assert_eq!(tags(&flat, bits), [8, 8, 8]);
    opener.put("palette", png(9, 9, Colour::Palette, 8, |x, _| vec![x.to_le_bytes()[0] % 3])).await;
    let colours = opener.made("palette", &[], plain()).await;
    assert_eq!(read_tiff(&colours.bytes).pixels[..9], [255, 0, 0, 0, 255, 0, 0, 0, 255]);
    opener.put("veiled", png(9, 9, Colour::GreyAlpha, 8, |_, _| vec![200, 0])).await;
    assert_eq!(tags(&opener.made("veiled", &[], plain()).await, samples), [2]);
    let dark = opener.made("veiled", &[], Format::Tiff(tiff(Compression::Jpeg))).await;
    assert_eq!(tags(&dark, samples), [1]);
    let white = opener.made("veiled", &[Step::Flatten([255, 255, 255])], plain()).await;
    assert!(read_tiff(&white.bytes).pixels.iter().all(|pixel| *pixel == 255), "nothing of what was transparent");
    opener.put("clear", png(9, 9, Colour::Rgba, 16, |_, _| vec![0, 0, 0, 0, 0, 0, 0, 0])).await;
    let red = opener.made("clear", &[Step::Flatten([255, 0, 0])], plain()).await;
    assert_eq!(read_tiff(&red.bytes).pixels[..6], [255, 255, 0, 0, 0, 0]);
    opener.made("clear", &[], jpeg(80)).await;
    opener.put("plain", gradient(64, 64)).await;
    let cmyk = Step::Colour { space: Space::Cmyk, ignore_profile: false };
    let inks = opener.made("plain", &[cmyk], jpeg(90)).await.bytes;
    opener.put("inks", inks).await;
    assert_eq!(opener.describe("inks").await.unwrap().colour, "cmyk");
    assert_eq!(tags(&opener.made("inks", &[], Format::Tiff(tiff(Compression::Deflate))).await, photometric), [5]);
    for ignore_profile in [false, true] {
        let srgb = Step::Colour { space: Space::Srgb, ignore_profile };
        let screen = opener.made("inks", &[srgb], plain()).await;
        assert_eq!((tags(&screen, photometric), tags(&screen, samples)), (vec![2], vec![3]));
    }
    let png = Format::Png { compression: 6, palette: None, keep: Kept::Profile };
    opener.put("screen", opener.made("inks", &[], png).await.bytes).await;
    assert_eq!(opener.describe("screen").await.unwrap().colour, "srgb");
    let grey = Step::Colour { space: Space::Grey, ignore_profile: false };
    for key in ["plain", "inks", "deep", "veiled"] {
        opener.put("grey", opener.made(key, &[grey], jpeg(90)).await.bytes).await;
        assert_eq!(opener.describe("grey").await.unwrap().bands, 1, "{key}");
    }
}

/// A page is one picture; what is asked of TIFF is in its tags.
pub async fn pages_and_tags(opener: &Opener) {
    opener.put("pages", files::tiff(&[(80, 60), (50, 30)])).await;
    let mut second = rendition("pages", &[Step::Reduce(size(25, 25))], plain());
    second.picture.page = 1;
    let made = opener.render(&second).await.unwrap();
    assert_eq!((made.picture, made.size), (size(50, 30), size(25, 15)));
    assert!(read_tiff(&made.bytes).pixels.iter().all(|pixel| *pixel == 1));
    opener.put("moving", files::gif(3)).await;
    assert_eq!(opener.made("moving", &[], jpeg(80)).await.size, size(2, 2));
    opener.put("large", gradient(1100, 700)).await;
    let pyramid = Tiff { pyramid: true, tile: 256, resolution: Some(11.812), ..tiff(Compression::Deflate) };
    let tags = read_tiff(&opener.made("large", &[], Format::Tiff(pyramid)).await.bytes).tags;
    assert_eq!((&tags[&322], &tags[&323], &tags[&259], &tags[&317]), (&vec![256], &vec![256], &vec![8], &vec![2]));
    assert_eq!(tags[&296], [2], "dots an inch");
    let (dots, of) = (tags[&282][0] & 0xffff_ffff, tags[&282][0] >> 32);
    assert_eq!(dots / of, 300);
    let mut subifd = Tiff { subifd: true, ..pyramid };
    subifd.compression = Compression::Jpeg;
    let tags = read_tiff(&opener.made("large", &[], Format::Tiff(subifd)).await.bytes).tags;
    assert!(tags.contains_key(&330) && tags[&259] == [7], "{tags:?}");
    for compression in [Compression::Lzw, Compression::Zstd, Compression::Webp] {
        opener.made("large", &[], Format::Tiff(Tiff { compression, ..pyramid })).await;
    }
    opener.made("large", &[], Format::Tiff(Tiff { bigtiff: true, ..pyramid })).await;
}

const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'>somebody's secret</x:xmpmeta>";

/// What an image says of itself goes where it is asked to, and nowhere else.
pub async fn metadata(opener: &Opener) {
    opener.put("photo", gradient(60, 40)).await;
    let inks = Step::Colour { space: Space::Cmyk, ignore_profile: false };
    let jpeg = opener.made("photo", &[inks], jpeg(90)).await.bytes;
    opener.put("photo", files::with_segment(&with_orientation(&jpeg, 3), 0xe1, XMP)).await;
    assert!(opener.describe("photo").await.unwrap().profile.is_some(), "the profile of the inks");
    for keep in [Kept::All, Kept::Profile, Kept::Nothing] {
        opener
            .put("kept", opener.made("photo", &[], Format::Jpeg { quality: 80, progressive: true, keep }).await.bytes)
            .await;
        let header = opener.describe("kept").await.unwrap();
        assert_eq!(header.profile.is_some(), keep != Kept::Nothing, "{keep:?}");
        assert_eq!(header.orientation, if keep == Kept::All { 3 } else { 1 }, "{keep:?}");
        let bytes = opener.bucket.get_many(&["kept".to_owned()], 1 << 20).await.unwrap().remove(0).unwrap();
        let told = bytes.windows(6).any(|at| at == b"secret");
        assert_eq!(told, keep == Kept::All, "{keep:?}");
    }
}
