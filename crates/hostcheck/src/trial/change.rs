//! The files of a change, and the order in which they are replaced. Interrupted anywhere, the host has its old configuration or
//! its new one, whole.
//!
//! Each PAM file of sudo and su means the same whatever the other one is, so these are simply replaced. Not so sshd's two files:
//! two files cannot be renamed at once, sshd reads its own when it gets a signal, libpam reads the stack at every login, and a
//! connection that sshd accepted before goes on under the configuration of then. So each of the two configurations of
//! sshd meets each stack, and every such pair has to mean the one or the other configuration. The stacks of before and
//! after do not: sshd of before with a stack that asks for no password would let in, with any password, the users that a rule
//! exempts; sshd of after with a stack of before lets a password in where only keys were good. Between them stands the
//! bridge, a third stack, which means what sshd's own configuration means:
//!
//! | sshd    | stack  | key + code                             | password + code                               |
//! |---------|--------|----------------------------------------|-----------------------------------------------|
//! | before  | before | the old configuration                  | the old configuration                         |
//! | before  | bridge | no key was checked: as before          | no answer through the password method: as before |
//! | after   | bridge | a key was checked: the code            | the password, the code                        |
//! | after   | after  | the new configuration                  | the new configuration                         |
//! | before¹ | after  | no key was checked: refused; or the guard refuses | the guard refuses, or the code is asked for |
//! | after¹  | before | key + password                         | the password                                  |
//!
//! ¹ Only connections that were accepted before the change, for `LoginGraceTime` at most. They are refused, or have to give
//! as much as one of the two configurations wants; but for a password where only keys were good before, so there the way
//! back waits on the bridge until no such connection is left. The bridge has no guard: that would refuse keys under sshd of before.
//! A login by keyboard-interactive that sshd of before admits with a password gives the code too, in the bridge of
//! password + code.
//!
//! Where another module asked for a second factor and Twinlock takes its place, the bridge of key + code keeps that module's line
//! for logins without a key. The bridge of password + code has no exception for the password method: the other module let it in
//! no more than Twinlock does.
//!
//! So the order is bridge, drop-in, reload, stack; and back again bridge, drop-in, reload, stack.

use super::{
    place::{Draft, FilePlace, Version},
    service::{ChangedPath, ChangedService},
};
use crate::{
    HostError, Note,
    ssh::{EnableMode, ServerState},
};

/// A file before, between and after.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ChangedFile {
    pub(crate) path: &'static ChangedPath,
    /// `None` if there was no such file.
    pub(crate) before: Option<Version>,
    /// Where the file has one.
    pub(crate) bridge: Option<Version>,
    pub(crate) after: Version,
}

/// All files of a change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ServiceChange {
    pub(crate) service: ChangedService,
    pub(crate) files: Vec<ChangedFile>,
}

impl ServiceChange {
    /// Puts the new configuration in place.
    pub(super) fn make(&self) -> Result<(), HostError> {
        for file in &self.files {
            let place = file.path.place();
            place.make_folder()?;
            if let Some(bridge) = &file.bridge {
                place.draft(Draft::Bridge, bridge)?;
            }
            place.draft(Draft::After, &file.after)?;
        }
        self.prepare_return()?;

        for (_, place, _) in self.bridged() {
            place.put(Draft::Bridge)?;
        }
        for (_, place) in self.plain() {
            place.put(Draft::After)?;
        }
        self.service.reload()?;
        for (_, place, _) in self.bridged() {
            place.put(Draft::After)?;
        }
        Ok(())
    }

    /// Writes what the way back needs, so that it needs no room on the disk.
    pub(super) fn prepare_return(&self) -> Result<(), HostError> {
        for file in &self.files {
            if let Some(bridge) = &file.bridge {
                file.path.place().draft(Draft::Back, bridge)?;
            }
            if let Some(before) = &file.before {
                file.path.place().draft(Draft::Before, before)?;
            }
        }
        Ok(())
    }

    /// Puts the old configuration back, from wherever the change, or a return from it, has come to.
    pub(super) fn undo(
        &self,
        mode: Option<EnableMode>,
        running: ServerState,
        note: &Note<'_>,
    ) -> Result<(), HostError> {
        let mut on_bridge = Vec::new();
        for (file, place, bridge) in self.bridged() {
            let there = place.read()?;
            if there == file.before {
                continue;
            }
            if there.as_ref() != Some(bridge) {
                place.draft(Draft::Back, bridge)?;
                place.put(Draft::Back)?;
            }
            on_bridge.push((file, place));
        }
        let mut is_changed = !on_bridge.is_empty();
        for (file, place) in self.plain() {
            let there = place.read()?;
            let is_others = file.path.is_edited && there.as_ref() != Some(&file.after);
            if there != file.before && !is_others {
                put_back(&place, file.before.as_ref())?;
                is_changed = true;
            }
        }
        if is_changed {
            // An sshd that cannot be told goes on under the new configuration; the bridge is right for it, too.
            self.service.reload()?;
        }
        if !on_bridge.is_empty() {
            self.service.outlive_earlier_logins(mode, running, note)?;
        }
        for (file, place) in on_bridge {
            put_back(&place, file.before.as_ref())?;
        }
        sweep(self.service)
    }

    /// Whether all files that nobody else edits are as this change left them.
    pub(super) fn is_in_place(&self) -> Result<bool, HostError> {
        for file in self.files.iter().filter(|file| !file.path.is_edited) {
            if file.path.place().read()?.as_ref() != Some(&file.after) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The files that have a bridge, with it.
    fn bridged(&self) -> impl Iterator<Item = (&ChangedFile, FilePlace, &Version)> {
        self.files.iter().filter_map(|file| Some((file, file.path.place(), file.bridge.as_ref()?)))
    }

    /// The files that have none.
    fn plain(&self) -> impl Iterator<Item = (&ChangedFile, FilePlace)> {
        self.files.iter().filter(|file| file.bridge.is_none()).map(|file| (file, file.path.place()))
    }
}

/// Takes the drafts away.
pub(super) fn sweep(service: ChangedService) -> Result<(), HostError> {
    service.paths().iter().try_for_each(|path| path.place().sweep())
}

fn put_back(place: &FilePlace, before: Option<&Version>) -> Result<(), HostError> {
    match before {
        Some(before) => {
            place.draft(Draft::Before, before)?;
            place.put(Draft::Before)
        }
        None => place.remove(),
    }
}
