//! Every kind of pixels comes out right in every level of a pyramid, or is refused. What was written is decoded without
//! libvips.

use std::io::Cursor;

use reindex::{
    capability::image::Flaw,
    record::{Compression, Format, Step, Tiff},
};
use tiff::decoder::{Decoder, DecodingResult};

use super::{
    Opener,
    files::{Colour, Written, png},
    rendition, size,
};

/// Six blocks, three beside each other, of one colour each: they stay what they are, however small they become.
const BLOCK: u32 = 32;
const SIZE: (u32, u32) = (3 * BLOCK, 2 * BLOCK);

/// How TIFFs mean colours.
const WHITE_IS_ZERO: u16 = 0;
const GREY: u16 = 1;
const RGB: u16 = 2;
const CMYK: u16 = 5;
const YCBCR: u16 = 6;
const LAB: u16 = 8;
const ICC_LAB: u16 = 9;

/// How TIFFs mean numbers, and what they have beside colours.
const UNSIGNED: u16 = 1;
const SIGNED: u16 = 2;
const FLOAT: u16 = 3;
const OTHER: u16 = 0;
const WEIGHED: u16 = 1;
const CLEAR: u16 = 2;

/// Half-way: transparent enough to show, and opaque enough for colours to survive.
fn opacity(block: u64, most: u64) -> u64 {
    most * (50 + block * 8) / 100
}

/// A number of a block as it should come out, before anything is done with it.
fn number(block: u64, band: usize, most: u64) -> u64 {
    (block * 37 + band as u64 * 53 + 20) % 256 * most / 255
}

fn block((x, y): (u32, u32)) -> u64 {
    u64::from(y / BLOCK * 3 + x / BLOCK)
}

struct Case {
    photometric: u16,
    bits: u16,
    numbers: u16,
    extra: Vec<u16>,
}

impl Case {
    fn colours(&self) -> usize {
        match self.photometric {
            WHITE_IS_ZERO | GREY => 1,
            CMYK => 4,
            _ => 3,
        }
    }

    fn most(&self) -> u64 {
        if self.bits == 8 { 255 } else { 65535 }
    }

    /// The numbers of a pixel as it should come out; none if the file is to be refused.
    fn wanted(&self, block: u64) -> Option<Vec<u64>> {
        let readable = match self.photometric {
            LAB => self.bits == 8 && self.extra.is_empty(),
            CMYK => self.bits == 8 || !self.extra.contains(&WEIGHED),
            YCBCR | ICC_LAB => false,
            WHITE_IS_ZERO => self.extra.len() < 2 && !self.extra.contains(&WEIGHED),
            GREY => self.extra.len() < 2,
            _ => true,
        };
        let is_late = self.extra.first() == Some(&OTHER) && self.extra.contains(&CLEAR);
        if !readable || self.numbers != UNSIGNED || self.bits > 16 || is_late {
            return None;
        }
        let mut pixel: Vec<_> = (0..self.colours()).map(|band| number(block, band, self.most())).collect();
        if self.extra.first().is_some_and(|extra| *extra != OTHER) {
            pixel.push(opacity(block, self.most()));
        }
        Some(pixel)
    }

    /// The bytes of a pixel as stored.
    fn stored(&self, block: u64) -> Vec<u8> {
        let most = self.most();
        let alpha = opacity(block, most);
        let colours = (0..self.colours()).map(|band| match (self.photometric, self.extra.first()) {
            (WHITE_IS_ZERO, _) => most - number(block, band, most),
            (_, Some(&WEIGHED)) => (number(block, band, most) * alpha + most / 2) / most,
            _ => number(block, band, most),
        });
        let extra = self.extra.iter().map(|kind| if *kind == OTHER { 7 * block } else { alpha });
        let numbers: Vec<_> = colours.chain(extra).collect();
        let bytes = |number: u64| match (self.bits, self.numbers) {
            (32, FLOAT) => (number as f32 / most as f32).to_le_bytes().to_vec(),
            _ => number.to_le_bytes()[..usize::from(self.bits) / 8].to_vec(),
        };
        numbers.into_iter().flat_map(bytes).collect()
    }

