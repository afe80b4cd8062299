//! A trial does not outlive the boot in which it began: an administrator who is locked out can turn the host off and on
//! again. A unit of systemd ends it before sshd starts; without systemd the next `twinlock ssh` does.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::symlink,
    path::Path,
};

use super::place::{self, Attributes, Version};
use crate::{HostError, messages::cannot};

const UNIT: &str = "/etc/systemd/system/twinlock-ssh-rollback.service";
/// What `systemctl enable` makes; systemd need not be told before the next boot.
const WANTED: &str = "/etc/systemd/system/multi-user.target.wants/twinlock-ssh-rollback.service";
/// What systemd starts when that unit fails.
const RETRY: &str = "/etc/systemd/system/twinlock-ssh-rollback-retry.service";

/// The unit before sshd.
///
/// Without the default dependencies: these order it after basic.target, which is after ssh.socket, and systemd ends such a
/// cycle by not starting one of them, which may be sshd's socket. For the same reason it names no mount: a store on a
/// network would order sshd's socket after the network. A store that is not mounted yet is a failure, and is tried again.
///
/// sshd waits for it, so its time is limited. If it fails, sshd starts under the configuration on trial.
fn before_sshd(id: &str, myself: &Path) -> String {
    format!(
        "# Written by `twinlock ssh enable`, and removed when the trial is confirmed or undone.\n\
         [Unit]\nDescription=Undo an unconfirmed trial of Twinlock\n\
         DefaultDependencies=no\nConflicts=shutdown.target\nAfter=local-fs.target systemd-journald-dev-log.socket\n\
         Before=ssh.service sshd.service ssh.socket sshd.socket shutdown.target\n\
         OnFailure=twinlock-ssh-rollback-retry.service\n\n\
         [Service]\nType=oneshot\nTimeoutStartSec=30\nExecStart=\"{}\" ssh expire {id} --at-boot\n",
        myself.display()
    )
}

/// The unit for when that one has failed. Nothing waits for it.
fn beside_sshd(id: &str, myself: &Path) -> String {
    format!(
        "# Written by `twinlock ssh enable`, and removed when the trial is confirmed or undone.\n\
         [Unit]\nDescription=Try again to undo an unconfirmed trial of Twinlock\nStartLimitIntervalSec=0\n\n\
         [Service]\nExecStart=\"{}\" ssh expire {id}\nRestart=on-failure\nRestartSec=60\n",
        myself.display()
    )
}

/// Has the next boot end this trial.
pub(super) fn write_units(id: &str, myself: &Path) -> Result<(), HostError> {
    let wanted = Path::new(WANTED);
    let folder = wanted.parent().unwrap_or(wanted);
    DirBuilder::new().recursive(true).create(folder).map_err(|error| cannot("create", folder, &error))?;
    remove_units()?;
    for (path, text) in [(RETRY, beside_sshd(id, myself)), (UNIT, before_sshd(id, myself))] {
        let unit = Path::new(path);
        place::create(unit, &Version { content: text.into_bytes(), attributes: Attributes::NEW })
            .map_err(|error| cannot("write", unit, &error))?;
        place::sync_folder(unit.parent().unwrap_or(unit))?;
    }
    symlink(UNIT, wanted).map_err(|error| cannot("write", wanted, &error))?;
    place::sync_folder(folder)
}

/// Takes that back.
pub(super) fn remove_units() -> Result<(), HostError> {
    [WANTED, UNIT, RETRY]
        .iter()
        .map(Path::new)
        .filter(|path| fs::symlink_metadata(path).is_ok())
        .try_for_each(place::remove)
}
