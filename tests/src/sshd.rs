//! A real OpenSSH server. Like inetd, the harness accepts one connection on the loopback and hands it to `sshd -i`:
//! no daemon, no fixed port, sshd is our own child, and it sees a real client address.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::launch::Launch;
use crate::namespace::inside;
use crate::process::{DEADLINE, Process};
use crate::ssh_client::Client;
use crate::ssh_keys;
use crate::world::World;

/// Where Debian puts it; sshd demands to be called by its whole path.
pub(crate) const SSHD: &str = "/usr/sbin/sshd";

/// Used where [`Sshd::config`] does not say otherwise: key and code, as the shipped drop-in has it.
const DEFAULTS: &str = "\
UsePAM yes
KbdInteractiveAuthentication yes
PasswordAuthentication no
AuthenticationMethods publickey,keyboard-interactive
LogLevel VERBOSE
UseDNS no
";

/// A server with a configuration; each login has an sshd of its own. Its PAM service is `sshd`.
///
/// ```no_run
/// # use twinlock_tests::{Sshd, in_sshd_world};
/// in_sshd_world(|world| {
///     world.account("alice");
///     world.service("sshd", "auth required pam_twinlock.so\naccount required pam_permit.so\nsession required pam_permit.so\n");
///     let mut codes = world.enrol("alice").codes();
///     let login = Sshd::new(world).login("alice").answer(codes.next()).run();
///     assert!(login.granted, "{login:?}");
/// });
/// ```
pub struct Sshd<'w> {
    pub(crate) world: &'w World,
    configuration: PathBuf,
    under: Vec<OsString>,
}

impl<'w> Sshd<'w> {
    /// A server that asks for key and code.
    pub fn new(world: &'w World) -> Self {
        let sshd =
            Self { world, configuration: inside(&format!("sshd_config-{}", world.serial())).into(), under: Vec::new() };
        sshd.config("")
    }

    /// A server with exactly this file, for instance `/etc/ssh/sshd_config` with its drop-ins.
    pub fn from_file(world: &'w World, path: impl AsRef<Path>) -> Self {
        Self { world, configuration: path.as_ref().into(), under: Vec::new() }
    }

    /// Sets these lines in front of the defaults. sshd takes the first value it meets, so they win; defaults go before
    /// the first `Match`, so they stay global.
    pub fn config(self, lines: &str) -> Self {
        let first_match = lines.lines().position(|line| line.trim_start().starts_with("Match")).unwrap_or(usize::MAX);
        let (mut global, mut matches) = (String::new(), String::new());
        for (number, line) in lines.lines().enumerate() {
            let part = if number < first_match { &mut global } else { &mut matches };
            part.push_str(line.trim_start());
            part.push('\n');
        }
        self.world.write(&self.configuration, global + DEFAULTS + &matches);
        self
    }

    /// Runs sshd under another program, for instance `["faketime", "-f", "+1h"]`.
    pub fn under<A: AsRef<OsStr>>(mut self, prefix: impl IntoIterator<Item = A>) -> Self {
        self.under = prefix.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
        self
    }

    /// A client who will log in as `user`, with the right key unless told otherwise.
    pub fn login(&self, user: &str) -> Client<'_> {
        Client::new(self, user)
    }

    /// The public key (`TYPE BASE64`) with which clients of this type log in.
    pub fn public_key(&self, key_type: &str) -> String {
        let line = ssh_keys::public(&ssh_keys::key(self.world, "client", key_type));
        line.split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    /// Answers everybody who comes to `listener` with this public key, see [`Lobby`].
    pub fn welcome(&self, listener: TcpListener, public_key: &str) -> Lobby<'_> {
        Lobby { door: self.door(listener, public_key), guests: Vec::new() }
    }

    /// Opens a port for one connection.
    pub(crate) fn listen(&self, authorized: &str) -> Door<'_> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback");
        self.door(listener, authorized)
    }

    /// Writes what the server needs.
    fn door(&self, listener: TcpListener, public_key: &str) -> Door<'_> {
        // Privilege separation wants its empty folder and user `sshd`.
        fs::create_dir_all("/run/sshd").expect("/run is ours");
        let host_key = ssh_keys::key(self.world, "host", "ed25519");
        self.world.write(inside("known_hosts"), format!("* {}\n", host_public(&host_key)));
        let authorized = inside(&format!("authorized_keys-{}", self.world.serial()));
        self.world.write(&authorized, public_key);
        listener.set_nonblocking(true).expect("a socket");
        Door { sshd: self, listener, host_key, authorized }
    }
}

/// `TYPE BASE64` of the server's key.
fn host_public(host_key: &str) -> String {
    ssh_keys::public(host_key).split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// A port at which a server answers every client, like inetd. Dropping it ends all their logins.
pub struct Lobby<'s> {
    door: Door<'s>,
    guests: Vec<Process>,
}

impl Lobby<'_> {
    /// The public key of the server, as `TYPE BASE64`.
    pub fn host_key(&self) -> String {
        host_public(&self.door.host_key)
    }

    /// Answers clients as long as the test takes.
    pub fn serve_during<T>(mut self, test: impl FnOnce() -> T) -> T {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Acquire) {
                    self.answer_waiting();
                    thread::sleep(Duration::from_millis(10));
                }
            });
            let _end = End(&over);
            test()
        })
    }

    /// Starts an sshd for each client that waits, and forgets those that have ended.
    pub fn answer_waiting(&mut self) {
        self.guests.retain(Process::is_running);
        while let Some(guest) = self.door.answer_one() {
            self.guests.push(guest);
        }
    }
}

/// Ends the server also when the test panics.
struct End<'o>(&'o AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A port that one client will come to.
pub(crate) struct Door<'s> {
    sshd: &'s Sshd<'s>,
    listener: TcpListener,
    host_key: String,
    authorized: String,
}

impl Door<'_> {
    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("it is bound")
    }

    /// Waits for the client and starts sshd for it. None when the client ended without coming.
    pub(crate) fn answer(self, client: &Process) -> Option<Process> {
        let end = Instant::now() + DEADLINE;
        while client.is_running() && Instant::now() < end {
            if let Some(server) = self.answer_one() {
                return Some(server);
            }
            let mut waiting = [PollFd::new(self.listener.as_fd(), PollFlags::POLLIN)];
            poll(&mut waiting, PollTimeout::from(20_u8)).expect("poll");
        }
        None
    }

    /// Starts sshd for a client that waits, if one does.
    fn answer_one(&self) -> Option<Process> {
        match self.listener.accept() {
            Ok((connection, _)) => {
                // Else some answers of sshd wait 40 ms for an acknowledgement.
                connection.set_nodelay(true).expect("a TCP socket");
                Some(self.serve(&OwnedFd::from(connection)))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("no connection: {error}"),
        }
    }

    fn serve(&self, connection: &OwnedFd) -> Process {
        let configuration = self.sshd.configuration.as_os_str();
        let authorized = format!("AuthorizedKeysFile={}", self.authorized);
        let fixed = ["-h", &self.host_key, "-o", "PidFile=none", "-o", &authorized].map(OsStr::new);
        let arguments = [OsStr::new(SSHD), OsStr::new("-i"), OsStr::new("-f"), configuration];
        Launch::new(arguments.into_iter().chain(fixed)).under(&self.sshd.under).start_on(connection, None)
    }
}
