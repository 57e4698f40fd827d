//! Turns an error of NATS into an error that the user can act on.

use async_nats::{
    ConnectErrorKind,
    client::RequestErrorKind,
    jetstream::{self, ErrorCode, context::CreateStreamErrorKind as Uncreated},
};

use crate::{
    backend::reply::words,
    error::{Error, Kind},
};

/// Why there is no connection.
pub(super) fn connect(error: async_nats::ConnectError) -> Error {
    let failed = |kind, what: &str| Error::new(kind, format!("NATS {what}"));
    let made = match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            failed(Kind::Denied, "does not accept these credentials")
                .hint("check `user` and `password`, `token` or `credentials` of this queue in the environment file")
        }
        ConnectErrorKind::ServerParse => {
            failed(Kind::Usage, "has no such address").hint("write `url` like nats://127.0.0.1:4222")
        }
        ConnectErrorKind::Tls => failed(Kind::Usage, "cannot be reached by TLS")
            .hint("name the authority's certificates in `tls-ca`, and the server by the name in its certificate"),
        _ => failed(Kind::Unavailable, "does not answer")
            .hint("check `url` and whether the server runs; what was done is kept"),
    };
    made.of_place().because(error)
}

/// An error answer of JetStream.
pub(super) fn answered(operation: &str, stream: &str, error: &jetstream::Error) -> Error {
    let (kind, hint) = match error.error_code() {
        ErrorCode::STREAM_NOT_FOUND => {
            (Kind::NotFound, "make the stream, or write `create = true` for this queue in the environment file")
        }
        ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => {
            (Kind::Usage, "start the server with JetStream (`-js`), and allow it for the account")
        }
        _ if error.code() >= 500 => (Kind::Unavailable, "run again later; what was done is kept"),
        _ => (Kind::Usage, "check `stream` and the subjects of this queue in the environment file"),
    };
    Error::new(kind, format!("{operation}: {}", words(&error.to_string()))).of_place().with("stream", stream).hint(hint)
}

/// Why the stream could not be created.
pub(super) fn creation(error: &jetstream::context::CreateStreamError) -> Error {
    let what = "the stream cannot be made";
    let later = || {
        // If only the reply was lost, the next try finds it.
        Error::new(Kind::Unavailable, format!("{what} just now"))
            .hint("check whether the server runs; what was done is kept")
    };
    match error.kind() {
        Uncreated::TimedOut | Uncreated::Response => later(),
        Uncreated::JetStream(said) if said.code() >= 500 => later(),
        _ => Error::usage(what).of_place().hint("make the stream by hand, and leave out `create`"),
    }
}

/// Why a request to JetStream has no answer.
pub(super) fn silent(operation: &str, error: jetstream::context::RequestError) -> Error {
    use jetstream::context::RequestErrorKind as Silence;
    let error = match error.kind() {
        Silence::NoResponders => return without_jetstream(operation).because(error),
        _ => Error::new(Kind::Unavailable, format!("{operation}: NATS does not answer")).because(error),
    };
    error.hint("check whether the server runs; what was done is kept")
}

/// Why a request has no answer; none if there is no responder.
pub(super) fn request(operation: &str, error: async_nats::RequestError) -> Option<Error> {
    match error.kind() {
        RequestErrorKind::NoResponders | RequestErrorKind::InvalidSubject => None,
        _ => Some(
            Error::new(Kind::Unavailable, format!("{operation}: NATS does not answer"))
                .because(error)
                .hint("check whether the server runs; what was done is kept"),
        ),
    }
}

/// No responder for JetStream's own subjects: it is off, or not allowed for this user.
fn without_jetstream(operation: &str) -> Error {
    Error::new(Kind::Unavailable, format!("{operation}: JetStream does not answer"))
        .hint("start the server with JetStream (`-js`), and let this user use it")
}
