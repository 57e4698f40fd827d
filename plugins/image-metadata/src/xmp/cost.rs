//! What a packet would cost to parse, found in one look over its tags.
//!
//! The parser compares each attribute of an element with the others, and each prefix with all namespaces in scope.
//! Nested elements, and properties in properties, become paths that repeat the names around them.

/// How deep elements may lie in one another.
const DEPTH: usize = 100;
/// Attributes of an element, as in Java's parser.
const ATTRIBUTES: u64 = 10_000;
/// Comparisons of names.
const COMPARISONS: u64 = 20_000_000;

/// Whether a packet can be parsed in a time that its size accounts for. It need not be well-formed.
pub(super) fn is_bounded(text: &str) -> bool {
    let mut scopes = vec![0];
    let mut comparisons: u64 = 0;
    let mut rest = text;
    while let Some(begin) = rest.find('<') {
        rest = &rest[begin..];
        let special = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">")];
        if let Some((_, end)) = special.into_iter().find(|(begin, _)| rest.starts_with(begin)) {
            rest = rest.find(end).map_or("", |at| &rest[at..]);
            continue;
        }
        let tag = Tag::of(rest);
        rest = &rest[tag.length..];
        if tag.is_end {
            scopes.pop();
            continue;
        }
        let around = scopes.last().copied().unwrap_or(0);
        let scope = around + tag.namespaces;
        comparisons += tag.attributes * tag.attributes + scope * (1 + tag.attributes) + around * tag.namespaces;
        if tag.attributes > ATTRIBUTES || comparisons > COMPARISONS || scopes.len() > DEPTH {
            return false;
        }
        if !tag.is_empty {
            scopes.push(scope);
        }
    }
    true
}

#[derive(Default)]
struct Tag {
    length: usize,
    attributes: u64,
    namespaces: u64,
    is_end: bool,
    is_empty: bool,
}

impl Tag {
    /// The tag that a text begins with.
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut tag = Self { is_end: text.starts_with("</"), length: bytes.len(), ..Self::default() };
        let mut quote = None;
        for (place, byte) in bytes.iter().enumerate().skip(1) {
            match (quote, byte) {
                (Some(open), close) if open == close => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => {
                    quote = Some(byte);
                    tag.attributes += 1;
                }
                (None, b':' | b'=') if bytes[..place].ends_with(b"xmlns") => tag.namespaces += 1,
                (None, b'>') => {
                    tag.is_empty = bytes[place - 1] == b'/';
                    tag.length = place + 1;
                    break;
                }
                (None, _) => {}
            }
        }
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::is_bounded;

    #[test]
    fn a_usual_packet_is_bounded() {
        assert!(is_bounded("<?xpacket begin='>'?><a xmlns:b='u' c='</'><b:c/><!-- <a> --><![CDATA[<a>]]></a>"));
        assert!(is_bounded(&"<a b='c'/>".repeat(10_000)));
    }

    #[test]
    fn what_takes_more_than_its_size_is_not() {
        assert!(!is_bounded(&"<a>".repeat(200)));
        let attributes: String = (0..20_000).map(|number| format!(" a{number}=''")).collect();
        assert!(!is_bounded(&format!("<a{attributes}/>")));
        let namespaces: String = (0..10_000).map(|number| format!(" xmlns:a{number}='u'")).collect();
        assert!(!is_bounded(&format!("<a{namespaces}>{}</a>", "<b xmlns='u'/>".repeat(10_000))));
    }
}
