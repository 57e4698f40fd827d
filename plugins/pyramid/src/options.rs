//! What the recipe says under `[plugin.settings]`. Read strictly: a misspelt name would go unnoticed for years.

use std::{fmt::Write as _, ops::RangeInclusive};

use reindex_guest::{Bounds, Compression, Flaw, Invalid, Json, Kept, Tiff, Value};

/// Every setting, with its default.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How the TIFF is written. `bigtiff` is also set where the file could not do without.
    pub tiff: Tiff,
    /// What an image must fit into.
    pub limits: Bounds,
    /// What an image must fit into whose status is `copyright`.
    pub copyright_limits: Bounds,
    /// The status of images of which neither the request nor the object says one.
    pub default_status: String,
    /// Whether the ending of a master stays in the name of its TIFF.
    pub whole_name: bool,
    /// Dots an inch at which a page of a document becomes pixels.
    pub pdf_density: f64,
    /// What is noted down in the master's record; none where there are no records.
    pub records: Option<Attributes>,
}

/// The attributes of a record that are set once its image is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Attributes {
    /// Takes the height of the new image.
    pub height: String,
    /// Takes its width.
    pub width: String,
    /// Takes the time.
    pub time: String,
}

/// The setting that sets several.
const PRESET: &str = "preset";

const NAMES: [&str; 17] = [
    PRESET,
    "compression",
    "quality",
    "tile",
    "subifd",
    "bigtiff",
    "rgbjpeg",
    "resolution",
    "keep",
    "max-width",
    "max-height",
    "copyright-max-width",
    "copyright-max-height",
    "default-status",
    "whole-name",
    "pdf-density",
    "records",
];

const COMPRESSIONS: [(&str, Compression); 6] = [
    ("none", Compression::None),
    ("deflate", Compression::Deflate),
    ("lzw", Compression::Lzw),
    ("jpeg", Compression::Jpeg),
    ("zstd", Compression::Zstd),
    ("webp", Compression::Webp),
];

const KEPT: [(&str, Kept); 3] = [("all", Kept::All), ("profile", Kept::Profile), ("nothing", Kept::Nothing)];

const PIXELS: RangeInclusive<u32> = 1..=10_000_000;

impl Options {
    /// Reads the settings: the text of a JSON object.
    ///
    /// *Errors*: each name that is no setting, and each value that it cannot have.
    pub fn read(settings: &str) -> Result<Self, Vec<Flaw>> {
        let no_settings = |wrong: Invalid| vec![Flaw { setting: String::new(), reason: wrong.reason().to_owned() }];
        let json = Json::parse(settings).map_err(no_settings)?;
        let settings = json.map().map_err(no_settings)?;
        let mut members: Vec<_> = settings.members().map(|(name, value)| Setting::new(&name.to_str(), value)).collect();
        // The others change what the preset says.
        members.sort_by_key(|said| said.path != PRESET);
        let mut options = Self::default();
        let flaws: Vec<_> = members.iter().filter_map(|said| options.set(said).err()).collect();
        if flaws.is_empty() { Ok(options) } else { Err(flaws) }
    }

    fn set(&mut self, said: &Setting) -> Result<(), Flaw> {
        match said.path.as_str() {
            PRESET => self.tiff = said.word(&[("archive", archive()), ("serving", serving())])?,
            "compression" => self.tiff.compression = said.word(&COMPRESSIONS)?,
            "quality" => self.tiff.quality = said.whole(1..=100)?.try_into().unwrap_or(u8::MAX),
            "tile" => self.tiff.tile = said.tile()?,
            "subifd" => self.tiff.subifd = said.boolean()?,
            "bigtiff" => self.tiff.bigtiff = said.boolean()?,
            "rgbjpeg" => self.tiff.rgb_jpeg = said.boolean()?,
            "resolution" => self.tiff.resolution = Some(said.number(0.001..=1_000_000.0)?),
            "keep" => self.tiff.keep = said.word(&KEPT)?,
            "max-width" => self.limits.width = said.whole(PIXELS)?,
            "max-height" => self.limits.height = said.whole(PIXELS)?,
            "copyright-max-width" => self.copyright_limits.width = said.whole(PIXELS)?,
            "copyright-max-height" => self.copyright_limits.height = said.whole(PIXELS)?,
            "default-status" => self.default_status = said.text()?,
            "whole-name" => self.whole_name = said.boolean()?,
            "pdf-density" => self.pdf_density = said.number(1.0..=10_000.0)?,
            "records" => self.records = Some(Attributes::read(said)?),
            _ => return Err(said.unknown(&NAMES)),
        }
        Ok(())
    }

    /// What an image of this status must fit into.
    pub fn bounds(&self, status: Option<&str>) -> Bounds {
        let status = status.unwrap_or(&self.default_status);
        if status.trim().eq_ignore_ascii_case("copyright") { self.copyright_limits } else { self.limits }
    }

