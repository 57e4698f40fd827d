//! Images, by the system's libvips.
//!
//! Nothing is decoded in this process. An image is fetched to a file of bounded room on the disk (`scratch`), laid
//! before a process that decodes (`pool`, `process`, `desk`), and what that made is streamed away from there. Such a
//! process (`worker`) has no network, no environment and no other file; it talks in lines of JSON (`message`), and
//! whatever happens to it costs the image it was about.

mod blocks;
mod desk;
mod kind;
mod message;
mod pool;
mod process;
mod scratch;
pub mod worker;

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use bytesize::ByteSize;
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::sync::OnceCell;

use self::{
    message::{Answer as Said, Page, Placed, Task},
    pool::{Done, Pool},
    scratch::{Claim, Held, Identity, Loose, Room, Scratch},
};
use super::{
    Program,
    files::{blocking, explain, pieces},
};
use crate::{
    capability::{
        image::{About, Answer, Block, Config, Flaw, Header, Images, Origin, Rendered},
        storage::{Chunks, ObjectInfo, chunks},
    },
    error::{Error, Result},
    record::{Rendition, Size},
};

/// The largest colour profile that is handed on.
const PROFILE_BYTES: u64 = 8 << 20;

/// What a compressed picture and its smaller copies come to at most, in relation to the pixels.
const OVERHEAD: u64 = 3;
/// What a file has besides pixels.
const FRAME: u64 = 16 << 20;

/// Opens images in processes of their own.
pub struct Vips {
    program: Program,
    config: Config,
    root: PathBuf,
    opened: OnceCell<(Arc<Scratch>, Pool)>,
}

impl Vips {
    /// Opens nothing yet; `program` will decode, and what is in work lies under `root`.
    pub fn new(program: Program, config: Config, root: impl Into<PathBuf>) -> Self {
        Self { program, config, root: root.into(), opened: OnceCell::new() }
    }

    /// The processes that wait for work, by their numbers.
    pub fn processes(&self) -> Vec<u32> {
        self.opened.get().map(|(_, pool)| pool.ids()).unwrap_or_default()
    }

    async fn opened(&self) -> Result<&(Arc<Scratch>, Pool)> {
        self.opened
            .get_or_try_init(|| async {
                let (root, budget) = (self.root.clone(), self.config.scratch.as_u64());
                let scratch = blocking(move || Scratch::open(&root, budget)).await?;
                let pool = Pool::new(self.program.clone(), self.config.clone(), scratch.clone());
                Ok((scratch, pool))
            })
            .await
    }

    /// Has something done with an image, for which at most `made` bytes are written.
    async fn work(&self, origin: &Origin, etag: Option<&str>, task: Task, made: u64) -> Result<Answer<Done>> {
        let (_, pool) = self.opened().await?;
        let (image, room) = match self.fetch(origin, etag, made).await? {
            Ok(fetched) => fetched,
            Err(flaw) => return Ok(Err(flaw)),
        };
        pool.work(&image, task, room).await
    }

