//! Twinlock as it is installed on this host.

use twinlock_core::{account::Subject, time::UnixTime};
use twinlock_service::status::Status;
use twinlock_store::{
    config::Config,
    files::{Reading, Store},
    ports::StoreError,
};

/// The configuration, and the store that it names.
#[derive(Clone, Copy)]
pub struct Installation<'a> {
    pub config: &'a Config,
    /// The store, which root alone may open.
    pub store: &'a Store,
}

impl Installation<'_> {
    /// The status of one user among many.
    ///
    /// # Errors
    /// The files of the user cannot be read.
    pub fn read_status(&self, reading: &Reading, subject: &Subject, now: UnixTime) -> Result<Status, StoreError> {
        Status::read(reading, subject, &self.config.limits(), now)
    }
}
