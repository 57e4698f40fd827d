//! What becomes of a request: decided by what it says, by what the buckets hold, and by what the image says of itself.
//!
//! A TIFF carries in its metadata which master it was made of, and how. So it is known without any memory what is done
//! already, and to which of several masters of one stem the TIFF belongs.

use reindex_guest::{
    Bounds, Compression, Document, Draft, Effect, Invalid, Json, Outcome, Rendition, Space, Tiff,
    image::{Header, Size},
    storage::ObjectInfo,
};

use crate::{
    name::Master,
    options::{Attributes, Options},
    request::{MASTERS, Request},
};

/// The only bucket that TIFFs come to.
pub const IMAGES: &str = "images";
/// The table of the masters' records, by the masters' keys.
pub const RECORDS: &str = "records";

/// The ending of the master of a TIFF, which shares its path and its stem.
const ENDING: &str = "master-ending";
/// The etag of that master.
const ETAG: &str = "master-etag";
/// How it was made, in the words of [`Options::made_as`].
const MADE_AS: &str = "made-as";
/// Its size: width and height in pixels, as `4000x3000`.
const SIZE: &str = "size";

/// Where an object says its status, if the request does not.
const STATUS: [&str; 2] = ["copyrightstatus", "copyright-status"];

/// What a master is laid on that is transparent where its TIFF cannot be, and a page, which is paper.
const WHITE: (u8, u8, u8) = (255, 255, 255);

/// What the buckets hold for a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The master.
    pub master: Option<ObjectInfo>,
    /// The keys of all masters of its path and stem; none where each has a TIFF of its own.
    pub namesakes: Vec<String>,
    /// What lies where its TIFF comes to.
    pub made: Option<ObjectInfo>,
    /// The master's record, if there is one to be kept up.
    pub record: Option<String>,
}

/// A TIFF to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    request: Request,
    master_etag: String,
    /// The etag of what it takes the place of.
    replaces: Option<String>,
    bounds: Bounds,
    made_as: String,
    has_record: bool,
}

/// Decides what is to be done before the image itself is looked at.
///
/// *Errors*: the outcome of a request of which no TIFF is to be made.
pub fn plan(request: Request, seen: Seen, options: &Options) -> Result<Task, Outcome> {
    let Some(master) = seen.master else {
        return Err(Outcome::NotFound(format!("there is no object `{}` in `{MASTERS}`", request.master.key)));
    };
    let made = seen.made.as_ref();
    not_itself(&request, &master, made)?;
    owned(&request, &seen.namesakes, made)?;
    let bounds = options.bounds(request.status.as_deref().or_else(|| status(&master)));
    let made_as = options.made_as(bounds, request.master.is_pdf());
    if let Some(size) = made.filter(|_| !request.force).and_then(|made| done(made, &request.master, &master, &made_as))
    {
        let record = seen.record.as_deref();
        let update = record.and_then(|record| options.records.as_ref().filter(|names| !says(record, size, names)));
        return Err(closing(&request, size, update).into());
    }
    let (replaces, has_record) = (seen.made.map(|made| made.etag), seen.record.is_some());
    Ok(Task { request, master_etag: master.etag, replaces, bounds, made_as, has_record })
}

/// A mistake in an environment must not cost a master.
fn not_itself(request: &Request, master: &ObjectInfo, made: Option<&ObjectInfo>) -> Result<(), Invalid> {
    let same = |made: &ObjectInfo| {
        made.key == master.key && made.etag == master.etag && made.size == master.size && noted(made, ETAG).is_none()
    };
    match made.filter(|made| same(made)) {
        None => Ok(()),
        Some(_) => Err(Invalid::new(format!(
            "`{}` lies in `{IMAGES}`, too, and would be replaced; if these are not one bucket, remove it there",
            request.output
        ))),
    }
}

/// Two masters of one stem would take turns. The TIFF belongs to the one it was made of while that is there, else to the
/// first by key.
fn owned(request: &Request, namesakes: &[String], made: Option<&ObjectInfo>) -> Result<(), Invalid> {
    let key = &request.master.key;
    let named = made.and_then(|made| noted(made, ENDING)).map(|ending| format!("{}{ending}", request.master.base()));
    let owner = named.filter(|owner| namesakes.contains(owner)).or_else(|| namesakes.iter().min().cloned());
    match owner.filter(|owner| owner != key) {
        None => Ok(()),
        Some(owner) => Err(Invalid::new(format!(
            "`{}` is made of `{owner}`; rename one of the two masters, or set `whole-name` under [plugin.settings]",
            request.output
        ))),
    }
}