    fn file(&self) -> Vec<u8> {
        let written = Written {
            width: SIZE.0,
            height: SIZE.1,
            photometric: self.photometric,
            bits: self.bits,
            numbers: self.numbers,
            samples: self.colours() as u16 + self.extra.len() as u16,
            extra: self.extra.clone(),
            profile: Vec::new(),
        };
        written.file(|x, y| self.stored(block((x, y))))
    }

    fn name(&self) -> String {
        let Self { photometric, bits, numbers, extra } = self;
        format!("photometric {photometric}, {bits} bits of kind {numbers}, extra {extra:?}")
    }
}

fn cases() -> Vec<Case> {
    let extras: [&[u16]; 6] = [&[], &[CLEAR], &[WEIGHED], &[OTHER], &[CLEAR, OTHER], &[OTHER, CLEAR]];
    let forms = [(8, UNSIGNED), (16, UNSIGNED), (32, UNSIGNED), (8, SIGNED), (16, SIGNED), (32, SIGNED), (32, FLOAT)];
    let mut cases = Vec::new();
    for photometric in [WHITE_IS_ZERO, GREY, RGB, CMYK, YCBCR, LAB, ICC_LAB] {
        for (bits, numbers) in forms {
            let some = if bits <= 16 && numbers == UNSIGNED { &extras[..] } else { &extras[..1] };
            cases.extend(some.iter().map(|extra| Case { photometric, bits, numbers, extra: extra.to_vec() }));
        }
    }
    cases
}

fn pyramid(compression: Compression) -> Tiff {
    Tiff { pyramid: true, tile: 16, quality: 95, rgb_jpeg: true, ..super::tiff(compression) }
}

/// A level: its size, how many numbers a pixel has, and all of them.
struct Level {
    width: usize,
    height: usize,
    bands: usize,
    bits: u8,
    numbers: Vec<u64>,
}

impl Level {
    /// The pixel in the middle of a block.
    fn middle(&self, block: usize) -> &[u64] {
        let (x, y) = ((block % 3 * 2 + 1) * self.width / 6, (block / 3 * 2 + 1) * self.height / 4);
        &self.numbers[(y * self.width + x) * self.bands..][..self.bands]
    }
}

/// Decodes every level of a TIFF. The decoder knows no CIELAB, which is three numbers like any other.
fn levels(mut file: Vec<u8>) -> Vec<Level> {
    let lab = b"\x06\x01\x03\0\x01\0\0\0\x08\0";
    for at in 0..file.len() - lab.len() {
        if file[at..].starts_with(lab) {
            file[at + 8] = RGB.to_le_bytes()[0];
        }
    }
    let mut decoder = Decoder::new(Cursor::new(file)).unwrap();
    let mut levels = Vec::new();
    loop {
        let (width, height) = decoder.dimensions().unwrap();
        let colour = decoder.colortype().unwrap();
        let numbers = match decoder.read_image().unwrap() {
            DecodingResult::U8(numbers) => numbers.into_iter().map(u64::from).collect(),
            DecodingResult::U16(numbers) => numbers.into_iter().map(u64::from).collect(),
            _ => panic!("a level has strange numbers: {colour:?}"),
        };
        let (bands, bits) = (usize::from(colour.num_samples()), colour.bit_depth());
        levels.push(Level { width: width as usize, height: height as usize, bands, bits, numbers });
        if !decoder.more_images() {
            return levels;
        }
        decoder.next_image().unwrap();
    }
}

