//! Where secrets and state are, and the broker's socket.

use std::path::Path;

use twinlock_core::account::UserName;
use twinlock_store::ports::StoreErrorKind;

use super::Symptom;
use crate::{
    copy_on_write::CopyOnWrite,
    doctor::{
        finding::Severity::{Hint, Lockout, Warning},
        host::{Broker, HostFacts, Labels, StoreFacts},
    },
};

/// Files and folders that Twinlock does not trust or cannot read.
pub(super) fn store(facts: &HostFacts) -> Vec<Symptom> {
    trusted(&facts.store, &facts.config.store.directory)
}

fn trusted(store: &StoreFacts, directory: &Path) -> Vec<Symptom> {
    let fault = |error: &twinlock_store::ports::StoreError| {
        let why = if matches!(error.kind, StoreErrorKind::Missing) {
            "without the store no code can be looked at: every login that needs one is refused"
        } else if matches!(error.kind, StoreErrorKind::Identity(_)) {
            "it may be the empty folder beneath a file system that is not mounted: no user counts as not enrolled, and no \
             user can enrol"
        } else {
            "Twinlock refuses what it cannot trust or read, and with it the login"
        };
        Symptom::new(Lockout, Some(error.path.display().to_string()), error.to_string(), why, error.hint())
    };
    let mut all: Vec<Symptom> = store.faults.iter().map(fault).collect();
    let place = || Some(directory.display().to_string());
    if store.read_only {
        let why = "a code must be written down as used before it opens anything: every login that needs one is refused";
        all.push(Symptom::new(
            Lockout,
            place(),
            "the store is on a file system that is read-only",
            why,
            "mount it writable",
        ));
    }
    if store.network {
        let why = "logins lock a file in it and wait for the disk: when the server is away, nobody gets in";
        all.push(Symptom::new(
            Warning,
            place(),
            "the store is on NFS",
            why,
            "move it to a local file system, and set `directory`",
        ));
    }
    if let Some((found, fix)) = copies_on_write(&store.copy_on_write) {
        let why = "each code that is used takes a new block there: when the disk is full, every login that needs one is refused, \
                   recovery codes included";
        all.push(Symptom::new(Warning, place(), found, why, fix));
    }
    all.extend(label(&store.labels, directory));
    all
}

/// What is found of a file system that writes to new blocks, and what helps.
fn copies_on_write(what: &CopyOnWrite) -> Option<(String, &'static str)> {
    const LAYOUT: &str = "`twinlock repair --layout`; and leave the store out of snapshots, after which the next write takes a new block";
    match what {
        CopyOnWrite::No => None,
        CopyOnWrite::Btrfs { folder: true, .. } => {
            Some(("the store is on btrfs without the flag against copy-on-write".into(), LAYOUT))
        }
        CopyOnWrite::Btrfs { users, .. } if users.is_empty() => None,
        CopyOnWrite::Btrfs { users, .. } => {
            let first: Vec<_> = users.iter().take(3).map(UserName::as_str).collect();
            let more = if users.len() > first.len() { ", ..." } else { "" };
            let (count, first) = (users.len(), first.join(", "));
            let found = format!("records without the flag against copy-on-write, on btrfs: {count} ({first}{more})");
            Some((found, LAYOUT))
        }
        CopyOnWrite::Zfs => Some((
            "the store is on ZFS, which has no flag against copy-on-write".into(),
            "move it to another file system, or give it a dataset of its own with `refreservation` set",
        )),
    }
}

/// Labels of `SELinux` with which nobody gets in.
fn label(labels: &Labels, directory: &Path) -> Option<Symptom> {
    let why = "where SELinux enforces, sshd may write below /var/lib only what carries the label for it (var_auth_t)";
    let fix = "`restorecon -Rv` on the store; if that changes nothing, the policy module is missing: docs/install.md";
    let (severity, place, found) = match labels {
        Labels::Fine => return None,
        Labels::Unknown => (Hint, directory, "SELinux enforces, and the labels of the store cannot be read".to_owned()),
        Labels::Other(path, label) => (Lockout, path.as_path(), format!("its SELinux label is {label}")),
    };
    Some(Symptom::new(severity, Some(place.display().to_string()), found, why, fix))
}

