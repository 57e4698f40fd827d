//! One plain TCP connection of a client, for protocols that are not HTTP. What the client sends in one go counts as one
//! request, and what the server sends next as its answer; nothing here understands either.

use std::{io, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    select,
    sync::Mutex,
    time::sleep,
};

use crate::{
    book::{Book, Entry},
    cutoff::broken,
    door::Gate,
    rule::Fault,
};

const CHUNK: usize = 64 * 1024;

/// How much of the answers still goes to the client, and the request that is to blame.
type Allowance = Mutex<Option<(u64, Entry)>>;

/// Serves a client's connection until either side closes it or a fault does.
pub(crate) async fn serve(client: TcpStream, address: &str, book: Arc<Book>, gate: Gate) {
    let Ok(server) = TcpStream::connect(address).await else { return };
    // A connection that cannot be hurried is slower, but no less right.
    let _ = server.set_nodelay(true);
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let allowance = Allowance::default();
    let requests = Requests { to_server, book, gate, allowance: &allowance };
    select! {
        _ = requests.pass(from_client) => {}
        _ = answers(from_server, to_client, &allowance) => {}
    }
}

struct Requests<'a> {
    to_server: OwnedWriteHalf,
    book: Arc<Book>,
    gate: Gate,
    allowance: &'a Allowance,
}

impl Requests<'_> {
    async fn pass(mut self, mut from_client: OwnedReadHalf) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        loop {
            let length = from_client.read(&mut chunk).await?;
            if length == 0 {
                return Ok(());
            }
            let sent = &chunk[..length];
            let entry = self.book.arrives("TCP", &String::from_utf8_lossy(sent), None);
            entry.read(length);
            self.request(sent, entry).await?;
        }
    }

    /// Passes on what was sent; an error closes both connections.
    async fn request(&mut self, sent: &[u8], entry: Entry) -> io::Result<()> {
        match entry.fault().cloned() {
            None => self.to_server.write_all(sent).await,
            Some(Fault::Delay(time)) => {
                entry.bit();
                sleep(time).await;
                self.to_server.write_all(sent).await
            }
            Some(Fault::LostReply) => self.allow(0, sent, entry).await,
            Some(Fault::Truncate(bytes)) => self.allow(bytes, sent, entry).await,
            Some(Fault::CutAfter(bytes)) => {
                let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(sent.len() - 1);
                entry.bit();
                self.to_server.write_all(&sent[..bytes]).await?;
                Err(broken())
            }
            // The rest is `Cut`: what only HTTP knows, `Proxy::add` does not let come here.
            Some(fault) => {
                if let Fault::Down(time) = fault {
                    self.gate.fall(time);
                }
                entry.bit();
                Err(broken())
            }
        }
    }

    /// Holds the answers back until the server has the request, so that none to an earlier one cuts it short.
    async fn allow(&mut self, bytes: u64, sent: &[u8], entry: Entry) -> io::Result<()> {
        let mut allowance = self.allowance.lock().await;
        self.to_server.write_all(sent).await?;
        *allowance = Some((bytes, entry));
        Ok(())
    }
}

async fn answers(
    mut from_server: OwnedReadHalf,
    mut to_client: OwnedWriteHalf,
    allowance: &Allowance,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = from_server.read(&mut chunk).await?;
        if length == 0 {
            return Ok(());
        }
        let mut allowance = allowance.lock().await;
        let (passed, cut) = match &mut *allowance {
            Some((left, entry)) if *left < length as u64 => {
                entry.bit();
                (usize::try_from(*left).unwrap_or(length), true)
            }
            Some((left, _)) => {
                *left -= length as u64;
                (length, false)
            }
            None => (length, false),
        };
        drop(allowance);
        to_client.write_all(&chunk[..passed]).await?;
        if cut {
            return Ok(());
        }
    }
}
