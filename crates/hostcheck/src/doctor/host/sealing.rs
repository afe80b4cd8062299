//! Whether secrets are sealed, and whether logins find the key now and after a restart.

use twinlock_core::account::UserName;
use twinlock_store::{
    files::{self, Store},
    ports::StoreError,
    seal_mode::SealMode,
};

use crate::seal::{self, Protection};

/// What is in force, and what is there of it.
#[derive(Default)]
pub(crate) struct SealFacts {
    /// `None` if nothing is sealed, or the store is not surely this host's.
    pub(crate) mode: Option<SealMode>,
    /// Why logins do not find the key.
    pub(crate) key: Option<StoreError>,
    /// Users whose secrets are in clear.
    pub(crate) in_clear: Vec<UserName>,
    /// What this host itself does for the key, where the site does not provide it.
    pub(crate) own: Option<OwnKey>,
}

/// The key that this host seals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OwnKey {
    /// By what it is sealed; `None` if it is not.
    pub(crate) protection: Option<Protection>,
    /// Whether it is loaded at the next boot.
    pub(crate) is_loaded_at_boot: bool,
    /// Whether it may be swapped to a disk.
    pub(crate) is_swapped: bool,
}

impl SealFacts {
    pub(super) fn gather(store: &Store) -> Self {
        let Some((mode, key)) = store.seal_mode().ok().and_then(|mode| Some((mode, mode.key()?))) else {
            return Self::default();
        };
        let forms = store.held_forms().unwrap_or_default();
        let site = store.key_file();
        let own = site.is_none().then(|| OwnKey {
            protection: seal::protection_of(key).ok(),
            is_loaded_at_boot: seal::is_unit_enabled(),
            is_swapped: seal::is_swapped(),
        });
        Self {
            mode: Some(mode),
            key: files::read_key(key, site.as_deref()).err(),
            in_clear: forms.into_iter().filter(|form| form.in_clear).map(|form| form.user).collect(),
            own,
        }
    }
}
