//! Images, by the system's libvips.
//!
//! Nothing is decoded in this process, and libvips is not in it. An image is fetched to a file in a bounded part of the
//! disk (`scratch`), given to a worker process (`pool`, `process`, `desk`), and the output is streamed from there. Such
//! a process (`host/src/bin/reindex-image-worker`) has no network, no environment and no other file; it exchanges lines
//! of JSON ([`message`]), and its failure affects only its image.

mod desk;
mod fetch;
pub mod message;
mod parent;
mod pool;
mod process;
mod scratch;

use std::{
    fs::{self, File},
    path::{PathBuf, absolute},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::sync::OnceCell;

use self::{
    fetch::Wanted,
    message::{Answer as Said, Page, Placed, Purpose, Task},
    pool::{Done, Pool},
    scratch::{Loose, Scratch},
};
use super::{
    Program,
    files::{blocking, explain, pieces},
};
use crate::{
    capability::{
        image::{About, Answer, Block, Config, Flaw, Header, Images, Origin, Rendered},
        storage::Chunks,
    },
    error::{Error, Result},
    record::{Rendition, Size},
};

/// The largest size of a compressed picture with its smaller copies, in relation to the pixels.
const OVERHEAD: u64 = 3;
/// The size of a file besides its pixels.
const FRAME: u64 = 16 << 20;

/// Opens the image decoder. No process is started yet; files in use will be under `root`.
///
/// *Errors*: no program for decoding was set.
pub fn open(program: Option<&Program>, config: &Config, root: PathBuf) -> Result<Arc<dyn Images>> {
    let unsaid = || {
        Error::usage("this opens images, and nobody said which program decodes them")
            .hint("an embedder gives `Backends` one by `with_decoder`")
    };
    Ok(Arc::new(Vips::new(program.ok_or_else(unsaid)?.clone(), config.clone(), root)?))
}

/// Opens images in processes of their own.
pub struct Vips {
    program: Program,
    config: Config,
    root: PathBuf,
    opened: OnceCell<(Arc<Scratch>, Pool)>,
}

impl Vips {
    /// Opens nothing yet; `program` will decode, and files in use are under `root`.
    ///
    /// *Errors*: there is no working directory that `root` could be relative to.
    pub fn new(program: Program, config: Config, root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        // A worker process has another working directory.
        let root = absolute(&root).map_err(|error| explain(error, &root))?;
        Ok(Self { program, config, root, opened: OnceCell::new() })
    }

    /// The ids of the idle processes.
    pub fn processes(&self) -> Vec<u32> {
        self.opened.get().map(|(_, pool)| pool.ids()).unwrap_or_default()
    }

    async fn opened(&self) -> Result<&(Arc<Scratch>, Pool)> {
        self.opened
            .get_or_try_init(|| async {
                let (root, budget) = (self.root.clone(), self.config.scratch.as_u64());
                let scratch = blocking(move || Scratch::open(&root, budget)).await?;
                let pool = Pool::new(self.program.clone(), self.config.clone(), scratch.clone())?;
                Ok((scratch, pool))
            })
            .await
    }

    async fn find<'a>(&self, origin: &'a Origin, etag: Option<&str>) -> Result<Answer<Wanted<'a>>> {
        Wanted::find(origin, etag, self.config.max_bytes).await
    }

    /// Runs a task for an image, whose output has at most `made` bytes.
    async fn work(&self, image: &Wanted<'_>, task: Task, made: u64) -> Result<Answer<Done>> {
        let (scratch, pool) = self.opened().await?;
        match image.fetch(scratch, made).await? {
            Ok((file, room)) => pool.work(&file, task, room).await,
            Err(flaw) => Ok(Err(flaw)),
        }
    }

    /// Describes one page.
    async fn page(&self, image: &Wanted<'_>, page: Page, purpose: Purpose) -> Result<Answer<Header>> {
        let max_profile = self.config.max_profile.as_u64();
        let done = match self.work(image, Task::Describe { page, purpose }, max_profile).await? {
            Ok(done) => done,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let Said::Described(mut header) = done.answer else { return Err(strange()) };
        let profile = contents(done.made, max_profile).await?;
        header.profile = (!profile.is_empty()).then_some(profile);
        Ok(Ok(header))
    }
}

#[async_trait]
impl Images for Vips {
    async fn about(&self) -> Result<About> {
        let hello = self.opened().await?.1.hello().await?;
        Ok(About { maker: hello.maker, open: hello.open })
    }

