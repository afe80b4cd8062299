//! sshd itself: what it says of a configuration, and telling it to read a new one.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::Read,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use twinlock_store::ports::SECURITY_MODULE_HINT;

use super::{
    change::{DROP_IN, PAM},
    journal,
    place::{self, Attributes, Version, failed},
};
use crate::{doctor::Settings, failure::Failure, host_files::Host, output::note, privilege_separation};

/// The main file: the host's own, or, on SUSE, the vendor's.
const MAIN: [&str; 2] = ["/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config"];
const PROGRAMS: [&str; 3] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];
/// What the main file has to include.
const INCLUDED: &str = "/etc/ssh/sshd_config.d/*.conf";

/// A configuration of sshd that is not in place yet: the host's, with another drop-in.
pub(super) struct Candidate {
    folder: PathBuf,
    main: PathBuf,
}

impl Candidate {
    /// Puts it together in a folder of its own.
    pub(super) fn with(drop_in: &str) -> Result<Self, Failure> {
        let (path, text) = main_file()?;
        let folder = Path::new(journal::FOLDER).join(journal::CANDIDATE);
        let _ = fs::remove_dir_all(&folder);
        let parts = folder.join("sshd_config.d");
        DirBuilder::new().mode(0o700).recursive(true).create(&parts).map_err(|e| failed("make", &parts, &e))?;
        let candidate = Self { main: folder.join("sshd_config"), folder };
        let text = with_other_parts(&text, &parts).ok_or_else(|| {
            Failure::refused(format!("{} does not include {INCLUDED} before its first Match", path.display()))
                .hint(format!("make `Include {INCLUDED}` its first line (OpenSSH 8.2 and later know it), because sshd takes the first value \
                     that it meets"))
        })?;
        write(&candidate.main, text.as_bytes())?;
        copy_parts(&parts)?;
        write(&parts.join(DROP_IN.1), drop_in.as_bytes())?;
        Ok(candidate)
    }

    /// The host as it would be with it, and with this stack for sshd.
    pub(super) fn host(&self, drop_in: &str, stack: String) -> Host {
        let at = |(folder, name): (&str, &str)| Path::new(folder).join(name);
        let changed = vec![(at(DROP_IN), drop_in.to_owned()), (at(PAM), stack)];
        Host { changed, sshd_config: Some(self.main.clone()) }
    }

    /// `sshd -t`.
    pub(super) fn test(&self) -> Result<(), Failure> {
        let output = self.run(&["-t"])?;
        if output.status.success() {
            return Ok(());
        }
        let said = said(&output);
        // root is denied nothing but by a security module, and what that is about is the copy.
        if said.contains("Permission denied") {
            return Err(Failure::refused(format!("sshd cannot read the copy of its configuration: {said}"))
                .hint(SECURITY_MODULE_HINT));
        }
        let said = said.replace(&self.folder.display().to_string(), "/etc/ssh");
        Err(Failure::refused(format!("sshd would not take the new configuration: {said}"))
            .hint("`sshd -t` says whether it takes the one in place"))
    }

    /// What would be in force for a user.
    pub(super) fn in_force(&self, user: &str) -> Result<Settings, Failure> {
        let output = self.run(&["-T", "-C", &format!("user={user},host=localhost,addr=127.0.0.1")])?;
        settings(&output).ok_or_else(|| {
            Failure::refused(format!("sshd does not say what would be in force for {user}: {}", said(&output)))
                .hint("`sshd -T -C user=NAME` says whether it does for the one in place")
        })
    }

    fn run(&self, arguments: &[&str]) -> Result<Output, Failure> {
        ask(arguments, &self.main)
    }
}

/// Runs sshd on a configuration, to have it judged or printed.
fn ask(arguments: &[&str], main: &Path) -> Result<Output, Failure> {
    let mut command = Command::new(program()?);
    command.args(arguments).arg("-f").arg(main).stdin(Stdio::null());
    let mut run = || command.output().map_err(|error| Failure::refused(format!("cannot run sshd: {error}")));
    let output = run()?;
    let is_made = !output.status.success() && privilege_separation::make_missing_folder(&said(&output));
    if is_made { run() } else { Ok(output) }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Whether an sshd may run while the configuration changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    MayRun,
    /// systemd starts it when this is done.
    NotStarted,
}