/// Whether the file system on which the store should be is mounted.
pub(super) fn mount(facts: &HostFacts) -> Vec<Symptom> {
    let why = "the folder beneath the mount point is not the store: everybody whose second factor is needed is refused";
    let one = |mount: &std::path::PathBuf| {
        let place = Some(mount.display().to_string());
        let found = "nothing is mounted where this host is configured to mount the file system of the store";
        Symptom::new(Lockout, place, found, why, format!("mount {}", mount.display()))
    };
    facts.store.missing_mount.iter().map(one).collect()
}

/// Room for one more attempt.
pub(super) fn space(facts: &HostFacts) -> Vec<Symptom> {
    const LITTLE_BYTES: u64 = 16 * 1024 * 1024;
    const LITTLE_FILES: u64 = 1000;
    let place = || Some(facts.config.store.directory.display().to_string());
    let why = "a code must be written down as used before it opens anything, and users who log in for the first time need a file";
    let one = |left: Option<u64>, little: u64, told: String| {
        let left = left.filter(|left| *left < little)?;
        let severity = if left == 0 { Lockout } else { Warning };
        Some(Symptom::new(severity, place(), told, why, "make room on that file system"))
    };
    let bytes = one(
        facts.store.free_bytes,
        LITTLE_BYTES,
        format!("{} KiB are left for the store", facts.store.free_bytes.unwrap_or(0) / 1024),
    );
    let files = one(
        facts.store.free_files,
        LITTLE_FILES,
        format!("{} files can still be made in the store", facts.store.free_files.unwrap_or(0)),
    );
    bytes.into_iter().chain(files).collect()
}

/// Whether users reach the broker.
pub(super) fn broker(facts: &HostFacts) -> Vec<Symptom> {
    let why = "users without root's rights cannot enrol or see how they stand; logins do not need it";
    let found = match &facts.broker {
        Broker::Fine => None,
        Broker::NotStarted => {
            let fix = "`systemctl enable --now twinlockd.socket`, if users are to help themselves";
            Some(Symptom::new(Hint, None, "twinlockd is installed, and its socket is not there", why, fix))
        }
        Broker::Fault(error) => {
            Some(Symptom::new(Hint, Some(error.path.display().to_string()), error.to_string(), why, error.hint()))
        }
    };
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_on_nfs_is_a_warning() {
        let place = Path::new("/var/lib/twinlock");
        assert_eq!(trusted(&StoreFacts::default(), place), []);
        let found = trusted(&StoreFacts { network: true, ..StoreFacts::default() }, place);
        let told: Vec<_> = found.iter().map(|one| (one.severity, one.place.as_deref(), one.found.as_str())).collect();
        assert_eq!(told, [(Warning, Some("/var/lib/twinlock"), "the store is on NFS")]);
    }

    #[test]
    fn a_file_system_that_copies_on_write_is_a_warning() {
        let found = |copy_on_write| {
            let store = StoreFacts { copy_on_write, ..StoreFacts::default() };
            let all = trusted(&store, Path::new("/var/lib/twinlock"));
            all.into_iter().map(|one| (one.severity, one.found)).collect::<Vec<_>>()
        };
        let users = |names: &[&str]| names.iter().map(|name| UserName::parse(name.as_bytes()).unwrap()).collect();
        let btrfs = |folder, names: &[&str]| CopyOnWrite::Btrfs { folder, users: users(names) };
        assert_eq!(found(CopyOnWrite::No), []);
        assert_eq!(found(btrfs(false, &[])), []);
        for (what, told) in [
            (CopyOnWrite::Zfs, "the store is on ZFS, which has no flag against copy-on-write"),
            (btrfs(true, &["alice"]), "the store is on btrfs without the flag against copy-on-write"),
            (btrfs(false, &["bob"]), "records without the flag against copy-on-write, on btrfs: 1 (bob)"),
            (
                btrfs(false, &["a", "b", "c", "d"]),
                "records without the flag against copy-on-write, on btrfs: 4 (a, b, c, ...)",
            ),
        ] {
            assert_eq!(found(what), [(Warning, told.to_owned())]);
        }
    }
}
