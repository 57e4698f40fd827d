//! Packets that are no XML because of single bytes, repaired as Adobe's library does it.

/// Bytes that Windows-1252 leaves open.
const OPEN: [u8; 5] = [0x81, 0x8D, 0x8F, 0x90, 0x9D];

/// UTF-8 of bytes that are a mixture of it and Windows-1252, with blanks for control characters.
pub(super) fn repaired(bytes: &[u8]) -> String {
    without_controls(&crate::text::utf8(&as_utf8(bytes)))
}

fn as_utf8(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        // A byte that is followed by as many others as it says is left as it is, even if they mean nothing together.
        let length = if *byte < 0xC0 { 1 } else { byte.leading_ones() as usize };
        let follow = after.get(..length - 1).filter(|follow| follow.iter().all(|byte| byte & 0xC0 == 0x80));
        match follow {
            Some(follow) if !follow.is_empty() || byte.is_ascii() => {
                out.push(*byte);
                out.extend(follow);
                rest = &after[follow.len()..];
            }
            _ => {
                out.extend(windows_1252(*byte).as_bytes());
                rest = after;
            }
        }
    }
    out
}

fn windows_1252(byte: u8) -> String {
    if OPEN.contains(&byte) {
        " ".to_owned()
    } else {
        encoding_rs::WINDOWS_1252.decode_without_bom_handling(&[byte]).0.into_owned()
    }
}

/// Replaces control characters, and references to them, with blanks.
fn without_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|character: char| character == '&' || is_control(character.into())) {
        let (before, found) = rest.split_at(at);
        out += before;
        let (blank, after) = match found.strip_prefix('&') {
            Some(reference) => {
                reference.strip_prefix('#').and_then(control).map_or(("&", reference), |after| (" ", after))
            }
            None => (" ", &found[1..]),
        };
        out += blank;
        rest = after;
    }
    out + rest
}

/// What follows the number of a control character in a reference.
fn control(reference: &str) -> Option<&str> {
    const LONGEST: usize = 6;
    let end = reference.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let (number, after) = (&reference[..end], &reference[end + 1..]);
    let number = match number.strip_prefix('x') {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    number.ok().filter(|number| is_control(*number)).map(|_| after)
}

fn is_control(number: u32) -> bool {
    matches!(number, 0..=0x1F | 0x7F) && !matches!(number, 0x09 | 0x0A | 0x0D)
}

#[cfg(test)]
mod tests {
    use super::repaired;

    #[test]
    fn single_bytes_are_taken_for_windows_1252() {
        assert_eq!(repaired(b"f\xe6rge \x80 \x81"), "færge €  ");
        assert_eq!(repaired("fæ\u{1F600}".as_bytes()), "fæ\u{1F600}");
        assert_eq!(repaired(b"\xc3"), "Ã");
    }

    #[test]
    fn control_characters_become_blanks() {
        assert_eq!(repaired(b"a\0b\x01c&#1;&#x1F;&#x20;&#9;&#;"), "a b c  &#x20;&#9;&#;");
    }
}
