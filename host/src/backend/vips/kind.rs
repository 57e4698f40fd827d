//! What a file is by its first bytes, where libvips says nothing because it may not open it.

/// A kind of files.
pub(super) struct Kind {
    /// The word for it.
    pub word: &'static str,
    /// What people call it.
    name: &'static str,
    /// Whether its reader is not tested against hostile files.
    pub untrusted: bool,
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

const fn untrusted(word: &'static str, name: &'static str) -> Kind {
    Kind { word, name, untrusted: true }
}

/// Bytes, where they stand, and the kind of files in which they do.
const KINDS: [(&[u8], usize, Kind); 16] = [
    (b"BM", 0, untrusted("bmp", "BMP")),
    (b"%PDF-", 0, untrusted("pdf", "PDF")),
    (b"%!PS", 0, untrusted("eps", "EPS")),
    (b"\xc5\xd0\xd3\xc6", 0, untrusted("eps", "EPS")),
    (b"\0\0\0\x0cjP  \r\n\x87\n", 0, untrusted("jp2k", "JPEG 2000")),
    (b"\xff\x4f\xff\x51", 0, untrusted("jp2k", "JPEG 2000")),
    (b"\0\0\0\x0cJXL \r\n\x87\n", 0, untrusted("jxl", "JPEG XL")),
    (b"\xff\x0a", 0, untrusted("jxl", "JPEG XL")),
    (b"SIMPLE  =", 0, untrusted("fits", "FITS")),
    (b"\x76\x2f\x31\x01", 0, untrusted("openexr", "OpenEXR")),
    (b"8BPS", 0, untrusted("psd", "Photoshop")),
    (b"#?RADIANCE", 0, untrusted("rad", "Radiance")),
    (b"#?RGBE", 0, untrusted("rad", "Radiance")),
    (b"\0\0\x01\0", 0, untrusted("ico", "icon")),
    (b"MATLAB 5.0", 0, untrusted("mat", "MATLAB")),
    (b"n+1\0", 344, untrusted("nifti", "NIfTI")),
];

const PPM: Kind = untrusted("ppm", "PPM");
const SVG: Kind = untrusted("svg", "SVG");

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
