//! Makes a rendition, from the source file to the written file.

use reindex::{
    backend::vips::message::{Failed, Limits, Page},
    record::{Format, Size, Step},
};

use super::{
    open::open,
    operation::Image,
    pixels::Pixels,
    save::save,
    steps::{self, Plan},
};

/// Above this many bytes, pixels that have to be kept for turning are on the disk.
const IN_MEMORY: u64 = 64 << 20;

/// Makes a picture of a page. Returns the size of the page as stored, and the picture's own.
pub(super) fn paint(page: Page, steps: &[Step], format: &Format, limits: &Limits) -> Result<(Size, Size), Failed> {
    let opened = open(page, limits)?;
    let pixels = Pixels::of(&opened)?;
    let stored = opened.size();
    let plan = Plan::new(stored, opened.image.orientation(), steps);
    let image = match plan.shrinks_at_once() {
        Some(wanted) => opened.shrunk(wanted)?,
        None => opened.image,
    };
    let mut image = pixels.taken(image)?;
    for change in &plan.changes {
        image = steps::apply(&image, change)?;
    }
    let image = turned(image, &plan)?;
    let size = Size { width: image.width(), height: image.height() };
    if size != plan.size {
        return Err(Failed::Unreadable(format!("it came out as {size:?} where {:?} was to come", plan.size)));
    }
    save(image, format)?;
    Ok((stored, size))
}

/// Turns and mirrors as the last step: a page is read from top to bottom, and turning needs all of it at once.
fn turned(image: Image, plan: &Plan) -> Result<Image, Failed> {
    let image = if plan.orients {
        image.without(|name| name == c"orientation" || name == c"exif-ifd0-Orientation")?
    } else {
        image
    };
    let turn = plan.turn;
    let image = if turn.quarters > 0 { image.computed(weight(&image) > IN_MEMORY)? } else { image };
    let image = if turn.mirrored { image.operation("flip")?.set("direction", "horizontal")?.image()? } else { image };
    match turn.quarters {
        0 => Ok(image),
        quarters => image.operation("rot")?.set("angle", &format!("d{}", u32::from(quarters) * 90))?.image(),
    }
}

fn weight(image: &Image) -> u64 {
    let bytes = u64::from(super::describe::bits(&image.numbers()) / 8);
    u64::from(image.width()) * u64::from(image.height()) * u64::from(image.bands()) * bytes
}
