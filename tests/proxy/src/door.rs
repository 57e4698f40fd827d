//! The address clients come to: open, or closed as that of a server that is gone. A closed door keeps its port, so that
//! nobody else takes it and connections are refused. What happens on a connection is the affair of `http` and `tcp`.

use std::{
    future::{Future, pending},
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::mpsc::{Sender as Reply, channel as reply},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    select,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel},
    task::JoinSet,
    time::sleep,
};

/// Connections that wait to be taken.
const BACKLOG: u32 = 1024;

/// Asks for the door to be opened or closed, and for a word when it is.
struct Wish {
    open: bool,
    done: Reply<()>,
}

/// The proxy's own handle: the door is there as long as it is.
pub(crate) struct Door {
    address: SocketAddr,
    wishes: UnboundedSender<Wish>,
}

/// A connection's handle, which does not keep the door there.
#[derive(Clone)]
pub(crate) struct Gate(WeakUnboundedSender<Wish>);

impl Door {
    /// Opens a door on a free port of this machine; `serve` is given every connection. Needs a tokio runtime around it.
    pub(crate) fn open<S, F>(serve: S) -> io::Result<Self>
    where
        S: Fn(TcpStream, Gate) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = reserve((Ipv4Addr::LOCALHOST, 0).into())?.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let (wishes, heard) = unbounded_channel();
        let gate = Gate(wishes.downgrade());
        tokio::spawn(keep(listener, address, heard, move |stream| serve(stream, gate.clone())));
        Ok(Self { address, wishes })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens or closes, and returns when it is done.
    pub(crate) fn set(&self, open: bool) {
        let (done, wait) = reply();
        // Neither fails while the door is there; when the runtime is gone, so is everything behind the door.
        let _ = self.wishes.send(Wish { open, done });
        let _ = wait.recv();
    }
}

impl Gate {
    /// Closes the door behind the caller's back, whose own connection this ends, and opens it again after `time`.
    pub(crate) fn fall(&self, time: Option<Duration>) {
        let gate = self.clone();
        gate.wish(false);
        if let Some(time) = time {
            tokio::spawn(async move {
                sleep(time).await;
                gate.wish(true);
            });
        }
    }

    fn wish(&self, open: bool) {
        if let Some(wishes) = self.0.upgrade() {
            // A door that is gone needs nothing done to it.
            let _ = wishes.send(Wish { open, done: reply().0 });
        }
    }
}

/// A port of our own on which nobody listens yet.
fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

enum Leaf {
    Open(TcpListener),
    Closed(TcpSocket),
}

/// Takes connections and hears wishes until the last handle is gone, and every connection with it.
async fn keep<F>(
    listener: TcpListener,
    address: SocketAddr,
    mut heard: UnboundedReceiver<Wish>,
    serve: impl Fn(TcpStream) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let (mut leaf, mut connections) = (Leaf::Open(listener), JoinSet::new());
    loop {
        select! {
            stream = accept(&leaf) => {
                let _ = stream.set_nodelay(true);
                connections.spawn(serve(stream));
            }
            wish = heard.recv() => {
                let Some(wish) = wish else { return };
                leaf = turn(leaf, wish.open, address).expect("the port was ours and still is");
                if !wish.open {
                    connections.shutdown().await;
                }
                let _ = wish.done.send(());
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The next connection; none as long as the door is closed.
async fn accept(leaf: &Leaf) -> TcpStream {
    let Leaf::Open(listener) = leaf else { return pending().await };
    loop {
        // A client that was gone before it was let in is none.
        if let Ok((stream, _)) = listener.accept().await {
            return stream;
        }
    }
}

fn turn(leaf: Leaf, open: bool, address: SocketAddr) -> io::Result<Leaf> {
    match (leaf, open) {
        (Leaf::Closed(socket), true) => Ok(Leaf::Open(socket.listen(BACKLOG)?)),
        (Leaf::Open(listener), false) => {
            drop(listener);
            Ok(Leaf::Closed(reserve(address)?))
        }
        (leaf, _) => Ok(leaf),
    }
}
