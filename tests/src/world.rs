//! A private copy of the host in which a test may do anything: `in_world(|world| ...)`.

use std::fs::{self, Permissions};
use std::io::{Write, stderr};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::{env, panic, thread};

use nix::errno::Errno;
use nix::unistd::geteuid;

use crate::account::{Account, Register};
use crate::artefacts;
use crate::journal::{Journal, LogLine};
use crate::launch::without_open_programs;
use crate::namespace::{self, inside};
use crate::process::DEADLINE;
use crate::sshd::SSHD;
use crate::tally;

/// The host as the test sees it. `/etc`, `/var`, `/run`, `/home`, `/root`, `/tmp`, `/dev` and the folder of PAM modules
/// are its own and vanish with it; everything else is the host's and read-only.
pub struct World {
    journal: Journal,
    register: Mutex<Register>,
    installed: OnceLock<()>,
    serial: AtomicUsize,
}

/// Runs the test in a new world, on a thread of its own. Threads and processes it starts are in the world too.
///
/// Where mounts are not permitted (not root, and no user namespace around), it prints why and skips the test.
///
/// # Panics
/// When the test does, and when root may not mount (a container without `CAP_SYS_ADMIN`): then nothing would be tested.
pub fn in_world(test: impl FnOnce(&World) + Send) {
    tally::open();
    // Its name is in what a panic prints.
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let ended = thread::scope(|scope| {
        let inside = move || match namespace::separate() {
            Ok(()) => {
                // The user who runs the tests has logged in; what they start has not, or the log would name them. Not everywhere
                // may it be changed.
                drop(fs::write("/proc/thread-self/loginuid", u32::MAX.to_string()));
                test(&World::furnish());
            }
            Err(error) if !geteuid().is_root() => {
                skip(&format!("private mounts need root: {error}"));
            }
            Err(error @ Errno::EPERM) => panic!(
                "root, but {error} for private mounts: run the container with --cap-add SYS_ADMIN \
                 --security-opt seccomp=unconfined --security-opt apparmor=unconfined (or --privileged)"
            ),
            Err(error) => panic!("no private mounts: {error}"),
        };
        thread::Builder::new().name(name).spawn_scoped(scope, inside).expect("a thread").join()
    });
    if let Err(cause) = ended {
        panic::resume_unwind(cause);
    }
}

/// As [`in_world`], for tests that need sshd, which needs to be root in earnest.
pub fn in_sshd_world(test: impl FnOnce(&World) + Send) {
    if !is_root_in_earnest("sshd") {
        return;
    }
    if Path::new(SSHD).exists() {
        in_world(test);
    } else {
        skip(&format!("{SSHD} is missing: run `make deps`"));
    }
}

/// Written past the capture of the test runner, which hides what a passing test prints.
fn skip(reason: &str) {
    let line = format!("skipped: {}: {reason}\n", thread::current().name().unwrap_or("a test"));
    drop(stderr().write_all(line.as_bytes()));
}

/// Whether this is root over every user number; if not, says that the test is skipped because `what` needs it.
pub fn is_root_in_earnest(what: &str) -> bool {
    if !is_real_root() {
        skip(&format!("{what} needs root outside of any user namespace"));
    }
    is_real_root()
}

/// Root over every user number, not only over those mapped into a user namespace.
fn is_real_root() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    geteuid().is_root() && map.split_whitespace().eq(["0", "0", "4294967295"])
}

impl World {
    fn furnish() -> Self {
        namespace::furnish();
        // Linux keeps the working directory per thread here, since `unshare` took it apart with the mounts.
        env::set_current_dir("/").expect("there is a root");
        let world = Self {
            journal: Journal::open(),
            register: Mutex::default(),
            installed: OnceLock::new(),
            serial: AtomicUsize::new(0),
        };
        world.write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\n");
        world.write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
        world.write("/etc/hostname", "world\n");
        world.write("/etc/shells", "/bin/sh\n");
        for empty in ["environment", "default/locale", "fstab"] {
            world.write(format!("/etc/{empty}"), "");
        }
        world.service("other", "auth required pam_deny.so\naccount required pam_deny.so\nsession required pam_deny.so\npassword required pam_deny.so\n");
        world.write_accounts(&world.register.lock().expect("just made"));
        world
    }

    /// Adds an account with its home folder, `/bin/sh` and the password [`crate::PASSWORD`].
    pub fn account(&self, name: &str) -> Account {
        let uid = self.register.lock().expect("nobody panics while holding it").free_uid();
        self.account_with_uid(name, uid)
    }

    /// Adds an account, or gives an existing one another number.
    pub fn account_with_uid(&self, name: &str, uid: u32) -> Account {
        let account = Account { name: name.into(), uid, home: Path::new("/home").join(name) };
        fs::create_dir_all(&account.home).expect("/home is ours");
        self.give(&account.home, &account);
        let mut register = self.register.lock().expect("nobody panics while holding it");
        register.add(account.clone());
        self.write_accounts(&register);
        account
    }

    /// Removes an account; its home folder stays.
    pub fn remove_account(&self, name: &str) {
        let mut register = self.register.lock().expect("nobody panics while holding it");
        register.remove(name);
        self.write_accounts(&register);
    }

