//! Numbers by their value, exact for any number of digits. A number is never converted.

use std::cmp::Ordering;

/// Compares two JSON numbers by value, exactly, for any number of digits.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Decimal::new(a), Decimal::new(b));
    match (a.sign(), b.sign()) {
        (x, y) if x != y => x.cmp(&y),
        (-1, _) => b.magnitude(&a),
        _ => a.magnitude(&b),
    }
}

/// Returns a text that is equal for JSON numbers of equal value.
pub fn normal(number: &str) -> String {
    let decimal = Decimal::new(number);
    format!("{}:{}:{}", decimal.sign(), decimal.digits, decimal.power)
}

/// Returns how many digits a JSON number has without zeros at either end, and the power of ten of its first digit.
pub fn significant(number: &str) -> (usize, i64) {
    let decimal = Decimal::new(number);
    (decimal.digits.len(), decimal.power - 1)
}

/// A decimal number as digits without zeros at either end and the power of ten of the first digit.
struct Decimal {
    negative: bool,
    digits: String,
    power: i64,
}

impl Decimal {
    fn new(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let exponent: i64 =
            exponent.parse().unwrap_or(if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 });
        let leading = i64::try_from(whole.len()).unwrap_or(0) - i64::try_from(all.len() - digits.len()).unwrap_or(0);
        // Zero has no first digit, and so no power.
        let power = if digits.is_empty() { 0 } else { exponent + leading };
        Self { negative, digits: digits.trim_end_matches('0').to_owned(), power }
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        self.power.cmp(&other.power).then_with(|| self.digits.cmp(&other.digits))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_compare_as_their_values(a in -1_000_000i64..1_000_000, b in -1_000_000i64..1_000_000, places in 0u32..6) {
            let decimal = |n: i64| format!("{n}e-{places}");
            prop_assert_eq!(compare(&decimal(a), &decimal(b)), a.cmp(&b));
        }
    }

    #[test]
    fn significant_digits_have_no_zeros_at_their_ends() {
        let cases = [("0", (0, -1)), ("1", (1, 0)), ("-0.0120", (2, -2)), ("1200", (2, 3)), ("1.5e10", (2, 10))];
        for (number, expected) in cases {
            assert_eq!(significant(number), expected, "{number}");
        }
    }

    #[test]
    fn an_exponent_beyond_all_bounds_is_compared_without_unfolding_it() {
        assert_eq!(compare("1e999999999999999999999", "2"), Ordering::Greater);
        assert_eq!(compare("-0.0", "0"), Ordering::Equal);
    }
}