/// Has the running sshd read its configuration. Connections that it has accepted go on under the old one.
pub(super) fn reload() -> Result<(), Failure> {
    if Path::new("/run/systemd/system").is_dir() {
        for name in ["ssh", "sshd"] {
            let unit = format!("{name}.service");
            if is_active(&unit) {
                // An sshd that has its socket from systemd loses it by a reload, and ends.
                let verb = if is_active(&format!("{name}.socket")) { "restart" } else { "reload" };
                return if systemctl(&[verb, &unit]) {
                    Ok(())
                } else {
                    Err(Failure::refused(format!("systemctl {verb} {unit} failed"))
                        .hint(format!("systemctl status {unit} says why")))
                };
            }
        }
        // Started by the next connection, or not at all: it reads its configuration when it starts.
    }
    running()?.map_or(Ok(()), |(pid, file)| restart(pid, &file))
}

/// Waits until it is back: it begins anew, takes its `PidFile` away and writes another, by which alone it can be found.
fn restart(pid: Pid, file: &Path) -> Result<(), Failure> {
    let stamp = || fs::metadata(file).ok().map(|found| (found.ino(), found.mtime(), found.mtime_nsec()));
    let before = stamp();
    kill(pid, Signal::SIGHUP)
        .map_err(|error| Failure::refused(format!("cannot have sshd ({pid}) read its configuration: {error}")))?;
    for _ in 0..LOOKS {
        thread::sleep(LOOK);
        if stamp().is_some_and(|stamp| Some(stamp) != before) && running()?.is_some() {
            return Ok(());
        }
    }
    Err(Failure::refused(format!("sshd ({pid}) was told to read its configuration, and did not come back"))
        .hint("its log says why"))
}

/// How long sshd has for that: ten seconds.
const LOOKS: usize = 200;
const LOOK: Duration = Duration::from_millis(50);

/// Says so where there is no sshd that could be told.
pub(super) fn note_if_not_running() -> Result<(), Failure> {
    if !Path::new("/run/systemd/system").is_dir() && running()?.is_none() {
        note(
            "note: no running sshd was found (no systemd, no process in its PidFile). One that reads its configuration \
              only when it starts has to be told: kill -HUP",
        );
    }
    Ok(())
}

/// What is in force for nobody in particular; `None` where sshd does not say, because of what somebody else has changed.
fn in_place() -> Result<Option<Settings>, Failure> {
    let (path, _) = main_file()?;
    Ok(settings(&ask(&["-T"], &path)?))
}

