//! The emergency of `twinlock emergency off`, as the command and the doctor speak of it.

use twinlock_core::ports::Clock as _;
use twinlock_store::{
    files::{emergency_in_force, read_emergency},
    host::SystemClock,
    ports::StoreError,
};

use crate::programs::clock_time;

/// Whether second factors are off on this host.
#[derive(Debug)]
pub enum EmergencyStatus {
    /// They are on.
    NotInForce,
    /// They are off until this time of day.
    InForce(String),
    /// They are on, because what is there cannot be used.
    Unusable(StoreError),
}

impl EmergencyStatus {
    /// Looks.
    #[must_use]
    pub fn of_host() -> Self {
        match (emergency_in_force(), read_emergency()) {
            (Some(emergency), _) => Self::InForce(clock_time(emergency.end(SystemClock.now()))),
            (None, Ok(_)) => Self::NotInForce,
            (None, Err(error)) => Self::Unusable(error),
        }
    }

    /// The time of day at which an emergency ends.
    #[must_use]
    pub fn end(&self) -> Option<&str> {
        match self {
            Self::InForce(end) => Some(end),
            Self::NotInForce | Self::Unusable(_) => None,
        }
    }
}