    async fn describe(&self, origin: &Origin) -> Result<Answer<Header>> {
        match self.find(origin, None).await? {
            Ok(image) => self.page(&image, Page::default(), Purpose::Look).await,
            Err(flaw) => Ok(Err(flaw)),
        }
    }

    async fn blocks(&self, origin: &Origin, max_bytes: u64) -> Result<Answer<Vec<Block>>> {
        let image = match self.find(origin, None).await? {
            Ok(image) => image,
            Err(flaw) => return Ok(Err(flaw)),
        };
        // They are in the file unchanged.
        let done = match self.work(&image, Task::Blocks(max_bytes), max_bytes.min(image.size())).await? {
            Ok(done) => done,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let Said::Blocks(placed) = done.answer else { return Err(strange()) };
        Ok(Ok(cut(placed, &contents(done.made, max_bytes).await?)))
    }

    async fn measure(&self, origin: &Origin, rendition: &Rendition) -> Result<Answer<Size>> {
        let image = match self.find(origin, rendition.picture.etag.as_deref()).await? {
            Ok(image) => image,
            Err(flaw) => return Ok(Err(flaw)),
        };
        Ok(self.page(&image, page(rendition), Purpose::Render).await?.map(|header| measured(rendition, &header)))
    }

    async fn render(&self, origin: &Origin, rendition: &Rendition) -> Result<Answer<Rendered>> {
        let image = match self.find(origin, rendition.picture.etag.as_deref()).await? {
            Ok(image) => image,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let header = match self.page(&image, page(rendition), Purpose::Render).await? {
            Ok(header) => header,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let target = measured(rendition, &header);
        if target.pixels() > self.config.max_pixels {
            let Size { width, height } = target;
            return Ok(Err(Flaw::Refused(format!(
                "it would have {width} × {height} pixels; raise `max-pixels` under `[image]`, which is {}",
                self.config.max_pixels
            ))));
        }
        let (steps, format) = (rendition.steps.clone(), rendition.format);
        let task = Task::Render { page: page(rendition), steps, format };
        let done = match self.work(&image, task, weight(target, &header)).await? {
            Ok(done) => done,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let (Said::Rendered { picture, size }, Some((made, bytes))) = (done.answer, done.made) else {
            return Err(strange());
        };
        let content = stream(made).await?;
        Ok(Ok(Rendered { picture, size, bytes, content }))
    }
}

fn page(rendition: &Rendition) -> Page {
    Page { number: rendition.picture.page, density: rendition.picture.density }
}

fn measured(rendition: &Rendition, header: &Header) -> Size {
    rendition.measure(Size { width: header.width, height: header.height }, header.orientation)
}

/// The most bytes that a picture of this size needs while it is made.
fn weight(size: Size, header: &Header) -> u64 {
    // Grey may become colour, and colour may get transparency.
    let bands = u64::from(header.bands.max(4));
    let bytes = u64::from(header.bits.div_ceil(8).max(1));
    size.pixels().saturating_mul(bands * bytes * OVERHEAD).saturating_add(FRAME)
}

/// The file that a process wrote beside its answer.
async fn contents(made: Option<(Loose, u64)>, max_bytes: u64) -> Result<Bytes> {
    let Some((file, size)) = made else { return Ok(Bytes::new()) };
    if size > max_bytes {
        return Err(strange());
    }
    blocking(move || fs::read(&file.path).map(Bytes::from).map_err(|error| explain(error, &file.path))).await
}

/// The content of a file, which is removed after it was read.
async fn stream(made: Loose) -> Result<Chunks> {
    let path = made.path.clone();
    let file = blocking(move || File::open(&path).map_err(|error| explain(error, &path))).await?;
    let content = pieces(file, made.path.clone());
    Ok(content
        .map(move |piece| {
            let _kept = &made;
            piece
        })
        .boxed())
}

/// Splits the data into blocks.
fn cut(placed: Vec<Placed>, data: &Bytes) -> Vec<Block> {
    let mut at = 0;
    let blocks = placed.into_iter().map(|Placed { name, offset, length }| {
        let end = at + usize::try_from(length).unwrap_or(usize::MAX).min(data.len() - at);
        let block = Block { name, offset, data: data.slice(at..end) };
        at = end;
        block
    });
    blocks.collect()
}

/// The error of an unexpected message from a process.
fn strange() -> Error {
    Error::bug("a process that decodes images answers strangely")
}
