//! What an installation says of itself. The defaults are those of the Guardian's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{MimeType, dates::DateTime};

/// What becomes of the reference's quirks; the README of this plugin has a table of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Parity {
    /// Documents are the reference's.
    #[default]
    Grid,
    /// Documents are what the reference means.
    Fixed,
}

/// A chain of rules that base documents go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Processor {
    /// Tidies metadata.
    Cleaners,
    /// Finds out who supplied the image, and with which rights.
    SupplierRules,
}

/// Every setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Settings {
    /// What becomes of the reference's quirks.
    pub parity: Parity,
    /// The chains of rules, in their order.
    pub processors: Vec<Processor>,
    /// Where the objects are.
    pub stores: Addresses,
    /// The organisation and its publications.
    pub own: Own,
    /// Photographers whose names are written in another way than their bylines: byline to name.
    pub photographer_names: BTreeMap<String, String>,
    /// Types of files that are turned into PNG before anything is made of them.
    pub transcoded_types: Vec<String>,
}

/// Where the objects of images are, as documents name them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Addresses {
    /// The host part of an object's address after the name of its bucket.
    pub endpoint: String,
    /// The bucket of originals and optimised PNGs.
    pub image_bucket: String,
    /// The bucket of thumbnails.
    pub thumbnail_bucket: String,
    /// The host of crops.
    pub crop_host: String,
    /// The host of crops over TLS; without one they have no address there.
    pub secure_crop_host: Option<String>,
}

/// The organisation whose images these are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Own {
    /// Its name as bylines say it, after `for the`; they may be cut off in the middle of it.
    pub organisation: String,
    /// Its publications: as bylines say them, to as credits do.
    pub publications: BTreeMap<String, String>,
    /// Credits of its own that are written in another way: as they are, to as they should be.
    pub canonical_credits: BTreeMap<String, String>,
    /// Photographers on its staff.
    pub staff_photographers: Vec<Photographers>,
    /// Photographers under contract.
    pub contract_photographers: Vec<Photographers>,
}

/// The photographers of a publication.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Photographers {
    /// The publication, as credits say it.
    pub publication: String,
    /// The photographers.
    pub photographers: Vec<Photographer>,
}

/// A photographer, and when they worked for a publication.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Photographer {
    /// Their name.
    pub name: String,
    /// The first day, as `2021-03-04`.
    #[serde(default)]
    pub from: Option<String>,
    /// The last day.
    #[serde(default)]
    pub to: Option<String>,
}

impl Settings {
    /// Reads the settings: the text of a JSON object. What it does not say has its default.
    ///
    /// *Errors*: what is wrong with them, such as a name that is no setting, or a day of a photographer that is none.
    pub fn read(text: &str) -> Result<Self, String> {
        let settings: Self =
            serde_json::from_str(text).map_err(|error| format!("the settings are not readable: {error}"))?;
        let own = &settings.own;
        let lists = own.staff_photographers.iter().chain(&own.contract_photographers);
        for photographer in lists.flat_map(|list| &list.photographers) {
            let days = [&photographer.from, &photographer.to].into_iter().flatten();
            if let Some(day) = days.into_iter().find(|day| DateTime::from_iso(day).is_none()) {
                return Err(format!("`{day}`, a day of the photographer {}, is no ISO date", photographer.name));
            }
        }
        match settings.transcoded_types.iter().find(|listed| MimeType::named(listed).is_none()) {
            Some(listed) => {
                Err(format!("`{listed}` under transcoded-types is not image/jpeg, image/png or image/tiff"))
            }
            None => Ok(settings),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            parity: Parity::default(),
            processors: vec![Processor::Cleaners, Processor::SupplierRules],
            stores: Addresses::default(),
            own: Own::default(),
            photographer_names: BTreeMap::new(),
            transcoded_types: vec!["image/tiff".to_owned()],
        }
    }
}

impl Default for Addresses {
    fn default() -> Self {
        Self {
            endpoint: "s3.amazonaws.com".to_owned(),
            image_bucket: "images".to_owned(),
            thumbnail_bucket: "thumbnails".to_owned(),
            crop_host: "media.guim.co.uk".to_owned(),
            secure_crop_host: Some("media.guim.co.uk".to_owned()),
        }
    }
}

impl Default for Own {
    fn default() -> Self {
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, credit)| ((*name).to_owned(), (*credit).to_owned())).collect()
        };
        Self {
            organisation: "Guardian".to_owned(),
            publications: pairs(&[("Guardian", "The Guardian"), ("Observer", "The Observer")]),
            canonical_credits: pairs(&[("Guardian", "The Guardian")]),
            staff_photographers: Vec::new(),
            contract_photographers: Vec::new(),
        }
    }
}
