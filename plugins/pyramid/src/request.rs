//! A request: which master is to be looked at, and where the request itself lies.

use reindex_guest::{Effect, Invalid, Json, Map, Outcome, Value};

use crate::name::Master;

/// The only bucket whose objects are masters.
pub const MASTERS: &str = "masters";

/// How much of a message that nobody can read is shown.
const SHOWN_CHARS: usize = 200;

/// What a request says.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The image.
    pub master: Master,
    /// The key of its TIFF.
    pub output: String,
    /// Its `copyrightStatus`, if the request has one.
    pub status: Option<String>,
    /// Whether it is made again although it is there.
    pub force: bool,
    /// What takes the request away; none where it lies nowhere.
    pub removal: Option<Effect>,
}

impl Request {
    /// Reads the body of an item.
    ///
    /// *Errors*: the outcome of a request that names no image.
    pub fn read(body: &str, whole_name: bool) -> Result<Self, Outcome> {
        let json = Json::parse(body)?;
        let request = json.map()?;
        if let Some(reason) = request.text("unreadable").unless_empty() {
            return Err(unreadable(&reason.to_string(), request.get("message")).into());
        }
        if let Some(bucket) = request.text("bucket").if_any().filter(|bucket| *bucket != *MASTERS) {
            return Err(Invalid::new(format!("its bucket is `{bucket}`; masters are looked for in `{MASTERS}`")).into());
        }
        let master = Master::of(&request.required_id("key")?.to_str())?;
        Ok(Self {
            output: master.output(whole_name)?,
            master,
            status: request.text("copyrightStatus").unless_empty().map(|status| status.to_string()),
            force: matches!(request.get("force"), Some(Value::Boolean(true))),
            removal: request.map("request").if_any().map(removal).transpose()?,
        })
    }
}

/// An event that could not be read was kept as a request, with the reason, so that it is not lost.
fn unreadable(reason: &str, message: Option<Value>) -> Invalid {
    let text = message.and_then(Value::scalar).map(|text| text.to_string()).unwrap_or_default();
    let shown: String = text.chars().take(SHOWN_CHARS).collect();
    Invalid::new(format!("an event that could not be read: {reason}: {shown}"))
}

/// Removes the request, unless a newer one has taken its place.
fn removal(request: Map) -> Result<Effect, Invalid> {
    let text = |name| request.required_id(name).map_err(|invalid| invalid.inside("request"));
    let (bucket, key) = (text("bucket")?.to_string(), text("key")?.to_string());
    Ok(match request.text("eTag").unless_empty() {
        Some(etag) => Effect::delete_object_if(&bucket, key, etag.to_string()),
        None => Effect::delete_object(&bucket, key),
    })
}
