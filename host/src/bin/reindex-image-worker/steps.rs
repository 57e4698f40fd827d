//! The steps of a rendition, in an order that reads a page once from top to bottom.

use reindex::{
    backend::vips::message::Failed,
    record::{Size, Space, Step},
};

use super::{
    operation::{Image, PROFILE},
    pixels::{has_alpha, opaque},
    turn::Turn,
};

/// The changes of a page as it is stored, and its turn at the end.
///
/// Turning commutes with everything else: a box that is turned with it takes the same pixels.
pub(super) struct Plan {
    pub(super) changes: Vec<Change>,
    pub(super) turn: Turn,
    /// Whether the orientation was applied, and has to be removed.
    pub(super) orients: bool,
    /// The size of the result.
    pub(super) size: Size,
}

/// A change of a page as it is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Change {
    /// To this exact size.
    Resize {
        to: Size,
        /// Whether the reader may already drop pixels.
        fast: bool,
    },
    Colour {
        space: Space,
        ignore_profile: bool,
    },
    Flatten([u8; 3]),
    Sharpen {
        sigma: f64,
        amount: f64,
    },
}

impl Plan {
    /// Plans the steps for a page of this size and orientation.
    pub(super) fn new(stored: Size, orientation: u8, steps: &[Step]) -> Self {
        let mut plan = Self { changes: Vec::new(), turn: Turn::default(), orients: false, size: stored };
        for step in steps {
            plan.add(*step, orientation);
        }
        plan
    }

    fn add(&mut self, step: Step, orientation: u8) {
        match step {
            Step::Orient if self.orients => {}
            Step::Orient => {
                self.orients = true;
                self.turn(Turn::upright(orientation));
            }
            Step::Turn(degrees) => self.turn(Turn::degrees(degrees)),
            Step::Reduce(bounds) => self.resize(self.size.fitted(bounds, false), false),
            Step::Thumbnail { bounds, enlarge } => self.resize(self.size.fitted(bounds, enlarge), true),
            Step::Colour { space, ignore_profile } => self.changes.push(Change::Colour { space, ignore_profile }),
            Step::Flatten(background) => self.changes.push(Change::Flatten(background)),
            Step::Sharpen { sigma, amount } => self.changes.push(Change::Sharpen { sigma, amount }),
        }
    }

    fn turn(&mut self, next: Turn) {
        self.turn = self.turn.then(next);
        if next.lies() {
            self.size = self.size.turned();
        }
    }

    fn resize(&mut self, size: Size, fast: bool) {
        if size != self.size {
            self.size = size;
            let to = if self.turn.lies() { size.turned() } else { size };
            self.changes.push(Change::Resize { to, fast });
        }
    }

    /// The size that the reader may approach by itself, if that is the first step.
    pub(super) fn shrinks_at_once(&self) -> Option<Size> {
        match self.changes.first() {
            Some(Change::Resize { to, fast: true }) => Some(*to),
            _ => None,
        }
    }
}

/// Applies a change.
pub(super) fn apply(image: &Image, change: &Change) -> Result<Image, Failed> {
    match *change {
        Change::Resize { to, .. } => resized(image, to),
        Change::Colour { space, ignore_profile } => coloured(image, space, ignore_profile),
        Change::Flatten(background) => flattened(image, background),
        Change::Sharpen { sigma, amount } => sharpened(image, sigma, amount),
    }
}

/// Each side has its own scale, so that the size is exact.
fn resized(image: &Image, to: Size) -> Result<Image, Failed> {
    let scale = |to: u32, from: u32| f64::from(to) / f64::from(from);
    let resize = |image: &Image| {
        let operation = image.operation("resize")?.set("scale", &scale(to.width, image.width()))?;
        operation.set("vscale", &scale(to.height, image.height()))?.image()
    };
    if !has_alpha(image) {
        return resize(image);
    }
    // Transparent pixels have colours, too, which must not blend into opaque ones.
    let weighed = resize(&opaque(image.operation("premultiply")?, image)?.image()?)?;
    let colours = opaque(weighed.operation("unpremultiply")?, image)?.image()?;
    // A cast truncates the fraction.
    colours
        .operation("round")?
        .set("round", "rint")?
        .image()?
        .operation("cast")?
        .set("format", &image.numbers())?
        .image()
}

