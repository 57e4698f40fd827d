//! The defaults of a recipe, and how a recipe is laid over them without losing where its keys stand.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    error::{Error, Result},
    sandbox::Limits,
};

/// Every default of a recipe, commented: the text of `host/default.toml`.
pub const DEFAULTS: &str = include_str!("../../default.toml");

/// A recipe's table with the defaults where it says nothing. Its own values keep their places.
pub(super) fn over<'t>(recipe: &Spanned<DeTable<'t>>) -> Result<Spanned<DeTable<'t>>> {
    let mut table = parse()?;
    choose(&mut table, recipe.get_ref());
    overlay(&mut table, recipe.get_ref().clone());
    Ok(Spanned::new(recipe.span(), table))
}

/// The defaults as a table.
pub(super) fn parse() -> Result<DeTable<'static>> {
    let table = DeTable::parse(DEFAULTS).map_err(|error| Error::bug("the defaults are not TOML").because(error))?;
    Ok(table.into_inner())
}

/// Leaves out the defaults of sources that the recipe does not name: it reads from one.
fn choose(defaults: &mut DeTable, recipe: &DeTable) {
    if !recipe.contains_key("schedule") {
        defaults.remove("schedule");
    }
    let named = recipe.get("source").and_then(|source| source.get_ref().as_table());
    if let Some(DeValue::Table(sources)) = defaults.get_mut("source").map(Spanned::get_mut) {
        let is_named = |kind: &str| named.is_some_and(|named| named.contains_key(kind));
        *sources = std::mem::take(sources).into_iter().filter(|(kind, _)| is_named(kind.get_ref())).collect();
    }
}

/// Lays one table over another, recursively; lists and scalars are replaced whole.
pub(super) fn overlay<'t>(under: &mut DeTable<'t>, over: DeTable<'t>) {
    for (key, value) in over {
        let span = value.span();
        match (under.get_mut(&**key.get_ref()).map(Spanned::get_mut), value.into_inner()) {
            (Some(DeValue::Table(under)), DeValue::Table(over)) => overlay(under, over),
            (_, value) => {
                under.insert(key, Spanned::new(span, value));
            }
        }
    }
}

/// The limits of a plugin that no recipe speaks of, such as one under test.
pub fn limits() -> Result<Limits> {
    #[derive(serde::Deserialize)]
    struct Defaults {
        limits: Limits,
    }
    let defaults: Defaults =
        toml::from_str(DEFAULTS).map_err(|error| Error::bug("the defaults are not a recipe's").because(error))?;
    Ok(defaults.limits)
}
