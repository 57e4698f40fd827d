//! Reads the headers of a written TIFF again: libvips has written levels that no reader understands.

use reindex::{
    backend::vips::message::{Failed, MADE},
    record::{Size, Tiff},
};

use super::operation::{Image, Operation};

/// libvips' default size of a tile.
const TILE: u32 = 128;

/// What all levels of a TIFF have in common.
#[derive(Debug, PartialEq)]
pub(super) struct Form {
    bands: u32,
    numbers: String,
    colour: String,
}

impl Form {
    pub(super) fn of(image: &Image) -> Self {
        let colour = match image.interpretation().as_str() {
            // libvips has two words for each kind that is one kind in a TIFF.
            "rgb" => "srgb".to_owned(),
            "labq" => "lab".to_owned(),
            colour => colour.to_owned(),
        };
        Self { bands: image.bands(), numbers: image.numbers(), colour }
    }
}

/// Checks that every level of the TIFF has its size and the kind of pixels of the image it was made of.
pub(super) fn verify(tiff: &Tiff, size: Size, form: &Form) -> Result<(), Failed> {
    for (level, wanted) in sizes(tiff, size).into_iter().enumerate() {
        let image = open(tiff, level)?;
        let (found, made) = (Size { width: image.width(), height: image.height() }, Form::of(&image));
        if found != wanted || made != *form {
            return Err(Failed::Refused(format!(
                "level {level} of its TIFF would be {found:?} {made:?} where {wanted:?} {form:?} was to come"
            )));
        }
    }
    Ok(())
}

fn open(tiff: &Tiff, level: usize) -> Result<Image, Failed> {
    let operation = Operation::new("tiffload")?.set("filename", MADE)?;
    match level {
        0 => operation.image(),
        level if tiff.subifd => operation.set("subifd", &(level - 1))?.image(),
        level => operation.set("page", &level)?.image(),
    }
}

/// The sizes of a pyramid: each half of the one before, until one fits into a tile.
fn sizes(tiff: &Tiff, Size { mut width, mut height }: Size) -> Vec<Size> {
    let tile = if tiff.tile > 0 { tiff.tile } else { TILE };
    let mut sizes = vec![Size { width, height }];
    while tiff.pyramid && width.max(height) > tile && width.min(height) > 1 {
        (width, height) = (width / 2, height / 2);
        sizes.push(Size { width, height });
    }
    sizes
}
