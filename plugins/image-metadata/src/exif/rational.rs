//! Fractions of two integers.

/// A fraction as a TIFF has it; the denominator may be zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rational {
    pub(super) numerator: i64,
    pub(super) denominator: i64,
}

impl Rational {
    pub(super) fn value(self) -> f64 {
        if self.numerator == 0 { 0.0 } else { self.numerator as f64 / self.denominator as f64 }
    }

    pub(super) fn reciprocal(self) -> Self {
        Self { numerator: self.denominator, denominator: self.numerator }
    }

    pub(super) fn is_integer(self) -> bool {
        match self.denominator {
            0 => self.numerator == 0,
            denominator => self.numerator % denominator == 0,
        }
    }

    pub(super) fn is_zero(self) -> bool {
        self.numerator == 0 || self.denominator == 0
    }

    /// `a/b` as it stands.
    pub(super) fn fraction(self) -> String {
        format!("{}/{}", self.numerator, self.denominator)
    }

    /// An integer, else a short decimal number, else a reduced fraction.
    pub(super) fn text(self) -> String {
        const SHORT: usize = 5;
        if self.is_integer() {
            return (self.value() as i32).to_string();
        }
        if self.denominator == 0 {
            return self.fraction();
        }
        let reduced = self.reduced();
        let decimal = reduced.value().to_string();
        if decimal.len() < SHORT { decimal } else { reduced.fraction() }
    }

    /// The smallest numbers with this value; the sign is the numerator's.
    fn reduced(self) -> Self {
        let divisor = greatest_common_divisor(self.numerator.abs(), self.denominator.abs()) * self.denominator.signum();
        Self { numerator: self.numerator / divisor, denominator: self.denominator / divisor }
    }
}

fn greatest_common_divisor(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::Rational;

    #[test]
    fn a_fraction_is_written_as_short_as_it_can_be() {
        let text = |numerator, denominator| Rational { numerator, denominator }.text();
        assert_eq!(text(28, 10), "2.8");
        assert_eq!(text(-67, 100), "-67/100");
        assert_eq!(text(67, -100), "-67/100");
        assert_eq!(text(10, 2500), "1/250");
        assert_eq!(text(6, 3), "2");
        assert_eq!(text(0, 0), "0");
        assert_eq!(text(5, 0), "5/0");
        assert_eq!(text(4_294_967_295, 1), "2147483647");
    }
}
