//! Facts of a sound host, for tables of checks: each row changes one fact and names what is found.

use std::{
    io,
    path::{Path, PathBuf},
};

use twinlock_core::{account::UserName, policy::SecondFactor, time::UnixTime};
use twinlock_store::config::Config;

use super::{Broker, HeldFactors, HostFacts, OUTSIDE, PamFacts, Person, SshLogin, SshdFacts, StoreFacts};
use crate::{
    doctor::{clock::ClockState, module_file::ModuleFile},
    emergency::EmergencyStatus,
    sshd::{Disk, Files, Settings, matching_paths},
};

/// The files of a host by their whole paths.
pub(crate) type Texts<'t> = [(&'t str, &'t str)];

/// The shipped drop-in of sshd and the shipped stack of Debian, for key and code.
pub(crate) const DROP_IN: &str = include_str!("../../../../../config/sshd_config.d/key-and-code/00-twinlock.conf");
pub(crate) const STACK: &str = include_str!("../../../../../config/pam.d/debian/sshd.key-and-code");

/// sshd's files.
pub(crate) const SSHD_FILES: &Texts<'_> = &[
    ("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no\n"),
    ("/etc/ssh/sshd_config.d/00-twinlock.conf", DROP_IN),
];

/// What `sshd -T` says of them, as far as a check asks.
pub(crate) const IN_FORCE: &str = "usepam yes\npubkeyauthentication yes\nkbdinteractiveauthentication yes\n\
    passwordauthentication no\nauthenticationmethods publickey,keyboard-interactive\npermitrootlogin no\nusedns no\n\
    logingracetime 120\npamservicename sshd\n";

/// PAM's files.
pub(crate) const PAM_FILES: &Texts<'_> = &[
    ("/etc/pam.d/sshd", STACK),
    ("/etc/pam.d/login", "@include common-auth\n@include common-account\n"),
    (
        "/etc/pam.d/common-auth",
        "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_permit.so\n",
    ),
    (
        "/etc/pam.d/common-account",
        "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite pam_deny.so\n\
         account required pam_permit.so\n",
    ),
    ("/etc/pam.d/common-password", "password required pam_unix.so\n"),
    ("/etc/pam.d/common-session", "session required pam_unix.so\n"),
];

impl Disk for &Texts<'_> {
    fn text(&self, path: &Path) -> Option<String> {
        self.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned())
    }

    fn matching(&self, pattern: &Path) -> Vec<PathBuf> {
        matching_paths(pattern, self.iter().map(|(name, _)| Path::new(*name)))
    }
}

impl HostFacts {
    /// Debian with the shipped files: key, then code. `alice` is the one user, an administrator, and enrolled.
    pub(crate) fn sound() -> Self {
        let module = ModuleFile {
            path: "/lib/security/pam_twinlock.so".into(),
            there: true,
            fits: true,
            ..ModuleFile::default()
        };
        let facts = Self {
            config: Config::default(),
            now: UnixTime::from_seconds(1_800_000_000),
            sshd: None,
            pam: pam(PAM_FILES),
            modules: vec![module],
            store: StoreFacts::default(),
            clock: ClockState::Synchronised,
            people: vec![Person::sound("alice", 1000)],
            logins: Vec::new(),
            one_user: false,
            today: None,
            broker: Broker::Fine,
            emergency: EmergencyStatus::NotInForce,
        };
        facts.with_sshd(SSHD_FILES, IN_FORCE)
    }

    /// The same with other files of sshd, and with what it says is in force for every user.
    pub(crate) fn with_sshd(mut self, files: &Texts<'_>, in_force: &str) -> Self {
        let settings = Settings::parse(in_force);
        self.logins = self.people.iter().map(|person| person.login(&settings)).collect();
        self.sshd = Some(SshdFacts {
            complaint: None,
            files: Files::read(&files),
            version: Some((9, 9)),
            changed_since: None,
            settings: Some(settings),
            match_blocks: None,
        });
        self
    }

    /// The same with this setting in force for every user in place of the sound one.
    pub(crate) fn with_setting(self, key: &str, value: &str) -> Self {
        let others = IN_FORCE.lines().filter(|line| line.split(' ').next() != Some(key));
        let setting = format!("{key} {value}");
        let in_force = others.chain([setting.as_str()]).collect::<Vec<_>>().join("\n");
        self.with_sshd(SSHD_FILES, &in_force)
    }

    /// The same with another stack of sshd; what it includes stays.
    pub(crate) fn with_stack(self, stack: &str) -> Self {
        let others = PAM_FILES.iter().copied().filter(|(name, _)| *name != "/etc/pam.d/sshd");
        self.with_pam(&[("/etc/pam.d/sshd", stack)].into_iter().chain(others).collect::<Vec<_>>())
    }

    /// The same with PAM's files among these.
    pub(crate) fn with_pam(mut self, files: &Texts<'_>) -> Self {
        self.pam = pam(files);
        self
    }

    /// The same with these users, each with one login from outside.
    pub(crate) fn with_people(mut self, people: Vec<Person>) -> Self {
        let settings = self.settings().cloned().unwrap_or_default();
        self.logins = people.iter().map(|person| person.login(&settings)).collect();
        self.people = people;
        self
    }

    /// The same with this configuration of Twinlock.
    pub(crate) fn with_config(mut self, toml: &str) -> Self {
        self.config = Config::parse(toml.as_bytes()).unwrap();
        self
    }
}

impl Person {
    /// An enrolled administrator with a key and a password, of whom policy requires a code.
    pub(crate) fn sound(name: &str, uid: u32) -> Self {
        Self {
            name: UserName::parse(name.as_bytes()).unwrap(),
            uid,
            may_log_in: true,
            allowed: true,
            first_factors: HeldFactors { key: true, password: true },
            enrolled: true,
            recovery_codes_left: Some(10),
            older_device: false,
            admin: true,
            second_factor: Some(SecondFactor::Required),
            automation: None,
            exempt_in_pam: false,
        }
    }

    fn login(&self, settings: &Settings) -> SshLogin {
        let wanted = match self.second_factor {
            None | Some(SecondFactor::Skip) => false,
            Some(SecondFactor::Optional) => self.enrolled,
            Some(SecondFactor::Enroll | SecondFactor::Required) => true,
        };
        SshLogin {
            user: self.name.to_string(),
            from: OUTSIDE.to_owned(),
            settings: settings.clone(),
            enrolled: self.enrolled,
            asked: wanted,
            guarded: wanted && !self.exempt_in_pam,
        }
    }
}

/// sshd's stack of a host with these files.
fn pam(files: &Texts<'_>) -> PamFacts {
    let text = |path: &Path| -> io::Result<Option<String>> { Ok((&files).text(path)) };
    PamFacts::read("sshd", &text, Vec::new())
}
