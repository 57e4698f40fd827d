//! `${NAME}` in the texts of a file. Its replacement is a secret and never shown.

use std::{borrow::Cow, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Document, join};
use crate::error::{Error, Result};

/// The source of a variable's value; the library itself reads no environment.
pub(crate) type Variables<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Whether a key may hold variables; if not, what to do instead.
pub(crate) type May = fn(&str) -> Result<(), &'static str>;

/// Replaces `${NAME}` in the texts of a table and returns where; `$${` stands for a plain `${`.
///
/// *Errors*: every one of these, joined: an unset variable, a malformed one, and one in a place that `may` refuses, with what to do instead.
pub(crate) fn substitute(
    document: &Document,
    table: &mut DeTable,
    variables: &Variables,
    may: May,
) -> Result<Vec<Range<usize>>> {
    let mut replacer = Replacer { document, variables, may, secrets: Vec::new() };
    replacer.table("", table)?;
    Ok(replacer.secrets)
}

struct Replacer<'a> {
    document: &'a Document<'a>,
    variables: &'a Variables<'a>,
    may: May,
    secrets: Vec<Range<usize>>,
}

impl Replacer<'_> {
    fn table(&mut self, path: &str, table: &mut DeTable) -> Result<()> {
        let values = table.iter_mut().map(|(key, value)| self.value(&join(path, key.get_ref()), value));
        let wrong: Vec<_> = values.filter_map(Result::err).collect();
        Error::joined(wrong)
    }

    fn value(&mut self, path: &str, value: &mut Spanned<DeValue>) -> Result<()> {
        let span = value.span();
        match value.get_mut() {
            DeValue::Table(table) => self.table(path, table),
            DeValue::Array(array) => {
                let elements = array.iter_mut().enumerate();
                let values = elements.map(|(n, element)| self.value(&format!("{path}[{n}]"), element));
                let wrong: Vec<_> = values.filter_map(Result::err).collect();
                Error::joined(wrong)
            }
            DeValue::String(text) if text.contains("${") => {
                *text = Cow::Owned(self.text(path, text)?);
                self.secrets.push(span);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn text(&self, path: &str, text: &str) -> Result<String> {
        if let Err(instead) = (self.may)(path) {
            let error = self.document.error_at(path, format!("`{path}` may not come from a variable"));
            return Err(error.hint(instead));
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, after) = (&rest[..at], &rest[at + 2..]);
            if let Some(before) = before.strip_suffix('$') {
                out.extend([before, "${"]);
                rest = after;
            } else {
                let name = name(after).ok_or_else(|| self.malformed(path))?;
                out.push_str(before);
                out.push_str(&(self.variables)(name).ok_or_else(|| self.unset(path, name))?);
                rest = &after[name.len() + 1..];
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    fn unset(&self, path: &str, name: &str) -> Error {
        self.document
            .error_at(path, format!("`{path}` needs the variable `{name}`, which is not set"))
            .hint(format!("set `{name}` for this command; to mean the text itself, write `$${{{name}}}`"))
    }

    fn malformed(&self, path: &str) -> Error {
        self.document
            .error_at(path, format!("`{path}` has a `${{` that begins no variable"))
            .hint("write `${NAME}` for a variable, `$${` for the text itself")
    }
}

/// The name up to the closing brace: letters, digits and `_`, no digit first.
fn name(after: &str) -> Option<&str> {
    let name = &after[..after.find('}')?];
    let good = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (good && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())).then_some(name)
}
