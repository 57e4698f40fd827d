//! Grouping reasons: equal failures of different ids are one group. Pure.

/// The longest name of a group, in characters.
const LONGEST_GROUP: usize = 256;

/// Removes what differs from id to id from a reason: names such as the id itself, and numbers that stand alone.
pub(super) fn group(reason: &str, names: &[&str]) -> String {
    let line = reason.lines().next().unwrap_or_default();
    let line = names.iter().fold(line.to_owned(), |line, name| without(&line, name));
    let mut group = String::with_capacity(line.len());
    let mut before = ' ';
    let mut rest = line.chars().peekable();
    while let Some(first) = rest.next() {
        if first.is_ascii_digit() && !before.is_alphanumeric() {
            let mut number = String::from(first);
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                number.push(digit);
            }
            let alone = rest.peek().is_none_or(|next| !next.is_alphabetic());
            group.push_str(if alone { "#" } else { &number });
            before = '0';
        } else {
            group.push(first);
            before = first;
        }
    }
    group.chars().take(LONGEST_GROUP).collect()
}

/// Removes a name from a line, except inside a word.
fn without(line: &str, name: &str) -> String {
    let is_word = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphanumeric);
    let (mut out, mut end) = (String::with_capacity(line.len()), 0);
    for (at, found) in line.match_indices(name).filter(|(_, found)| !found.is_empty()) {
        let after = at + found.len();
        if !is_word(line[..at].chars().next_back()) && !is_word(line[after..].chars().next()) {
            out.push_str(&line[end..at]);
            out.push('…');
            end = after;
        }
    }
    out + &line[end..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_failures_of_different_ids_are_one_group() {
        assert_eq!(group("tenures[2] is not a map", &["p-1"]), group("tenures[17] is not a map", &["p-2"]));
        assert_eq!(group("p-1 is broken\nbacktrace of p-1", &["p-1"]), group("p-9 is broken", &["p-9"]));
        assert_eq!(group("addressLine1 is missing", &["x"]), "addressLine1 is missing");
        assert_ne!(group("addressLine1 is missing", &["x"]), group("addressLine2 is missing", &["x"]));
        let (a, b) = (["a", "in/p.jpg"], ["b", "ü.tif"]);
        assert_eq!(group("the image `in/p.jpg` of a is bad", &a), group("the image `ü.tif` of b is bad", &b));
    }

    proptest! {
        #[test]
        fn a_group_is_one_bounded_line(reason in any::<String>(), id in any::<String>()) {
            let group = group(&reason, &[&id]);
            prop_assert!(group.chars().count() <= LONGEST_GROUP && !group.contains('\n'));
        }
    }
}
