//! Who lives where. A block is four people, three tenancies and three properties; no link leaves it, so that links
//! are known without looking anything up. Tenancy and property of one number belong together.

use crate::{Kind, random::Random};

/// People in a block.
pub const PEOPLE: u64 = 4;
/// Tenancies in a block.
pub const TENANCIES: u64 = 3;
/// Properties in a block.
pub const PROPERTIES: u64 = TENANCIES;

/// How many tenancies, and as many properties, so many people need for every link to be found.
pub const fn companions(people: u64) -> u64 {
    people.div_ceil(PEOPLE) * TENANCIES
}

/// The members of each tenancy of a block: neighbours, a home with a garage, a family with a vacant flat, and
/// somebody who moved in with somebody and somebody without a home.
const HOUSEHOLDS: [[&[u64]; TENANCIES as usize]; 4] =
    [[&[0, 1], &[2], &[3]], [&[0, 1, 2], &[3], &[3]], [&[0, 1, 2, 3], &[0], &[]], [&[0, 1], &[1, 2], &[]]];

/// The numbers of a tenancy's members; the first is responsible for the rent.
pub fn members(seed: u64, tenancy: u64) -> impl Iterator<Item = u64> {
    let block = tenancy / TENANCIES;
    let members = households(seed, block)[(tenancy % TENANCIES) as usize];
    members.iter().map(move |member| block * PEOPLE + member)
}

/// The numbers of a person's tenancies.
pub fn tenancies(seed: u64, person: u64) -> impl Iterator<Item = u64> {
    let (block, member) = (person / PEOPLE, person % PEOPLE);
    let numbered = (block * TENANCIES..).zip(households(seed, block));
    numbered.filter(move |(_, members)| members.contains(&member)).map(|(tenancy, _)| tenancy)
}

fn households(seed: u64, block: u64) -> [&'static [u64]; TENANCIES as usize] {
    Random::nth(seed, Kind::Tenancies, "households", block).pick(&HOUSEHOLDS)
}