    /// Adds a group, or sets the members of one.
    pub fn group(&self, name: &str, members: &[&str]) {
        let mut register = self.register.lock().expect("nobody panics while holding it");
        register.set_group(name, members);
        self.write_accounts(&register);
    }

    fn write_accounts(&self, register: &Register) {
        self.write("/etc/passwd", register.passwd());
        self.write("/etc/group", register.group());
        self.write("/etc/shadow", register.shadow());
        fs::set_permissions("/etc/shadow", Permissions::from_mode(0o640)).expect("/etc is ours");
    }

    /// Writes `/etc/pam.d/NAME`; a text that names `pam_twinlock.so` installs the module.
    pub fn service(&self, name: &str, text: &str) {
        if text.contains("pam_twinlock") {
            self.install();
        }
        self.write(Path::new("/etc/pam.d").join(name), text);
    }

    /// Puts the module among libpam's and the command into `PATH`, as root's copies. Done when first needed.
    ///
    /// # Panics
    /// When they were not built.
    pub fn install(&self) {
        self.installed.get_or_init(|| {
            let copies = [
                ("libpam_twinlock.so", self.module_path(), 0o644),
                ("twinlock", inside("bin/twinlock").into(), 0o755),
                ("twinlockd", inside("bin/twinlockd").into(), 0o755),
            ];
            for (name, target, mode) in copies {
                let built = Path::new(&inside("artefacts")).join(name);
                without_open_programs(|| fs::copy(built, &target)).unwrap_or_else(|error| {
                    panic!("{} is not built ({error}): run `make build`", artefacts::directory().join(name).display())
                });
                fs::set_permissions(&target, Permissions::from_mode(mode)).expect("just written");
            }
        });
    }

    /// The installed module by its whole path, for service files that name it so.
    pub fn module_path(&self) -> PathBuf {
        namespace::module_directory().join("pam_twinlock.so")
    }

    /// The root of this repository, read-only: where it really stands may be out of sight in a world.
    pub fn repository(&self) -> PathBuf {
        inside("repository").into()
    }

    /// A program of the harness, inside the world.
    pub fn harness(&self, name: &str) -> String {
        inside(name)
    }

    /// The folder of what was built, read-only.
    pub fn artefacts(&self) -> PathBuf {
        inside("artefacts").into()
    }

    /// Copies a file or folder of the host's `/etc`, for instance `pam.d/common-auth`, if the host has it.
    pub fn take_from_host_etc(&self, name: &str) {
        namespace::take_from_host(name);
    }

    /// Writes a file with mode 0644, and the folders above it.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = path.as_ref();
        let write =
            fs::create_dir_all(path.parent().expect("a file has a folder")).and_then(|()| fs::write(path, content));
        write.unwrap_or_else(|error| panic!("cannot write {} in the world: {error}", path.display()));
        fs::set_permissions(path, Permissions::from_mode(0o644)).expect("just written");
    }

    /// Changes a text of a file wherever it is in it.
    ///
    /// # Panics
    /// When it is not there.
    pub fn change(&self, path: impl AsRef<Path>, from: &str, to: &str) {
        let path = path.as_ref();
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(text.contains(from), "{from:?} is not in {}: {text}", path.display());
        self.write(path, text.replace(from, to));
    }

    /// Writes a script that can be run.
    pub fn write_script(&self, path: impl AsRef<Path>, content: &str) {
        self.write_program(path, content, 0o755);
    }

    /// Writes a program with this mode, for instance 4755 for one that is set-user-ID.
    pub fn write_program(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>, mode: u32) {
        without_open_programs(|| self.write(&path, content));
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("just written");
    }

    /// Makes `path` belong to the account. In a user namespace only root exists, and root keeps it.
    pub fn give(&self, path: impl AsRef<Path>, account: &Account) {
        let given = chown(&path, Some(account.uid), Some(account.uid));
        assert!(given.is_ok() || !is_real_root(), "cannot give {} away: {given:?}", path.as_ref().display());
    }

    /// All lines of syslog so far.
    pub fn log(&self) -> Vec<LogLine> {
        self.journal.lines()
    }

    /// A place in the log, for [`World::log_since`].
    pub fn log_mark(&self) -> usize {
        self.journal.lines().len()
    }

    /// The lines of syslog from a mark on.
    pub fn log_since(&self, mark: usize) -> Vec<LogLine> {
        self.journal.lines().split_off(mark)
    }

    /// Fails the test if libpam complained of a line of a PAM file.
    ///
    /// # Panics
    /// With the complaints.
    pub fn assert_libpam_took_every_line(&self) {
        let complaints =
            ["unable to dlopen", "illegal module", "bad jump", "unable to read", "parse", "unknown option"];
        let mut lines = self.log();
        lines.retain(|line| complaints.iter().any(|bad| line.text.contains(bad)));
        assert!(lines.is_empty(), "{lines:#?}");
    }

    /// Waits for a line of syslog, past or to come.
    ///
    /// # Panics
    /// When none comes, with the whole log.
    pub fn wait_for_log(&self, wanted: impl Fn(&LogLine) -> bool) -> LogLine {
        self.journal.wait_for(0, DEADLINE, wanted)
    }

    /// A number given out once.
    pub(crate) fn serial(&self) -> usize {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }
}
