//! The key of sealed credentials on this host: sealed by systemd-creds(1) into a file, a blob, of its own, and unsealed at
//! boot into memory, where every login finds it.

mod blob;
mod key_folder;
mod systemd_creds;

pub use blob::{BLOB_FOLDER, Protection, blob_keys, protection_of, remove_blob, seal_key};
pub use key_folder::{forget_key, is_swapped, keep_in_memory, load_all};

/// The unit that loads the keys when the host boots.
pub const UNIT: &str = "twinlock-unseal.service";

/// Whether systemd runs this host.
#[must_use]
pub fn has_systemd() -> bool {
    std::path::Path::new("/run/systemd/system").is_dir()
}

/// Whether the unit will be started at the next boot.
#[must_use]
pub fn is_unit_enabled() -> bool {
    crate::ssh::server::systemctl(&["is-enabled", "--quiet", UNIT])
}

/// Enables the unit and runs it now; false if that failed.
#[must_use]
pub fn run_unit() -> bool {
    crate::ssh::server::systemctl(&["enable", "--quiet", UNIT]) && crate::ssh::server::systemctl(&["restart", UNIT])
}

/// Does not start it at the next boot.
#[must_use]
pub fn disable_unit() -> bool {
    crate::ssh::server::systemctl(&["disable", "--quiet", "--now", UNIT])
}
