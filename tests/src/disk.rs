//! A folder on a real disk, seen at `/var/lib` in a world: on a tmpfs a sync takes no time, and nobody comes in between.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::launch::Launch;

/// A place that exists everywhere, that a world leaves alone, and where the folder waits for the world.
const WAITING: &str = "/mnt";
const PLACE: &str = "/var/lib";
/// The folder's name, without the number of the process and its own.
const NAME: &str = "twinlock-store-";

/// The folder, removed when dropped.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Makes a folder below `directory`, and gives this thread mounts of its own with the folder among them.
    ///
    /// # Panics
    /// When the folder cannot be made, and where mounts are not permitted.
    pub fn claim(directory: &Path) -> Self {
        static SERIAL: AtomicUsize = AtomicUsize::new(0);
        sweep(directory);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let folder = directory.join(format!("{NAME}{}-{serial}", process::id()));
        fs::create_dir(&folder).unwrap_or_else(|error| panic!("cannot create {}: {error}", folder.display()));
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("just created");
        let disk = Self { folder };
        unshare(CloneFlags::CLONE_NEWNS).expect("private mounts, as root");
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
            .expect("the mounts are this thread's own");
        bind(&disk.folder, WAITING);
        disk
    }

    /// Called in the world: its `/var/lib`, with all that is there, is on the disk from now on.
    ///
    /// # Panics
    /// Where no disk was claimed before the world was entered.
    pub fn lay_over_var_lib(&self) {
        let copied = Launch::new(["cp", "-a", &format!("{PLACE}/."), WAITING]).run();
        assert_eq!(copied.code, Some(0), "{copied:?}");
        bind(Path::new(WAITING), PLACE);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What cannot be removed now is swept up by the next run.
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Removes what runs left that were killed.
fn sweep(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let left = name.to_str().and_then(|name| name.strip_prefix(NAME)?.split('-').next()?.parse::<u32>().ok());
        if left.is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists()) {
            // What cannot be removed is in nobody's way.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// The file system of the world's `/var/lib` and its mount options: `ext4 on /dev/vda (rw,relatime)`.
pub fn file_system_of_stores() -> String {
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
