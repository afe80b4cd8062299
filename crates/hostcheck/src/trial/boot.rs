//! A trial does not outlive the boot in which it began: an administrator who is locked out can turn the host off and on
//! again. A unit of systemd ends it before sshd starts; without systemd the next command does.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use super::{
    place::{self, Attributes, Version},
    service::ChangedService,
};
use crate::{HostError, messages::cannot};

const UNITS: &str = "/etc/systemd/system";

/// The files of a service's trial.
struct UnitPaths {
    /// The unit before sshd.
    unit: PathBuf,
    /// What `systemctl enable` makes; systemd need not be told before the next boot.
    wanted: PathBuf,
    /// What systemd starts when that unit fails.
    retry: PathBuf,
}

impl UnitPaths {
    fn of_service(service: ChangedService) -> Self {
        let unit = format!("twinlock-{}-rollback.service", service.verb());
        let folder = Path::new(UNITS);
        Self {
            wanted: folder.join("multi-user.target.wants").join(&unit),
            unit: folder.join(&unit),
            retry: folder.join(retry(service)),
        }
    }
}

fn retry(service: ChangedService) -> String {
    format!("twinlock-{}-rollback-retry.service", service.verb())
}

/// The unit before sshd.
///
/// Without the default dependencies: these order it after basic.target, which is after ssh.socket, and systemd ends such a
/// cycle by not starting one of them, which may be sshd's socket. For the same reason it names no mount: a store on a
/// network would order sshd's socket after the network. A store that is not mounted yet is a failure, and is tried again.
///
/// sshd waits for it, so its time is limited. If it fails, sshd starts under the configuration on trial. The trials of sudo and
/// su end there, too: before anybody can log in.
fn before_sshd(service: ChangedService, id: &str, myself: &Path) -> String {
    format!(
        "# Written by `twinlock {verb} enable`, and removed when the trial is confirmed or undone.\n\
         [Unit]\nDescription=Undo an unconfirmed trial of Twinlock\n\
         DefaultDependencies=no\nConflicts=shutdown.target\nAfter=local-fs.target systemd-journald-dev-log.socket\n\
         Before=ssh.service sshd.service ssh.socket sshd.socket shutdown.target\n\
         OnFailure={}\n\n\
         [Service]\nType=oneshot\nTimeoutStartSec=30\nExecStart=\"{}\" {verb} expire {id} --at-boot\n",
        retry(service),
        myself.display(),
        verb = service.verb()
    )
}

/// The unit for when that one has failed. Nothing waits for it.
fn beside_sshd(service: ChangedService, id: &str, myself: &Path) -> String {
    format!(
        "# Written by `twinlock {verb} enable`, and removed when the trial is confirmed or undone.\n\
         [Unit]\nDescription=Try again to undo an unconfirmed trial of Twinlock\nStartLimitIntervalSec=0\n\n\
         [Service]\nExecStart=\"{}\" {verb} expire {id}\nRestart=on-failure\nRestartSec=60\n",
        myself.display(),
        verb = service.verb()
    )
}

/// Has the next boot end this trial.
pub(super) fn write_units(service: ChangedService, id: &str, myself: &Path) -> Result<(), HostError> {
    let UnitPaths { unit, wanted, retry } = UnitPaths::of_service(service);
    let folder = wanted.parent().unwrap_or(&wanted);
    DirBuilder::new().recursive(true).create(folder).map_err(|error| cannot("create", folder, &error))?;
    remove_units(service)?;
    for (path, text) in [(&retry, beside_sshd(service, id, myself)), (&unit, before_sshd(service, id, myself))] {
        place::create(path, &Version { content: text.into_bytes(), attributes: Attributes::NEW })
            .map_err(|error| cannot("write", path, &error))?;
        place::sync_folder(path.parent().unwrap_or(path))?;
    }
    symlink(&unit, &wanted).map_err(|error| cannot("write", &wanted, &error))?;
    place::sync_folder(folder)
}

/// Takes that back.
pub(super) fn remove_units(service: ChangedService) -> Result<(), HostError> {
    let UnitPaths { unit, wanted, retry } = UnitPaths::of_service(service);
    for path in [wanted, unit, retry].iter().filter(|path| fs::symlink_metadata(path).is_ok()) {
        place::remove(path)?;
        place::sync_folder(path.parent().unwrap_or(path))?;
    }
    Ok(())
}
