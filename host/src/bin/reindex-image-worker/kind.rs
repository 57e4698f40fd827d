//! The kind of a file by its first bytes. libvips gets a file only after this check: its own readers would open the
//! file to find the kind, and those that are not tested against hostile files have hung on it.

use std::io::Read as _;

use flate2::read::GzDecoder;

/// The kinds that are opened, in words.
pub(super) const OPENED: &str = "JPEG, PNG, TIFF, WebP, GIF, HEIF and AVIF";

/// First bytes of a file, and its reader.
const READERS: [(&[u8], &str); 8] = [
    (b"\xff\xd8\xff", "jpegload"),
    (b"\x89PNG\r\n\x1a\n", "pngload"),
    (b"GIF8", "gifload"),
    (b"II\x2a\0", "tiffload"),
    (b"MM\0\x2a", "tiffload"),
    (b"II\x2b\0", "tiffload"),
    (b"MM\0\x2b", "tiffload"),
    // And `WEBP` after the length.
    (b"RIFF", "webpload"),
];

/// The brands of HEIF files that are images, AVIF among them.
const BRANDS: [&[u8; 4]; 11] =
    [b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1", b"avif", b"avis"];

/// Returns the reader for these first bytes, if their kind is one of [`OPENED`].
pub(super) fn reader(beginning: &[u8]) -> Option<&'static str> {
    if let [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] = beginning {
        return BRANDS.iter().any(|known| brand.starts_with(*known)).then_some("heifload");
    }
    let (_, reader) = READERS.iter().find(|(bytes, _)| beginning.starts_with(bytes))?;
    let is_webp = beginning.get(8..12) == Some(b"WEBP");
    (*reader != "webpload" || is_webp).then_some(reader)
}

/// A kind of files whose readers are not tested against hostile files.
#[derive(Debug)]
pub(super) struct Kind {
    /// The word for it.
    pub word: &'static str,
    /// Its usual name.
    name: &'static str,
    /// Its reader, if libvips' own search for one is not safe.
    pub reader: Option<&'static str>,
}

impl Kind {
    /// Whether it is never opened: Ghostscript renders it, which ImageMagick starts, which the sandbox does not allow.
    pub fn is_never_opened(&self) -> bool {
        self.word == EPS
    }

    /// Why it is not opened, and which setting allows it.
    pub fn refusal(&self) -> String {
        if self.is_never_opened() {
            return "EPS files are not opened: it takes a program to draw them, and none is started here".to_owned();
        }
        format!(
            "{} files are not opened, for their readers are not tested against hostile ones; if you trust the origin \
             of the files, write `untrusted-loaders = true` under `[image]`",
            self.name
        )
    }
}

const EPS: &str = "eps";

const fn kind(word: &'static str, name: &'static str) -> Kind {
    Kind { word, name, reader: None }
}

/// Bytes, their offset, and the kind of files that have them there.
const KINDS: [(&[u8], usize, Kind); 16] = [
    (b"BM", 0, kind("bmp", "BMP")),
    (b"%PDF-", 0, kind("pdf", "PDF")),
    (b"%!PS", 0, kind(EPS, "EPS")),
    (b"\xc5\xd0\xd3\xc6", 0, kind(EPS, "EPS")),
    (b"\0\0\0\x0cjP  \r\n\x87\n", 0, kind("jp2k", "JPEG 2000")),
    (b"\xff\x4f\xff\x51", 0, kind("jp2k", "JPEG 2000")),
    (b"\0\0\0\x0cJXL \r\n\x87\n", 0, kind("jxl", "JPEG XL")),
    (b"\xff\x0a", 0, kind("jxl", "JPEG XL")),
    (b"SIMPLE  =", 0, kind("fits", "FITS")),
    (b"\x76\x2f\x31\x01", 0, kind("openexr", "OpenEXR")),
    (b"8BPS", 0, kind("psd", "Photoshop")),
    (b"#?RADIANCE", 0, kind("rad", "Radiance")),
    (b"#?RGBE", 0, kind("rad", "Radiance")),
    (b"\0\0\x01\0", 0, kind("ico", "icon")),
    (b"MATLAB 5.0", 0, kind("mat", "MATLAB")),
    (b"n+1\0", 344, kind("nifti", "NIfTI")),
];

