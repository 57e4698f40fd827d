//! Opens an image: chooses the reader and the page, and checks the limits. Nothing is decoded here.

use std::{
    fs::File,
    io::{self, Read as _},
};

use reindex::{
    backend::vips::message::{Failed, IMAGE, Limits, Page},
    record::Size,
};

use super::{
    kind::{self, Kind, OPENED},
    operation::{Image, Operation, failure, loader},
};

/// How many bytes of a file are read to find its kind.
const BEGINNING: u64 = 4096;

/// An open page: its header is known, its pixels are not.
pub(super) struct Opened {
    pub(super) image: Image,
    /// Its kind by its bytes: `jpeg`, `png`, ….
    pub(super) format: String,
    pub(super) pages: u32,
    pub(super) loader: String,
    pub(super) page: Page,
}

/// Opens a page within the limits.
pub(super) fn open(page: Page, limits: &Limits) -> Result<Opened, Failed> {
    let loader = find(limits)?;
    let image = load(&loader, page, None)?;
    let pages = image.pages().max(1);
    let format = format(&loader, &image)?;
    let opened = Opened { image, format, pages, loader, page };
    opened.check(limits)?;
    Ok(opened)
}

impl Opened {
    /// The size of the page.
    pub(super) fn size(&self) -> Size {
        Size { width: self.image.width(), height: self.image.height() }
    }

    /// Opens the same page as small as its reader can decode it without being smaller than `wanted`.
    pub(super) fn shrunk(self, wanted: Size) -> Result<Image, Failed> {
        let size = self.size();
        let across = f64::from(wanted.width) / f64::from(size.width);
        let down = f64::from(wanted.height) / f64::from(size.height);
        let scale = across.max(down);
        let option = match self.loader.as_str() {
            "jpegload" => shrink_of_jpeg(1.0 / scale).map(|shrink| ("shrink", shrink.to_string())),
            "webpload" if scale < 1.0 => Some(("scale", scale.to_string())),
            "pdfload" | "svgload" => Some(("scale", scale.to_string())),
            _ => None,
        };
        match option {
            Some((name, value)) => load(&self.loader, self.page, Some((name, &value))),
            None => Ok(self.image),
        }
    }

    fn check(&self, limits: &Limits) -> Result<(), Failed> {
        let Size { width, height } = self.size();
        let raise = |what: String, key: &str, limit: u64| {
            Err(Failed::Refused(format!("it has {what}; raise `{key}` under `[image]`, which is {limit}")))
        };
        if self.size().pixels() > limits.max_pixels {
            return raise(format!("{width} × {height} pixels"), "max-pixels", limits.max_pixels);
        }
        if self.pages > limits.max_pages {
            return raise(format!("{} pages", self.pages), "max-pages", limits.max_pages.into());
        }
        if self.image.bands() > limits.max_bands {
            return raise(format!("{} bands", self.image.bands()), "max-bands", limits.max_bands.into());
        }
        Ok(())
    }
}

/// libjpeg averages blocks, which is coarse: a better filter does the last halving.
fn shrink_of_jpeg(factor: f64) -> Option<u32> {
    [8, 4, 2].into_iter().find(|shrink| factor >= 2.0 * f64::from(*shrink))
}

/// Returns the reader for the file's bytes. libvips searches for one only if every reader is allowed.
fn find(limits: &Limits) -> Result<String, Failed> {
    let beginning = beginning()?;
    if let Some(reader) = kind::reader(&beginning) {
        return Ok(reader.to_owned());
    }
    match kind::of(&beginning) {
        Some(kind) if kind.is_never_opened() || !limits.untrusted_loaders => Err(Failed::Refused(kind.refusal())),
        Some(Kind { reader: Some(reader), .. }) => Ok((*reader).to_owned()),
        None if beginning.is_empty() => Err(Failed::Unreadable("the file is empty".to_owned())),
        None if !limits.untrusted_loaders => {
            Err(Failed::Unreadable(format!("the file does not begin like an image ({OPENED} are opened)")))
        }
        _ => match loader(IMAGE) {
            // libvips reads any two numbers in a text as a matrix.
            Some(loader) if loader != "matrixload" => Ok(loader),
            Some(_) => Err(Failed::Unreadable("the file is a text".to_owned())),
            None => Err(failure()),
        },
    }
}

fn beginning() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(IMAGE)?.take(BEGINNING).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn load(loader: &str, page: Page, option: Option<(&str, &str)>) -> Result<Image, Failed> {
    let mut operation = Operation::new(loader)?.set("filename", IMAGE)?;
    for (name, value) in [("access", "sequential"), ("fail-on", "error")] {
        if operation.knows(name) {
            operation = operation.set(name, value)?;
        }
    }
    if operation.knows("page") {
        operation = operation.set("page", &page.number)?;
    } else if page.number > 0 {
        return Err(Failed::Unreadable(format!("it has a single page, and number {} is asked for", page.number)));
    }
    if let Some(density) = page.density.filter(|_| operation.knows("dpi")) {
        operation = operation.set("dpi", &density)?;
    }
    if let Some((name, value)) = option {
        operation = operation.set(name, value)?;
    }
    operation.image()
}

/// Returns the word for the kind of a file. If one reader has many kinds, the file's own bytes decide.
fn format(loader: &str, image: &Image) -> Result<String, Failed> {
    if loader == "magickload" {
        let kind = kind::of(&beginning()?).map(|kind| kind.word.to_owned());
        let named = || image.attached(c"magick-format").map(|format| format.to_lowercase());
        return Ok(kind.or_else(named).unwrap_or_else(|| "magick".to_owned()));
    }
    Ok(loader.strip_suffix("load").unwrap_or(loader).to_owned())
}
