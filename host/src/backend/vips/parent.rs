//! The thread that starts processes. The kernel kills a process that requested it when the thread that started it ends,
//! so this thread runs as long as processes may, and no longer.

use std::{io, sync::mpsc, thread};

use tokio::{
    process::{Child, Command},
    runtime::Handle,
    sync::oneshot,
};

type Work = Box<dyn FnOnce() + Send>;

/// Starts processes that end with it.
pub(super) struct Parent(mpsc::Sender<Work>);

impl Parent {
    /// Starts the thread.
    pub(super) fn new() -> io::Result<Self> {
        let (sender, work) = mpsc::channel::<Work>();
        thread::Builder::new().name("images".to_owned()).spawn(move || work.into_iter().for_each(|work| work()))?;
        Ok(Self(sender))
    }

    /// Starts a process.
    pub(super) async fn start(&self, mut command: Command) -> io::Result<Child> {
        let ended = |_| io::Error::other("the thread that starts processes ended");
        let (answer, started) = oneshot::channel();
        let runtime = Handle::current();
        let work = move || {
            let _inside = runtime.enter();
            // Without a receiver the process ends at once.
            let _ = answer.send(command.spawn());
        };
        self.0.send(Box::new(work)).map_err(|_| io::Error::other("the thread that starts processes ended"))?;
        started.await.map_err(ended)?
    }
}
