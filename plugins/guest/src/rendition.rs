//! Builders for renditions: what the host is to make of an image.
//!
//! The pixels never reach the plugin; a rendition only says where they are, what is done with them, and how they are
//! written. The records behind it can also be written out in full.

use crate::{
    Bounds, Colour, Compression, Content, Format, Jpeg, Kept, Picture, Png, Rendition, Sharpen, Space, Step, Thumbnail,
    Tiff,
};

/// A rendition in the making: it lacks the format it is written in.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    picture: Picture,
    steps: Vec<Step>,
}

impl Rendition {
    /// Starts with the first page of an object. Steps follow, in their order, and the format ends it:
    ///
    /// ```
    /// use reindex_guest::{Compression, Effect, Rendition, Tiff};
    ///
    /// let tiff = Tiff { tile: 256, compression: Compression::Jpeg, quality: 85, ..Tiff::pyramid() };
    /// let rendition = Rendition::of("masters", "a/p.png").orient().reduce(4000, 4000).written_as(tiff);
    /// let effect = Effect::put_rendition("images", "a/p.tif", rendition).with_metadata("master", "p.png").only_if_absent();
    /// # let Effect::PutObject(write) = effect else { panic!() };
    /// # assert_eq!(write.content_type.as_deref(), Some("image/tiff"));
    /// # assert_eq!(write.metadata, [("master".to_owned(), "p.png".to_owned())]);
    /// ```
    pub fn of(bucket: &str, key: impl Into<String>) -> Draft {
        let picture = Picture { bucket: bucket.to_owned(), key: key.into(), etag: None, page: 0, density: None };
        Draft { picture, steps: Vec::new() }
    }
}

impl Draft {
    /// Takes the object only while it has this etag; another one makes the item be tried again.
    pub fn unchanged_since(mut self, etag: impl Into<String>) -> Self {
        self.picture.etag = Some(etag.into());
        self
    }

    /// Takes another page, counted from 0.
    pub fn page(mut self, page: u32) -> Self {
        self.picture.page = page;
        self
    }

    /// Turns drawn pages (PDF, SVG) into pixels at so many dots an inch.
    pub fn density(mut self, dots: f64) -> Self {
        self.picture.density = Some(dots);
        self
    }

    /// Turns and mirrors it as its EXIF orientation says.
    pub fn orient(self) -> Self {
        self.step(Step::Orient)
    }

    /// Turns it clockwise by 90, 180 or 270 degrees.
    pub fn turn(self, degrees: u32) -> Self {
        self.step(Step::Turn(degrees))
    }

    /// Shrinks it to fit into a box, from all of its pixels; a smaller one stays as it is.
    pub fn reduce(self, width: u32, height: u32) -> Self {
        self.step(Step::Reduce(Bounds { width, height }))
    }

    /// Scales it to fit into a box, as fast as its format allows; a smaller one stays as it is, unless `enlarge`.
    pub fn thumbnail(self, width: u32, height: u32, enlarge: bool) -> Self {
        self.step(Step::Thumbnail(Thumbnail { bounds: Bounds { width, height }, enlarge }))
    }

    /// Brings its colours to another space, by way of the profile in it.
    pub fn colour(self, space: Space) -> Self {
        self.step(Step::Colour(Colour { space, ignore_profile: false }))
    }

    /// Lays it on a background of red, green and blue, so that nothing is transparent.
    pub fn flatten(self, background: (u8, u8, u8)) -> Self {
        self.step(Step::Flatten(background))
    }

    /// Sharpens its edges.
    pub fn sharpen(self, sigma: f64, amount: f64) -> Self {
        self.step(Step::Sharpen(Sharpen { sigma, amount }))
    }

    /// Adds any step.
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Ends it with a [`Tiff`], a [`Jpeg`] or a [`Png`].
    pub fn written_as(self, format: impl Into<Format>) -> Rendition {
        Rendition { picture: self.picture, steps: self.steps, format: format.into() }
    }
}

impl Tiff {
    /// A tiled pyramid that loses nothing; change it as in `Tiff { tile: 256, ..Tiff::pyramid() }`.
    pub fn pyramid() -> Self {
        Self {
            pyramid: true,
            tile: 512,
            compression: Compression::Deflate,
            quality: 85,
            subifd: false,
            bigtiff: false,
            rgb_jpeg: false,
            resolution: None,
            keep: Kept::All,
        }
    }
}

impl Jpeg {
    /// JPEG of a quality from 1 to 100, with the colour profile and nothing else of what the image says of itself.
    pub fn of_quality(quality: u8) -> Self {
        Self { quality, progressive: false, keep: Kept::Profile }
    }
}

impl Png {
    /// PNG made with an effort from 0 to 9, with the colour profile and nothing else of what the image says of itself.
    pub fn of_effort(compression: u8) -> Self {
        Self { compression, palette: None, keep: Kept::Profile }
    }
}

impl Format {
    /// The media type of what is written.
    pub fn media_type(&self) -> &'static str {
        match self {
            Self::Tiff(_) => "image/tiff",
            Self::Jpeg(_) => "image/jpeg",
            Self::Png(_) => "image/png",
        }
    }
}

impl From<Tiff> for Format {
    fn from(tiff: Tiff) -> Self {
        Self::Tiff(tiff)
    }
}

impl From<Jpeg> for Format {
    fn from(jpeg: Jpeg) -> Self {
        Self::Jpeg(jpeg)
    }
}

impl From<Png> for Format {
    fn from(png: Png) -> Self {
        Self::Png(png)
    }
}

impl From<Rendition> for Content {
    fn from(rendition: Rendition) -> Self {
        Self::Rendition(rendition)
    }
}
