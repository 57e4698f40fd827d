//! Bytes as texts, in the ways the reference decodes them, and its trimming.

/// UTF-8; each invalid part becomes U+FFFD.
pub(crate) fn utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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

/// UTF-16 in the order of bytes that `unit` reads; each unpaired unit, and a last odd byte, becomes U+FFFD.
pub(crate) fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let decoded = char::decode_utf16(pairs.iter().map(|pair| unit(*pair)));
    let replaced = decoded.map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER));
    replaced.chain(odd.first().map(|_| char::REPLACEMENT_CHARACTER)).collect()
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
