//! What callgrind wrote: functions with their own instructions, and with those of what they called.

use std::collections::HashMap;

/// How many functions are worth a line.
const LARGEST: usize = 12;

/// Instructions by function.
#[derive(Debug, Default)]
pub struct Profile {
    own: HashMap<String, u64>,
    with_calls: HashMap<String, u64>,
}

impl Profile {
    /// Reads the format of `callgrind.out`, with one position and one cost a line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut profile, mut names) = (Self::default(), HashMap::new());
        let (mut function, mut is_call) = (String::new(), false);
        for line in text.lines() {
            if let Some(named) = line.strip_prefix("fn=") {
                function = name(named, &mut names)?;
            } else if let Some(named) = line.strip_prefix("cfn=") {
                name(named, &mut names)?;
            } else if line.starts_with("calls=") {
                is_call = true;
            } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
                let cost = line.split(' ').nth(1).and_then(|cost| cost.parse().ok()).unwrap_or(0);
                *profile.with_calls.entry(function.clone()).or_default() += cost;
                if !std::mem::take(&mut is_call) {
                    *profile.own.entry(function.clone()).or_default() += cost;
                }
            }
        }
        Ok(profile)
    }

    /// The instructions of the function whose path ends so, and of all it called. It must not call itself.
    pub fn inclusive(&self, function: &str) -> Option<u64> {
        self.with_calls.iter().filter(|(name, _)| name.ends_with(function)).map(|(_, cost)| *cost).max()
    }

    /// The functions with the most instructions of their own.
    pub fn largest(&self) -> Vec<(String, u64)> {
        let mut all: Vec<_> = self.own.iter().map(|(name, cost)| (name.clone(), *cost)).collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all.truncate(LARGEST);
        all
    }
}

/// A name, which is written out the first time only: `(12) path::of::it`, then `(12)`.
fn name(named: &str, names: &mut HashMap<String, String>) -> Result<String, String> {
    let (number, name) = named.split_once(')').ok_or_else(|| format!("not a name: {named}"))?;
    if !name.is_empty() {
        names.insert(number.to_owned(), without_hash(name.trim()).to_owned());
    }
    names.get(number).cloned().ok_or_else(|| format!("a name that was never given: {named}"))
}

/// Another build gives a function another hash.
fn without_hash(name: &str) -> &str {
    let name = name.split('\'').next().unwrap_or(name);
    match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => path,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_costs_and_those_of_calls_are_told_apart() {
        let text = "fl=(1) a.rs\nfn=(1) a::outer::h0123456789abcdef\n10 5\ncfn=(2) a::inner\ncalls=2 20\n+1 30\n12 7\n\n\
                    fn=(2)\n20 30\n";
        let profile = Profile::parse(text).unwrap();
        assert_eq!((profile.inclusive("outer"), profile.inclusive("inner")), (Some(42), Some(30)));
        assert_eq!(profile.largest(), [("a::inner".to_owned(), 30), ("a::outer".to_owned(), 12)]);
        assert_eq!(profile.inclusive("absent"), None);
    }
}
