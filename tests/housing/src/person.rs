//! A person: names that may be absent, null or empty, tenures, types as a list or as a set.

use crate::{
    Kind, block,
    names::{self, Name},
    property::Property,
    random::{Random, id},
    tenancy::Tenancy,
    typed::{List, Map},
};

const CHANNELS: [&str; 5] = ["email", "letter", "sms", "telephone", "visit"];
const TYPES: [&str; 4] = ["Freeholder", "HouseholdMember", "Occupant", "Tenant"];

pub fn write(seed: u64, n: u64, valid: bool, item: &mut Map) {
    let mut random = Random::nth(seed, Kind::People, "record", n);
    item.field("id").text(&id(seed, Kind::People, n));
    write_names(&Name::of(seed, n), &mut random, item);
    let birthday = random.day(1930..2006);
    optional(item, "dateOfBirth", &birthday, &mut random);
    optional(item, "placeOfBirth", names::place(&mut random), &mut random);
    write_types(&mut random, item);
    write_tenures(seed, n, valid, &mut random, item);
    write_contact(&mut random, item);
    item.field("lastModified").text(&[&random.day(2019..2026), "T09:30:00.000Z"].concat());
    item.field("versionNumber").number(random.below(40));
}

fn write_names(name: &Name, random: &mut Random, item: &mut Map) {
    optional(item, "title", name.title, random);
    optional(item, "firstName", &name.first, random);
    optional(item, "middleName", name.middle, random);
    item.field("surname").text(name.last);
    if random.once_in(2) {
        optional(item, "preferredTitle", name.title, random);
        optional(item, "preferredFirstName", name.middle, random);
        optional(item, "preferredMiddleName", &name.first, random);
        optional(item, "preferredSurname", name.last, random);
    }
}

/// As records go: mostly there, sometimes absent, null or empty.
fn optional(item: &mut Map, name: &str, value: &str, random: &mut Random) {
    match random.below(20) {
        0 => {}
        1 => item.field(name).null(),
        2 => item.field(name).text(""),
        _ => item.field(name).text(value),
    }
}

fn write_types(random: &mut Random, item: &mut Map) {
    let first = random.below(3) as usize;
    match random.below(10) {
        0 => {}
        1 => item.field("personTypes").null(),
        2..4 => item.field("personTypes").texts(&TYPES[first..first + 2]),
        _ => item.field("personTypes").list(|list| {
            list.element().text(TYPES[first + 1]);
            list.element().text(TYPES[first]);
        }),
    }
}

fn write_tenures(seed: u64, n: u64, valid: bool, random: &mut Random, item: &mut Map) {
    let mut tenancies = block::tenancies(seed, n).peekable();
    if valid && tenancies.peek().is_none() && random.once_in(2) {
        return;
    }
    item.field("tenures").list(|list| {
        if !valid {
            write_fault(random, list);
        }
        for tenancy in tenancies {
            list.element().map(|map| write_tenure(seed, tenancy, random, map));
        }
    });
}

/// What a mapping must refuse: a tenure without its id, or one that is no tenure.
fn write_fault(random: &mut Random, list: &mut List) {
    if random.once_in(2) {
        list.element().text("see the paper file");
    } else {
        list.element().map(|map| map.field("type").text("Secure"));
    }
}

fn write_tenure(seed: u64, n: u64, random: &mut Random, map: &mut Map) {
    let (tenancy, property) = (Tenancy::of(seed, n), Property::of(seed, n));
    map.field("id").text(&id(seed, Kind::Tenancies, n));
    map.field("type").text(tenancy.description);
    map.field("startDate").text(&tenancy.start);
    match tenancy.end {
        Some(end) => map.field("endDate").text(&end),
        None => map.field("endDate").null(),
    }
    map.field("assetFullAddress").text(&property.address());
    map.field("assetId").text(&id(seed, Kind::Properties, n));
    // Some writers store these as numbers, which must come out digit by digit.
    if random.once_in(4) {
        map.field("uprn").number(property.uprn);
        map.field("paymentReference").number(random.digits(38));
    } else {
        map.field("uprn").text(&property.uprn);
        map.field("paymentReference").text(&tenancy.payment_reference);
    }
    if random.once_in(3) {
        map.field("propertyReference").text(&property.reference);
    }
}

fn write_contact(random: &mut Random, item: &mut Map) {
    item.field("isOrganisation").boolean(random.once_in(50));
    item.field("contact").map(|contact| {
        let first = random.below(4) as usize;
        contact.field("channels").texts(&CHANNELS[first..]);
        contact.field("verified").boolean(random.once_in(2));
        contact.field("telephone").text(&["07700 9", &random.digits(5)].concat());
    });
    if random.once_in(3) {
        let case = random.below(90_000);
        item.field("caseNumbers").numbers(&[case, case + 7, case + 100_000]);
    }
    if random.once_in(8) {
        item.field("signature").bytes(&random.next().to_be_bytes());
    }
}
