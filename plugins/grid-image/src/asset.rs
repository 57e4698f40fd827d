//! The files of an image as the document names them, and how their pixels lie.

use serde::Serialize;

use crate::{MimeType, Parity};

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Dimensions {
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// How an image lies. A square is landscape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Orientation {
    /// Higher than wide.
    Portrait,
    /// Any other.
    Landscape,
}

/// The value of the EXIF tag for orientation, where it says something other than that the image is upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ExifOrientation {
    #[serde(rename = "exifOrientation")]
    value: u32,
}

/// A file of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asset {
    /// Its address.
    pub file: String,
    /// Its size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Its media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Its pixels as they are stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<Dimensions>,
    /// Its address over TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure_url: Option<String>,
    /// How the camera was held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orientation_metadata: Option<ExifOrientation>,
    /// Its pixels once they are turned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oriented_dimensions: Option<Dimensions>,
    /// How it lies once it is turned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orientation: Option<Orientation>,
}

impl Dimensions {
    /// Width and height in each other's place.
    pub fn swapped(self) -> Self {
        Self { width: self.height, height: self.width }
    }

    /// How an image of these dimensions lies.
    pub fn orientation(self) -> Orientation {
        if self.width < self.height { Orientation::Portrait } else { Orientation::Landscape }
    }
}

impl ExifOrientation {
    /// Takes the value of the tag; none where there is no tag or the image is upright.
    pub fn new(value: Option<u32>) -> Option<Self> {
        value.filter(|value| *value != 1).map(|value| Self { value })
    }

    /// The value of the tag.
    pub fn value(self) -> u32 {
        self.value
    }

    /// The dimensions of an image that is turned by it.
    pub fn oriented(self, dimensions: Dimensions, parity: Parity) -> Dimensions {
        let is_turned = match parity {
            Parity::Grid => matches!(self.value, 6 | 8),
            Parity::Fixed => matches!(self.value, 5..=8),
        };
        if is_turned { dimensions.swapped() } else { dimensions }
    }

    /// By how many degrees an image is turned clockwise so that it is upright, if it is not mirrored.
    pub fn turn(self) -> u32 {
        match self.value {
            6 => 90,
            3 => 180,
            8 => 270,
            _ => 0,
        }
    }
}

impl Asset {
    /// A file of this type and size whose dimensions are those of the pixels in it.
    pub fn new(file: String, size: Option<u64>, mime_type: MimeType, dimensions: Dimensions) -> Self {
        Self {
            file,
            size,
            mime_type: Some(mime_type.as_str().to_owned()),
            dimensions: Some(dimensions),
            secure_url: None,
            orientation_metadata: None,
            oriented_dimensions: None,
            orientation: Some(dimensions.orientation()),
        }
    }

    /// The same, held as this tag says.
    pub fn held(self, tag: Option<ExifOrientation>, parity: Parity) -> Self {
        let oriented = tag.zip(self.dimensions).map(|(tag, dimensions)| tag.oriented(dimensions, parity));
        Self {
            orientation_metadata: tag,
            oriented_dimensions: oriented,
            orientation: oriented.map(Dimensions::orientation).or(self.orientation),
            ..self
        }
    }
}
