//! A tenure: its household, its asset, its type, and dates that may be empty.

use crate::{
    Kind, block,
    names::Name,
    property::Property,
    random::{Random, id},
    typed::Map,
};

const TYPES: [(&str, &str); 6] = [
    ("SEC", "Secure"),
    ("INT", "Introductory"),
    ("LEA", "Leasehold (RTB)"),
    ("FRE", "Freehold"),
    ("TGA", "Tenant Garage"),
    ("TAF", "Tenant Acc Flat"),
];

/// What others say of a tenure, too.
pub struct Tenancy {
    pub payment_reference: String,
    pub code: &'static str,
    pub description: &'static str,
    pub start: String,
    pub end: Option<String>,
}

impl Tenancy {
    pub fn of(seed: u64, n: u64) -> Self {
        let mut random = Random::nth(seed, Kind::Tenancies, "facts", n);
        let (code, description) = random.pick(&TYPES);
        let (start, end) = (random.day(1985..2018), random.day(2018..2026));
        let payment_reference = random.digits(10);
        Self { payment_reference, code, description, start, end: random.once_in(4).then_some(end) }
    }
}

/// What a mapping must refuse.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    MemberWithoutId,
    AssetWithoutId,
    TypeWithoutCode,
    UnclearResponsibility,
}

const FAULTS: [Fault; 4] =
    [Fault::MemberWithoutId, Fault::AssetWithoutId, Fault::TypeWithoutCode, Fault::UnclearResponsibility];

pub fn write(seed: u64, n: u64, valid: bool, item: &mut Map) {
    let mut random = Random::nth(seed, Kind::Tenancies, "record", n);
    let tenancy = Tenancy::of(seed, n);
    let fault = (!valid).then(|| random.pick(&FAULTS));
    item.field("id").text(&id(seed, Kind::Tenancies, n));
    if !random.once_in(20) {
        item.field("paymentReference").text(&tenancy.payment_reference);
    }
    write_members(seed, n, fault, &mut random, item);
    item.field("tenuredAsset").map(|asset| write_asset(seed, n, fault, asset));
    match random.below(20) {
        0 => {}
        1 => item.field("startOfTenureDate").text(""),
        _ => item.field("startOfTenureDate").text(&tenancy.start),
    }
    match &tenancy.end {
        Some(end) => item.field("endOfTenureDate").text(end),
        None => item.field("endOfTenureDate").null(),
    }
    write_type(&tenancy, fault, &mut random, item);
    write_charges(&mut random, item);
    item.field("versionNumber").number(random.below(40));
}

fn write_members(seed: u64, n: u64, fault: Option<Fault>, random: &mut Random, item: &mut Map) {
    item.field("householdMembers").list(|list| {
        for (place, person) in block::members(seed, n).enumerate() {
            list.element().map(|member| {
                member.field("id").text(&id(seed, Kind::People, person));
                member.field("type").text("Person");
                member.field("fullName").text(&Name::of(seed, person).full());
                write_responsibility(place == 0, random, member);
            });
        }
        match fault {
            Some(Fault::MemberWithoutId) => list.element().map(|member| member.field("type").text("Person")),
            Some(Fault::UnclearResponsibility) => list.element().map(|member| {
                member.field("id").text(&id(seed, Kind::People, n / block::TENANCIES * block::PEOPLE));
                member.field("isResponsible").text("perhaps");
            }),
            _ => {}
        }
    });
}

/// Writers of different ages stored the same answer in different ways.
fn write_responsibility(responsible: bool, random: &mut Random, member: &mut Map) {
    let age = random.below(8);
    if age == 0 && !responsible {
        return;
    }
    let field = member.field("isResponsible");
    match age {
        1 if !responsible => field.null(),
        2 => field.number(u8::from(responsible)),
        3 => field.text(if responsible { "True" } else { "false" }),
        _ => field.boolean(responsible),
    }
}

fn write_asset(seed: u64, n: u64, fault: Option<Fault>, asset: &mut Map) {
    let property = Property::of(seed, n);
    if fault != Some(Fault::AssetWithoutId) {
        asset.field("id").text(&id(seed, Kind::Properties, n));
    }
    asset.field("type").text(property.kind);
    asset.field("fullAddress").text(&property.address());
    asset.field("uprn").text(&property.uprn);
}

fn write_type(tenancy: &Tenancy, fault: Option<Fault>, random: &mut Random, item: &mut Map) {
    if fault != Some(Fault::TypeWithoutCode) && random.once_in(25) {
        return item.field("tenureType").null();
    }
    item.field("tenureType").map(|map| {
        if fault != Some(Fault::TypeWithoutCode) {
            map.field("code").text(tenancy.code);
        }
        map.field("description").text(tenancy.description);
    });
}

/// What no index wants, of the types that nothing else has.
fn write_charges(random: &mut Random, item: &mut Map) {
    item.field("charges").map(|charges| {
        charges.field("rent").number(format_args!("{}.{}5", 60 + random.below(200), random.below(10)));
        charges.field("currentBalance").number(format_args!("-{}.5", random.below(3000)));
        charges.field("billingFrequency").text("Weekly");
    });
    item.field("isMutualExchange").boolean(random.once_in(10));
    if random.once_in(5) {
        item.field("agreement").bytes(&random.next().to_be_bytes());
    }
}
