//! Reads records of other stores: JSON of which nothing is certain.
//!
//! A wrong type is a failure that names the store and the place in its record. A null counts as absent.

use serde_json::{Map, Value};

use crate::{Failure, dates::DateTime};

/// A value of a record, and where it is.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    store: &'static str,
    path: String,
    value: &'a Value,
}

impl<'a> Record<'a> {
    /// The whole record of a store.
    pub fn of(store: &'static str, value: &'a Value) -> Self {
        Self { store, path: String::new(), value }
    }

    /// The value as it is.
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// A member of an object; none where it is absent or null.
    ///
    /// *Errors*: this is no object.
    pub fn optional(&self, name: &str) -> Result<Option<Self>, Failure> {
        let value = self.object()?.get(name).filter(|value| !value.is_null());
        Ok(value.map(|value| self.inside(&self.path_of(name), value)))
    }

    /// A member that must be there.
    ///
    /// *Errors*: it is not, or this is no object.
    pub fn required(&self, name: &str) -> Result<Self, Failure> {
        self.optional(name)?.ok_or_else(|| self.failure(self.path_of(name), "is missing".to_owned()))
    }

    /// A member that must be a text.
    ///
    /// *Errors*: it is not there or no text, or this is no object.
    pub fn text(&self, name: &str) -> Result<&'a str, Failure> {
        self.required(name)?.as_text()
    }

    /// A member that is a text where it is there.
    ///
    /// *Errors*: it is no text, or this is no object.
    pub fn optional_text(&self, name: &str) -> Result<Option<&'a str>, Failure> {
        self.optional(name)?.map(|member| member.as_text()).transpose()
    }

    /// A member that is a list of texts where it is there.
    ///
    /// *Errors*: it is no list, an element is no text, or this is no object.
    pub fn optional_texts(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        let texts = |list: Self| list.elements()?.iter().map(|element| element.as_text().map(str::to_owned)).collect();
        self.optional(name)?.map(texts).transpose()
    }

    /// A member that is a date where it is there.
    ///
    /// *Errors*: it is no ISO date, or this is no object.
    pub fn optional_date(&self, name: &str) -> Result<Option<DateTime>, Failure> {
        self.optional(name)?.map(|member| member.as_date()).transpose()
    }

    /// A member that must be a date.
    ///
    /// *Errors*: it is not there or no ISO date, or this is no object.
    pub fn date(&self, name: &str) -> Result<DateTime, Failure> {
        self.required(name)?.as_date()
    }

    /// A member that is a boolean where it is there.
    ///
    /// *Errors*: it is no boolean, or this is no object.
    pub fn optional_boolean(&self, name: &str) -> Result<Option<bool>, Failure> {
        self.optional(name)?.map(|member| member.as_boolean()).transpose()
    }

    /// This as a text.
    ///
    /// *Errors*: it is none.
    pub fn as_text(&self) -> Result<&'a str, Failure> {
        self.value.as_str().ok_or_else(|| self.is_not("a text"))
    }

    /// This as a boolean.
    ///
    /// *Errors*: it is none.
    pub fn as_boolean(&self) -> Result<bool, Failure> {
        self.value.as_bool().ok_or_else(|| self.is_not("a boolean"))
    }

    /// This as a date.
    ///
    /// *Errors*: it is no text, or no ISO date.
    pub fn as_date(&self) -> Result<DateTime, Failure> {
        DateTime::from_iso(self.as_text()?).ok_or_else(|| self.is_not("an ISO date"))
    }

    /// The elements of a list.
    ///
    /// *Errors*: it is none.
    pub fn elements(&self) -> Result<Vec<Self>, Failure> {
        let values = self.value.as_array().ok_or_else(|| self.is_not("a list"))?;
        Ok(values.iter().enumerate().map(|(n, value)| self.inside(&format!("{}[{n}]", self.path), value)).collect())
    }

    /// The members of an object that are not null.
    ///
    /// *Errors*: it is none.
    pub fn members(&self) -> Result<Vec<(&'a str, Self)>, Failure> {
        let members = self.object()?.iter().filter(|(_, value)| !value.is_null());
        Ok(members.map(|(name, value)| (name.as_str(), self.inside(&self.path_of(name), value))).collect())
    }

    /// The failure of a member that is something else.
    pub fn wrong(&self, name: &str, expected: &str) -> Failure {
        let found = self.value.get(name).unwrap_or(&Value::Null);
        self.inside(&self.path_of(name), found).is_not(expected)
    }

    /// The failure of this where it should be something else.
    pub fn is_not(&self, expected: &str) -> Failure {
        let is = match self.value {
            Value::Null => "null".to_owned(),
            Value::Object(_) => "an object".to_owned(),
            Value::Array(_) => "a list".to_owned(),
            scalar => format!("`{scalar}`"),
        };
        self.failure(self.path.clone(), format!("is {is}, not {expected}"))
    }

    fn object(&self) -> Result<&'a Map<String, Value>, Failure> {
        self.value.as_object().ok_or_else(|| self.is_not("an object"))
    }

    fn inside(&self, path: &str, value: &'a Value) -> Self {
        Self { store: self.store, path: path.to_owned(), value }
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn failure(&self, key: String, problem: String) -> Failure {
        Failure::Record { store: self.store, key, problem }
    }
}