const PPM: Kind = kind("ppm", "PPM");
const SVG: Kind = Kind { word: "svg", name: "SVG", reader: Some("svgload") };

/// Returns the kind of these first bytes, if it is one that is not opened by default.
pub(super) fn of(beginning: &[u8]) -> Option<&'static Kind> {
    let stands =
        |(bytes, at, _): &&(&[u8], usize, Kind)| beginning.get(*at..).is_some_and(|rest| rest.starts_with(bytes));
    let known = KINDS.iter().find(stands).map(|(_, _, kind)| kind);
    known.or_else(|| is_ppm(beginning).then_some(&PPM)).or_else(|| is_svg(beginning).then_some(&SVG))
}

/// `P1` to `P7`, and more lines of text.
fn is_ppm(beginning: &[u8]) -> bool {
    matches!(beginning, [b'P', b'1'..=b'7' | b'F' | b'f', space, ..] if space.is_ascii_whitespace())
}

/// A text with the root element near its beginning, compressed or not.
fn is_svg(beginning: &[u8]) -> bool {
    let unpacked = unpacked(beginning);
    let text = unpacked.as_deref().unwrap_or(beginning);
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    text.starts_with(b"<") && text.windows(4).any(|at| at.eq_ignore_ascii_case(b"<svg"))
}

/// The first bytes of a gzip file, unpacked; the cut end is ignored.
fn unpacked(beginning: &[u8]) -> Option<Vec<u8>> {
    if !beginning.starts_with(b"\x1f\x8b") {
        return None;
    }
    let (mut file, mut text, mut byte) = (GzDecoder::new(beginning), Vec::new(), [0]);
    while text.len() < beginning.len() && matches!(file.read(&mut byte), Ok(1)) {
        text.extend(byte);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    #[test]
    fn a_kind_is_told_by_its_bytes_alone() {
        let word = |bytes: &[u8]| of(bytes).map(|kind| kind.word);
        assert_eq!(word(b"BM\x36\0"), Some("bmp"));
        assert_eq!(word(b"%PDF-1.7\n"), Some("pdf"));
        assert_eq!(word(b"%!PS-Adobe-3.0 EPSF-3.0"), Some("eps"));
        assert_eq!(word(b"P6\n4 4 255\n"), Some("ppm"));
        assert_eq!(word(b"<?xml version='1.0'?>\n<!-- a -->\n<svg xmlns='x'/>"), Some("svg"));
        assert_eq!(word(b"<html><body/></html>"), None);
        assert_eq!(word(b"\x89PNG\r\n\x1a\n"), None);
        assert_eq!(word(&[0; 4096]), None);
        assert_eq!(word(b""), None);
    }

    #[test]
    fn a_compressed_svg_is_told_also_when_it_is_cut_off() {
        let mut zip = GzEncoder::new(Vec::new(), Compression::best());
        zip.write_all(b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>").unwrap();
        (0..=99u8).for_each(|n| zip.write_all(format!("<rect x='{}'/>", n.wrapping_mul(89)).as_bytes()).unwrap());
        let whole = zip.finish().unwrap();
        for length in [whole.len(), whole.len() - 8, whole.len() / 2] {
            assert_eq!(of(&whole[..length]).map(|kind| kind.word), Some("svg"), "{length} of {}", whole.len());
        }
        assert!(of(&whole[..10]).is_none());
    }

    #[test]
    fn the_kinds_that_are_opened_have_their_reader_and_nothing_else_has_one() {
        for (bytes, loader) in READERS.iter().filter(|(_, loader)| *loader != "webpload") {
            assert_eq!(reader(&[bytes, b"more bytes".as_slice()].concat()), Some(*loader));
        }
        assert_eq!(reader(b"RIFF\0\0\0\0WEBPVP8 "), Some("webpload"));
        assert_eq!(reader(b"RIFF\0\0\0\0WAVEfmt "), None);
        assert_eq!(reader(b"\0\0\0\x18ftypheic\0\0\0\0"), Some("heifload"));
        assert_eq!(reader(b"\0\0\0\x18ftypisom\0\0\0\0"), None);
        for bytes in [b"".as_slice(), b"II", b"BM\x36\0", b"\x1f\x8b\x08", b"<svg/>", &[0; 4096]] {
            assert_eq!(reader(bytes), None, "{bytes:?}");
        }
    }
}
