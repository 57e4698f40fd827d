//! A file that is read within bounds, independent of its own length fields.

use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};

use reindex::capability::image::Block;

/// How much is read at a time if small pieces are next to each other.
const PIECE: usize = 4096;

/// Why a walk through a file ends early.
pub enum Stop {
    /// The file ends or is invalid here; the blocks before it are kept.
    Ends,
    /// The blocks exceed the limit.
    Full,
    /// The file cannot be read.
    Failed(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::UnexpectedEof { Self::Ends } else { Self::Failed(error) }
    }
}

/// A file, the blocks that were found in it, and how many bytes may still be kept.
pub struct Bounded<R> {
    file: BufReader<R>,
    at: u64,
    size: u64,
    left: u64,
    pub blocks: Vec<Block>,
}

impl<R: Read + Seek> Bounded<R> {
    pub fn open(mut file: R, max_bytes: u64) -> io::Result<Self> {
        let size = file.seek(SeekFrom::End(0))?;
        let file = BufReader::with_capacity(PIECE, file);
        Ok(Self { file, at: size, size, left: max_bytes, blocks: Vec::new() })
    }

    /// The file's size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads a piece of structure, which is not kept.
    pub fn array<const N: usize>(&mut self, offset: u64) -> Result<[u8; N], Stop> {
        self.go(offset, N as u64)?;
        let mut array = [0; N];
        self.file.read_exact(&mut array)?;
        self.at += N as u64;
        Ok(array)
    }

    /// Reads bytes that are kept.
    pub fn bytes(&mut self, offset: u64, length: u64) -> Result<Vec<u8>, Stop> {
        self.go(offset, length)?;
        self.hold(length)?;
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| Stop::Full)?];
        self.file.read_exact(&mut bytes)?;
        self.at += length;
        Ok(bytes)
    }

    /// Adds a block that is in the file unchanged.
    pub fn take(&mut self, name: String, offset: u64, length: u64) -> Result<(), Stop> {
        let data = self.bytes(offset, length)?;
        self.put(name, offset, data)
    }

    /// Adds a block whose data is counted already.
    pub fn put(&mut self, name: String, offset: u64, data: Vec<u8>) -> Result<(), Stop> {
        self.hold((size_of::<Block>() + name.len()) as u64)?;
        self.blocks.push(Block { name, offset, data: data.into() });
        Ok(())
    }

    /// Counts bytes that are kept.
    pub fn hold(&mut self, bytes: u64) -> Result<(), Stop> {
        self.left = self.left.checked_sub(bytes).ok_or(Stop::Full)?;
        Ok(())
    }

    /// Seeks to an offset from which `length` bytes can be read. A short distance stays within the buffer.
    fn go(&mut self, offset: u64, length: u64) -> Result<(), Stop> {
        let end = offset.checked_add(length).ok_or(Stop::Ends)?;
        if end > self.size {
            return Err(Stop::Ends);
        }
        let way = offset.checked_signed_diff(self.at).ok_or(Stop::Ends)?;
        self.file.seek_relative(way)?;
        self.at = offset;
        Ok(())
    }
}