/// Holds all levels against what was to come, each number within a tolerance of 8-bit steps.
fn compare(levels: &[Level], first: (u32, u32), most: u64, steps: u64, wanted: impl Fn(u64) -> Vec<u64>, name: &str) {
    let sizes: Vec<_> = levels.iter().map(|level| (level.width as u32, level.height as u32)).collect();
    let mut expected = vec![first];
    while expected.last().is_some_and(|(width, height)| width.max(height) > &16) {
        let (width, height) = expected[expected.len() - 1];
        expected.push((width / 2, height / 2));
    }
    assert_eq!(sizes, expected, "{name}");
    for (n, level) in levels.iter().enumerate() {
        assert_eq!(level.bits, if most == 255 { 8 } else { 16 }, "{name}, level {n}");
        for block in 0..6 {
            let (found, wanted) = (level.middle(block), wanted(block as u64));
            // Numbers of CIELAB are signed, and turn around.
            let off = |(found, wanted): (&u64, &u64)| found.abs_diff(*wanted).min(most + 1 - found.abs_diff(*wanted));
            let worst = found.iter().zip(&wanted).map(off).max().unwrap_or_default();
            assert!(
                found.len() == wanted.len() && worst <= steps * most / 255,
                "{name}, level {n}, block {block}: {found:?}, not {wanted:?}"
            );
        }
    }
}

/// Each kind of TIFF, as it is and reduced.
pub async fn matrix(opener: &Opener) {
    let half = size(SIZE.0 / 2, SIZE.1 / 2);
    let (mut made, mut refused) = (0, 0);
    for case in cases() {
        opener.put("case", case.file()).await;
        // What was weighed with few steps is known to as few.
        let steps = if case.extra.contains(&WEIGHED) { 3 } else { 1 };
        for (reduce, first) in [(None, SIZE), (Some(Step::Reduce(half)), (half.width, half.height))] {
            let reduce: Vec<_> = reduce.into_iter().collect();
            let name = format!("{}, {reduce:?}", case.name());
            let rendition = rendition("case", &reduce, Format::Tiff(pyramid(Compression::Deflate)));
            let Some(_) = case.wanted(0) else {
                let flaw = opener.render(&rendition).await.err();
                assert!(
                    matches!(&flaw, Some(Flaw::Refused(why) | Flaw::Unreadable(why)) if !why.is_empty()),
                    "{name}: {flaw:?}"
                );
                assert_eq!(opener.measure(&rendition).await.err(), flaw, "{name}: a dry run says the same");
                refused += 1;
                continue;
            };
            let done = opener.render(&rendition).await.unwrap_or_else(|flaw| panic!("{name}: {flaw:?}"));
            compare(&levels(done.bytes), first, case.most(), steps, |block| case.wanted(block).unwrap(), &name);
            made += 1;
        }
    }
    assert!(made > 40 && refused > 40, "{made} made, {refused} refused");
}

/// Each kind of PNG, as it is and reduced.
pub async fn pngs(opener: &Opener) {
    let half = size(SIZE.0 / 2, SIZE.1 / 2);
    for (colour, bands, alpha) in
        [(Colour::Grey, 1, false), (Colour::GreyAlpha, 2, true), (Colour::Rgb, 3, false), (Colour::Rgba, 4, true)]
    {
        for (bits, most) in [(8, 255), (16, 65535)] {
            let wanted = |block: u64| -> Vec<u64> {
                let number =
                    |band| if alpha && band == bands - 1 { opacity(block, most) } else { number(block, band, most) };
                (0..bands).map(number).collect()
            };
            let stored = |x, y| -> Vec<u8> {
                let bytes = |number: u64| number.to_be_bytes()[8 - bits as usize / 8..].to_vec();
                wanted(block((x, y))).into_iter().flat_map(bytes).collect()
            };
            opener.put("case", png(SIZE.0, SIZE.1, colour, bits, stored)).await;
            for reduce in [&[][..], &[Step::Reduce(half)]] {
                let first = if reduce.is_empty() { SIZE } else { (half.width, half.height) };
                let made = opener.made("case", reduce, Format::Tiff(pyramid(Compression::None))).await;
                compare(&levels(made.bytes), first, most, 1, wanted, &format!("{colour:?} of {bits} bits, {reduce:?}"));
            }
        }
    }
}

