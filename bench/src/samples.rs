//! Times, and their median and 90th percentile.

/// Measured times, in nanoseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<u64>);

impl Samples {
    /// The time that half of all took at most.
    pub(crate) fn median(&self) -> u64 {
        self.rank(50)
    }

    /// The time that nine in ten took at most.
    pub(crate) fn p90(&self) -> u64 {
        self.rank(90)
    }

    pub(crate) fn push(&mut self, sample: u64) {
        self.0.push(sample);
    }

    fn rank(&self, percent: usize) -> u64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted[(sorted.len() * percent).div_ceil(100).saturating_sub(1)]
    }
}

impl FromIterator<u64> for Samples {
    fn from_iter<I: IntoIterator<Item = u64>>(samples: I) -> Self {
        Self(samples.into_iter().collect())
    }
}

#[test]
fn ranks_are_those_of_the_nearest_rank_method() {
    let samples = Samples::from_iter([5, 1, 4, 2, 3, 10, 9, 8, 7, 6]);
    assert_eq!((samples.median(), samples.p90()), (5, 9));
    assert_eq!(Samples::from_iter([7]).median(), 7);
}
