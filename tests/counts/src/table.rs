//! The file of counts: a line for each path, and indented ones for the functions that make most of it.

use std::fmt;

/// A path with its instructions, and the largest functions in it with theirs.
type Path = (String, u64, Vec<(String, u64)>);

/// Counts by path.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Table(Vec<Path>);

impl Table {
    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut table = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let wrong = || format!("not a line of counts: {line}");
            let (count, name) = line.trim().split_once(' ').ok_or_else(wrong)?;
            let count = count.parse().map_err(|_| wrong())?;
            if line.starts_with("  ") {
                table.0.last_mut().ok_or_else(wrong)?.2.push((name.to_owned(), count));
            } else {
                table.add(name, count, Vec::new());
            }
        }
        Ok(table)
    }

    /// Adds a path.
    pub fn add(&mut self, name: &str, total: u64, functions: Vec<(String, u64)>) {
        self.0.push((name.to_owned(), total, functions));
    }

    /// What is more than 3 % above this table, and a path it does not know.
    pub fn grown(&self, now: &Self) -> Vec<String> {
        now.0.iter().filter_map(|path| self.why_grown(path)).collect()
    }

    fn why_grown(&self, (name, total, functions): &Path) -> Option<String> {
        let Some((_, before, known)) = self.0.iter().find(|(known, ..)| known == name) else {
            return Some(format!("{name} is not in the table; --accept adds it"));
        };
        if total * 100 <= before * 103 {
            return None;
        }
        let mut why = format!("{name} takes {total} instructions, {before} before:");
        for (function, count) in functions {
            let before = known.iter().find(|(known, _)| known == function).map_or(0, |(_, count)| *count);
            if count * 100 > before * 103 {
                why += &format!("\n  {function} {before} -> {count}");
            }
        }
        Some(why)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Instructions of hot paths in the tests' profile; `./dev counts --accept` writes this file.")?;
        for (name, total, functions) in &self.0 {
            writeln!(f, "\n{total} {name}")?;
            functions.iter().try_for_each(|(function, count)| writeln!(f, "  {count} {function}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(total: u64, inner: u64) -> Table {
        Table(vec![("path".to_owned(), total, vec![("a::inner of it".to_owned(), inner), ("a::same".to_owned(), 10)])])
    }

    #[test]
    fn a_table_is_read_as_it_was_written() {
        assert_eq!(Table::parse(&table(100, 90).to_string()).unwrap(), table(100, 90));
        assert!(Table::parse("  5 lost").is_err() && Table::parse("many path").is_err());
    }

    #[test]
    fn three_per_cent_more_is_too_much_and_names_the_function() {
        let before = table(1000, 900);
        assert_eq!(before.grown(&table(1030, 930)), [""; 0]);
        assert_eq!(before.grown(&table(500, 400)), [""; 0]);
        let grown = before.grown(&table(1031, 931));
        assert_eq!(grown, ["path takes 1031 instructions, 1000 before:\n  a::inner of it 900 -> 931"]);
        assert_eq!(Table::default().grown(&before).len(), 1);
    }
}
