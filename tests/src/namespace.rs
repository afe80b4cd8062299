//! The mounts of a world: private file systems laid over the host's, seen by the calling thread and its children only.
//! Whatever is not covered is read-only, so the host cannot be changed even by mistake.

use std::env::consts::ARCH;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statvfs::{FsFlags, statvfs};

use crate::artefacts;

/// Everything the harness itself needs inside a world.
pub(crate) const HARNESS: &str = "/run/harness";

/// What is taken over from the host's `/etc`: what libc, the shell and stock PAM modules read.
const FROM_HOST_ETC: &[&str] = &[
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "login.defs",
    "os-release",
    "protocols",
    "security",
    "services",
    "ssh/moduli",
    "terminfo",
];

/// Gives the calling thread its own mounts. The error is the one of the first call, when this is not allowed here.
pub(crate) fn separate() -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
}

/// Lays the private file systems over the host's. Call after [`separate`].
pub(crate) fn furnish() {
    tmpfs("/run", "0755");
    directory(HARNESS, 0o755);
    directory(&inside("bin"), 0o755);
    directory(&inside("reports"), 0o1777);
    // Sources first: the target directory and the repository may lie below /home, /root or /tmp, hidden from here on.
    bind_read_only(Path::new("/etc"), &inside("host-etc"));
    bind_read_only(artefacts::repository(), &inside("repository"));
    let built = artefacts::directory();
    if built.is_dir() {
        bind_read_only(&built, &inside("artefacts"));
    }
    for name in ["pam-driver", "connector", "fault-host"] {
        let helper = artefacts::helper(name);
        // The demonstration needs none, and is built without them.
        if helper.is_file() {
            bind_read_only(&helper, &inside(name));
        }
    }

    for (path, mode) in [("/home", "0755"), ("/root", "0700"), ("/tmp", "1777"), ("/var", "0755"), ("/etc", "0755")] {
        tmpfs(path, mode);
    }
    for (path, mode) in [("/var/lib", 0o755), ("/var/log", 0o755), ("/var/empty", 0o755), ("/var/tmp", 0o1777)] {
        directory(path, mode);
    }
    directory("/var/mail", 0o1777);
    symlink("/run", "/var/run").expect("link /var/run");
    for name in FROM_HOST_ETC {
        take_from_host(name);
    }
    devices();
    shadow_modules();
    read_only("/");
}

/// Copies one file or folder of the host's `/etc` into the world's; what the host does not have is left out.
pub(crate) fn take_from_host(name: &str) {
    copy(&Path::new(&inside("host-etc")).join(name), &Path::new("/etc").join(name));
}

/// The folder of the PAM modules of this architecture, where libpam looks for a plain file name.
pub(crate) fn module_directory() -> PathBuf {
    let triplets = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let ours = triplets.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&format!("{ARCH}-linux"))
    });
    let known = ["/usr/lib64", "/lib64", "/usr/lib", "/lib"].map(PathBuf::from);
    ours.chain(known)
        .map(|path| path.join("security"))
        .find(|path| path.join("pam_permit.so").exists())
        .expect("no folder with pam_permit.so: is libpam installed?")
}

pub(crate) fn inside(name: &str) -> String {
    format!("{HARNESS}/{name}")
}

fn tmpfs(path: &str, mode: &str) {
    mount(Some("twinlock-tests"), path, Some("tmpfs"), MsFlags::empty(), Some(format!("mode={mode}").as_str()))
        .unwrap_or_else(|error| panic!("cannot mount a tmpfs over {path}: {error}"));
}

fn directory(path: &str, mode: u32) {
    fs::create_dir(path).unwrap_or_else(|error| panic!("cannot create {path}: {error}"));
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("the folder is ours");
}

fn bind_read_only(source: &Path, target: &str) {
    bind(source, target);
    read_only(target);
}

fn bind(source: &Path, target: &str) {
    if source.is_dir() {
        drop(fs::create_dir(target));
    } else {
        drop(File::create(target));
    }
    mount(Some(source), target, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)
        .unwrap_or_else(|error| panic!("cannot bind {} to {target}: {error}", source.display()));
}

/// Flags that a user namespace may not take away have to be repeated.
fn read_only(path: &str) {
    let now = statvfs(path).expect("a mount has a state").flags();
    let kept = [
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
    ];
    let kept = kept.into_iter().filter(|(flag, _)| now.contains(*flag)).map(|(_, flag)| flag);
    let flags = kept.fold(MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY, |all, flag| all | flag);
    mount(None::<&str>, path, None::<&str>, flags, None::<&str>)
        .unwrap_or_else(|error| panic!("cannot make {path} read-only: {error}"));
}

fn copy(source: &Path, target: &Path) {
    let Ok(found) = source.symlink_metadata() else {
        return;
    };
    fs::create_dir_all(target.parent().expect("below /etc")).expect("/etc is ours");
    if found.is_symlink() {
        symlink(fs::read_link(source).expect("just seen"), target).expect("/etc is ours");
    } else if found.is_dir() {
        fs::create_dir_all(target).expect("/etc is ours");
        for entry in fs::read_dir(source).into_iter().flatten().flatten() {
            copy(&entry.path(), &target.join(entry.file_name()));
        }
    } else {
        // What even we may not read (in a user namespace) is not for tests.
        drop(fs::copy(source, target));
    }
}

/// A `/dev` of our own, so that `/dev/log` can be ours. Device nodes are bound: making them needs more rights.
fn devices() {
    const NODES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
    let kept = inside("dev");
    directory(&kept, 0o755);
    for node in NODES {
        bind(&Path::new("/dev").join(node), &format!("{kept}/{node}"));
    }
    tmpfs("/dev", "0755");
    for node in NODES {
        bind(Path::new(&format!("{kept}/{node}")), &format!("/dev/{node}"));
    }
    directory("/dev/shm", 0o1777);
    directory("/dev/pts", 0o755);
    let full = mount(
        Some("devpts"),
        "/dev/pts",
        Some("devpts"),
        MsFlags::empty(),
        Some("newinstance,ptmxmode=0666,mode=620,gid=5"),
    );
    if full.is_err() {
        // In a user namespace group 5 (tty) does not exist.
        mount(Some("devpts"), "/dev/pts", Some("devpts"), MsFlags::empty(), Some("newinstance,ptmxmode=0666"))
            .expect("mount devpts");
    }
    let links =
        [("pts/ptmx", "ptmx"), ("/proc/self/fd", "fd"), ("fd/0", "stdin"), ("fd/1", "stdout"), ("fd/2", "stderr")];
    for (to, name) in links {
        symlink(to, Path::new("/dev").join(name)).expect("/dev is ours");
    }
}

/// A module folder of our own, with links to the host's modules, so that `pam_twinlock.so` can be put beside them.
fn shadow_modules() {
    let modules = module_directory();
    let host = inside("host-modules");
    bind_read_only(&modules, &host);
    tmpfs(modules.to_str().expect("a plain path"), "0755");
    for entry in fs::read_dir(&host).expect("just bound").flatten() {
        let name = entry.file_name();
        // One installed on the host must not be tested by mistake.
        if name != "pam_twinlock.so" {
            symlink(entry.path(), modules.join(name)).expect("the folder is ours");
        }
    }
}
