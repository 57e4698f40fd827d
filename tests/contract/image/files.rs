//! Image files, good ones and hostile ones, written byte by byte: nothing of the kind lies in the repository.

use std::{collections::BTreeMap, io::Write as _};

use flate2::{Compression, Crc, write::ZlibEncoder};

/// How the numbers of a PNG are meant.
#[derive(Debug, Clone, Copy)]
pub enum Colour {
    Grey = 0,
    Rgb = 2,
    Palette = 3,
    GreyAlpha = 4,
    Rgba = 6,
}

impl Colour {
    fn bands(self) -> usize {
        match self {
            Self::Grey | Self::Palette => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// A PNG whose pixels a function says, as bytes of one pixel.
pub fn png(width: u32, height: u32, colour: Colour, depth: u8, pixel: impl Fn(u32, u32) -> Vec<u8>) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..height {
        rows.push(0);
        (0..width).for_each(|x| rows.extend(pixel(x, y)));
    }
    png_of(width, height, colour, depth, &[], &rows)
}

/// A PNG of black, as large as it is said to be, of hardly any bytes.
pub fn bomb(width: u32, height: u32) -> Vec<u8> {
    let row = 1 + (width as usize) * Colour::Rgb.bands();
    png_of(width, height, Colour::Rgb, 8, &[], &vec![0; row * height as usize])
}

/// A PNG with more chunks before its pixels.
pub fn png_of(width: u32, height: u32, colour: Colour, depth: u8, more: &[(&str, Vec<u8>)], rows: &[u8]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut head = [width.to_be_bytes(), height.to_be_bytes()].concat();
    head.extend([depth, colour as u8, 0, 0, 0]);
    chunk(&mut file, "IHDR", &head);
    if matches!(colour, Colour::Palette) {
        chunk(&mut file, "PLTE", &[255, 0, 0, 0, 255, 0, 0, 0, 255]);
    }
    more.iter().for_each(|(name, data)| chunk(&mut file, name, data));
    chunk(&mut file, "IDAT", &zipped(rows));
    chunk(&mut file, "IEND", &[]);
    file
}

pub fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut zip = ZlibEncoder::new(Vec::new(), Compression::fast());
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap()
}

fn chunk(file: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut crc = Crc::new();
    crc.update(name.as_bytes());
    crc.update(data);
    file.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
    file.extend(name.as_bytes());
    file.extend(data);
    file.extend(crc.sum().to_be_bytes());
}

/// A JPEG that says how it is to be turned.
pub fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    with_segment(jpeg, 0xe1, &exif)
}

/// A JPEG with one more segment at its beginning.
pub fn with_segment(jpeg: &[u8], marker: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, data, &jpeg[2..]].concat()
}

/// A TIFF of grey pages, each of its own size, whose pixels are the number of the page.
pub fn tiff(pages: &[(u32, u32)]) -> Vec<u8> {
    let mut file = b"II\x2a\0\0\0\0\0".to_vec();
    let mut pointer = 4;
    for (number, (width, height)) in pages.iter().enumerate() {
        let (at, bytes) = (file.len(), (width * height) as usize);
        file.extend(vec![u8::try_from(number).unwrap(); bytes + bytes % 2]);
        let here = u32::try_from(file.len()).unwrap();
        file[pointer..pointer + 4].copy_from_slice(&here.to_le_bytes());
        let tags = [
            (256, *width),
            (257, *height),
            (258, 8),
            (259, 1),
            (262, 1),
            (273, u32::try_from(at).unwrap()),
            (277, 1),
            (278, *height),
            (279, u32::try_from(bytes).unwrap()),
        ];
        file.extend(u16::try_from(tags.len()).unwrap().to_le_bytes());
        for (tag, value) in tags {
            file.extend(u16::to_le_bytes(tag));
            file.extend([4, 0, 1, 0, 0, 0]);
            file.extend(u32::to_le_bytes(value));
        }
        pointer = file.len();
        file.extend([0; 4]);
    }
    file
}

/// A TIFF of one page in one strip, as it is described.
pub struct Written {
    pub width: u32,
    pub height: u32,
    pub photometric: u16,
    pub bits: u16,
    /// 1 unsigned, 2 signed, 3 floating-point.
    pub numbers: u16,
    pub samples: u16,
    /// What the last samples are: 0 anything, 1 and 2 transparency.
    pub extra: Vec<u16>,
    /// The colour profile.
    pub profile: Vec<u8>,
}

