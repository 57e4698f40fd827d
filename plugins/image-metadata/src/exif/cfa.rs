//! The colours of a filter array.

use super::tables::FILTERS;

/// The text of a filter array: its two sizes, then its colours.
pub(super) fn text(array: &[i32]) -> Option<String> {
    let [across, down, colours @ ..] = array else { return Some("<truncated data>".to_owned()) };
    if (*across, *down) == (0, 0) {
        return Some("<zero pattern size>".to_owned());
    }
    let length = usize::try_from(across.checked_mul(*down)?).unwrap_or(0);
    let Some(colours) = colours.get(..length) else { return Some("<invalid pattern size>".to_owned()) };
    let mut text = "[".to_owned();
    for (place, colour) in colours.iter().enumerate() {
        text += FILTERS.get(usize::try_from(*colour).ok()?).unwrap_or(&"Unknown");
        if place.checked_rem(down.unsigned_abs() as usize)? == 0 {
            text += ",";
        } else if place + 1 < length {
            text += "][";
        }
    }
    Some(text + "]")
}

/// Reads a filter array: two sizes of 16 bits in the order of bytes in which they fit, then a byte for each colour.
pub(super) fn read(bytes: &[u8]) -> Vec<i32> {
    let signed = |bytes: &[u8]| bytes.iter().map(|byte| i32::from(*byte as i8)).collect::<Vec<_>>();
    let Some((sizes, colours)) = bytes.split_first_chunk::<4>() else { return signed(bytes) };
    let [a, b, c, d] = *sizes;
    let sizes = [
        [i16::from_be_bytes([a, b]), i16::from_be_bytes([c, d])],
        [i16::from_le_bytes([a, b]), i16::from_le_bytes([c, d])],
    ];
    let fits = |[across, down]: &&[i16; 2]| 2 + i32::from(*across) * i32::from(*down) <= bytes.len() as i32;
    match sizes.iter().find(fits) {
        Some(sizes) => sizes.iter().copied().map(i32::from).chain(signed(colours)).collect(),
        None => vec![0; bytes.len() - 2],
    }
}
