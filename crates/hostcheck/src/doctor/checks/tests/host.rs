//! The sound host with one line of a file, or one setting, changed.

use std::collections::BTreeMap;

use super::{all, found};
use crate::doctor::{
    finding::{Finding, Severity},
    host::{
        HostFacts, Person,
        fixtures::{DROP_IN as SHIPPED, IN_FORCE, PAM_FILES, SSHD_FILES},
    },
};

pub(super) const STACK: &str = "/etc/pam.d/sshd";
pub(super) const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-twinlock.conf";
/// The lines of the shipped stack.
pub(super) const OURS: &str = "auth       required     pam_twinlock.so require_key";
pub(super) const GUARD: &str = "account    required     pam_twinlock.so";

/// A host, as texts.
pub(super) struct Host {
    files: BTreeMap<String, String>,
    /// What `sshd -T` prints.
    in_force: String,
    config: &'static str,
    version: (u32, u32),
    /// What `sshd -t` complains of.
    complaint: Option<&'static str>,
    users: Vec<Person>,
}

impl Host {
    /// Debian with key and code as shipped, and alice, who is enrolled.
    pub(super) fn with_key_and_code() -> Self {
        let files = PAM_FILES.iter().chain(SSHD_FILES);
        Self {
            files: files.map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
            in_force: IN_FORCE.to_owned(),
            config: "",
            version: (9, 9),
            complaint: None,
            users: vec![Person::sound("alice", 1000)],
        }
    }

    /// The same with password and code.
    pub(super) fn with_password_and_code() -> Self {
        let stack = include_str!("../../../../../../config/pam.d/debian/sshd.password-and-code");
        let drop_in = include_str!("../../../../../../config/sshd_config.d/password-and-code/00-twinlock.conf");
        let host = Self::with_key_and_code().file(STACK, stack).file(DROP_IN, drop_in);
        host.in_force("authenticationmethods", "keyboard-interactive")
    }

    /// Another text in a file.
    pub(super) fn change(mut self, path: &str, from: &str, to: &str) -> Self {
        let text = self.files.get_mut(path).unwrap();
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, *text, "{from:?} is not in {path}");
        *text = changed;
        self
    }

    /// Another file.
    pub(super) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    pub(super) fn without(mut self, path: &str) -> Self {
        self.files.remove(path).unwrap();
        self
    }

    /// Another value in force in sshd.
    pub(super) fn in_force(mut self, key: &str, value: &str) -> Self {
        let others = self.in_force.lines().filter(|line| line.split(' ').next() != Some(key));
        self.in_force = others.chain([format!("{key} {value}").as_str()]).collect::<Vec<_>>().join("\n");
        self
    }

    /// The same, with the line of the drop-in that says it.
    pub(super) fn set(self, from: &str, to: &str) -> Self {
        let (key, value) = to.split_once(' ').unwrap();
        self.change(DROP_IN, from, to).in_force(&key.to_ascii_lowercase(), value)
    }

    /// The same with a line before all others of the shipped drop-in.
    pub(super) fn set_first(self, line: &str) -> Self {
        let (key, value) = line.split_once(' ').unwrap();
        self.file(DROP_IN, &format!("{line}\n{SHIPPED}")).in_force(&key.to_ascii_lowercase(), value)
    }

    /// Twinlock's own configuration.
    pub(super) fn config(mut self, config: &'static str) -> Self {
        self.config = config;
        self
    }

    /// Of another version of OpenSSH.
    pub(super) fn version(self, major: u32, minor: u32) -> Self {
        Self { version: (major, minor), ..self }
    }

    /// With this user in the place of alice.
    pub(super) fn user(self, user: Person) -> Self {
        Self { users: vec![user], ..self }
    }

    /// With this user beside the others.
    pub(super) fn and_user(mut self, user: Person) -> Self {
        self.users.push(user);
        self
    }

    /// With an sshd that refuses its configuration.
    pub(super) fn complaint(self, complaint: &'static str) -> Self {
        Self { complaint: Some(complaint), ..self }
    }

    /// The first line of a file that begins so, as `file:line`.
    pub(super) fn place(&self, path: &str, start: &str) -> String {
        let (number, _) = (1..).zip(self.files[path].lines()).find(|(_, line)| line.starts_with(start)).unwrap();
        format!("{path}:{number}")
    }

    fn facts(self) -> HostFacts {
        let Self { files, in_force, config, version, complaint, users } = self;
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let facts = HostFacts::sound().with_config(config).with_people(users);
        let mut facts = facts.with_pam(&files).with_sshd(&files, &in_force);
        let sshd = facts.sshd.as_mut().unwrap();
        sshd.version = Some(version);
        if let Some(complaint) = complaint {
            // A server that does not start has no settings.
            (sshd.complaint, sshd.settings, facts.logins) = (Some(complaint.to_owned()), None, Vec::new());
        }
        facts
    }

    /// All that is found, the worst first.
    pub(super) fn findings(self) -> Vec<Finding> {
        all(&self.facts())
    }

    /// The text of each finding.
    pub(super) fn texts(self) -> Vec<String> {
        self.findings().into_iter().map(|finding| finding.found).collect()
    }

    /// The worst of what is found.
    pub(super) fn worst(self) -> Finding {
        self.findings().swap_remove(0)
    }

    /// The name, the severity and the place of each finding.
    pub(super) fn found(self) -> Vec<(&'static str, Severity, Option<String>)> {
        found(&self.facts())
    }

    /// This is found, and nothing else.
    #[track_caller]
    pub(super) fn finds(self, id: &'static str, severity: Severity, place: Option<String>) {
        assert_eq!(self.found(), [(id, severity, place)]);
    }
}

#[test]
fn with_password_and_code_nothing_is_found() {
    assert_eq!(Host::with_password_and_code().found(), []);
}
