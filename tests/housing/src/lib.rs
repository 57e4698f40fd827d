//! Made-up persons, tenures and assets as they look in DynamoDB, for samples, tests and benchmarks.
//!
//! Every record follows from a seed, its kind and its number alone: the n-th of five million costs no more than the
//! first, and the same call gives the same bytes for ever. Links hold in both directions: four people, three
//! tenancies and three properties make a [`block`] that names nobody outside itself.
//!
//! It does not read a clock or a source of randomness, and it knows nothing of documents: what becomes of a record is
//! the plugins' affair.

mod block;
mod names;
mod person;
mod property;
mod random;
mod tenancy;
mod typed;

use std::ops::Range;

pub use block::{PEOPLE, PROPERTIES, TENANCIES, companions};
pub use typed::Form;

/// What a record is about; named as the tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Kind {
    /// Persons, of the table `people`.
    People,
    /// Tenures, of the table `tenancies`.
    Tenancies,
    /// Assets, of the table `properties`.
    Properties,
}

/// A town of records without end. Numbers reach to 2⁶¹.
#[derive(Debug, Clone, Copy)]
pub struct Housing {
    /// Another seed is another town: other ids, names and faults.
    pub seed: u64,
    /// How many records of a thousand a mapping must refuse, spread evenly; 0 for none.
    pub invalid_per_thousand: u64,
    /// How a line is written.
    pub form: Form,
}

impl Housing {
    /// Describes the town of this seed, without faults and as DynamoDB exports it.
    pub fn new(seed: u64) -> Self {
        Self { seed, invalid_per_thousand: 0, form: Form::DynamodbJson }
    }

    /// Writes one record as a line without its end.
    pub fn line(&self, kind: Kind, n: u64) -> String {
        let mut out = String::new();
        self.append(kind, n, &mut out);
        out
    }

    /// Appends one record to a buffer; spares an allocation a record.
    pub fn append(&self, kind: Kind, n: u64, out: &mut String) {
        let valid = self.is_valid(kind, n);
        typed::item(self.form, out, |item| match kind {
            Kind::People => person::write(self.seed, n, valid, item),
            Kind::Tenancies => tenancy::write(self.seed, n, valid, item),
            Kind::Properties => property::write(self.seed, n, valid, item),
        });
    }

    /// Yields the records of a range, one line each.
    pub fn lines(self, kind: Kind, range: Range<u64>) -> impl Iterator<Item = String> {
        range.map(move |n| self.line(kind, n))
    }

    /// Tells whether a mapping accepts the n-th record. Every record has its key, so that any table holds it.
    pub fn is_valid(&self, kind: Kind, n: u64) -> bool {
        let rate = self.invalid_per_thousand.min(1000);
        let shift = random::Random::of(self.seed, kind, "faults").below(1000);
        (n % 1000 + shift) % 1000 * rate % 1000 >= rate
    }

    /// The key of the n-th record, shaped like a UUID.
    pub fn id(&self, kind: Kind, n: u64) -> String {
        random::id(self.seed, kind, n)
    }
}

/// The n-th valid person as a line of DynamoDB's export.
pub fn person(seed: u64, n: u64) -> String {
    Housing::new(seed).line(Kind::People, n)
}

/// The n-th valid tenure as a line of DynamoDB's export.
pub fn tenancy(seed: u64, n: u64) -> String {
    Housing::new(seed).line(Kind::Tenancies, n)
}

/// The n-th valid asset as a line of DynamoDB's export.
pub fn property(seed: u64, n: u64) -> String {
    Housing::new(seed).line(Kind::Properties, n)
}
