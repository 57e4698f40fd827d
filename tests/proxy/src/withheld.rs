//! A request that was parted: some of its items go to the server, the others are withheld and answered by the proxy.
//! What an item is, and how it is refused, say `bulk` and `batch`.

/// Why a body could not be parted or an answer not be joined: it is not what the fault is for.
#[derive(Debug, PartialEq)]
pub struct Unfit(pub String);

impl From<serde_json::Error> for Unfit {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// The two parts of a request.
pub(crate) trait Withheld {
    /// Whether nothing was withheld at all.
    fn is_nothing(&self) -> bool;

    /// The body for the server, unless nothing is left of it.
    fn rest(&self) -> Option<Vec<u8>>;

    /// The answer for the client: the server's, if it was asked, with a refusal for everything withheld.
    fn join(&self, answer: Option<&[u8]>) -> Result<Vec<u8>, Unfit>;
}
