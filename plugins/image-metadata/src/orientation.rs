//! How a picture is turned before it is shown.

use serde::Serialize;

/// The EXIF orientation of a picture that is not shown as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Orientation {
    /// Tag 274; never 1.
    pub exif_orientation: i32,
}

impl Orientation {
    /// The orientation of tag 274; none for 1, which changes nothing.
    #[must_use]
    pub fn new(exif_orientation: i32) -> Option<Self> {
        (exif_orientation != 1).then_some(Self { exif_orientation })
    }

    /// Width and height as shown. Only 6 and 8 swap them; the mirrored 5 and 7 do not.
    #[must_use]
    pub fn oriented(self, width: u32, height: u32) -> (u32, u32) {
        if matches!(self.exif_orientation, 6 | 8) { (height, width) } else { (width, height) }
    }

    /// Degrees to turn clockwise. Mirrored pictures (2, 4, 5, 7) are not turned.
    #[must_use]
    pub fn rotation(self) -> i32 {
        match self.exif_orientation {
            3 => 180,
            6 => 90,
            8 => -90,
            _ => 0,
        }
    }
}

/// The shape of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Higher than wide.
    Portrait,
    /// Wide, or a square.
    Landscape,
}

impl Shape {
    /// The shape of a picture of this size as shown.
    #[must_use]
    pub fn of(width: u32, height: u32) -> Self {
        if width < height { Self::Portrait } else { Self::Landscape }
    }
}

#[cfg(test)]
mod tests {
    use super::{Orientation, Shape};

    #[test]
    fn a_picture_is_turned_as_its_tag_says() {
        for (tag, oriented, shape, degrees) in [
            (6, (48, 64), Shape::Portrait, 90),
            (8, (48, 64), Shape::Portrait, -90),
            (3, (64, 48), Shape::Landscape, 180),
            (5, (64, 48), Shape::Landscape, 0),
        ] {
            let orientation = Orientation::new(tag).unwrap();
            assert_eq!(orientation.oriented(64, 48), oriented, "{tag}");
            assert_eq!(Shape::of(oriented.0, oriented.1), shape, "{tag}");
            assert_eq!(orientation.rotation(), degrees, "{tag}");
            assert_eq!(serde_json::to_string(&orientation).unwrap(), format!(r#"{{"exifOrientation":{tag}}}"#));
        }
    }

    #[test]
    fn the_usual_orientation_is_none() {
        assert_eq!(Orientation::new(1), None);
    }

    #[test]
    fn a_square_is_landscape() {
        assert_eq!(Shape::of(50, 50), Shape::Landscape);
        assert_eq!(serde_json::to_string(&Shape::Portrait).unwrap(), r#""portrait""#);
    }
}
