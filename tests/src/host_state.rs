//! What a PAM module must not change in its host: file descriptors, umask, ids, signals, limits, environment.

use std::collections::BTreeMap;
use std::{env, fs};

use serde::{Deserialize, Serialize};

/// The lines of `/proc/self/status` that a module has no business to change.
const STATUS: &[&str] =
    &["Umask", "Uid", "Gid", "Groups", "Threads", "NoNewPrivs", "Seccomp", "SigBlk", "SigIgn", "SigCgt", "CapEff"];

/// The state of a process; equal before and after when nothing was left behind. Memory is apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostState {
    /// Open file descriptors and what they are, as `/proc/self/fd` shows them.
    pub descriptors: BTreeMap<i32, String>,
    /// Some lines of `/proc/self/status`.
    pub status: BTreeMap<String, String>,
    /// `/proc/self/limits`.
    pub limits: String,
    /// The working directory.
    pub directory: String,
    /// The process environment.
    pub environment: BTreeMap<String, String>,
}

impl HostState {
    pub(crate) fn read() -> Self {
        Self {
            descriptors: descriptors(),
            status: status().into_iter().filter(|(name, _)| STATUS.contains(&name.as_str())).collect(),
            limits: fs::read_to_string("/proc/self/limits").unwrap_or_default(),
            directory: env::current_dir().map(|path| path.display().to_string()).unwrap_or_default(),
            environment: env::vars_os()
                .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
                .collect(),
        }
    }

    /// The umask, in octal, as the kernel shows it: `0022`.
    pub fn umask(&self) -> &str {
        &self.status["Umask"]
    }
}

/// The memory of this process that is in RAM, in KiB.
pub(crate) fn resident_kib() -> u64 {
    let status = status();
    let text = status.get("VmRSS").map(String::as_str).unwrap_or_default();
    text.trim_end_matches(" kB").parse().unwrap_or(0)
}

fn status() -> BTreeMap<String, String> {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.into(), value.trim().into()))
        .collect()
}

fn descriptors() -> BTreeMap<i32, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/proc/self/fd").into_iter().flatten().flatten() {
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let target = fs::read_link(entry.path()).unwrap_or_default().display().to_string();
        // The folder being listed is open only while it is listed.
        if !target.ends_with("/fd") {
            found.insert(number, target);
        }
    }
    found
}
