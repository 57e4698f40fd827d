//! By whose leave an image is used.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::{Failure, record::Record};

/// What an image's rights may say besides its category.
struct Category {
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

const fn category(
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
) -> Category {
    Category { name, required, optional }
}

/// What any of them may say.
const RESTRICTIONS: &str = "restrictions";

const AGENCY: &str = "agency";

const CATEGORIES: [Category; 26] = [
    category("chargeable", &[], &[]),
    category(AGENCY, &["supplier"], &["suppliersCollection"]),
    category("commissioned-agency", &["supplier"], &[]),
    category("PR Image", &[], &[]),
    category("handout", &[], &[]),
    category("screengrab", &[], &["source"]),
    category("guardian-witness", &[], &[]),
    category("original-source", &[], &[]),
    category("social-media", &[], &[]),
    category("Bylines", &[], &[]),
    category("obituary", &[], &[]),
    category("staff-photographer", &["photographer", "publication"], &[]),
    category("contract-photographer", &["photographer"], &["publication"]),
    category("commissioned-photographer", &["photographer"], &["publication"]),
    category("pool", &[], &[]),
    category("crown-copyright", &[], &[]),
    category("staff-illustrator", &["creator"], &[]),
    category("contract-illustrator", &["creator"], &["publication"]),
    category("commissioned-illustrator", &["creator"], &["publication"]),
    category("creative-commons", &["licence", "source", "creator", "contentLink"], &[]),
    category("composite", &["suppliers"], &[]),
    category("public-domain", &[], &[]),
    category("program-promotional", &[], &[]),
    category("programmes-organisation-owned", &[], &[]),
    category("programmes-independents", &["independentType", "productionCompany"], &[]),
    category("programmes-acquisitions", &["productionCompany"], &[]),
];

/// The rights of an image: none, or a category with what belongs to it. Written as `{}` where there are none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UsageRights {
    fields: Vec<(&'static str, String)>,
}

impl UsageRights {
    /// An image that an agency supplied.
    pub fn agency(supplier: &str, collection: Option<&str>) -> Self {
        let collection = collection.map(|collection| ("suppliersCollection", collection.to_owned()));
        let fields = [("category", AGENCY.to_owned()), ("supplier", supplier.to_owned())];
        Self { fields: fields.into_iter().chain(collection).collect() }
    }

    /// An image that a photographer of a publication took.
    pub fn photographer(employment: Employment, photographer: &str, publication: &str) -> Self {
        let fields = [
            ("category", employment.category().to_owned()),
            ("photographer", photographer.to_owned()),
            ("publication", publication.to_owned()),
        ];
        Self { fields: fields.into() }
    }

    /// Reads the rights of a record. Old ones have a supplier and no category.
    ///
    /// *Errors*: [`Failure::Record`] for an unknown category, or a field of the category that is missing or no text.
    pub fn read(record: &Record) -> Result<Self, Failure> {
        let said = record.optional_text("category")?;
        let name = match said {
            Some(name) => name,
            None if record.optional_text("supplier")?.is_some() => AGENCY,
            None => return record.members().map(|_| Self::default()),
        };
        let known = CATEGORIES.iter().find(|category| category.name == name);
        let category = known.ok_or_else(|| record.wrong("category", "a category of rights"))?;
        let mut fields = vec![("category", category.name.to_owned())];
        for field in category.required {
            fields.push((field, record.text(field)?.to_owned()));
        }
        for field in category.optional.iter().chain([&RESTRICTIONS]) {
            fields.extend(record.optional_text(field)?.map(|text| (*field, text.to_owned())));
        }
        Ok(Self { fields })
    }

    /// Whether there are none.
    pub fn are_none(&self) -> bool {
        self.fields.is_empty()
    }

    /// What they say under a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, text)| text.as_str())
    }

    /// Their category.
    pub fn category(&self) -> Option<&str> {
        self.get("category")
    }

    /// The same rights in another collection of the supplier.
    pub fn in_collection(mut self, collection: &str) -> Self {
        if let Some((_, text)) = self.fields.iter_mut().find(|(field, _)| *field == "suppliersCollection") {
            collection.clone_into(text);
        }
        self
    }
}

/// How a photographer works for a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Employment {
    /// On its staff.
    Staff,
    /// Under contract.
    Contract,
}

impl Employment {
    fn category(self) -> &'static str {
        match self {
            Self::Staff => "staff-photographer",
            Self::Contract => "contract-photographer",
        }
    }
}

impl Serialize for UsageRights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.fields.iter().map(|(name, text)| ((*name).to_owned(), Value::from(text.as_str())));
        fields.collect::<Map<_, _>>().serialize(serializer)
    }
}
