//! The words that a login passes by. One flipped bit in memory (Rowhammer, CVE-2023-42465) must not make a grant of anything.
//!
//! What is covered: an attempt from the moment it ended until libpam is told, and its mark from the auth to the account
//! phase. There, who passes is told by a word of 64 bits that differs from each other word, from zeros and from ones in 16
//! bits at least. What is not: the code that compares it, the bytes that a code is compared with, and what libpam makes of
//! the number that it is told, where success is 0 and `PAM_SYSTEM_ERR` one bit away.

use std::hint::black_box;

/// Whether somebody passes, and why.
#[derive(Debug, Clone, Copy)]
pub struct Grant(u64);

impl Grant {
    /// Nobody passes.
    pub const NONE: Self = Self(0x8c53_765f_4ec0_a954);
    /// A second factor was verified, and it is on the disk that it is used up.
    pub const VERIFIED: Self = Self(0xa598_d0db_ccbf_d2ec);
    /// Policy asks nobody.
    pub const NOT_ASKED: Self = Self(0xb2c5_5523_807c_7e30);

    /// Whether it is this one. It is looked at twice, and the compiler cannot make one of the two looks.
    #[must_use]
    pub fn is(&self, expected: Self) -> bool {
        black_box(self).0 == expected.0 && black_box(self).0 == expected.0
    }

    /// The word itself, for tests that look for it in memory.
    #[must_use]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// Whether somebody passes.
    #[must_use]
    pub fn lets_pass(&self) -> bool {
        self.is(Self::VERIFIED) || self.is(Self::NOT_ASKED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [u64; 5] = [Grant::NONE.0, Grant::VERIFIED.0, Grant::NOT_ASKED.0, 0, u64::MAX];

    #[test]
    fn any_two_words_differ_in_sixteen_bits() {
        for (index, one) in ALL.iter().enumerate() {
            for other in ALL.iter().skip(index + 1) {
                assert!((one ^ other).count_ones() >= 16, "{one:x} {other:x}");
            }
        }
    }

    #[test]
    fn one_flipped_bit_or_two_let_nobody_pass() {
        for word in ALL {
            for (first, second) in (0..64).flat_map(|first| (first..64).map(move |second| (first, second))) {
                let flipped = Grant(word ^ (1 << first) ^ (if first == second { 0 } else { 1 << second }));
                assert!(!flipped.lets_pass(), "{word:x}, bits {first} and {second}");
            }
        }
        assert!(Grant::VERIFIED.is(Grant::VERIFIED) && Grant::NOT_ASKED.is(Grant::NOT_ASKED));
        assert!(Grant::VERIFIED.lets_pass() && Grant::NOT_ASKED.lets_pass() && !Grant::NONE.lets_pass());
        assert!(!Grant::VERIFIED.is(Grant::NOT_ASKED) && !Grant::NOT_ASKED.is(Grant::VERIFIED));
    }
}
