//! Rules that find out who supplied an image, and with which rights. A later one may overrule an earlier one.

pub mod aap;
pub mod action_images;
pub mod alamy;
pub mod allstar;
pub mod ap;
mod canonical_name;
pub mod corbis;
pub mod epa;
pub mod getty;
pub mod own_photographers;
pub mod pa;
pub mod reuters;
pub mod rex;
pub mod rights_metadata;
pub mod ronald_grant;
pub mod sportsphoto;

use crate::{
    UsageRights,
    processors::{Image, Rule},
};

/// The supplier rules in their order.
pub const ALL: [Rule; 15] = [
    getty::apply,
    aap::apply,
    action_images::apply,
    alamy::apply,
    ap::apply,
    corbis::apply,
    epa::apply,
    pa::apply,
    reuters::apply,
    rex::apply,
    ronald_grant::apply,
    sportsphoto::apply,
    allstar::apply,
    own_photographers::apply,
    rights_metadata::apply,
];

/// Notes down an agency, the credit that it wants, and its own reference where the file has one.
fn supplied(image: &mut Image, rights: UsageRights, credit: impl Into<String>, reference: Option<&str>) {
    image.usage_rights = rights;
    image.metadata.credit = Some(credit.into());
    refer(image, reference);
}

/// Notes down the supplier's own reference where the file has one.
fn refer(image: &mut Image, reference: Option<&str>) {
    if let Some(reference) = reference {
        image.metadata.suppliers_reference = Some(reference.to_owned());
    }
}
