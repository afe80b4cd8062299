//! Hostile inputs, the same in every run: seeds that are right, changed in a few places.

/// Marsaglia's xorshift64: mutations need variety, not secrecy.
pub(crate) struct Random(pub(crate) u64);

/// How seeds are changed.
pub(crate) struct Mutations {
    /// What is put in.
    pub(crate) pieces: &'static [&'static [u8]],
    /// In fewer places than this.
    pub(crate) places: usize,
    /// What is said twice is shorter than this.
    pub(crate) copied: usize,
}

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    pub(crate) fn one<'a, T: AsRef<[u8]>>(&mut self, of: &'a [T]) -> &'a [u8] {
        of[self.below(of.len())].as_ref()
    }

    /// One of the seeds, changed.
    pub(crate) fn mutated<T: AsRef<[u8]>>(&mut self, seeds: &[T], how: &Mutations) -> Vec<u8> {
        let mut bytes = self.one(seeds).to_vec();
        for _ in 0..self.below(how.places) {
            let at = self.below(bytes.len() + 1);
            match self.below(7) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 => bytes.insert(at, u8::try_from(self.below(256)).unwrap()),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 => bytes.truncate(at),
                4 => bytes.extend_from_slice(self.one(seeds)),
                5 => {
                    let piece = self.one(how.pieces);
                    bytes.splice(at..at, piece.iter().copied());
                }
                _ => {
                    let end = (at + self.below(how.copied)).min(bytes.len());
                    let copy = bytes[at.min(end)..end].to_vec();
                    bytes.splice(at..at, copy);
                }
            }
        }
        bytes
    }
}