impl Written {
    /// The file; a function says the bytes of each pixel.
    pub fn file(&self, pixel: impl Fn(u32, u32) -> Vec<u8>) -> Vec<u8> {
        let pixels: Vec<u8> = (0..self.height)
            .flat_map(|y| (0..self.width).map(move |x| (x, y)))
            .flat_map(|(x, y)| pixel(x, y))
            .collect();
        let shorts = |values: &[u16]| (3u16, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>());
        let long = |value: u32| (4u16, value.to_le_bytes().to_vec());
        let length = u32::try_from(pixels.len()).unwrap();
        let each = |value: u16| vec![value; self.samples.into()];
        let mut tags = vec![
            (256u16, long(self.width)),
            (257, long(self.height)),
            (258, shorts(&each(self.bits))),
            (259, shorts(&[1])),
            (262, shorts(&[self.photometric])),
            (273, long(8)),
            (277, shorts(&[self.samples])),
            (278, long(self.height)),
            (279, long(length)),
            (338, shorts(&self.extra)),
            (339, shorts(&each(self.numbers))),
            (34675, (7, self.profile.clone())),
        ];
        tags.retain(|(_, (_, data))| !data.is_empty());
        let mut file = b"II\x2a\0\0\0\0\0".to_vec();
        file.extend(pixels);
        file.resize(file.len().next_multiple_of(2), 0);
        let mut entries = Vec::new();
        for (tag, (kind, mut data)) in tags {
            let count = u32::try_from(data.len()).unwrap()
                / if kind == 3 {
                    2
                } else if kind == 4 {
                    4
                } else {
                    1
                };
            if data.len() > 4 {
                let at = u32::try_from(file.len()).unwrap();
                data.resize(data.len().next_multiple_of(2), 0);
                file.extend(std::mem::replace(&mut data, at.to_le_bytes().to_vec()));
            }
            data.resize(4, 0);
            entries.push([&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &data].concat());
        }
        let at = u32::try_from(file.len()).unwrap();
        file[4..8].copy_from_slice(&at.to_le_bytes());
        file.extend(u16::try_from(entries.len()).unwrap().to_le_bytes());
        file.extend(entries.concat());
        file.extend([0; 4]);
        file
    }
}

/// A GIF of some frames, each of one colour.
pub fn gif(frames: usize) -> Vec<u8> {
    let mut file = b"GIF89a\x02\0\x02\0\x80\0\0\xff\0\0\0\0\xff".to_vec();
    for _ in 0..frames {
        file.extend(b"\x21\xf9\x04\0\x0a\0\0\0");
        // Clear, four times colour 0, end: codes of three bits.
        file.extend(b"\x2c\0\0\0\0\x02\0\x02\0\0\x02\x03\x04\x00\x05\0");
    }
    file.push(0x3b);
    file
}

/// A BMP of one colour.
pub fn bmp(width: u32, height: u32) -> Vec<u8> {
    let row = (width * 3).next_multiple_of(4);
    let mut file = b"BM".to_vec();
    file.extend((54 + row * height).to_le_bytes());
    file.extend([0; 4]);
    file.extend(54u32.to_le_bytes());
    file.extend(40u32.to_le_bytes());
    file.extend([width.to_le_bytes(), height.to_le_bytes()].concat());
    file.extend(b"\x01\0\x18\0");
    file.extend([0; 24]);
    file.extend(vec![0x80; (row * height) as usize]);
    file
}

pub fn svg(width: u32, height: u32) -> Vec<u8> {
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}'><rect width='9' height='9'/></svg>"
    )
    .into_bytes()
}

/// A PDF of blank pages, 72 points wide and 144 high.
pub fn pdf(pages: usize) -> Vec<u8> {
    let kids: String = (0..pages).map(|n| format!("{} 0 R ", n + 3)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {pages} >>"),
    ];
    objects.extend((0..pages).map(|_| "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 144] >>".to_owned()));
    let mut file = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (n, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", n + 1));
    }
    let at = file.len();
    file.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    places.iter().for_each(|place| file.push_str(&format!("{place:010} 00000 n \n")));
    let size = objects.len() + 1;
    file.push_str(&format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n"));
    file.into_bytes()
}

/// A TIFF, taken apart: its first directory and the bytes of its first strip.
pub struct Tiff {
    pub tags: BTreeMap<u16, Vec<u64>>,
    pub pixels: Vec<u8>,
}

/// Reads a little-endian TIFF of the classic kind.
pub fn read_tiff(file: &[u8]) -> Tiff {
    assert_eq!(&file[..4], b"II\x2a\0", "no such TIFF");
    let number =
        |at: usize, bytes: usize| file[at..at + bytes].iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte));
    let directory = usize::try_from(number(4, 4)).unwrap();
    let mut tags = BTreeMap::new();
    for n in 0..usize::try_from(number(directory, 2)).unwrap() {
        let at = directory + 2 + 12 * n;
        let bytes = match number(at + 2, 2) {
            3 => 2,
            4 => 4,
            5 => 8,
            _ => 1,
        };
        let count = usize::try_from(number(at + 4, 4)).unwrap();
        let data = if bytes * count <= 4 { at + 8 } else { usize::try_from(number(at + 8, 4)).unwrap() };
        let values = (0..count).map(|n| number(data + n * bytes, bytes)).collect();
        tags.insert(u16::try_from(number(at, 2)).unwrap(), values);
    }
    let strip =
        |tag: u16| tags.get(&tag).and_then(|values: &Vec<u64>| values.first()).map(|n| usize::try_from(*n).unwrap());
    let pixels = match (strip(273), strip(279)) {
        (Some(at), Some(length)) => file[at..at + length].to_vec(),
        _ => Vec::new(),
    };
    Tiff { tags, pixels }
}
