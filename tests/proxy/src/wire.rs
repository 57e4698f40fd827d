//! A connection that reports its flushes, so that a body can break off exactly when its bytes have left the process.
//!
//! hyper flushes a connection only once its own buffer is empty: whatever a body yielded before is with the system then,
//! and reaches the other side even if the connection is closed at once.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A body's view of the connection it is written to.
#[derive(Clone, Default)]
pub(crate) struct Flushes(Arc<Mutex<Wait>>);

#[derive(Default)]
enum Wait {
    #[default]
    Nothing,
    For(Waker),
    Over,
}

impl Flushes {
    fn wait(&self) -> MutexGuard<'_, Wait> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ready once the connection was flushed after the first call.
    pub(crate) fn poll_next(&self, cx: &Context<'_>) -> Poll<()> {
        let mut wait = self.wait();
        match *wait {
            Wait::Over => return Poll::Ready(()),
            // hyper flushes whenever its connection is polled, also if nothing is left to be written.
            Wait::Nothing => cx.waker().wake_by_ref(),
            Wait::For(_) => {}
        }
        *wait = Wait::For(cx.waker().clone());
        Poll::Pending
    }

    fn flushed(&self) {
        let mut wait = self.wait();
        if let Wait::For(waker) = &*wait {
            waker.wake_by_ref();
            *wait = Wait::Over;
        }
    }
}

pub(crate) struct Wire {
    stream: TcpStream,
    flushes: Flushes,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> (Self, Flushes) {
        let flushes = Flushes::default();
        (Self { stream, flushes: flushes.clone() }, flushes)
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.get_mut().stream)
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushes.flushed();
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}
