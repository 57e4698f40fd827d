//! What a file is by its first bytes, where libvips says nothing because it may not open it.

/// A kind of files whose readers are not tested against hostile ones.
pub(super) struct Kind {
    /// The word for it.
    pub word: &'static str,
    /// What people call it.
    name: &'static str,
}

impl Kind {
    /// Why it is not opened, and what that would mean.
    pub fn refusal(&self) -> String {
        format!(
            "{} files are not opened, for their readers are not tested against hostile ones; if you trust whoever made \
             them, write `untrusted-loaders = true` under `[image]`",
            self.name
        )
    }
}

const fn kind(word: &'static str, name: &'static str) -> Kind {
    Kind { word, name }
}

/// Any other.
pub(super) const OTHER: Kind = kind("magick", "Such");

/// Bytes, where they stand, and the kind of files in which they do.
const KINDS: [(&[u8], usize, Kind); 16] = [
    (b"BM", 0, kind("bmp", "BMP")),
    (b"%PDF-", 0, kind("pdf", "PDF")),
    (b"%!PS", 0, kind("eps", "EPS")),
    (b"\xc5\xd0\xd3\xc6", 0, kind("eps", "EPS")),
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
const SVG: Kind = kind("svg", "SVG");

/// The kind of a file that begins like this.
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

/// A text with the root element somewhere near its beginning.
fn is_svg(beginning: &[u8]) -> bool {
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
    text.starts_with(b"<") && text.windows(4).any(|at| at.eq_ignore_ascii_case(b"<svg"))
}

#[cfg(test)]
mod tests {
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
        assert_eq!(word(b""), None);
    }
}
