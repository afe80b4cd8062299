//! A folder on a real disk, seen at `/var/lib` in the world: times of a tmpfs would say nothing about `fdatasync`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// A place that exists everywhere, that a world leaves alone, and where the folder waits for the world.
const WAITING: &str = "/mnt";
const PLACE: &str = "/var/lib";
/// The folder's name, without the number of the process.
const NAME: &str = "bench-store-";

/// The folder, removed when dropped.
pub(crate) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Makes a folder below `directory`, and gives this thread mounts of its own with the folder among them.
    pub(crate) fn claim(directory: &Path) -> Self {
        sweep(directory);
        let folder = directory.join(format!("{NAME}{}", process::id()));
        fs::create_dir(&folder).unwrap_or_else(|error| panic!("cannot create {}: {error}", folder.display()));
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("just created");
        let disk = Self { folder };
        unshare(CloneFlags::CLONE_NEWNS).expect("private mounts, as root");
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
            .expect("the mounts are this thread's own");
        bind(&disk.folder, WAITING);
        disk
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("twinlock-bench: cannot remove {}: {error}", self.folder.display());
        }
    }
}

/// Removes what runs left that were killed.
fn sweep(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let left = name.to_str().and_then(|name| name.strip_prefix(NAME)?.parse::<u32>().ok());
        if left.is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists()) {
            // What cannot be removed is in nobody's way.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// Called in the world: its `/var/lib` is the folder from now on.
pub(crate) fn lay_over_var_lib() {
    bind(Path::new(WAITING), PLACE);
    let kind = file_system();
    assert!(!kind.starts_with("tmpfs"), "the stores would be on a tmpfs: name a directory on a disk with --directory");
}

/// The file system of the stores and its mount options: `ext4 on /dev/vda (rw,relatime)`.
pub(crate) fn file_system() -> String {
    let table = fs::read_to_string("/proc/thread-self/mountinfo").unwrap_or_default();
    // proc(5): ID PARENT DEVICE ROOT PLACE OPTIONS [TAG...] - TYPE SOURCE OPTIONS
    let entry = table.lines().rfind(|line| line.split(' ').nth(4) == Some(PLACE)).expect("it was just mounted");
    let (mount, file_system) = entry.split_once(" - ").expect("proc(5)");
    let options = mount.split(' ').nth(5).expect("proc(5)");
    let mut words = file_system.split(' ');
    let (kind, source) = (words.next().expect("proc(5)"), words.next().expect("proc(5)"));
    format!("{kind} on {source} ({options})")
}

fn bind(from: &Path, to: &str) {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .unwrap_or_else(|error| panic!("cannot bind {} to {to}: {error}", from.display()));
}