/// Converts colours to a space, by the profile in the image if it has a usable one.
pub(super) fn coloured(image: &Image, space: Space, ignore_profile: bool) -> Result<Image, Failed> {
    let image = if ignore_profile { &image.without(|name| name == PROFILE)? } else { image };
    let deep = image.numbers() == "ushort";
    match space {
        Space::Srgb => profiled(image, "srgb", deep).or_else(|_| plain(image, if deep { "rgb16" } else { "srgb" })),
        Space::Grey => {
            let colours = coloured(image, Space::Srgb, ignore_profile)?;
            plain(&colours, if deep { "grey16" } else { "b-w" })
        }
        Space::Cmyk if image.interpretation() == "cmyk" => image.without(|_| false),
        Space::Cmyk => inked(image, deep),
    }
}

/// By the profile in the image.
fn profiled(image: &Image, output: &str, deep: bool) -> Result<Image, Failed> {
    if image.profile().is_none() {
        return Err(Failed::Unreadable("it has no colour profile".to_owned()));
    }
    image
        .operation("icc_transform")?
        .set("output-profile", output)?
        .set("embedded", &true)?
        .set("depth", &if deep { 16 } else { 8 })?
        .image()
}

/// By the standard meaning of its numbers. Its own profile no longer applies.
fn plain(image: &Image, space: &str) -> Result<Image, Failed> {
    image.without(|name| name == PROFILE)?.operation("colourspace")?.set("space", space)?.image()
}

fn inked(image: &Image, deep: bool) -> Result<Image, Failed> {
    let colours = coloured(image, Space::Srgb, false)?;
    colours
        .operation("icc_transform")?
        .set("output-profile", "cmyk")?
        .set("input-profile", "srgb")?
        .set("depth", &if deep { 16 } else { 8 })?
        .image()
}

/// Puts an image on a background, if it has transparency.
pub(super) fn flattened(image: &Image, background: [u8; 3]) -> Result<Image, Failed> {
    if !has_alpha(image) {
        return image.without(|_| false);
    }
    let [red, green, blue] = background.map(f64::from);
    let scale = if image.numbers() == "ushort" { 257.0 } else { 1.0 };
    let (image, colours) = match image.bands() {
        2 => (image, vec![0.2126 * red + 0.7152 * green + 0.0722 * blue]),
        4 => (image, vec![red, green, blue]),
        _ => (&coloured(image, Space::Srgb, false)?, vec![red, green, blue]),
    };
    let colours: Vec<_> = colours.into_iter().map(|colour| (colour * scale).to_string()).collect();
    opaque(image.operation("flatten")?, image)?.set("background", &colours.join(" "))?.image()
}

/// An unsharp mask of the lightness, without thresholds.
fn sharpened(image: &Image, sigma: f64, amount: f64) -> Result<Image, Failed> {
    let operation = image.operation("sharpen")?.set("sigma", &sigma)?;
    let operation = operation.set("m1", &amount)?.set("m2", &amount)?;
    operation.set("y2", &100)?.set("y3", &100)?.image()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use reindex::record::{Format, Kept, Picture, Rendition};

    fn step() -> impl Strategy<Value = Step> {
        let size = (1u32..5000, 1u32..5000).prop_map(|(width, height)| Size { width, height });
        prop_oneof![
            Just(Step::Orient),
            (1u32..4).prop_map(|quarters| Step::Turn(quarters * 90)),
            size.clone().prop_map(Step::Reduce),
            (size, any::<bool>()).prop_map(|(bounds, enlarge)| Step::Thumbnail { bounds, enlarge }),
        ]
    }

    proptest! {
        #[test]
        fn a_plan_comes_to_the_size_that_was_measured(
            (width, height) in (1u32..100_000, 1u32..100_000),
            orientation in 0u8..10,
            steps in prop::collection::vec(step(), 0..6),
        ) {
            let stored = Size { width, height };
            let plan = Plan::new(stored, orientation, &steps);
            let picture = Picture { bucket: "b".into(), key: "k".into(), etag: None, page: 0, density: None };
            let format = Format::Jpeg { quality: 85, progressive: true, keep: Kept::Nothing };
            let rendition = Rendition { picture, steps, format };
            prop_assert_eq!(plan.size, rendition.measure(stored, orientation));
            let last = plan.changes.iter().rev().find_map(|change| match change {
                Change::Resize { to, .. } => Some(*to),
                _ => None,
            });
            let last = last.unwrap_or(stored);
            prop_assert_eq!(plan.size, if plan.turn.lies() { last.turned() } else { last });
        }
    }
}
