//! The server: the one way to ask sshd about a configuration. It is given a time limit and no environment.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use super::{privilege_separation, settings::Settings};
use crate::{
    HostError,
    host_files::Host,
    messages,
    pam_stack::on_disk,
    programs::{self, ProgramOutput},
};

/// The server of this host.
#[derive(Debug, Clone)]
pub(crate) struct Sshd {
    program: PathBuf,
    /// What it reads instead of its main file.
    config: Option<PathBuf>,
}

/// A login that sshd is asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionSpec<'a> {
    pub(crate) user: &'a str,
    pub(crate) host: &'a str,
    pub(crate) address: &'a str,
}

impl Sshd {
    /// The server, if the host has one.
    pub(crate) fn find(host: &Host) -> Option<Self> {
        programs::find("sshd").map(|program| Self { program, config: host.sshd_config.clone() })
    }

    /// The server with the configuration in place, or with this one.
    ///
    /// # Errors
    /// The host has no server.
    pub(crate) fn with_config(config: Option<&Path>) -> Result<Self, HostError> {
        let program = programs::find("sshd").ok_or_else(|| messages::sshd_not_found(&programs::FOLDERS))?;
        Ok(Self { program, config: config.map(Path::to_owned) })
    }

    /// What `sshd -t` complains of; `None` if it does not.
    pub(crate) fn complaint(&self) -> Option<String> {
        let said = self.ask(&["-t"]);
        (!said.succeeded).then(|| complaint(&said.errors))
    }

    /// What is in force for a login, or for no login in particular.
    ///
    /// # Errors
    /// sshd does not tell: what it says instead.
    pub(crate) fn in_force(&self, login: Option<ConnectionSpec<'_>>) -> Result<Settings, String> {
        let login =
            login.map(|ConnectionSpec { user, host, address }| format!("user={user},host={host},addr={address}"));
        let about = login.as_deref().map(|login| ["-C", login]);
        let arguments: Vec<&str> = ["-T"].into_iter().chain(about.into_iter().flatten()).collect();
        let said = self.ask(&arguments);
        if said.succeeded { Ok(Settings::parse(&said.output)) } else { Err(complaint(&said.errors)) }
    }

    /// What is in force for a login of `user` from `address`; `None` if sshd does not tell.
    pub(crate) fn settings(&self, user: &str, address: &str) -> Option<Settings> {
        self.in_force(Some(ConnectionSpec { user, host: address, address })).ok()
    }

    /// Its version as major and minor number.
    pub(crate) fn version(&self) -> Option<(u32, u32)> {
        // Before 9.2 there was no -V; what such a server says about a wrong option begins with its version.
        version(&self.ask(&["-V"]).errors)
    }

    fn ask(&self, arguments: &[&str]) -> ProgramOutput {
        let config = self.config.as_deref().map(|config| [OsStr::new("-f"), config.as_os_str()]);
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).chain(config.into_iter().flatten()).collect();
        let run = || {
            programs::run(&self.program, &arguments).unwrap_or_else(|error| ProgramOutput {
                errors: messages::program_not_run(&self.program, &error),
                ..ProgramOutput::default()
            })
        };
        let said = run();
        if !said.succeeded && privilege_separation::make_missing_folder(&said.errors) { run() } else { said }
    }
}

/// The number of the process that wrote this `PidFile`, if it is an sshd.
pub(crate) fn running(pid_file: &Path) -> Option<i32> {
    let text = |path: &Path| on_disk(path).ok().flatten();
    let pid = text(pid_file)?.trim().parse().ok().filter(|pid| *pid > 1)?;
    let name = text(Path::new(&format!("/proc/{pid}/comm")))?;
    (name.trim() == "sshd").then_some(pid)
}

/// The lines of a complaint in one line.
fn complaint(errors: &str) -> String {
    let lines = errors.lines().map(|line| line.trim_end_matches('\r').trim_end_matches('.'));
    let told = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    if told.is_empty() { messages::NO_COMPLAINT.to_owned() } else { told }
}

fn version(text: &str) -> Option<(u32, u32)> {
    let numbers = text.split("OpenSSH_").nth(1)?;
    let (major, rest) = numbers.split_once('.')?;
    let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_two_numbers() {
        assert_eq!(version("OpenSSH_9.2, OpenSSL 3.0.19 27 Jan 2026\n"), Some((9, 2)));
        assert_eq!(version("unknown option -- V\nOpenSSH_8.4p1 Debian-5, OpenSSL 1.1.1\n"), Some((8, 4)));
        assert_eq!(version("sshd: no\n"), None);
    }
}
