//! Numbers as texts, as Java's `DecimalFormat` writes them with an English locale.

/// What becomes of a number half-way between two that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    /// The one with an even last digit.
    Even,
    /// The one further from zero.
    Up,
}

/// From here on there are integers only, and they are written with zeros for the digits that do not tell them apart.
const INTEGERS: f64 = 9_007_199_254_740_992.0;

/// Writes a number with at least and at most so many decimals.
pub(crate) fn decimal(number: f64, least: usize, most: usize, half: Half) -> String {
    let sign = if number.is_sign_negative() && !number.is_nan() { "-" } else { "" };
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return format!("{sign}∞");
    }
    let size = number.abs();
    if size >= INTEGERS {
        let zeros = if least > 0 { format!(".{}", "0".repeat(least)) } else { String::new() };
        return format!("{sign}{size}{zeros}");
    }
    let mut digits = match half {
        Half::Even => format!("{size:.most$}"),
        Half::Up => half_up(size, most),
    };
    while most > 0 && digits.ends_with('0') && digits.len() - digits.find('.').unwrap_or(0) > least + 1 {
        digits.pop();
    }
    format!("{sign}{}", digits.trim_end_matches('.'))
}

/// Rounds to so many decimals by the digit after them.
fn half_up(size: f64, decimals: usize) -> String {
    const ALL_THAT_MATTER: usize = 60;
    let exact = format!("{size:.ALL_THAT_MATTER$}");
    let point = exact.find('.').unwrap_or(exact.len());
    let (kept, rest) = exact.split_at(point + 1 + decimals);
    if rest < "5" {
        return kept.to_owned();
    }
    let mut digits: Vec<_> = kept.bytes().collect();
    for digit in digits.iter_mut().rev().filter(|digit| digit.is_ascii_digit()) {
        if *digit < b'9' {
            *digit += 1;
            return String::from_utf8_lossy(&digits).into_owned();
        }
        *digit = b'0';
    }
    format!("1{}", String::from_utf8_lossy(&digits))
}

/// The usual text of a number: at most three decimals.
pub(crate) fn plain(number: f64) -> String {
    decimal(number, 0, 3, Half::Even)
}

/// A number that Java reads with `parseDouble`.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let text = crate::text::trimmed(text);
    let number = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    // Rust also reads the names of infinity and of what is no number, in more ways than Java.
    match number.strip_prefix(['+', '-']).unwrap_or(number) {
        "Infinity" | "NaN" if number.len() == text.len() => number.parse().ok(),
        digits if digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') => number.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Half, decimal, parse};

    #[test]
    fn a_number_has_the_decimals_it_may_have() {
        assert_eq!(decimal(2.0, 0, 3, Half::Even), "2");
        assert_eq!(decimal(2.0, 1, 3, Half::Even), "2.0");
        assert_eq!(decimal(100.0, 0, 1, Half::Even), "100");
        assert_eq!(decimal(2.1239, 1, 3, Half::Even), "2.124");
        assert_eq!(decimal(-0.0001, 0, 3, Half::Even), "-0");
        assert_eq!(decimal(36_028_797_018_963_968.0, 1, 3, Half::Even), "36028797018963970.0");
    }

    #[test]
    fn half_goes_where_it_was_told() {
        assert_eq!(decimal(0.25, 1, 1, Half::Even), "0.2");
        assert_eq!(decimal(0.25, 1, 1, Half::Up), "0.3");
        assert_eq!(decimal(2.5, 0, 0, Half::Up), "3");
        assert_eq!(decimal(99.95, 1, 1, Half::Up), "100.0", "the number is a little more than it looks");
        assert_eq!(decimal(2_f64.powi(49) + 1.25, 1, 1, Half::Up), "562949953421313.3");
        assert_eq!(decimal(0.35, 1, 1, Half::Up), "0.3", "the number is a little less than it looks");
    }

    #[test]
    fn a_text_is_a_number_as_in_java() {
        assert_eq!(parse(" 1.5e1 "), Some(15.0));
        assert_eq!(parse("5f"), Some(5.0));
        assert_eq!(parse("inf"), None);
        assert_eq!(parse("."), None);
    }
}
