//! A fault proxy: it stands between `reindex` and a real server and makes the faults that no emulator makes by itself.
//!
//! A test puts it in front of a server, adds [`Rule`]s, runs what it is about, and asserts both that nothing was lost and
//! that a fault did bite ([`Proxy::fired`]): a fault test without a fault is no test. Everything a rule is not about
//! passes as it came. Requests are changed by [`Fault::RejectItems`], [`Fault::AnswerItems`] and
//! [`Fault::Unprocessed`] only, which therefore need a server that does not verify the signature of a body. The proxy speaks plain HTTP/1.1 and plain TCP on this
//! machine only, and knows nothing of `reindex`.

mod batch;
mod book;
mod bulk;
mod cutoff;
mod door;
mod endless;
mod http;
mod rule;
mod tcp;
mod wire;
mod withheld;
mod words;

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, LazyLock},
};

use tokio::runtime::{Builder, Runtime};

use crate::{book::Book, door::Door, http::Origin};
pub use crate::{
    book::{Request, RuleId},
    rule::{Fault, Match, Pick, Rule},
};

/// Threads of our own, so that a test that blocks its runtime, or has none, does not stop its proxy.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("proxy").enable_all().build();
    runtime.expect("a machine that runs tests has two threads left")
});

/// A proxy in front of one server, until it is dropped.
pub struct Proxy {
    door: Door,
    book: Arc<Book>,
    scheme: String,
    speaks_http: bool,
}

impl Proxy {
    /// Stands in front of an HTTP/1.1 server, named as `http://127.0.0.1:9200` or `127.0.0.1:9200`.
    ///
    /// # Panics
    /// Panics if no port of this machine is free.
    #[must_use]
    pub fn http(upstream: &str) -> Self {
        let origin = Arc::new(Origin::new(address(upstream).to_owned()));
        let book = Arc::<Book>::default();
        let rules = Arc::clone(&book);
        Self::open(upstream, book, true, || {
            Door::open(move |stream, gate| http::serve(stream, Arc::clone(&origin), Arc::clone(&rules), gate))
        })
    }

    /// Stands in front of a server of any other protocol over TCP, named as `nats://127.0.0.1:4222` or `127.0.0.1:4222`.
    ///
    /// # Panics
    /// Panics if no port of this machine is free.
    #[must_use]
    pub fn tcp(upstream: &str) -> Self {
        let address: Arc<str> = address(upstream).into();
        let book = Arc::<Book>::default();
        let rules = Arc::clone(&book);
        Self::open(upstream, book, false, || {
            Door::open(move |stream, gate| {
                let (address, rules) = (Arc::clone(&address), Arc::clone(&rules));
                async move { tcp::serve(stream, &address, rules, gate).await }
            })
        })
    }

    fn open(upstream: &str, book: Arc<Book>, speaks_http: bool, door: impl FnOnce() -> std::io::Result<Door>) -> Self {
        let _runtime = RUNTIME.enter();
        let door = door().expect("a port of this machine is free");
        let scheme = upstream.split_once("://").map_or_else(String::new, |(scheme, _)| format!("{scheme}://"));
        Self { door, book, scheme, speaks_http }
    }

    /// Where clients go instead of to the server: as the server was named, with the port of the proxy.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{}", self.scheme, self.address())
    }

    /// The same without a scheme.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.door.address()
    }

    /// Adds a rule behind the others, from the next request on. The first rule whose turn it is has a request.
    ///
    /// # Panics
    /// Panics if the fault is one of HTTP and this proxy does not speak it.
    pub fn add(&self, rule: Rule) -> RuleId {
        use Fault::{AnswerItems, Endless, RejectItems, Reply, Status, Throttle, Unprocessed};
        let answers = matches!(rule.fault, Throttle | Status(..) | Reply(..) | Endless(_));
        let needs_http = answers || matches!(rule.fault, RejectItems(_) | AnswerItems(..) | Unprocessed(_));
        assert!(self.speaks_http || !needs_http, "{:?} needs a proxy that speaks HTTP", rule.fault);
        self.book.add(rule)
    }

    /// Takes a rule away.
    pub fn remove(&self, rule: RuleId) {
        self.book.remove(rule);
    }

    /// Takes all rules away; the log stays.
    pub fn clear(&self) {
        self.book.clear();
    }

    /// Everything that came, in its order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.book.requests()
    }

    /// How many requests a fault did bite.
    #[must_use]
    pub fn fired(&self) -> usize {
        self.requests().iter().filter(|request| request.fault.is_some()).count()
    }

    /// Lets the server vanish: closes every connection and refuses new ones. Returns when it is so.
    pub fn down(&self) {
        self.door.set(false);
    }

    /// Lets it come back at the same address. Returns when it is so.
    pub fn up(&self) {
        self.door.set(true);
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.url()).finish()
    }
}

/// Host and port of a server's name.
fn address(upstream: &str) -> &str {
    let rest = upstream.split_once("://").map_or(upstream, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    authority.rsplit('@').next().unwrap_or(authority)
}
