//! `--stay`: a server on the loopback for a person with a phone, until Enter or Ctrl-C.
//!
//! The server lives in a world, like everything else. What its client needs lies in one folder of the host's, which only
//! the person can read and which is gone in the end.

use std::fs::{self, File, Permissions};
use std::io::{Write, stdin};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Command;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, mkdtemp, read};
use twinlock_tests::{FirstFactor, World};

use crate::screen::Screen;
use crate::tour::{self, Holder};

/// The account of the person.
const USER: &str = "demo";

/// How long a client may wait for the server, in milliseconds.
const TICK: u8 = 100;

/// Serves until the person has seen enough; false if there can be no world here.
pub(crate) fn run(screen: &mut Screen) -> bool {
    let interrupts = Interrupts::catch();
    let folder = ClientFolder::make();
    crate::in_the_world(|world| serve(world, screen, &folder, &interrupts))
}

fn serve(world: &World, screen: &mut Screen, folder: &ClientFolder, interrupts: &Interrupts) {
    let sshd = world.ship(crate::family(), FirstFactor::Key);
    world.account(USER);
    let holder = tour::enrol(world, USER, &mut screen.hidden());
    let listener = folder.listener.try_clone().expect("a free file descriptor");
    let mut lobby = sshd.welcome(listener, &folder.public_key);
    folder.know(&lobby.host_key());

    screen.heading("Your turn");
    invite(screen, &holder);
    screen.command("laptop $", &format!("ssh -F {}/ssh_config {USER}", folder.path.display()));
    screen.say("The log appears below. Enter or Ctrl-C ends it and removes everything.");
    let mut mark = world.log_mark();
    while !interrupts.came(TICK) {
        lobby.answer_waiting();
        let lines = world.log_since(mark);
        mark += lines.len();
        lines.iter().filter(|line| tour::is_of_interest(line)).for_each(|line| screen.log(line));
    }
    drop(lobby);
    end_what_is_left();
    // Below the `^C` of the terminal.
    screen.say("");
    screen.say("The server, its account and its keys are gone. Nothing on this host was changed.");
}

/// The picture to scan, with what to do beside it.
fn invite(screen: &mut Screen, holder: &Holder) {
    let picture: Vec<_> = holder.shown.lines().filter(|line| line.contains(['█', '▀', '▄'])).collect();
    let key = holder.shown.lines().find_map(|line| line.trim_start().strip_prefix("Key ")).unwrap_or_default();
    let (key_begin, key_end) = key.trim().split_at_checked(20).unwrap_or((key, ""));
    let recovery = holder.recovery_codes.first().map_or("", String::as_str);
    let notes = [
        "",
        "1. Scan this with an authenticator",
        "   app, or type in the key:",
        "",
        &format!("   {}", screen.strong(key_begin.trim())),
        &format!("   {}", screen.strong(key_end.trim())),
        "",
        "2. Open another terminal, and log",
        "   in with the command below.",
        "",
        "3. Give the code of the app. Then",
        "   try the same code again, or a",
        "   wrong one.",
        "",
        "   No phone at hand?",
        &format!("   {}", screen.strong(recovery)),
        "   works, once.",
    ];
    screen.beside(&picture, &notes.map(String::from));
}

/// Ends whatever still runs in this world: a job that a person left in the background.
fn end_what_is_left() {
    let ours = fs::read_link("/proc/thread-self/ns/mnt").expect("we have mounts");
    let processes = fs::read_dir("/proc").expect("there is a /proc").flatten();
    let of_this_world =
        processes.filter(|entry| fs::read_link(entry.path().join("ns/mnt")).is_ok_and(|its| its == ours));
    for pid in of_this_world.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).map(Pid::from_raw) {
        if pid != Pid::this() {
            // It may have ended by itself in this moment, and it may be the child of another.
            let _ended = kill(pid, Signal::SIGKILL);
            let _reaped = waitpid(pid, None);
        }
    }
}

/// Enter on the terminal, Ctrl-C, and a polite kill. Caught from here on, so that the folder is removed in any case.
struct Interrupts(SignalFd);

impl Interrupts {
    fn catch() -> Self {
        let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
        signals.thread_block().expect("signals can be blocked");
        Self(SignalFd::new(&signals).expect("Linux has it"))
    }

    /// Whether one came, after waiting up to `milliseconds` for it.
    fn came(&self, milliseconds: u8) -> bool {
        let stdin = stdin();
        let mut sources =
            [PollFd::new(self.0.as_fd(), PollFlags::POLLIN), PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        let came = poll(&mut sources, PollTimeout::from(milliseconds)).is_ok_and(|count| count > 0);
        if came {
            // Takes the line away from the shell that comes next.
            let typed = sources[1].revents().is_some_and(|events| events.contains(PollFlags::POLLIN));
            let _line = typed.then(|| read(stdin.as_fd(), &mut [0; 1024]));
        }
        came
    }
}

/// What the person's ssh needs: a key, the server's key, and a configuration that names both.
struct ClientFolder {
    path: PathBuf,
    listener: TcpListener,
    public_key: String,
    known_hosts: File,
}

impl ClientFolder {
    /// Makes it outside of any world.
    fn make() -> Self {
        let path = mkdtemp("/tmp/twinlock-demo-XXXXXX").expect("a folder in /tmp");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback");
        let port = listener.local_addr().expect("it is bound").port();
        let key = path.join("key");
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", USER, "-f"]).arg(&key).status();
        assert!(made.is_ok_and(|status| status.success()), "ssh-keygen failed");
        let folder = path.display();
        let configuration = format!(
            "Host {USER}\n    HostName 127.0.0.1\n    Port {port}\n    User {USER}\n    IdentityFile {folder}/key\n    \
             IdentitiesOnly yes\n    IdentityAgent none\n    ControlPath none\n    UserKnownHostsFile {folder}/known_hosts\n"
        );
        fs::write(path.join("ssh_config"), configuration).expect("the folder is ours");
        let public_key = fs::read_to_string(path.join("key.pub")).expect("ssh-keygen wrote it");
        let known_hosts = File::create(path.join("known_hosts")).expect("the folder is ours");
        let made = Self { path, listener, public_key, known_hosts };
        made.give_to_the_person();
        made
    }

    /// With sudo, the person who runs ssh is not root.
    fn give_to_the_person(&self) {
        let number = |name| std::env::var(name).ok().and_then(|value| value.parse().ok());
        let (Some(uid), Some(gid)) = (number("SUDO_UID"), number("SUDO_GID")) else {
            return;
        };
        for file in ["key", "key.pub", "ssh_config", "known_hosts", ""] {
            chown(self.path.join(file), Some(uid), Some(gid)).expect("the folder is ours");
        }
        fs::set_permissions(&self.path, Permissions::from_mode(0o700)).expect("the folder is ours");
    }

    /// Writes down the server's key; the folder itself is out of sight in a world.
    fn know(&self, host_key: &str) {
        let port = self.listener.local_addr().expect("it is bound").port();
        writeln!(&self.known_hosts, "[127.0.0.1]:{port} {host_key}").expect("the file is open");
    }
}

impl Drop for ClientFolder {
    fn drop(&mut self) {
        // What cannot be removed is harmless: its key opens nothing any more.
        let _removed = fs::remove_dir_all(&self.path);
    }
}
