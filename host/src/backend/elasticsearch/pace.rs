//! How many requests write at a time: one more for every successful round, half as many when the cluster pushes back.
//! Knows nothing of requests or time.

/// The current pace.
#[derive(Debug)]
pub(super) struct Pace {
    allowed: f64,
    most: f64,
    round: u64,
}

/// When a request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Round(u64);

impl Pace {
    /// Starts low, and never allows more than `most`.
    pub(super) fn new(most: u32) -> Self {
        let most = f64::from(most.max(1));
        Self { allowed: most.min(2.0), most, round: 0 }
    }

    /// Whether one more may be sent while `under_way` are in flight.
    pub(super) fn admits(&self, under_way: usize) -> bool {
        (under_way as f64) < self.allowed.floor()
    }

    /// The round of a request that is sent now.
    pub(super) fn round(&self) -> Round {
        Round(self.round)
    }

    /// A request was accepted: a whole round of them allows one more.
    pub(super) fn taken(&mut self) {
        self.allowed = (self.allowed + self.allowed.recip()).min(self.most);
    }

    /// A request was pushed back. Those of one round are pushed back for the same reason and count once.
    pub(super) fn pushed_back(&mut self, set_out: Round) {
        if set_out == self.round() {
            self.allowed = (self.allowed / 2.0).max(1.0);
            self.round += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allowed(pace: &Pace) -> usize {
        (0..).find(|under_way| !pace.admits(*under_way)).unwrap()
    }

    #[test]
    fn a_round_that_goes_well_earns_one_more() {
        let mut pace = Pace::new(4);
        assert_eq!(allowed(&pace), 2);
        for _ in 0..3 {
            pace.taken();
        }
        assert_eq!(allowed(&pace), 3);
    }

    #[test]
    fn requests_pushed_back_together_count_once() {
        let mut pace = Pace::new(8);
        (0..100).for_each(|_| pace.taken());
        assert_eq!(allowed(&pace), 8);
        let together = pace.round();
        (0..8).for_each(|_| pace.pushed_back(together));
        assert_eq!(allowed(&pace), 4);
        let next = pace.round();
        pace.pushed_back(next);
        assert_eq!(allowed(&pace), 2);
    }

    proptest! {
        #[test]
        fn at_least_one_and_never_too_many_may_set_out(most in 0u32..20, went_well in proptest::collection::vec(any::<bool>(), 0..200)) {
            let mut pace = Pace::new(most);
            for well in went_well {
                let round = pace.round();
                if well { pace.taken() } else { pace.pushed_back(round) }
                prop_assert!((1..=most.max(1) as usize).contains(&allowed(&pace)));
            }
        }
    }
}
