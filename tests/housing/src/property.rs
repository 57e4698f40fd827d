//! An asset: its type, its address, the tenure on it and what it is like.

use crate::{
    Kind,
    random::{Random, id},
    tenancy::Tenancy,
    typed::Map,
};

const KINDS: [&str; 6] = ["Dwelling", "Dwelling", "Dwelling", "LettableNonDwelling", "Block", "Estate"];

const STREETS: [&str; 14] = [
    "Amhurst Road",
    "Brooke Road",
    "Cazenove Road",
    "Dalston Lane",
    "Evering Road",
    "Graham Road",
    "Hoxton Street",
    "Kingsland Road",
    "Lea Bridge Road",
    "Mare Street",
    "Navarino Road",
    "Queensbridge Road",
    "Rue de l'Église",
    "Victoria Park Road",
];

/// What others say of an asset, too.
pub struct Property {
    pub kind: &'static str,
    pub reference: String,
    pub uprn: String,
    line: String,
    post_code: String,
}

impl Property {
    pub fn of(seed: u64, n: u64) -> Self {
        let mut random = Random::nth(seed, Kind::Properties, "facts", n);
        let (kind, reference) = (random.pick(&KINDS), random.digits(8));
        let uprn = ["100021", &random.digits(6)].concat();
        let line = format!("{} {}", 1 + random.below(300), random.pick(&STREETS));
        let post_code = format!("E{} {}AB", 1 + random.below(17), random.below(10));
        Self { kind, reference, uprn, line, post_code }
    }

    /// The address in one line.
    pub fn address(&self) -> String {
        [&self.line, ", London, ", &self.post_code].concat()
    }
}

pub fn write(seed: u64, n: u64, valid: bool, item: &mut Map) {
    let mut random = Random::nth(seed, Kind::Properties, "record", n);
    let property = Property::of(seed, n);
    item.field("id").text(&id(seed, Kind::Properties, n));
    match random.below(20) {
        0 => {}
        1 => item.field("assetId").null(),
        _ => item.field("assetId").text(&property.reference),
    }
    match (valid, random.below(3)) {
        (true, _) => item.field("assetType").text(property.kind),
        (false, 0) => {}
        (false, 1) => item.field("assetType").null(),
        (false, _) => item.field("assetType").map(|kind| kind.field("name").text(property.kind)),
    }
    write_address(&property, &mut random, item);
    write_tenure(seed, n, &mut random, item);
    write_whole(&mut random, item);
    write_characteristics(&mut random, item);
    item.field("versionNumber").number(random.below(40));
}

fn write_address(property: &Property, random: &mut Random, item: &mut Map) {
    if random.once_in(30) {
        return item.field("assetAddress").null();
    }
    item.field("assetAddress").map(|address| {
        address.field("uprn").text(&property.uprn);
        address.field("addressLine1").text(&property.line);
        address.field("addressLine2").text("Hackney");
        address.field("addressLine3").text("London");
        if random.once_in(2) {
            address.field("addressLine4").null();
        }
        address.field("postCode").text(&property.post_code);
        if random.once_in(3) {
            address.field("postPreamble").text("Flat B — 2nd floor");
        }
    });
}

fn write_tenure(seed: u64, n: u64, random: &mut Random, item: &mut Map) {
    if random.once_in(15) {
        return item.field("tenure").null();
    }
    let tenancy = Tenancy::of(seed, n);
    item.field("tenure").map(|tenure| {
        tenure.field("id").text(&id(seed, Kind::Tenancies, n));
        tenure.field("paymentReference").text(&tenancy.payment_reference);
        tenure.field("type").text(tenancy.description);
        tenure.field("startOfTenureDate").text(&tenancy.start);
        if let Some(end) = &tenancy.end {
            tenure.field("endOfTenureDate").text(end);
        }
    });
}

/// The estate and block that an asset is part of, and the fobs that open them.
fn write_whole(random: &mut Random, item: &mut Map) {
    if random.once_in(2) {
        let estate = random.digits(8);
        item.field("rootAsset").text(&estate);
        item.field("parentAssetIds").text(&[&estate, "#", &random.digits(8)].concat());
    }
    if random.once_in(6) {
        let fob = random.next().to_be_bytes();
        item.field("keyFobs").blobs(&[&[0, fob[0]], &[1, fob[1], 0], &[2, fob[2], 0, 255]]);
    }
}

fn write_characteristics(random: &mut Random, item: &mut Map) {
    if random.once_in(10) {
        return;
    }
    item.field("assetCharacteristics").map(|like| {
        like.field("numberOfBedrooms").number(random.below(6));
        like.field("numberOfLifts").number(random.below(3));
        like.field("hasCommunalAreas").boolean(random.once_in(2));
        like.field("isStepFree").boolean(random.once_in(3));
        like.field("yearConstructed").text(&random.day(1880..2020)[..4]);
        if random.once_in(2) {
            like.field("windowType").text("DBL");
        }
    });
}
