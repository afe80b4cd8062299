//! What would be changed: a value, computed from what was read.

use similar::TextDiff;

use super::{
    EnableMode, Family,
    change::{DROP_IN, PAM, SshdChange},
    place::{Attributes, FilePlace, Version},
    stack::{self, Stack, Unknown},
};
use crate::{HostError, messages};

/// The files of the host that matter.
pub(super) struct PlanFacts {
    /// `/etc/pam.d/sshd`.
    pam: Option<Version>,
    /// `/usr/lib/pam.d/sshd`, which that one hides.
    vendor_pam: Option<Version>,
    /// `/etc/pam.d/password-auth`, by which RHEL's asks for the password.
    password_auth: Option<String>,
    drop_in: Option<Version>,
}

const VENDOR: &str = "/usr/lib/pam.d";

impl PlanFacts {
    /// Reads them.
    pub(super) fn gather() -> Result<Self, HostError> {
        let pam = super::change::pam().read()?;
        let vendor_pam = if pam.is_none() { FilePlace::at(VENDOR, PAM.1).read()? } else { None };
        // authselect makes it a link to its own file, and libpam follows it.
        let password_auth = std::fs::canonicalize("/etc/pam.d/password-auth")
            .ok()
            .and_then(|path| super::place::read(&path).ok()?)
            .and_then(|version| String::from_utf8(version.content).ok());
        Ok(Self { pam, vendor_pam, password_auth, drop_in: super::change::drop_in().read()? })
    }
}

/// The whole change, with what it looks like to people.
pub(super) struct Plan {
    pub(super) mode: EnableMode,
    pub(super) family: Family,
    pub(super) change: SshdChange,
    diff: String,
}

impl Plan {
    /// What is to be changed for this mode.
    pub(super) fn make(facts: PlanFacts, mode: EnableMode) -> Result<Self, HostError> {
        let (source, folder) = match (&facts.pam, &facts.vendor_pam) {
            (Some(own), _) => (own, PAM.0),
            (None, Some(vendors)) => (vendors, VENDOR),
            (None, None) => return Err(messages::no_pam_file_for_sshd()),
        };
        let path = format!("{folder}/{}", PAM.1);
        let old = text(&source.content, &path)?;
        let Stack { bridge, after, family } = stack::change(old, facts.password_auth.as_deref(), mode)
            .map_err(|Unknown { line, problem }| messages::unknown_stack(&path, line, &problem))?;
        let old_drop_in = facts.drop_in.as_ref().map(|version| text(&version.content, &drop_in_path())).transpose()?;
        let old_name = if old_drop_in.is_some() { drop_in_path() } else { "/dev/null".into() };
        let diff = diff(old, &after, &path, &format!("{}/{}", PAM.0, PAM.1))
            + &diff(old_drop_in.unwrap_or_default(), shipped(mode), &old_name, &drop_in_path());
        let version = |text: String, attributes| Version { content: text.into_bytes(), attributes };
        let attributes = source.attributes;
        let change = SshdChange {
            pam_bridge: version(bridge, attributes),
            pam_after: version(after, attributes),
            drop_in_after: version(
                shipped(mode).to_owned(),
                facts.drop_in.as_ref().map_or(Attributes::NEW, |version| version.attributes),
            ),
            pam_before: facts.pam,
            drop_in_before: facts.drop_in,
        };
        Ok(Self { mode, family, change, diff })
    }

    /// The differences, as `diff -u` shows them and `patch` reads them.
    pub(super) fn diff(&self) -> &str {
        &self.diff
    }

    /// The text of the stack that sshd is to have.
    pub(super) fn stack(&self) -> String {
        String::from_utf8_lossy(&self.change.pam_after.content).into_owned()
    }

    /// The text of the drop-in.
    pub(super) const fn drop_in(&self) -> &'static str {
        shipped(self.mode)
    }
}

/// What `diff -u` shows; empty if nothing is changed.
pub(super) fn diff(old: &str, new: &str, old_name: &str, new_name: &str) -> String {
    TextDiff::from_lines(old, new).unified_diff().header(old_name, new_name).to_string()
}

fn drop_in_path() -> String {
    format!("{}/{}", DROP_IN.0, DROP_IN.1)
}

/// The drop-in as it is shipped.
const fn shipped(mode: EnableMode) -> &'static str {
    match mode {
        EnableMode::KeyAndCode => include_str!("../../../../config/sshd_config.d/key-and-code/00-twinlock.conf"),
        EnableMode::PasswordAndCode => {
            include_str!("../../../../config/sshd_config.d/password-and-code/00-twinlock.conf")
        }
    }
}

fn text<'a>(content: &'a [u8], path: &str) -> Result<&'a str, HostError> {
    std::str::from_utf8(content).map_err(|_| messages::is_not_utf8(path))
}
