//! One-time codes that root or the help desk issues for somebody who has no phone at hand: beside the recovery codes, and
//! only for a while.

use std::{ops::RangeInclusive, time::Duration};

use crate::{recovery::RecoverySetId, time::UnixTime};

/// An issued code, as the record of its user keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCode {
    /// The recovery set with whose salt and cost it is hashed, so that one hash of an answer serves both. It ends with that
    /// set.
    pub set: RecoverySetId,
    /// Argon2id of 80 random bits: no secret to be wiped.
    pub hash: [u8; Self::HASH],
    /// When it was issued.
    pub issued: UnixTime,
    /// From when on it is refused.
    pub expires: UnixTime,
    /// The account that issued it.
    pub by_uid: u32,
}

impl IssuedCode {
    /// Bytes of a hash.
    pub const HASH: usize = 32;
    /// Issued codes a user may have at a time: one is lost on the telephone, and the next one is not.
    pub const MOST: usize = 2;
    /// How long one may be valid. Long enough to be read out and typed; a week is for a phone that is being repaired.
    pub const SPAN: RangeInclusive<Duration> = Duration::from_mins(5)..=Duration::from_hours(7 * 24);

    /// Whether it may be used. A clock set back to before it was issued ends that, as one set past its end does.
    #[must_use]
    pub fn is_valid(&self, now: UnixTime) -> bool {
        self.issued <= now && now < self.expires
    }
}