    /// The file of an image, and room for what will be made of it.
    async fn fetch(&self, origin: &Origin, etag: Option<&str>, made: u64) -> Result<Answer<(Held, Room)>> {
        let (scratch, _) = self.opened().await?;
        let Origin::Object { bucket, name, key } = origin else {
            return self.lay_down(origin, made).await;
        };
        let Some(info) = bucket.head_many(std::slice::from_ref(key)).await?.into_iter().next().flatten() else {
            return Ok(Err(Flaw::Missing));
        };
        if etag.is_some_and(|etag| etag != info.etag) {
            return Ok(Err(Flaw::Changed));
        }
        if let Some(flaw) = self.too_large(info.size) {
            return Ok(Err(flaw));
        }
        let identity = Identity { bucket: name.clone(), key: key.clone(), etag: info.etag.clone() };
        let mut claim = match scratch.claim(Some(&identity), info.size, made).await {
            Ok(Claim { found: Some(found), room }) => return Ok(Ok((found, room))),
            Ok(claim) => claim,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let file = Loose::new(scratch.fresh(), claim.room.split(info.size));
        let Some((read, content)) = bucket.read(key).await? else { return Ok(Err(Flaw::Missing)) };
        if !is_same(&info, &read) || !download(&file.path, content, info.size).await? {
            return Ok(Err(Flaw::Changed));
        }
        Ok(Ok((scratch.keep(Some(identity), file), claim.room)))
    }

    /// Writes down an image that is no object.
    async fn lay_down(&self, origin: &Origin, made: u64) -> Result<Answer<(Held, Room)>> {
        let Origin::Bytes(bytes) = origin else { return Ok(Err(Flaw::Missing)) };
        let (scratch, _) = self.opened().await?;
        let size = bytes.len() as u64;
        if let Some(flaw) = self.too_large(size) {
            return Ok(Err(flaw));
        }
        let mut claim = match scratch.claim(None, size, made).await {
            Ok(claim) => claim,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let file = Loose::new(scratch.fresh(), claim.room.split(size));
        download(&file.path, chunks(bytes.clone()), size).await?;
        Ok(Ok((scratch.keep(None, file), claim.room)))
    }

    fn too_large(&self, size: u64) -> Option<Flaw> {
        let most = self.config.max_bytes;
        (size > most.as_u64()).then(|| {
            let size = ByteSize(size);
            Flaw::Refused(format!("it has {size}; raise `max-bytes` under `[image]`, which is {most}"))
        })
    }

    /// Describes one page.
    async fn page(&self, origin: &Origin, etag: Option<&str>, page: Page) -> Result<Answer<Header>> {
        let done = match self.work(origin, etag, Task::Describe(page), PROFILE_BYTES).await? {
            Ok(done) => done,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let Said::Described(mut header) = done.answer else { return Err(strange()) };
        let profile = contents(done.made, PROFILE_BYTES).await?;
        header.profile = (!profile.is_empty()).then_some(profile);
        Ok(Ok(header))
    }
}

#[async_trait]
impl Images for Vips {
    async fn about(&self) -> Result<About> {
        let hello = self.opened().await?.1.hello().await?;
        Ok(About { maker: format!("libvips {}", hello.libvips), open: hello.open })
    }

    async fn describe(&self, origin: &Origin) -> Result<Answer<Header>> {
        self.page(origin, None, Page::default()).await
    }

    async fn blocks(&self, origin: &Origin, max_bytes: u64) -> Result<Answer<Vec<Block>>> {
        // They lie in the file as they are.
        let room = max_bytes.min(self.config.max_bytes.as_u64()).min(self.config.scratch.as_u64() / 2);
        let done = match self.work(origin, None, Task::Blocks(max_bytes), room).await? {
            Ok(done) => done,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let Said::Blocks(placed) = done.answer else { return Err(strange()) };
        Ok(Ok(cut(placed, &contents(done.made, max_bytes).await?)))
    }

    async fn measure(&self, origin: &Origin, rendition: &Rendition) -> Result<Answer<Size>> {
        let header = self.page(origin, rendition.picture.etag.as_deref(), page(rendition)).await?;
        Ok(header.map(|header| measured(rendition, &header)))
    }

    async fn render(&self, origin: &Origin, rendition: &Rendition) -> Result<Answer<Rendered>> {
        let etag = rendition.picture.etag.as_deref();
        let header = match self.page(origin, etag, page(rendition)).await? {
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
        let done = match self.work(origin, etag, task, weight(target, &header)).await? {
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

/// The most bytes that a picture of this size takes while it is made.
fn weight(size: Size, header: &Header) -> u64 {
    // Grey may become colour, and colour may gain transparency.
    let bands = u64::from(header.bands.max(4));
    let bytes = u64::from(header.bits.div_ceil(8).max(1));
    size.pixels().saturating_mul(bands * bytes * OVERHEAD).saturating_add(FRAME)
}

fn is_same(head: &ObjectInfo, read: &ObjectInfo) -> bool {
    head.etag == read.etag && head.size == read.size
}

/// Writes a stream to a file. False if it was not as long as it should be.
async fn download(path: &Path, mut content: Chunks, size: u64) -> Result<bool> {
    let (to, mut written) = (path.to_owned(), 0);
    let mut file = blocking(move || File::create_new(&to).map_err(|error| explain(error, &to))).await?;
    while let Some(chunk) = content.try_next().await? {
        written += chunk.len() as u64;
        if written > size {
            return Ok(false);
        }
        let to = path.to_owned();
        file = blocking(move || {
            file.write_all(&chunk).map_err(|error| explain(error, &to))?;
            Ok(file)
        })
        .await?;
    }
    Ok(written == size)
}

/// What a process wrote down beside its answer.
async fn contents(made: Option<(Loose, u64)>, max_bytes: u64) -> Result<Bytes> {
    let Some((file, size)) = made else { return Ok(Bytes::new()) };
    if size > max_bytes {
        return Err(strange());
    }
    blocking(move || fs::read(&file.path).map(Bytes::from).map_err(|error| explain(error, &file.path))).await
}

/// The content of a file, which is gone when it was read.
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

/// Cuts the data of blocks apart.
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

/// A process that says what nobody asked it.
fn strange() -> Error {
    Error::bug("a process that decodes images answers strangely")
}
