//! Which objects become requests, by their keys. Pure.

/// Which objects become requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// What their keys begin with; empty means any.
    pub prefixes: Vec<String>,
    /// How their names end, in any case; empty means any.
    pub endings: Vec<String>,
}

/// Why an object becomes no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Passed {
    /// It is outside the bucket and the prefixes.
    Elsewhere,
    /// It has no name: a folder marker.
    Folder,
    /// Its name begins with a dot.
    Hidden,
    /// Its name has another ending.
    Ending,
}

impl Choice {
    /// Returns why an object becomes no request; none if it becomes one.
    pub fn passes(&self, key: &str) -> Option<Passed> {
        let name = key.rsplit('/').next().unwrap_or(key);
        if !self.prefixes.is_empty() && !self.prefixes.iter().any(|prefix| key.starts_with(prefix)) {
            Some(Passed::Elsewhere)
        } else if name.is_empty() {
            Some(Passed::Folder)
        } else if name.starts_with('.') {
            Some(Passed::Hidden)
        } else if !self.endings.is_empty() && !self.endings.iter().any(|ending| ends_with(name, ending)) {
            Some(Passed::Ending)
        } else {
            None
        }
    }
}

fn ends_with(name: &str, ending: &str) -> bool {
    name.to_lowercase().ends_with(&ending.to_lowercase())
}

impl Passed {
    /// The reason in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Elsewhere => "outside the recipe's bucket and `prefixes`",
            Self::Folder => "the mark of a folder",
            Self::Hidden => "its name begins with a dot",
            Self::Ending => "its name ends as none of the recipe's `endings`",
        }
    }
}
