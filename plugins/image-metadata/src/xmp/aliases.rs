//! Old names of XMP properties and what they are called now.

/// What becomes of the value of a property that is written under an old name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// It keeps its shape.
    Same,
    /// It becomes the item of a sequence.
    Item,
    /// It becomes the default item of a language alternative.
    AltText,
}

/// The name of today of a property with an old name, and the form it gets there.
pub(super) fn alias(name: &str) -> Option<(&'static str, Form)> {
    let place = ALIASES.binary_search_by_key(&name, |row| row.0).ok()?;
    Some((ALIASES[place].1, ALIASES[place].2))
}

/// Old name, name of today, form; sorted.
const ALIASES: [(&str, &str, Form); 35] = [
    ("exif:DateTimeDigitized", "xmp:CreateDate", Form::Same),
    ("pdf:Author", "dc:creator", Form::Item),
    ("pdf:BaseURL", "xmp:BaseURL", Form::Same),
    ("pdf:CreationDate", "xmp:CreateDate", Form::Same),
    ("pdf:Creator", "xmp:CreatorTool", Form::Same),
    ("pdf:ModDate", "xmp:ModifyDate", Form::Same),
    ("pdf:Subject", "dc:description", Form::AltText),
    ("pdf:Title", "dc:title", Form::AltText),
    ("photoshop:Author", "dc:creator", Form::Item),
    ("photoshop:Caption", "dc:description", Form::AltText),
    ("photoshop:Copyright", "dc:rights", Form::AltText),
    ("photoshop:Keywords", "dc:subject", Form::Same),
    ("photoshop:Marked", "xmpRights:Marked", Form::Same),
    ("photoshop:Title", "dc:title", Form::AltText),
    ("photoshop:WebStatement", "xmpRights:WebStatement", Form::Same),
    ("png:Author", "dc:creator", Form::Item),
    ("png:Copyright", "dc:rights", Form::AltText),
    ("png:CreationTime", "xmp:CreateDate", Form::Same),
    ("png:Description", "dc:description", Form::AltText),
    ("png:ModificationTime", "xmp:ModifyDate", Form::Same),
    ("png:Software", "xmp:CreatorTool", Form::Same),
    ("png:Title", "dc:title", Form::AltText),
    ("tiff:Artist", "dc:creator", Form::Item),
    ("tiff:Copyright", "dc:rights", Form::Same),
    ("tiff:DateTime", "xmp:ModifyDate", Form::Same),
    ("tiff:ImageDescription", "dc:description", Form::Same),
    ("tiff:Software", "xmp:CreatorTool", Form::Same),
    ("xmp:Author", "dc:creator", Form::Item),
    ("xmp:Authors", "dc:creator", Form::Same),
    ("xmp:Description", "dc:description", Form::Same),
    ("xmp:Format", "dc:format", Form::Same),
    ("xmp:Keywords", "dc:subject", Form::Same),
    ("xmp:Locale", "dc:language", Form::Same),
    ("xmp:Title", "dc:title", Form::Same),
    ("xmpRights:Copyright", "dc:rights", Form::Same),
];