fn settings(output: &Output) -> Option<Settings> {
    output.status.success().then(|| Settings::parse(&String::from_utf8_lossy(&output.stdout)))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

fn is_active(unit: &str) -> bool {
    systemctl(&["is-active", "--quiet", unit])
}

fn systemctl(arguments: &[&str]) -> bool {
    let mut command = Command::new("systemctl");
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Where the configuration in place takes no password, waits until nobody is left who connected under another one.
pub(super) fn outlive_connections_that_may_give_a_password(server: Server) -> Result<(), Failure> {
    if server == Server::NotStarted && running()?.is_none() {
        return Ok(());
    }
    let in_place = in_place()?;
    let methods = ["passwordauthentication", "kbdinteractiveauthentication"];
    // What sshd does not say may be a no.
    let takes_none = in_place.as_ref().is_none_or(|settings| methods.iter().all(|method| settings.of(method) == "no"));
    if takes_none {
        let grace = in_place.and_then(|settings| settings.seconds("logingracetime")).unwrap_or(120);
        note(&format!(
            "waiting {grace} seconds (LoginGraceTime) for logins that began before, to take no password from them"
        ));
        thread::sleep(Duration::from_secs(grace));
    }
    Ok(())
}

/// The sshd of the `PidFile`, if that process is one.
fn running() -> Result<Option<(Pid, PathBuf)>, Failure> {
    let in_place = in_place()?;
    let file = match in_place.as_ref().map(|settings| settings.of("pidfile")) {
        None | Some("") => "/run/sshd.pid",
        Some(file) => file,
    };
    let pid: Option<i32> = text_of(Path::new(file)).and_then(|text| text.trim().parse().ok()).filter(|pid| *pid > 1);
    let is_sshd =
        |pid: &i32| text_of(Path::new(&format!("/proc/{pid}/comm"))).is_some_and(|comm| comm.trim() == "sshd");
    Ok(pid.filter(is_sshd).map(|pid| (Pid::from_raw(pid), file.into())))
}

fn text_of(path: &Path) -> Option<String> {
    let mut text = String::new();
    OpenOptions::new().read(true).open(path).ok()?.take(4096).read_to_string(&mut text).ok()?;
    Some(text)
}

fn program() -> Result<&'static str, Failure> {
    PROGRAMS.into_iter().find(|path| Path::new(path).exists()).ok_or_else(|| {
        Failure::refused(format!("there is no sshd: looked for {}", PROGRAMS.join(", ")))
            .hint("install OpenSSH's server")
    })
}

/// The main file and its text.
fn main_file() -> Result<(PathBuf, String), Failure> {
    for path in MAIN.map(PathBuf::from) {
        if let Some(found) = place::read(&path)? {
            return Ok((path, String::from_utf8_lossy(&found.content).into_owned()));
        }
    }
    Err(Failure::refused(format!("sshd has no configuration: neither {}", MAIN.join(" nor "))))
}

/// The main file with other drop-ins; `None` if it includes none where they would be heard.
fn with_other_parts(text: &str, parts: &Path) -> Option<String> {
    let mut included = false;
    let mut lines = Vec::new();
    let mut is_global = true;
    for line in text.lines() {
        let keyword = line.split([' ', '\t', '=']).find(|word| !word.is_empty()).unwrap_or_default();
        is_global &= !keyword.eq_ignore_ascii_case("match");
        if !keyword.eq_ignore_ascii_case("include") {
            lines.push(line.to_owned());
            continue;
        }
        let words = line.split_whitespace().map(|word| {
            let bare = word.trim_matches('"');
            let ours = bare == INCLUDED || Some(bare) == INCLUDED.strip_prefix("/etc/ssh/");
            included |= ours && is_global;
            if ours { parts.join("*.conf").display().to_string() } else { word.to_owned() }
        });
        lines.push(words.collect::<Vec<_>>().join(" "));
    }
    included.then(|| lines.join("\n") + "\n")
}

/// The other drop-ins.
fn copy_parts(to: &Path) -> Result<(), Failure> {
    let from = Path::new(DROP_IN.0);
    let entries = match fs::read_dir(from) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("read", from, &error)),
    };
    for entry in entries {
        let name = entry.map_err(|error| failed("read", from, &error))?.file_name();
        let name = Path::new(&name);
        let is_read = name.extension().is_some_and(|ending| ending == "conf");
        if !is_read || name.as_os_str().as_encoded_bytes().starts_with(b".") || name == Path::new(DROP_IN.1) {
            continue;
        }
        // Where a drop-in is a link, sshd follows it.
        let path = from.join(name);
        fs::copy(&path, to.join(name)).map_err(|error| failed("read", &path, &error))?;
    }
    Ok(())
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let attributes = Attributes { mode: 0o600, ..Attributes::NEW };
    place::create(path, &Version { content: content.to_vec(), attributes })
        .map_err(|error| failed("write", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drop_ins_are_exchanged_where_they_are_heard() {
        let other = |text: &str| with_other_parts(text, Path::new("/x"));
        let of = |text: &str| other(text).unwrap();
        assert_eq!(of("Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n"), "Include /x/*.conf\nUsePAM yes\n");
        assert_eq!(of("include  /etc/a \"sshd_config.d/*.conf\""), "include /etc/a /x/*.conf\n");
        for deaf in ["", "UsePAM yes\n", "#Include /etc/ssh/sshd_config.d/*.conf\n", "Include /etc/ssh/other/*.conf\n"]
        {
            assert_eq!(other(deaf), None, "{deaf}");
        }
        assert_eq!(other("Match User git\nInclude /etc/ssh/sshd_config.d/*.conf\n"), None);
    }
}
