//! A root to install into: this host's own (or the one that `TWINLOCK_ROOT` names, made by debootstrap), with every change
//! kept in memory and gone afterwards. Nothing of it is seen outside the test's thread and its children.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, panic, thread};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use twinlock_tests::is_root_in_earnest;

use crate::packages::built::{Folder, both};

/// The root, from outside.
pub(crate) struct Root(PathBuf);

/// Runs the test with a root of its own; says so and skips it where there can be none.
pub(crate) fn in_root(test: impl FnOnce(&Root) + Send) {
    if !is_root_in_earnest("a root to install packages into") {
        return;
    }
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let folder = Folder::new(&name.replace("::", "-"));
    let ended = thread::scope(|scope| {
        let inside = || {
            unshare(CloneFlags::CLONE_NEWNS).unwrap();
            mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).unwrap();
            test(&Root::mount(&folder.0));
        };
        thread::Builder::new().name(name).spawn_scoped(scope, inside).unwrap().join()
    });
    drop(folder);
    if let Err(cause) = ended {
        panic::resume_unwind(cause);
    }
}

impl Root {
    fn mount(folder: &Path) -> Self {
        mount(Some("twinlock-tests"), folder, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
        let [changes, work, root] = ["changes", "work", "root"].map(|name| folder.join(name));
        for each in [&changes, &work, &root] {
            fs::create_dir(each).unwrap();
        }
        let lower = env::var("TWINLOCK_ROOT").unwrap_or_else(|_| "/".into());
        let options = format!("lowerdir={lower},upperdir={},workdir={}", changes.display(), work.display());
        mount(Some("twinlock-tests"), &root, Some("overlay"), MsFlags::empty(), Some(options.as_str()))
            .unwrap_or_else(|error| panic!("no overlay over {lower}: {error}"));
        for device in ["null", "zero", "urandom", "tty"] {
            let node = root.join("dev").join(device);
            if !node.exists() {
                fs::write(&node, "").unwrap();
            }
            let host = Path::new("/dev").join(device);
            mount(Some(&host), &node, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
        }
        mount(Some("proc"), &root.join("proc"), Some("proc"), MsFlags::empty(), None::<&str>).unwrap();
        let root = Self(root);
        // Indexing every manual page of the host after each step says nothing about us.
        if root.exists("var/lib/dpkg/triggers/File") {
            root.write("var/lib/dpkg/triggers/File", "");
        }
        // A host on which Twinlock was installed is no clean one.
        for left in ["etc/twinlock", "etc/pam.d/twinlock", "var/lib/twinlock", "usr/share/twinlock"] {
            let path = root.path(left);
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else if path.exists() {
                fs::remove_file(path).unwrap();
            }
        }
        root
    }

    /// A path in the root, from outside.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.join(path.trim_start_matches('/'))
    }

    /// Brings a file in, and returns its path inside.
    pub(crate) fn bring(&self, file: &Path) -> String {
        let name = file.file_name().unwrap().to_str().unwrap();
        fs::create_dir_all(self.path("packages")).unwrap();
        fs::copy(file, self.path("packages").join(name)).unwrap();
        format!("/packages/{name}")
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    pub(crate) fn mode(&self, path: &str) -> u32 {
        self.path(path).metadata().unwrap().permissions().mode() & 0o7777
    }

    /// Every file that decides about logins and about what runs, but for the PAM service that is ours alone.
    pub(crate) fn what_logins_need(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        for folder in ["etc/pam.d", "etc/ssh", "etc/systemd", "etc/fail2ban"] {
            collect(&self.path(folder), &mut found);
        }
        found.remove(&self.path("etc/pam.d/twinlock"));
        assert!(found.len() > 5, "{:?}", found.keys());
        found
    }

    /// Runs a program in the root, as an installation without anybody to ask does.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_reading("", arguments)
    }

    /// The same with this to read.
    pub(crate) fn run_reading(&self, input: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new("chroot");
        command.arg(&self.0).args(arguments);
        give(command, "noninteractive", input)
    }

    /// Runs a program in the root on a terminal, at which somebody types this when asked.
    pub(crate) fn run_answering(&self, answer: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new("script");
        let line = format!("chroot {} {}", self.0.display(), arguments.join(" "));
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        give(command, "teletype", answer)
    }

    /// What it wrote, when it must succeed.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", both(&output));
        both(&output)
    }

    /// What it wrote, when it must fail.
    pub(crate) fn fail(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?}: {}", both(&output));
        both(&output)
    }
}

fn give(mut command: Command, frontend: &str, input: &str) -> Output {
    command.env_clear().env("DEBIAN_FRONTEND", frontend);
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8").env("HOME", "/root");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The content of every file below a folder, and where its links lead.
fn collect(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            collect(&path, found);
        } else if path.is_symlink() {
            found.insert(path.clone(), fs::read_link(path).unwrap().into_os_string().into_encoded_bytes());
        } else {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
}
