//! sshd's PAM stack, what it answers, and the users that its own conditions exempt.

use std::{collections::BTreeSet, fs, path::PathBuf};

use twinlock_core::{account::UserName, module_arguments::ModuleArgument, policy::Groups};
use twinlock_store::host::SystemGroups;

use crate::{
    doctor::{
        conditions::{LoginUser, is_bypassed_by},
        module_file::{self, ModuleFile},
        questions::Answers,
    },
    host_files::Host,
    pam_files::{OURS, has, is_ours},
    pam_stack::{FOLDERS, Line, LineKind, Phase, Service, Text},
};

/// The stack of sshd.
pub(crate) struct PamFacts {
    pub(crate) service: String,
    pub(crate) unreadable: Option<String>,
    pub(crate) file: Option<Service>,
    pub(crate) auth: Answers,
    pub(crate) account: Answers,
    /// Files that nobody reads, because libpam looks for the name in small letters.
    pub(crate) misspelled: Vec<PathBuf>,
    /// Whether the console asks for a code.
    pub(crate) console_asks: bool,
    /// Files for a login shell that ask for no code where the plain command does: `sudo -i`, `su -`.
    pub(crate) shells_without_code: Vec<(&'static str, PathBuf)>,
}

impl PamFacts {
    pub(super) fn gather(service: &str, host: &Host) -> Self {
        Self::read(service, &|path| host.text(path), misspelled(service))
    }

    /// The same of a host whose files have these texts.
    pub(super) fn read(service: &str, text: &Text<'_>, misspelled: Vec<PathBuf>) -> Self {
        let (file, unreadable) = match Service::read(service, text) {
            Ok(file) => (file, None),
            Err(error) => (None, Some(error.to_string())),
        };
        let answers =
            |phase| file.as_ref().map(|service| Answers::from_stack(&service.phase(phase))).unwrap_or_default();
        let (auth, account) = (answers(Phase::Auth), answers(Phase::Account));
        let other = |name| {
            let service = Service::read(name, text).ok().flatten()?;
            let asks = service.phase(Phase::Auth).iter().any(|line| line.module() == OURS);
            Some((service.file, asks))
        };
        let console_asks = other("login").is_some_and(|(_, asks)| asks);
        let shells = [("sudo", "sudo-i"), ("su", "su-l")].into_iter();
        let shells_without_code = shells
            .filter(|(plain, _)| other(plain).is_some_and(|(_, asks)| asks))
            .filter_map(|(plain, shell)| other(shell).filter(|(_, asks)| !asks).map(|(file, _)| (plain, file)))
            .collect();
        Self {
            service: service.to_ascii_lowercase(),
            unreadable,
            auth,
            account,
            misspelled,
            console_asks,
            shells_without_code,
            file,
        }
    }

    fn lines(&self, phase: Phase) -> Vec<&Line> {
        self.file.as_ref().map(|service| service.phase(phase)).unwrap_or_default()
    }

    pub(super) fn nullok(&self, phase: Phase) -> bool {
        self.lines(phase).into_iter().any(|line| is_ours(line) && has(line, ModuleArgument::Nullok))
    }

    /// Whether a condition of the stack leads an account past our line.
    fn exempts(&self, phase: Phase, answers: &Answers, user: LoginUser<'_>) -> bool {
        let lines = self.lines(phase);
        answers.bypasses.iter().filter_map(|at| lines.get(*at)).any(|line| is_bypassed_by(line, user))
    }

    /// The files that our lines name.
    pub(super) fn modules(&self) -> Vec<ModuleFile> {
        let lines = self.file.iter().flat_map(|service| &service.lines).filter(|line| line.module() == OURS);
        let names: BTreeSet<&str> = lines
            .filter_map(|line| match &line.kind {
                LineKind::Module { name, .. } => Some(name.as_str()),
                LineKind::Substack(_) | LineKind::Broken => None,
            })
            .collect();
        names.into_iter().map(|name| ModuleFile::look(&module_file::path_of(name))).collect()
    }
}

/// Files of the service in another spelling.
fn misspelled(service: &str) -> Vec<PathBuf> {
    let read = service.to_ascii_lowercase();
    let entries = FOLDERS.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    let other = entries.filter(|entry| {
        entry.file_name().to_str().is_some_and(|name| name != read && name.eq_ignore_ascii_case(&read))
    });
    other.map(|entry| entry.path()).collect()
}

/// Which of our lines PAM's own conditions lead an account past.
pub(super) struct PamExemptions {
    pub(super) auth: bool,
    pub(super) account: bool,
}

impl PamExemptions {
    pub(super) fn gather(pam: &PamFacts, name: &UserName, uid: u32) -> Self {
        if pam.auth.bypasses.is_empty() && pam.account.bypasses.is_empty() {
            return Self { auth: false, account: false };
        }
        let groups = SystemGroups.groups_of(name).unwrap_or_default();
        let user = LoginUser { user: name.as_str(), uid, groups: &groups };
        Self {
            auth: pam.exempts(Phase::Auth, &pam.auth, user),
            account: pam.exempts(Phase::Account, &pam.account, user),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::host::{HostFacts, fixtures::STACK};

    #[test]
    fn a_module_by_its_whole_path_is_looked_for_there() {
        let stack = STACK.replace(" pam_twinlock.so", " /opt/pam_twinlock.so");
        let module = ModuleFile { path: "/opt/pam_twinlock.so".into(), ..ModuleFile::default() };
        assert_eq!(HostFacts::sound().with_stack(&stack).pam.modules(), [module]);
    }
}
