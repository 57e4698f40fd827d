//! The kinds of pixels that pictures are made of: grey, RGB or CMYK in unsigned numbers of 8 or 16 bits, with
//! transparency or without, CIELAB of 8 bits, and the light values of files that hold nothing else (OpenEXR, Radiance).
//! libvips may convert any other kind wrongly without an error, so it is refused before a pixel is decoded.

use reindex::backend::vips::message::Failed;

use super::{
    open::Opened,
    operation::{Image, Operation},
    tiff::{self, Extra},
};

/// The meaning of the numbers of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pixels {
    /// How many of them are colours; they are the first ones.
    colours: u32,
    /// Whether the next one is transparency. The ones after it are neither, and are dropped.
    pub(super) alpha: bool,
    made: Made,
}

/// The conversion of pixels before any other step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    /// Nothing.
    Nothing,
    /// From CIELAB, which libvips keeps packed.
    Lab,
    /// To RGB of 16 bits: they are amounts of light, in floating-point numbers or packed.
    Rgb,
}

impl Pixels {
    /// Determines the pixels of an open page.
    ///
    /// *Errors*: [`Failed::Refused`] if they are of a kind that the head of this file does not list.
    pub(super) fn of(opened: &Opened) -> Result<Self, Failed> {
        let extra = if opened.loader == "tiffload" { tiff::check(opened.page.number)? } else { Extra::Unsaid };
        let (image, refused) = (&opened.image, |why: String| Err(Failed::Refused(why)));
        let (colour, numbers) = (image.interpretation(), image.numbers());
        match opened.loader.as_str() {
            _ if image.coding() == "labq" => return Ok(Self { colours: 3, alpha: false, made: Made::Lab }),
            "radload" => return Ok(Self { colours: 3, alpha: false, made: Made::Rgb }),
            "openexrload" => return Ok(Self { colours: 3, alpha: image.bands() > 3, made: Made::Rgb }),
            _ => {}
        }
        let Some(colours) = colours(&colour, &numbers) else {
            return refused(format!(
                "its pixels are `{colour}` in numbers of the type `{numbers}`; pictures are made of grey, RGB and CMYK \
                 in unsigned numbers of 8 and 16 bits, and of CIELAB of 8 bits"
            ));
        };
        let Some(more) = image.bands().checked_sub(colours) else {
            return refused(format!("its pixels have too few numbers for `{colour}`"));
        };
        if colours == 1 && more > 1 {
            return refused(format!("its pixels are {} numbers that are no colours", more + 1));
        }
        Ok(Self { colours, alpha: more > 0 && extra != Extra::Other, made: Made::Nothing })
    }

    /// How many numbers of a pixel are colours or transparency.
    pub(super) fn bands(self) -> u32 {
        self.colours + u32::from(self.alpha)
    }

    /// The image with only these pixels, unpacked.
    pub(super) fn taken(self, image: Image) -> Result<Image, Failed> {
        match self.made {
            Made::Lab => image.operation("LabQ2Lab")?.image(),
            Made::Rgb => {
                let image = if image.coding() == "rad" { image.operation("rad2float")?.image()? } else { image };
                image.operation("colourspace")?.set("space", "rgb16")?.image()
            }
            Made::Nothing if image.bands() == self.bands() => Ok(image),
            Made::Nothing => image.operation("extract_band")?.set("band", &0)?.set("n", &self.bands())?.image(),
        }
    }
}

/// How many numbers of a pixel are colours; none if pictures are not made of them.
fn colours(colour: &str, numbers: &str) -> Option<u32> {
    match (colour, numbers) {
        ("b-w", "uchar") | ("grey16", "ushort") => Some(1),
        ("srgb" | "rgb", "uchar") | ("rgb16", "ushort") => Some(3),
        ("cmyk", "uchar" | "ushort") => Some(4),
        _ => None,
    }
}

/// Whether an image that was [taken](Pixels::taken) has transparency, also after steps.
pub(super) fn has_alpha(image: &Image) -> bool {
    let colours = match image.interpretation().as_str() {
        "b-w" | "grey16" => 1,
        "cmyk" => 4,
        _ => 3,
    };
    image.bands() > colours
}

/// Sets the number that means opaque in an operation. libvips knows it for RGB and grey only.
pub(super) fn opaque(operation: Operation, image: &Image) -> Result<Operation, Failed> {
    operation.set("max-alpha", &if image.numbers() == "ushort" { 65535 } else { 255 })
}
