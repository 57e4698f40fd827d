//! XMP packets: properties in all forms, some of which make a packet unreadable.

use crate::seed::Seed;

const NAMES: [&str; 30] = [
    "dc:title",
    "dc:rights",
    "dc:Rights",
    "dc:description",
    "dc:creator",
    "dc:subject",
    "dc:date",
    "dc:format",
    "photoshop:Author",
    "photoshop:Caption",
    "photoshop:Credit",
    "photoshop:DateCreated",
    "photoshop:Headline",
    "photoshop:Keywords",
    "tiff:Artist",
    "tiff:Software",
    "tiff:ImageDescription",
    "exif:UserComment",
    "exif:DateTimeOriginal",
    "xmp:Author",
    "xmp:CreateDate",
    "xmp:Title",
    "xmpDM:copyright",
    "xmpRights:UsageTerms",
    "xmpRights:Copyright",
    "g:AssetId",
    "q:a",
    "q:b",
    "q:c",
    "q:d",
];
const NAMESPACES: &str = r#" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:xmpDM="http://ns.adobe.com/xmp/1.0/DynamicMedia/" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"
 xmlns:g="http://xmp.gettyimages.com/gift/1.0/" xmlns:q="http://example.org/q/""#;
const LANGUAGES: [&str; 8] = ["x-default", "x-default", "en", "en-gb", "EN_us", "x-repair", "de", ""];
const TEXTS: [&str; 12] = [
    "Harbour",
    "say &quot;hi&quot;",
    "a\\b 'c'",
    "  ",
    "",
    "20150300",
    "2017-05-06T07:08:09+02:00",
    "bl\u{e5}b\u{e6}r \u{1F600}",
    "&lt;&#65;&#x42;&amp;",
    "two\nlines",
    "a<!-- c -->b",
    "x",
];

/// A packet with some properties, each of another name.
pub fn packet(seed: &mut Seed) -> String {
    let mut names: Vec<_> = NAMES.iter().filter(|_| seed.once_in(4)).copied().collect();
    if seed.once_in(2) {
        names.reverse();
    }
    let about =
        seed.one_of(&["", "", "", "uuid:FAF5BDD5-BA3D-11DA-AD31-D33D75182F1B", "faf5bdd5-ba3d-11da-ad31-d33d75182f1b"]);
    let attributes = names.iter().filter(|name| !name.starts_with("dc:c")).filter(|_| seed.once_in(4)).copied();
    let attributes: Vec<_> = attributes.collect();
    names.retain(|name| !attributes.contains(name));
    let attribute = |seed: &mut Seed, name: &str| format!(" {name}=\"{}\"", seed.one_of(&TEXTS[..9]));
    let written: String = attributes.iter().map(|name| attribute(seed, name)).collect();
    let middle = seed.below(names.len() + 1);
    let mut properties: Vec<_> = names.iter().map(|name| property(seed, name, 0)).collect();
    if seed.once_in(3) {
        properties.insert(middle, format!("</rdf:Description><rdf:Description rdf:about=\"{about}\"{NAMESPACES}>"));
    }
    let properties = properties.join("\n ");
    format!(
        "<?xpacket begin=\"\u{FEFF}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n\
         <rdf:Description rdf:about=\"{about}\"{NAMESPACES}{written}>{properties}</rdf:Description>\
         </rdf:RDF></x:xmpmeta>\n<?xpacket end=\"w\"?>"
    )
}

fn property(seed: &mut Seed, name: &str, depth: usize) -> String {
    // Qualifiers of a simple comment make the reference fail.
    let is_comment = name == "exif:UserComment";
    let language = match seed.below(10) {
        0 if !is_comment => format!(" xml:lang=\"{}\"", seed.one_of(&LANGUAGES)),
        _ => String::new(),
    };
    let content = match seed.below(if depth < 3 && !is_comment { 13 } else { 4 }) {
        0..=2 => seed.one_of(&TEXTS).to_owned(),
        3 if seed.once_in(2) => return format!("<{name} rdf:resource=\"http://h/r?a&amp;b\"{language}/>"),
        3 => return format!("<{name}{language}/>"),
        4..=6 => array(seed, "Alt", depth),
        7 => array(seed, "Bag", depth),
        8 => array(seed, "Seq", depth),
        9 => return format!("<{name} rdf:parseType=\"Resource\"{language}>{}</{name}>", fields(seed, depth)),
        10 => format!("<rdf:Description q:s=\"1\">{}</rdf:Description>", fields(seed, depth)),
        11 => format!("<q:Kind>{}</q:Kind>", fields(seed, depth)),
        _ => return format!("<{name} q:y=\"2\" q:x=\"{}\"{language}/>", seed.one_of(&TEXTS[..9])),
    };
    format!("<{name}{language}>{content}</{name}>")
}

fn array(seed: &mut Seed, kind: &str, depth: usize) -> String {
    let item = |seed: &mut Seed| match (seed.below(8), kind) {
        (0, _) => property(seed, "rdf:li", depth + 1),
        (1..=5, "Alt") => format!("<rdf:li xml:lang=\"{}\">{}</rdf:li>", seed.one_of(&LANGUAGES), seed.one_of(&TEXTS)),
        _ => format!("<rdf:li>{}</rdf:li>", seed.one_of(&TEXTS)),
    };
    let items: String = (0..seed.below(4)).map(|_| item(seed)).collect();
    format!("<rdf:{kind}>{items}</rdf:{kind}>")
}

fn fields(seed: &mut Seed, depth: usize) -> String {
    let names = ["q:x", "q:y", "rdf:value", "photoshop:City", "q:z"];
    let chosen: Vec<_> = names.into_iter().filter(|_| seed.once_in(2)).collect();
    chosen.into_iter().map(|name| property(seed, name, depth + 1)).collect()
}
