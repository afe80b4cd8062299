//! The two files, and the order in which they change. Interrupted anywhere, the host has its old configuration or its
//! new one, whole.
//!
//! Two files cannot be renamed at once, sshd reads its own when it gets a signal, libpam reads the stack at every login, and a
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
//! So the order is bridge, drop-in, reload, stack; and back again bridge, drop-in, reload, stack.

use super::{
    EnableMode,
    place::{Draft, FilePlace, Version},
    server::{self, ServerState},
};
use crate::{HostError, Note};

/// sshd's file of PAM, and its own drop-in.
pub(super) const PAM: (&str, &str) = ("/etc/pam.d", "sshd");
/// Before all others that a distribution brings.
pub(super) const DROP_IN: (&str, &str) = ("/etc/ssh/sshd_config.d", "00-twinlock.conf");

/// The two files before, between and after.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SshdChange {
    pub(super) pam_before: Option<Version>,
    pub(super) pam_bridge: Version,
    pub(super) pam_after: Version,
    pub(super) drop_in_before: Option<Version>,
    pub(super) drop_in_after: Version,
}

/// The file of PAM that is in force if it is in `/etc`.
pub(super) fn pam() -> FilePlace {
    FilePlace::at(PAM.0, PAM.1)
}

pub(super) fn drop_in() -> FilePlace {
    FilePlace::at(DROP_IN.0, DROP_IN.1)
}

impl SshdChange {
    /// Puts the new configuration in place.
    pub(super) fn make(&self) -> Result<(), HostError> {
        drop_in().make_folder()?;
        pam().draft(Draft::Bridge, &self.pam_bridge)?;
        pam().draft(Draft::After, &self.pam_after)?;
        drop_in().draft(Draft::After, &self.drop_in_after)?;
        self.prepare_return()?;

        pam().put(Draft::Bridge)?;
        drop_in().put(Draft::After)?;
        server::reload()?;
        pam().put(Draft::After)
    }

    /// Writes what the way back needs, so that it needs no room on the disk.
    pub(super) fn prepare_return(&self) -> Result<(), HostError> {
        pam().draft(Draft::Back, &self.pam_bridge)?;
        for (place, before) in [(pam(), &self.pam_before), (drop_in(), &self.drop_in_before)] {
            if let Some(before) = before {
                place.draft(Draft::Before, before)?;
            }
        }
        Ok(())
    }

    /// Puts the old configuration back, from wherever the change, or a return from it, has come to.
    pub(super) fn undo(&self, mode: EnableMode, running: ServerState, note: &Note<'_>) -> Result<(), HostError> {
        let stack = pam().read()?;
        if stack != self.pam_before {
            if stack.as_ref() != Some(&self.pam_bridge) {
                pam().draft(Draft::Back, &self.pam_bridge)?;
                pam().put(Draft::Back)?;
            }
            if drop_in().read()? != self.drop_in_before {
                put_back(&drop_in(), self.drop_in_before.as_ref())?;
            }
            // An sshd that cannot be told goes on under the new configuration; the bridge is right for it, too.
            server::reload()?;
            if mode == EnableMode::PasswordAndCode {
                server::outlive_connections_that_may_give_a_password(running, note)?;
            }
            put_back(&pam(), self.pam_before.as_ref())?;
        } else if drop_in().read()? != self.drop_in_before {
            // Not come to by any of these steps: somebody put the stack back by hand.
            put_back(&drop_in(), self.drop_in_before.as_ref())?;
            server::reload()?;
        }
        sweep()
    }

    /// Whether both files are as this change left them.
    pub(super) fn is_in_place(&self) -> Result<bool, HostError> {
        Ok(pam().read()?.as_ref() == Some(&self.pam_after) && drop_in().read()?.as_ref() == Some(&self.drop_in_after))
    }
}

/// Takes the drafts away.
pub(super) fn sweep() -> Result<(), HostError> {
    pam().sweep()?;
    drop_in().sweep()
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
