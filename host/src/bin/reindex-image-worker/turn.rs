//! Turning and mirroring, as plain arithmetic: any sequence of them equals one mirroring and one turn.

/// Mirrored left to right or not, and then turned clockwise by some quarters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) mirrored: bool,
    /// 0 to 3.
    pub(super) quarters: u8,
}

impl Turn {
    /// Returns the turn that makes a picture with this EXIF orientation upright.
    pub(super) fn upright(orientation: u8) -> Self {
        let (mirrored, quarters) = match orientation {
            2 => (true, 0),
            3 => (false, 2),
            4 => (true, 2),
            5 => (true, 3),
            6 => (false, 1),
            7 => (true, 1),
            8 => (false, 3),
            _ => (false, 0),
        };
        Self { mirrored, quarters }
    }

    /// A turn clockwise.
    pub(super) fn degrees(degrees: u32) -> Self {
        Self { mirrored: false, quarters: u8::try_from(degrees / 90 % 4).unwrap_or(0) }
    }

    /// Combines this turn and the next one.
    pub(super) fn then(self, next: Self) -> Self {
        // In a mirrored picture, a turn goes the other way.
        let before = if next.mirrored { 4 - self.quarters } else { self.quarters };
        Self { mirrored: self.mirrored != next.mirrored, quarters: (before + next.quarters) % 4 }
    }

    /// Whether width and height are exchanged.
    pub(super) fn lies(self) -> bool {
        self.quarters % 2 == 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The new place of a pixel of a square.
    fn moved(turn: Turn, (x, y): (i32, i32)) -> (i32, i32) {
        let start = if turn.mirrored { (-x, y) } else { (x, y) };
        (0..turn.quarters).fold(start, |(x, y), _| (-y, x))
    }

    #[test]
    fn each_orientation_is_brought_upright() {
        // The new place of the top left corner of the stored picture.
        let corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1), (1, -1), (1, 1), (-1, 1)];
        for (orientation, corner) in (1..=8).zip(corners) {
            let turn = Turn::upright(orientation);
            assert_eq!(moved(turn, (-1, -1)), corner, "orientation {orientation}");
            assert_eq!(turn.lies(), orientation >= 5);
        }
    }

    proptest! {
        #[test]
        fn one_turn_does_what_two_do(
            a in (any::<bool>(), 0u8..4), b in (any::<bool>(), 0u8..4), place in (-9i32..9, -9i32..9),
        ) {
            let turn = |(mirrored, quarters)| Turn { mirrored, quarters };
            let (a, b) = (turn(a), turn(b));
            prop_assert_eq!(moved(a.then(b), place), moved(b, moved(a, place)));
        }
    }
}