/// Formats without transparency lie on black; whatever there is beside colours has no part in it.
pub async fn flat(opener: &Opener) {
    let extras: [&[u16]; 4] = [&[], &[CLEAR], &[OTHER], &[CLEAR, OTHER]];
    for (photometric, bits) in [(GREY, 8), (GREY, 16), (RGB, 8), (RGB, 16), (CMYK, 8), (CMYK, 16)] {
        for extra in extras.iter().filter(|extra| photometric != GREY || extra.len() < 2) {
            let case = Case { photometric, bits, numbers: UNSIGNED, extra: extra.to_vec() };
            opener.put("case", case.file()).await;
            let name = format!("JPEG of {}", case.name());
            let made = opener.made("case", &[], Format::Tiff(pyramid(Compression::Jpeg))).await;
            let levels = levels(made.bytes);
            let alpha = extra.first() == Some(&CLEAR);
            if photometric == CMYK && alpha {
                assert!(levels.iter().all(|level| level.bands == 3), "{name}");
                continue;
            }
            let wanted = |block| -> Vec<u64> {
                let weight = if alpha { opacity(block, 255) } else { 255 };
                (0..case.colours()).map(|band| number(block, band, 255) * weight / 255).collect()
            };
            compare(&levels, SIZE, 255, 8, wanted, &name);
            opener.made("case", &[Step::Flatten([255, 255, 255])], super::jpeg(80)).await;
        }
    }
}

/// CIELAB that becomes RGB: what has no colour has none.
pub async fn lab(opener: &Opener) {
    let grey = Written {
        width: 64,
        height: 64,
        photometric: LAB,
        bits: 8,
        numbers: UNSIGNED,
        samples: 3,
        extra: vec![],
        profile: vec![],
    };
    // A lightness of 50 is the grey 119 in sRGB.
    opener.put("lab", grey.file(|_, _| vec![128, 0, 0])).await;
    let header = opener.describe("lab").await.unwrap();
    assert_eq!((header.bands, header.bits, header.colour.as_str(), header.alpha), (3, 8, "lab", false));
    for steps in [
        &[][..],
        &[Step::Reduce(size(32, 32))],
        &[Step::Flatten([1, 2, 3])],
        &[Step::Sharpen { sigma: 1.0, amount: 1.0 }],
    ] {
        let made = opener.made("lab", steps, Format::Tiff(pyramid(Compression::Jpeg))).await;
        for level in levels(made.bytes) {
            let pixel = level.middle(4);
            assert!(pixel.len() == 3 && pixel.iter().all(|number| number.abs_diff(119) <= 3), "{steps:?}: {pixel:?}");
        }
    }
    opener
        .put(
            "png",
            opener
                .made("lab", &[], Format::Png { compression: 6, palette: None, keep: reindex::record::Kept::All })
                .await
                .bytes,
        )
        .await;
    assert_eq!(opener.describe("png").await.unwrap().colour, "srgb");
}

/// Light in floating-point numbers is a picture where the file says what it means.
pub async fn light(opener: &Opener) {
    let mut file = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 64 +X 64\n".to_vec();
    // An exponent of 128 and a half: linear 0.25, which is 137 in sRGB.
    file.extend([64, 64, 64, 128].repeat(64 * 64));
    opener.put("light", file).await;
    let levels = levels(opener.made("light", &[], Format::Tiff(pyramid(Compression::Deflate))).await.bytes);
    assert!(levels.len() > 1);
    for level in levels {
        let pixel = level.middle(4);
        assert!(level.bits == 16 && pixel.len() == 3, "{pixel:?}");
        assert!(pixel.iter().all(|number| (number / 257).abs_diff(137) <= 2), "{pixel:?}");
    }
}
