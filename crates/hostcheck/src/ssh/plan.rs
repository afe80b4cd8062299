//! What would be changed to enable the second factor for sshd.

use twinlock_core::{policy::Policy, time::UnixTime};
use twinlock_store::config::Config;

use super::{
    EnableMode, match_blocks,
    roll_out::RollOut,
    stack::{self, Stack, Unknown, included},
};
use crate::{
    HostError,
    doctor::OUTSIDE,
    host_files::Host,
    messages,
    sshd::{Files, Sshd, TIME_TO_ENROL},
    trial::{
        ChangedService,
        change::{ChangedFile, ServiceChange},
        place::{Attributes, Version},
        plan::{FoundPamFile, Plan, diff, text},
        service::{SSHD_DROP_IN, SSHD_PAM, TWINLOCK_CONFIG},
    },
};

/// What is to be changed for this mode and these rules, and for users who enrol until that day.
pub(super) fn plan(mode: EnableMode, enroll_until: Option<UnixTime>, config: &Config) -> Result<Plan, HostError> {
    let roll_out = enroll_until.map(RollOut::until).transpose()?;
    let pam = FoundPamFile::find(&SSHD_PAM)?.ok_or_else(messages::no_pam_file_for_sshd)?;
    let drop_in = SSHD_DROP_IN.place().read()?;
    let old = pam.text()?;
    let Stack { bridge, after, family, taken_over } = stack::for_sshd(old, included("password-auth").as_deref(), mode)
        .map_err(|Unknown { line, problem }| messages::unknown_stack(ChangedService::Ssh, &pam.path, line, &problem))?;
    let old_drop_in = drop_in.as_ref().map(|version| text(version, &SSHD_DROP_IN.path())).transpose()?;
    let old_name = if old_drop_in.is_some() { SSHD_DROP_IN.path() } else { "/dev/null".into() };
    let policy = &roll_out.as_ref().map_or(config, |roll_out| &roll_out.config).policy;
    let new_drop_in = with_exemptions(mode, policy);
    let new_drop_in = if roll_out.is_some() { with_time_to_enrol(&new_drop_in) } else { new_drop_in };
    let diff = diff(old, &after, &pam.path, &SSHD_PAM.path())
        + &diff(old_drop_in.unwrap_or_default(), &new_drop_in, &old_name, &SSHD_DROP_IN.path())
        + &roll_out.as_ref().map(RollOut::diff).unwrap_or_default();
    let version = |text: String, attributes| Version { content: text.into_bytes(), attributes };
    let attributes = pam.read.attributes;
    let mut files = vec![
        ChangedFile {
            path: &SSHD_PAM,
            bridge: Some(version(bridge, attributes)),
            after: version(after, attributes),
            before: pam.own,
        },
        ChangedFile {
            path: &SSHD_DROP_IN,
            bridge: None,
            after: version(new_drop_in, drop_in.as_ref().map_or(Attributes::NEW, |version| version.attributes)),
            before: drop_in,
        },
    ];
    let config = roll_out.map(|RollOut { before, after, config }| {
        let after = version(after, before.attributes);
        files.push(ChangedFile { path: &TWINLOCK_CONFIG, bridge: None, after, before: Some(before) });
        config
    });
    let change = ServiceChange { service: ChangedService::Ssh, files };
    let summary = messages::ssh_plan_summary(family, taken_over.as_deref());
    Ok(Plan { mode: Some(mode), change, config, diff, summary, taken_over })
}

/// The drop-in for logins in which users enrol, unless sshd waits as long for them today.
fn with_time_to_enrol(drop_in: &str) -> String {
    let settings = Sshd::find(&Host::default()).and_then(|sshd| sshd.settings("nobody", OUTSIDE));
    match settings.and_then(|settings| settings.seconds("logingracetime")) {
        Some(0 | TIME_TO_ENROL..) => drop_in.to_owned(),
        Some(_) | None => drop_in.replace("\n#LoginGraceTime 180\n", &format!("\nLoginGraceTime {TIME_TO_ENROL}\n")),
    }
}

/// The drop-in with the exemptions of the rules. Where a password is the first factor, programs have none.
fn with_exemptions(mode: EnableMode, policy: &Policy) -> String {
    match mode {
        EnableMode::KeyAndCode => {
            format!("{}{}", shipped(mode), match_blocks::generate(policy, &Files::read(&Host::default())))
        }
        EnableMode::PasswordAndCode => shipped(mode).to_owned(),
    }
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
