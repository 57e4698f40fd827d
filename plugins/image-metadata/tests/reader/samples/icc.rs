//! Colour profiles.

use crate::seed::Seed;

const SIGNATURES: [&[u8; 4]; 12] =
    [b"desc", b"cprt", b"rXYZ", b"wtpt", b"rTRC", b"gTRC", b"meas", b"tech", b"dmnd", b"vued", b"chad", b"zzzz"];
const CODES: [&[u8; 4]; 12] = [
    b"RGB ",
    b"GRAY",
    b"CMYK",
    b"XYZ ",
    b"Lab ",
    b"mntr",
    b"scnr",
    b"APPL",
    b"SGI ",
    b"\0\0\0\0",
    b"acsp",
    b"\xe6x\0a",
];

/// A profile with a header and some tags of all types.
pub fn profile(seed: &mut Seed) -> Vec<u8> {
    let mut profile = vec![0; 128];
    profile[..4].copy_from_slice(&(seed.below(5000) as u32).to_be_bytes());
    for at in [4, 12, 16, 20, 36, 40, 48, 52, 80] {
        profile[at..at + 4].copy_from_slice(seed.one_of::<[u8; 4]>(&CODES));
    }
    profile[8..12].copy_from_slice(&[2 + seed.below(3) as u8, seed.number() as u8, 0, 0]);
    for (at, most) in [(24, 3000), (26, 14), (28, 32), (30, 25), (32, 61), (34, 61), (66, 5)] {
        profile[at..at + 2].copy_from_slice(&(seed.below(most) as u16).to_be_bytes());
    }
    profile[56 + seed.below(8)] = seed.number() as u8;
    profile[68..80].copy_from_slice(&numbers(seed, 3));
    let tags: Vec<_> = (0..seed.below(8)).map(|_| (seed.one_of(&SIGNATURES), data(seed))).collect();
    profile.extend((tags.len() as u32).to_be_bytes());
    let mut begin = profile.len() + 12 * tags.len();
    for (signature, data) in &tags {
        profile.extend(*signature);
        profile.extend((begin as u32).to_be_bytes());
        profile.extend((data.len() as u32).to_be_bytes());
        begin += data.len();
    }
    profile.extend(tags.into_iter().flat_map(|(_, data)| data));
    profile
}

fn numbers(seed: &mut Seed, count: usize) -> Vec<u8> {
    (0..count).flat_map(|_| (seed.below(200_000) as u32).to_be_bytes()).collect()
}

fn data(seed: &mut Seed) -> Vec<u8> {
    let head = |kind: &[u8; 4]| [&kind[..], &[0; 4]].concat();
    match seed.below(8) {
        0 => [&head(b"text")[..], b"Copyright \xe6\xff 2021\0"].concat(),
        1 => [&head(b"desc")[..], &[0, 0, 0, 9], "s\u{e6}RGB v1\0".as_bytes(), &[0; 20]].concat(),
        2 => [head(b"sig "), b"dcpj".to_vec()].concat(),
        3 => {
            let count = 3 * (1 + seed.below(2));
            [head(b"XYZ "), numbers(seed, count)].concat()
        }
        4 => {
            let (length, count) = (2 * seed.below(8), 1 + seed.below(2) as u32);
            let text = "sRGB bl\u{e5}".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
            let entry = [&b"enUS"[..], &(length as u32).to_be_bytes(), &(16 + 12 * count).to_be_bytes()].concat();
            [head(b"mluc"), count.to_be_bytes().to_vec(), vec![0, 0, 0, 12], entry.repeat(count as usize), text]
                .concat()
        }
        5 => {
            let count = seed.one_of(&[&0_usize, &1, &2, &7, &1024]).to_owned();
            let values = (0..count).flat_map(|_| (seed.number() as u16).to_be_bytes()).collect();
            [head(b"curv"), (count as u32).to_be_bytes().to_vec(), values].concat()
        }
        6 => {
            let number = |seed: &mut Seed, most| (seed.below(most) as u32).to_be_bytes().to_vec();
            let (observer, backing) = (number(seed, 4), numbers(seed, 3));
            let (geometry, flare, illuminant) = (number(seed, 4), number(seed, 70_000), number(seed, 10));
            [head(b"meas"), observer, backing, geometry, flare, illuminant].concat()
        }
        _ => [head(b"para"), seed.bytes(20)].concat(),
    }
}
