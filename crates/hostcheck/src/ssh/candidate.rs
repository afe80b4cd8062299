//! A configuration of sshd that is not in place yet, put together to be tried.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use crate::{
    HostError,
    host_files::Host,
    messages::{self, cannot},
    sshd::{ConnectionSpec, MAIN, Settings, Sshd, key_and_value},
    trial::{
        ChangedService,
        change_log::{CANDIDATE, folder_of},
        place::{self, Attributes, Version},
        plan::Plan,
        service::{SSHD_DROP_IN, SSHD_PAM},
    },
};

/// What the main file has to include.
const INCLUDED: &str = "/etc/ssh/sshd_config.d/*.conf";

/// A configuration of sshd that is not in place yet: the host's, with another drop-in.
pub(super) struct Candidate {
    folder: PathBuf,
    main: PathBuf,
    sshd: Sshd,
}

impl Candidate {
    /// Puts it together in a folder of its own.
    pub(super) fn of_plan(plan: &Plan) -> Result<Self, HostError> {
        let (path, text) = main_file()?;
        let folder = folder_of(ChangedService::Ssh).join(CANDIDATE);
        let _ = fs::remove_dir_all(&folder);
        let parts = folder.join("sshd_config.d");
        DirBuilder::new().mode(0o700).recursive(true).create(&parts).map_err(|e| cannot("create", &parts, &e))?;
        let main = folder.join("sshd_config");
        let candidate = Self { sshd: Sshd::with_config(Some(&main))?, main, folder };
        let text = with_other_parts(&text, &parts).ok_or_else(|| messages::drop_ins_not_included(&path, INCLUDED))?;
        write(&candidate.main, text.as_bytes())?;
        copy_parts(&parts)?;
        write(&parts.join(SSHD_DROP_IN.name), plan.text_after(&SSHD_DROP_IN).as_bytes())?;
        Ok(candidate)
    }

    /// The host as it would be with this plan.
    pub(super) fn host(&self, plan: &Plan) -> Host {
        let changed = [&SSHD_DROP_IN, &SSHD_PAM].map(|path| (path.path().into(), plan.text_after(path)));
        Host { changed: changed.into(), sshd_config: Some(self.main.clone()) }
    }

    /// `sshd -t`.
    pub(super) fn test(&self) -> Result<(), HostError> {
        let Some(complaint) = self.sshd.complaint() else {
            return Ok(());
        };
        // root is denied nothing but by a security module, and what that is about is the copy.
        if complaint.contains("Permission denied") {
            return Err(messages::candidate_unreadable(&complaint));
        }
        let complaint = complaint.replace(&self.folder.display().to_string(), "/etc/ssh");
        Err(messages::candidate_rejected(&complaint))
    }

    /// What would be in force for a user.
    pub(super) fn in_force(&self, user: &str) -> Result<Settings, HostError> {
        let settings = self.sshd.in_force(Some(ConnectionSpec { user, host: "localhost", address: "127.0.0.1" }));
        settings.map_err(|complaint| messages::settings_not_reported(user, &complaint))
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The main file and its text.
fn main_file() -> Result<(PathBuf, String), HostError> {
    for path in MAIN.map(PathBuf::from) {
        if let Some(found) = place::read(&path)? {
            return Ok((path, String::from_utf8_lossy(&found.content).into_owned()));
        }
    }
    Err(messages::no_main_file(&MAIN))
}

/// The main file with other drop-ins; `None` if it includes none where they would be heard.
fn with_other_parts(text: &str, parts: &Path) -> Option<String> {
    let is_ours = |word: &str| {
        let bare = word.trim_matches('"');
        bare == INCLUDED || Some(bare) == INCLUDED.strip_prefix("/etc/ssh/")
    };
    let mut included = false;
    let mut is_global = true;
    let mut lines = Vec::new();
    for line in text.lines() {
        let (key, value) = key_and_value(line).unwrap_or_default();
        is_global &= key != "match";
        if key != "include" || !value.split_whitespace().any(is_ours) {
            lines.push(line.to_owned());
            continue;
        }
        included |= is_global;
        let others = parts.join("*.conf").display().to_string();
        let words = value.split_whitespace().map(|word| if is_ours(word) { others.as_str() } else { word });
        lines.push(["Include"].into_iter().chain(words).collect::<Vec<_>>().join(" "));
    }
    included.then(|| lines.join("\n") + "\n")
}

/// The other drop-ins.
fn copy_parts(to: &Path) -> Result<(), HostError> {
    let from = Path::new(SSHD_DROP_IN.folder);
    let entries = match fs::read_dir(from) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot("read", from, &error)),
    };
    for entry in entries {
        let name = entry.map_err(|error| cannot("read", from, &error))?.file_name();
        let name = Path::new(&name);
        let is_read = name.extension().is_some_and(|ending| ending == "conf");
        if !is_read || name.as_os_str().as_encoded_bytes().starts_with(b".") || name == Path::new(SSHD_DROP_IN.name) {
            continue;
        }
        // Where a drop-in is a link, sshd follows it.
        let path = from.join(name);
        fs::copy(&path, to.join(name)).map_err(|error| cannot("read", &path, &error))?;
    }
    Ok(())
}

fn write(path: &Path, content: &[u8]) -> Result<(), HostError> {
    let attributes = Attributes { mode: 0o600, ..Attributes::NEW };
    place::create(path, &Version { content: content.to_vec(), attributes })
        .map_err(|error| cannot("write", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drop_ins_are_exchanged_where_they_are_heard() {
        let other = |text: &str| with_other_parts(text, Path::new("/x"));
        let of = |text: &str| other(text).unwrap();
        assert_eq!(of("Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n"), "Include /x/*.conf\nUsePAM yes\n");
        assert_eq!(of("include  /etc/a \"sshd_config.d/*.conf\""), "Include /etc/a /x/*.conf\n");
        for deaf in ["", "UsePAM yes\n", "#Include /etc/ssh/sshd_config.d/*.conf\n", "Include /etc/ssh/other/*.conf\n"]
        {
            assert_eq!(other(deaf), None, "{deaf}");
        }
        assert_eq!(other("Match User git\nInclude /etc/ssh/sshd_config.d/*.conf\n"), None);
    }
}
