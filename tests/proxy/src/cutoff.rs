//! A body that breaks off. It says that it is as long as ever, yields its first bytes, and fails once they are on the
//! wire, so that the connection it is written to is closed in the middle.

use std::{
    error::Error,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, SizeHint};

use crate::wire::Flushes;

/// Why a connection was closed: a fault asked for it.
pub(crate) fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the fault proxy broke this off")
}

pub(crate) struct Cutoff<B> {
    inner: B,
    left: u64,
    wire: Flushes,
}

impl<B: Body> Cutoff<B> {
    /// Passes at most `bytes` to this connection, and always less than the whole where its length is known.
    pub(crate) fn new(inner: B, bytes: u64, wire: Flushes) -> Self {
        let most = inner.size_hint().exact().map_or(u64::MAX, |length| length.saturating_sub(1));
        Self { inner, left: bytes.min(most), wire }
    }
}

impl<B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin> Body for Cutoff<B> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if this.left > 0 {
            match Pin::new(&mut this.inner).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(io::Error::other(error)))),
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(mut data) = frame.into_data() {
                        data.truncate(usize::try_from(this.left).unwrap_or(usize::MAX));
                        this.left -= data.remaining() as u64;
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                }
                Poll::Ready(None) => {}
            }
            this.left = 0;
        }
        // A failing body takes unwritten bytes with it.
        ready!(this.wire.poll_next(cx));
        Poll::Ready(Some(Err(broken())))
    }

    fn is_end_stream(&self) -> bool {
        false
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
