//! Bytes as texts, in the ways the reference decodes them, and its trimming.

/// UTF-8; each invalid part becomes U+FFFD. A unit of a pair that is encoded by itself is one part, as in Java.
pub(crate) fn utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Err(error) = str::from_utf8(rest) {
        let (valid, invalid) = rest.split_at(error.valid_up_to());
        text += &String::from_utf8_lossy(valid);
        text.push(char::REPLACEMENT_CHARACTER);
        let length = match invalid {
            [0xED, 0xA0..=0xBF, 0x80..=0xBF, ..] => 3,
            [0xED, 0xA0..=0xBF, ..] => 2,
            _ => error.error_len().unwrap_or(invalid.len()),
        };
        rest = &invalid[length..];
    }
    text + &String::from_utf8_lossy(rest)
}

/// One character for each byte.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// ASCII; every other byte becomes U+FFFD.
pub(crate) fn ascii(bytes: &[u8]) -> String {
    let character = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER };
    bytes.iter().map(character).collect()
}

/// UTF-16 in the order of bytes that `unit` reads. What is no character becomes U+FFFD: a unit of a pair that comes first
/// with the one after it, a unit that comes second, and what is left of a unit or a pair at the end.
pub(crate) fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut units = pairs.iter().map(|pair| unit(*pair));
    let mut text = String::with_capacity(bytes.len());
    let mut is_cut = !odd.is_empty();
    while let Some(first) = units.next() {
        let pair = if matches!(first, 0xD800..=0xDBFF) {
            units.next().map(|second| vec![first, second])
        } else {
            Some(vec![first])
        };
        match pair {
            Some(units) => match &char::decode_utf16(units).collect::<Vec<_>>()[..] {
                [Ok(character)] => text.push(*character),
                _ => text.push(char::REPLACEMENT_CHARACTER),
            },
            None => is_cut = true,
        }
    }
    text.extend(is_cut.then_some(char::REPLACEMENT_CHARACTER));
    text
}

/// Without blanks and control characters around it.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(|character| character <= ' ')
}

/// Cuts a text after so many UTF-16 units.
pub(crate) fn cut_at<const N: usize>(text: &str, places: [usize; N]) -> Vec<String> {
    let units: Vec<_> = text.encode_utf16().collect();
    let mut parts = Vec::new();
    let mut begin = 0;
    for end in places.into_iter().chain([units.len()]) {
        parts.push(String::from_utf16_lossy(&units[begin.min(end).min(units.len())..end.min(units.len())]));
        begin = end;
    }
    parts
}
