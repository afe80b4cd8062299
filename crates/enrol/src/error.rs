//! Why nobody was enrolled. The texts are in `messages.rs`.

use std::io;

use twinlock_core::{devices::DeviceError, otp::OtpError, recovery::RecoveryError};
use twinlock_store::ports::StoreError;

/// Why nobody was enrolled. Nothing was changed then, but for [`EnrolError::Store`]: where the disk failed only after the
/// new credentials were in place, they hold. Nobody may be told to throw the new secret away.
#[derive(Debug)]
pub enum EnrolError {
    /// The user has a second factor already, and replacing it was not asked for.
    AlreadyEnrolled,
    /// There is nothing to renew.
    NotEnrolled,
    /// It is not any more what it was when its owner showed to be its owner.
    ChangedMeanwhile,
    /// Digits or period are out of range.
    Parameters(OtpError),
    /// The kernel gave no randomness.
    Randomness(io::Error),
    /// The recovery codes could not be hashed.
    Recovery(RecoveryError),
    /// The device cannot be changed so.
    Device(DeviceError),
    /// The store cannot be used.
    Store(StoreError),
}
