//! A trial does not outlive the boot in which it began: whoever is locked out can turn the host off and on again. A unit
//! of systemd sees to it, before sshd starts; without systemd it is the next `twinlock ssh`.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::symlink,
    path::Path,
};

use super::place::{self, Attributes, Version, failed};
use crate::failure::Failure;

const UNIT: &str = "/etc/systemd/system/twinlock-ssh-rollback.service";
/// What `systemctl enable` makes; systemd need not be told before the next boot.
const WANTED: &str = "/etc/systemd/system/multi-user.target.wants/twinlock-ssh-rollback.service";

/// Has the next boot end this trial.
pub(super) fn ends(id: &str, myself: &Path) -> Result<(), Failure> {
    let text = format!(
        "# Made by `twinlock ssh enable`, and gone when it is confirmed.\n\
         [Unit]\nDescription=Undo a trial of Twinlock that nobody has confirmed\nAfter=local-fs.target\n\
         Before=ssh.service sshd.service ssh.socket sshd.socket\n\n\
         [Service]\nType=oneshot\nExecStart=\"{}\" ssh expire {id}\n",
        myself.display()
    );
    let (unit, wanted) = (Path::new(UNIT), Path::new(WANTED));
    let folder = wanted.parent().unwrap_or(wanted);
    DirBuilder::new().recursive(true).create(folder).map_err(|error| failed("make", folder, &error))?;
    no_longer_ends()?;
    place::create(unit, &Version { content: text.into_bytes(), attributes: Attributes::NEW })
        .map_err(|error| failed("write", unit, &error))?;
    place::sync_folder(unit.parent().unwrap_or(unit))?;
    symlink(unit, wanted).map_err(|error| failed("write", wanted, &error))?;
    place::sync_folder(folder)
}

/// Takes that back.
pub(super) fn no_longer_ends() -> Result<(), Failure> {
    if fs::symlink_metadata(WANTED).is_err() && fs::symlink_metadata(UNIT).is_err() {
        return Ok(());
    }
    place::remove(Path::new(WANTED))?;
    place::remove(Path::new(UNIT))
}
