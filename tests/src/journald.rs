//! A real systemd-journald in a world: for what becomes of the log when there is too much of it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};

use crate::launch::Launch;
use crate::process::{DEADLINE, Process};
use crate::world::World;

const PROGRAM: &str = "/usr/lib/systemd/systemd-journald";
const FOLDER: &str = "/run/systemd/journal";
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";

/// A running journald, which has `/dev/log` from here on, and a control group that it takes for the unit of a service.
#[derive(Debug)]
pub struct Journald {
    process: Process,
    slice: PathBuf,
    unit: PathBuf,
}

impl World {
    /// Starts journald, which takes so many lines of one priority class from one unit, times what the room on the disk
    /// lets it add.
    pub fn journald(&self, burst: u32) -> Journald {
        self.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
        let settings = format!(
            "[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=\nRateLimitIntervalSec=1h\nRateLimitBurst={burst}\n"
        );
        self.write("/etc/systemd/journald.conf", settings);
        fs::create_dir_all(FOLDER).expect("/run is ours");
        fs::create_dir_all("/run/log/journal").expect("/run is ours");
        fs::rename("/dev/log", "/dev/log.harness").expect("/dev is ours");
        symlink(format!("{FOLDER}/dev-log"), "/dev/log").expect("/dev is ours");
        mount(Some("none"), CONTROL_GROUPS, Some("cgroup2"), MsFlags::empty(), None::<&str>)
            .unwrap_or_else(|error| panic!("cannot mount control groups: {error}"));
        let name = format!("twinlocktest{}x{}", std::process::id(), self.serial());
        let slice = Path::new(CONTROL_GROUPS).join(format!("{name}.slice"));
        let unit = slice.join(format!("{name}.service"));
        fs::create_dir_all(&unit).expect("root may make control groups");
        let process = Launch::new([PROGRAM]).start();
        let journald = Journald { process, slice, unit };
        let end = Instant::now() + DEADLINE;
        while !["dev-log", "stdout", "io.systemd.journal"].iter().all(|name| Path::new(FOLDER).join(name).exists()) {
            assert!(journald.process.is_running() && Instant::now() < end, "journald does not listen");
            sleep(Duration::from_millis(2));
        }
        journald
    }
}

impl Journald {
    /// For [`Launch::under`]: makes a program one of the unit.
    pub fn in_unit(&self) -> Vec<String> {
        let script = format!("echo $$ >{}/cgroup.procs && exec \"$@\"", self.unit.display());
        ["sh", "-c", script.as_str(), "sh"].map(str::to_owned).into()
    }

    /// What it has of this identifier by now, each line as `PRIORITY TEXT`.
    pub fn lines(&self, identifier: &str) -> Vec<String> {
        let run = |arguments: &[&str]| {
            let output = Launch::new([&["journalctl"], arguments].concat()).run();
            assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
            output.stdout
        };
        run(&["--sync"]);
        let text = run(&["--directory=/run/log/journal", "--output=json", "--no-pager", "-t", identifier]);
        text.lines()
            .map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).expect("journalctl writes JSON");
                let text = |key: &str| line[key].as_str().unwrap_or_else(|| panic!("no {key} in {line}")).to_owned();
                format!("{} {}", text("PRIORITY"), text("MESSAGE"))
            })
            .collect()
    }
}

impl Drop for Journald {
    fn drop(&mut self) {
        self.process.kill();
        // What ran there has to end first; a kernel without cgroup.kill has nothing else there than what tests drop.
        drop(fs::write(self.unit.join("cgroup.kill"), "1"));
        let end = Instant::now() + DEADLINE;
        while fs::remove_dir(&self.unit).is_err() && Instant::now() < end {
            sleep(Duration::from_millis(2));
        }
        drop(fs::remove_dir(&self.slice));
    }
}