/// The size of a TIFF that was made of this very master, in this very way.
fn done(made: &ObjectInfo, name: &Master, master: &ObjectInfo, made_as: &str) -> Option<Size> {
    let same = [(ENDING, name.ending()), (ETAG, &master.etag), (MADE_AS, made_as)];
    let (width, height) = noted(made, SIZE)?.split_once('x')?;
    let size = Size { width: width.parse().ok()?, height: height.parse().ok()? };
    same.iter().all(|(name, value)| noted(made, name) == Some(value)).then_some(size)
}

/// The status that an object itself says.
fn status(master: &ObjectInfo) -> Option<&str> {
    STATUS.iter().find_map(|name| noted(master, name)).filter(|status| !status.is_empty())
}

fn noted<'a>(object: &'a ObjectInfo, name: &str) -> Option<&'a str> {
    object.metadata.iter().find(|(noted, _)| noted == name).map(|(_, value)| value.as_str())
}

impl Task {
    /// The master.
    pub fn master(&self) -> &Master {
        &self.request.master
    }

    /// The TIFF as it would be of most images; its size is the same for all.
    pub fn measured(&self, options: &Options) -> Rendition {
        self.start(options).orient().reduce(self.bounds.width, self.bounds.height).written_as(options.tiff)
    }

    /// Makes the TIFF and does what is due once it is there.
    pub fn outcome(self, header: &Header, size: Size, options: &Options) -> Outcome {
        let rendition = self.rendition(header, size, options);
        let put = Effect::put_rendition(IMAGES, &self.request.output, rendition)
            .with_metadata(ENDING, self.request.master.ending())
            .with_metadata(ETAG, &self.master_etag)
            .with_metadata(MADE_AS, &self.made_as)
            .with_metadata(SIZE, format!("{}x{}", size.width, size.height));
        let put = match &self.replaces {
            Some(etag) => put.only_in_place_of(etag),
            None => put.only_if_absent(),
        };
        // The copy comes first: where the TIFF is, everything before it is done.
        let mut effects = Vec::from_iter(copy(&self.request.master, options.whole_name));
        effects.push(put);
        effects.extend(closing(&self.request, size, options.records.as_ref().filter(|_| self.has_record)));
        effects.into()
    }

    fn start(&self, options: &Options) -> Draft {
        let picture = Rendition::of(MASTERS, &self.request.master.key).unchanged_since(&self.master_etag);
        if self.request.master.is_pdf() { picture.density(options.pdf_density) } else { picture }
    }

    fn rendition(&self, header: &Header, size: Size, options: &Options) -> Rendition {
        let mut draft = self.start(options).orient();
        if header.alpha && (options.tiff.compression == Compression::Jpeg || self.request.master.is_pdf()) {
            draft = draft.flatten(WHITE);
        }
        draft = draft.reduce(self.bounds.width, self.bounds.height);
        // WebP knows nothing else.
        if options.tiff.compression == Compression::Webp && (header.bits != 8 || header.colour != "srgb") {
            draft = draft.colour(Space::Srgb);
        }
        draft.written_as(Tiff { bigtiff: options.tiff.bigtiff || is_big(header, size), ..options.tiff })
    }
}

/// Whether a pyramid may pass what a usual TIFF can hold: with its smaller copies, and not compressed at all.
fn is_big(header: &Header, size: Size) -> bool {
    let bits = u64::from(size.width) * u64::from(size.height) * u64::from(header.bands) * u64::from(header.bits);
    bits / 8 * 3 / 2 > u64::from(u32::MAX)
}

fn copy(master: &Master, whole_name: bool) -> Option<Effect> {
    let copied = || Effect::copy_object((MASTERS, &master.key), (IMAGES, &master.copy(whole_name)));
    master.is_pdf().then(copied)
}

/// What is due once the TIFF is there. All of it may be done again: it is, where a run was killed in between.
fn closing(request: &Request, size: Size, updated: Option<&Attributes>) -> Vec<Effect> {
    let update = updated.map(|names| update(&request.master.key, size, names));
    update.into_iter().chain(request.removal.clone()).collect()
}

fn update(key: &str, size: Size, names: &Attributes) -> Effect {
    let mut attributes = Document::new();
    attributes.integer(&names.height, size.height.into());
    attributes.integer(&names.width, size.width.into());
    Effect::update_record(RECORDS, key, attributes.finish()).with_time(&names.time)
}

/// Whether a record says this size already.
fn says(record: &str, size: Size, names: &Attributes) -> bool {
    let Ok(json) = Json::parse(record) else { return false };
    let number = |name: &str| json.map().ok()?.text(name).if_any()?.to_str().parse().ok();
    number(&names.height) == Some(size.height) && number(&names.width) == Some(size.width)
}