    /// Everything that decides how a TIFF turns out, in a few words that are kept with it.
    pub fn made_as(&self, Bounds { width, height }: Bounds, is_pdf: bool) -> String {
        let Tiff { tile, quality, subifd, bigtiff, rgb_jpeg, resolution, .. } = self.tiff;
        let compression = word(&COMPRESSIONS, self.tiff.compression);
        let mut text = format!("{width}x{height} tile={tile} {compression}");
        if matches!(self.tiff.compression, Compression::Jpeg | Compression::Webp) {
            let _ = write!(text, "={quality}");
        }
        for (name, on) in [("subifd", subifd), ("bigtiff", bigtiff), ("rgbjpeg", rgb_jpeg)] {
            text.extend(on.then_some([" ", name]).into_iter().flatten());
        }
        if let Some(dots) = resolution {
            let _ = write!(text, " resolution={dots}");
        }
        if is_pdf {
            let _ = write!(text, " density={}", self.pdf_density);
        }
        let _ = write!(text, " keep={}", word(&KEPT, self.tiff.keep));
        text
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tiff: archive(),
            limits: Bounds { width: 4000, height: 4000 },
            copyright_limits: Bounds { width: 843, height: 560 },
            default_status: String::new(),
            whole_name: false,
            pdf_density: 300.0,
            records: None,
        }
    }
}

impl Attributes {
    fn read(said: &Setting) -> Result<Self, Flaw> {
        let Value::Map(names) = said.value else { return Err(said.wrong("a table of attribute names")) };
        let [mut height, mut width, mut time] = ["height", "width", "processedAt"].map(str::to_owned);
        for (name, value) in names.members() {
            let name = name.to_str();
            let said = Setting::new(&format!("{}.{name}", said.path), value);
            let attribute = match &*name {
                "height" => &mut height,
                "width" => &mut width,
                "time" => &mut time,
                _ => return Err(said.unknown(&["height", "width", "time"])),
            };
            *attribute = said.name()?;
        }
        Ok(Self { height, width, time })
    }
}

/// Loses nothing: for keeping.
fn archive() -> Tiff {
    Tiff { resolution: Some(11.812), ..Tiff::pyramid() }
}

/// Small and quickly decoded: for image servers. From a quality of 90 on, libvips keeps JPEG in RGB, at three times the
/// size.
fn serving() -> Tiff {
    Tiff { tile: 256, compression: Compression::Jpeg, quality: 85, keep: Kept::Profile, ..archive() }
}

/// A setting as it is said.
struct Setting<'a> {
    /// Its name, with those of the tables around it.
    path: String,
    value: Value<'a>,
}

impl<'a> Setting<'a> {
    fn new(path: &str, value: Value<'a>) -> Self {
        Self { path: path.to_owned(), value }
    }

    fn wrong(&self, expected: &str) -> Flaw {
        let is = match self.value {
            Value::Map(map) => map.as_json().to_owned(),
            Value::List(list) => list.as_json().to_owned(),
            value => value.scalar().map_or("null".to_owned(), |text| text.to_string()),
        };
        self.flaw(format!("the plugin's setting `{}` is `{is}`, not {expected}", self.path))
    }

    fn unknown(&self, known: &[&str]) -> Flaw {
        self.flaw(format!("the plugin has no setting `{}`; there are {}", self.path, known.join(", ")))
    }

    fn flaw(&self, reason: String) -> Flaw {
        Flaw { setting: self.path.clone(), reason }
    }

    fn boolean(&self) -> Result<bool, Flaw> {
        if let Value::Boolean(value) = self.value { Ok(value) } else { Err(self.wrong("true or false")) }
    }

    fn text(&self) -> Result<String, Flaw> {
        if let Value::Text(text) = self.value { Ok(text.to_string()) } else { Err(self.wrong("a text")) }
    }

    /// A text that can be an attribute's name as it stands.
    fn name(&self) -> Result<String, Flaw> {
        let name = self.text()?;
        let odd = |c: char| c.is_control() || matches!(c, '"' | '\\');
        if name.is_empty() || name.contains(odd) { Err(self.wrong("an attribute's name")) } else { Ok(name) }
    }

    fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, Flaw> {
        let known = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let said = self.text()?;
        let found = words.iter().find(|(word, _)| *word == said);
        found.map(|(_, value)| *value).ok_or_else(|| self.wrong(&format!("one of {}", known())))
    }

    fn whole(&self, range: RangeInclusive<u32>) -> Result<u32, Flaw> {
        let number = if let Value::Number(digits) = self.value { digits.parse().ok() } else { None };
        let expected = || self.wrong(&format!("a whole number from {} to {}", range.start(), range.end()));
        number.filter(|number| range.contains(number)).ok_or_else(expected)
    }

    fn number(&self, range: RangeInclusive<f64>) -> Result<f64, Flaw> {
        let number = if let Value::Number(digits) = self.value { digits.parse().ok() } else { None };
        let expected = || self.wrong(&format!("a number from {} to {}", range.start(), range.end()));
        number.filter(|number| range.contains(number)).ok_or_else(expected)
    }

    fn tile(&self) -> Result<u32, Flaw> {
        let side = self.whole(16..=8192)?;
        if side % 16 == 0 { Ok(side) } else { Err(self.wrong("a multiple of 16")) }
    }
}

fn word<T: PartialEq + Copy>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, known)| *known == value).map_or("", |(word, _)| word)
}
