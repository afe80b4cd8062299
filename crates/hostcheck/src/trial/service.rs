//! The services whose files are changed on trial, and what is particular to each.

use super::place::FilePlace;
use crate::{
    HostError, Note,
    ssh::{EnableMode, ServerState, server},
};

/// The service that a trial is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangedService {
    /// sshd: its configuration and its PAM file.
    Ssh,
    /// sudo, and `sudo -i` where that has a PAM file of its own.
    Sudo,
    /// su, and `su -`.
    Su,
}

/// A file that a change may replace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ChangedPath {
    /// Its name in the change log.
    pub(super) key: &'static str,
    pub(crate) folder: &'static str,
    pub(crate) name: &'static str,
    /// Whether it has a version for the time in which the service changes over, see [`super::change`].
    pub(super) is_bridged: bool,
    /// Whether administrators go on editing it. It is then put back only as long as nobody has.
    pub(super) is_edited: bool,
}

/// sshd's file of PAM.
pub(crate) const SSHD_PAM: ChangedPath = ChangedPath { is_bridged: true, ..pam_file("pam", "sshd") };
/// sshd's own drop-in, before all others that a distribution brings.
pub(crate) const SSHD_DROP_IN: ChangedPath = ChangedPath {
    key: "drop_in",
    folder: "/etc/ssh/sshd_config.d",
    name: "00-twinlock.conf",
    is_bridged: false,
    is_edited: false,
};
/// Our own configuration.
pub(crate) const TWINLOCK_CONFIG: ChangedPath =
    ChangedPath { key: "config", folder: "/etc/twinlock", name: "config.toml", is_bridged: false, is_edited: true };

const SSH: [ChangedPath; 3] = [SSHD_PAM, SSHD_DROP_IN, TWINLOCK_CONFIG];
const SUDO: [ChangedPath; 2] = [pam_file("sudo", "sudo"), pam_file("sudo-i", "sudo-i")];
const SU: [ChangedPath; 2] = [pam_file("su", "su"), pam_file("su-l", "su-l")];

const fn pam_file(key: &'static str, name: &'static str) -> ChangedPath {
    ChangedPath { key, folder: "/etc/pam.d", name, is_bridged: false, is_edited: false }
}

impl ChangedPath {
    pub(crate) fn place(&self) -> FilePlace {
        FilePlace::at(self.folder, self.name)
    }

    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }
}

impl ChangedService {
    /// What is typed after `twinlock`; also the name of its folder in the store and a part of its units' names.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Sudo => "sudo",
            Self::Su => "su",
        }
    }

    /// All files that a change of it may replace, in the order in which they are.
    pub(crate) const fn paths(self) -> &'static [ChangedPath] {
        match self {
            Self::Ssh => &SSH,
            Self::Sudo => &SUDO,
            Self::Su => &SU,
        }
    }

    /// Has what runs read its files anew. sudo and su read them whenever they start.
    pub(super) fn reload(self) -> Result<(), HostError> {
        match self {
            Self::Ssh => server::reload(),
            Self::Sudo | Self::Su => Ok(()),
        }
    }

    /// Waits for logins that began under the configuration that was taken back, where they could get in by less.
    pub(super) fn outlive_earlier_logins(
        self,
        mode: Option<EnableMode>,
        running: ServerState,
        note: &Note<'_>,
    ) -> Result<(), HostError> {
        match (self, mode) {
            (Self::Ssh, Some(EnableMode::PasswordAndCode)) => {
                server::outlive_connections_that_may_give_a_password(running, note)
            }
            (Self::Ssh | Self::Sudo | Self::Su, _) => Ok(()),
        }
    }

    /// Says so where nothing runs that could be told.
    pub(super) fn note_if_not_running(self, note: &Note<'_>) -> Result<(), HostError> {
        match self {
            Self::Ssh => server::note_if_not_running(note),
            Self::Sudo | Self::Su => Ok(()),
        }
    }
}
