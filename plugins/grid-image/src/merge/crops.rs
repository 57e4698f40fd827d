//! The crops of an image: what lies in the publishing bucket.

use serde::Serialize;

use crate::{
    Failure,
    asset::{Asset, Dimensions},
    dates::DateTime,
    settings::Addresses,
};

/// The store, as failures name it.
pub const STORE: &str = "crops";

/// The folder of the master of a crop.
const MASTER: &str = "master";

/// The scheme of addresses over TLS.
const TLS: &str = "https";

/// An object of the publishing bucket.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CropObject {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type.
    pub content_type: Option<String>,
    /// What was noted down with it, by name.
    pub metadata: Vec<(String, String)>,
}

/// A crop: a part of an image, in one or several sizes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Crop {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<DateTime>,
    specification: Specification,
    #[serde(skip_serializing_if = "Option::is_none")]
    master: Option<Asset>,
    assets: Vec<Asset>,
}

/// Which part of which image it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Specification {
    uri: String,
    bounds: Bounds,
    #[serde(skip_serializing_if = "Option::is_none")]
    aspect_ratio: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<i64>,
}

/// A part of an image, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Bounds {
    x: i64,
    y: i64,
    width: i64,
    height: i64,
}

impl Crop {
    /// When it was made.
    pub fn date(&self) -> Option<DateTime> {
        self.date
    }

    /// The crop that an object belongs to, still without the object; none where the object is no part of one.
    fn of(object: &CropObject) -> Result<Option<Self>, Failure> {
        let bounds = [
            object.whole("bounds-x", "bounds-x")?,
            object.whole("bounds-y", "bounds-y")?,
            object.whole("bounds-width", "bounds-w")?,
            object.whole("bounds-height", "bounds-h")?,
        ];
        let (Some(uri), [Some(x), Some(y), Some(width), Some(height)]) = (object.get("source"), bounds) else {
            return Ok(None);
        };
        let kind = match object.get("type") {
            None => "crop",
            Some(kind @ ("crop" | "full")) => kind,
            Some(_) => return Err(object.wrong("type", "crop or full")),
        };
        let date =
            object.get("date").map(|date| DateTime::from_iso(date).ok_or_else(|| object.wrong("date", "a date")));
        Ok(Some(Self {
            id: format!("{x}_{y}_{width}_{height}"),
            author: object.get("author").map(str::to_owned),
            date: date.transpose()?,
            specification: Specification {
                uri: uri.to_owned(),
                bounds: Bounds { x, y, width, height },
                aspect_ratio: object.get("aspect-ratio").map(str::to_owned),
                kind: kind.to_owned(),
                rotation: object.whole("rotation", "rotation")?,
            },
            master: None,
            assets: Vec::new(),
        }))
    }
}

/// Puts the objects of an image's crops together: those of equal bounds are one crop, in the order of the first.
///
/// *Errors*: [`Failure::Record`] for an object whose numbers, type or date are none. One that lacks what a crop needs is
/// left out.
pub fn read(objects: &[CropObject], addresses: &Addresses) -> Result<Vec<Crop>, Failure> {
    let mut crops: Vec<Crop> = Vec::new();
    for object in objects {
        let Some(new) = Crop::of(object)? else { continue };
        let same = crops.iter().position(|crop| crop.specification.bounds == new.specification.bounds);
        let n = same.unwrap_or_else(|| {
            crops.push(new);
            crops.len() - 1
        });
        let asset = object.asset(addresses)?;
        if object.key.rsplit('/').nth(1) == Some(MASTER) {
            crops[n].master = Some(asset);
        } else {
            crops[n].assets.push(asset);
        }
    }
    Ok(crops)
}

impl CropObject {
    /// What was noted down under a name; old objects have `_` where others have `-`.
    fn get(&self, name: &str) -> Option<&str> {
        self.metadata.iter().find(|(noted, _)| noted.replace('_', "-") == name).map(|(_, value)| value.as_str())
    }

    /// A whole number that was noted down under a name, or under that of old objects.
    fn whole(&self, name: &str, old: &str) -> Result<Option<i64>, Failure> {
        let noted = self.get(name).or_else(|| self.get(old));
        noted.map(|number| number.parse().map_err(|_| self.wrong(name, "a whole number"))).transpose()
    }

    fn wrong(&self, name: &str, expected: &str) -> Failure {
        Failure::Record { store: STORE, key: format!("{}: {name}", self.key), problem: format!("is not {expected}") }
    }

    fn asset(&self, addresses: &Addresses) -> Result<Asset, Failure> {
        let side = |name| {
            let pixels =
                self.whole(name, name)?.map(|pixels| pixels.try_into().map_err(|_| self.wrong(name, "pixels")));
            pixels.transpose()
        };
        let dimensions = side("width")?.zip(side("height")?).map(|(width, height)| Dimensions { width, height });
        Ok(Asset {
            file: format!("http://{}/{}", addresses.crop_host, self.key),
            size: Some(self.size),
            mime_type: self.content_type.clone(),
            dimensions,
            secure_url: addresses.secure_crop_host.as_ref().map(|host| format!("{TLS}://{host}/{}", self.key)),
            orientation_metadata: None,
            oriented_dimensions: None,
            orientation: dimensions.map(Dimensions::orientation),
        })
    }
}
