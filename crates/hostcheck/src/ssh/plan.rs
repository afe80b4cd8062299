//! What would be changed to enable the second factor for sshd.

use super::{
    EnableMode,
    stack::{self, Stack, Unknown, included},
};
use crate::{
    HostError, messages,
    trial::{
        ChangedService,
        change::{ChangedFile, ServiceChange},
        place::{Attributes, Version},
        plan::{FoundPamFile, Plan, diff, text},
        service::{SSHD_DROP_IN, SSHD_PAM},
    },
};

/// What is to be changed for this mode.
pub(super) fn plan(mode: EnableMode) -> Result<Plan, HostError> {
    let pam = FoundPamFile::find(&SSHD_PAM)?.ok_or_else(messages::no_pam_file_for_sshd)?;
    let drop_in = SSHD_DROP_IN.place().read()?;
    let old = pam.text()?;
    let Stack { bridge, after, family } = stack::for_sshd(old, included("password-auth").as_deref(), mode)
        .map_err(|Unknown { line, problem }| messages::unknown_stack(ChangedService::Ssh, &pam.path, line, &problem))?;
    let old_drop_in = drop_in.as_ref().map(|version| text(version, &SSHD_DROP_IN.path())).transpose()?;
    let old_name = if old_drop_in.is_some() { SSHD_DROP_IN.path() } else { "/dev/null".into() };
    let diff = diff(old, &after, &pam.path, &SSHD_PAM.path())
        + &diff(old_drop_in.unwrap_or_default(), shipped(mode), &old_name, &SSHD_DROP_IN.path());
    let version = |text: String, attributes| Version { content: text.into_bytes(), attributes };
    let attributes = pam.read.attributes;
    let files = vec![
        ChangedFile {
            path: &SSHD_PAM,
            bridge: Some(version(bridge, attributes)),
            after: version(after, attributes),
            before: pam.own,
        },
        ChangedFile {
            path: &SSHD_DROP_IN,
            bridge: None,
            after: version(
                shipped(mode).to_owned(),
                drop_in.as_ref().map_or(Attributes::NEW, |version| version.attributes),
            ),
            before: drop_in,
        },
    ];
    let change = ServiceChange { service: ChangedService::Ssh, files };
    Ok(Plan { mode: Some(mode), change, diff, summary: messages::ssh_plan_summary(family) })
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
