//! A small btrfs in an image, seen at `/var/lib` in a world: a file system on which a write in place takes a new block.

use std::fs;
use std::path::{Path, PathBuf};

use crate::launch::Launch;

/// Inside a world, which takes it along when it ends.
const IMAGE: &str = "/run/btrfs.img";
/// The smallest that mkfs.btrfs makes has 109 MiB.
const BYTES: u64 = 128 * 1024 * 1024;
const PLACE: &str = "/var/lib";

/// A mounted image.
#[derive(Debug)]
pub struct LoopDisk {
    image: PathBuf,
}

impl LoopDisk {
    /// Makes a btrfs, and lays it over the `/var/lib` of the world, with all that is there.
    ///
    /// # Panics
    /// Where there is no mkfs.btrfs, no loop device and no btrfs in the kernel.
    pub fn lay_over_var_lib() -> Self {
        let disk = Self { image: IMAGE.into() };
        fs::File::create(&disk.image).and_then(|file| file.set_len(BYTES)).expect("/run is ours");
        run(&["mkfs.btrfs", "-q", IMAGE]);
        loop_devices();
        fs::create_dir("/run/aside").expect("/run is ours");
        run(&["cp", "-a", &format!("{PLACE}/."), "/run/aside"]);
        disk.mount();
        run(&["cp", "-a", "/run/aside/.", PLACE]);
        run(&["sync", "-f", PLACE]);
        disk
    }

    /// Mounts the image. Between two syncs nothing is written by a timer: the image is what the last call left.
    pub fn mount(&self) {
        // The kernel remembers file systems by their id, and an older image of one that it saw is refused.
        run(&["btrfs", "-q", "device", "scan", "--forget"]);
        run(&["mount", "-o", "loop,commit=3600", &self.image.display().to_string(), PLACE]);
    }

    /// Unmounts it.
    pub fn unmount(&self) {
        run(&["umount", PLACE]);
    }

    /// The image, which has what the file system has handed to its device.
    pub fn image(&self) -> &Path {
        &self.image
    }

    /// Fills the file system until no byte of a new file fits any more, as an ordinary user of the same disk could.
    ///
    /// # Panics
    /// Where there is still room.
    pub fn fill(&self) {
        run(&["mkdir", "-p", "/var/lib/others"]);
        // What is freed when the file system writes its own tree is taken too.
        let fill = "cd /var/lib/others; n=0; for size in 1048576 4096 1024 1; do tries=0; while [ $tries -lt 3 ]; do \
                    n=$((n+1)); head -c $size /dev/zero 2>/dev/null >$n || { sync -f .; tries=$((tries+1)); }; done; done; \
                    ! echo x 2>/dev/null >last";
        run(&["sh", "-c", fill]);
    }
}

/// The loop devices of the host, in the world's own `/dev`.
fn loop_devices() {
    let nodes = (0..64).map(|number| format!("mknod -m 600 /dev/loop{number} b 7 {number}\n"));
    let script: String = std::iter::once(
        "mknod -m 600 /dev/loop-control c 10 237; mknod -m 600 /dev/btrfs-control c 10 234\n".to_owned(),
    )
    .chain(nodes)
    .collect();
    run(&["sh", "-ec", &script]);
}

fn run(arguments: &[&str]) {
    let output = Launch::new(arguments).run();
    assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
}
