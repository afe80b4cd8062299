//! Where secrets and state are, and the broker's socket.

use std::path::Path;

use super::Symptom;
use crate::{
    copy_on_write::CopyOnWrite,
    doctor::{
        finding::Severity::{Hint, Lockout, Warning},
        host::{Broker, HostFacts, Labels, StoreFacts},
    },
    messages::{self, Text},
};

/// Files and folders that Twinlock does not trust or cannot read.
pub(super) fn store(facts: &HostFacts) -> Vec<Symptom> {
    trusted(&facts.store, &facts.config.store.directory)
}

fn trusted(store: &StoreFacts, directory: &Path) -> Vec<Symptom> {
    let fault = |error: &twinlock_store::ports::StoreError| {
        let text = messages::store_fault(&error.kind, error.to_string(), error.hint());
        Symptom::of_path(Lockout, &error.path, text)
    };
    let mut all: Vec<Symptom> = store.faults.iter().map(fault).collect();
    let mut add = |severity, text| all.push(Symptom::of_path(severity, directory, text));
    if store.read_only {
        add(Lockout, messages::store_read_only());
    }
    if store.network {
        add(Warning, messages::store_on_nfs());
    }
    if let Some(text) = copies_on_write(&store.copy_on_write) {
        add(Warning, text);
    }
    all.extend(label(&store.labels, directory));
    all
}

/// What is found of a file system that writes to new blocks.
fn copies_on_write(what: &CopyOnWrite) -> Option<Text> {
    match what {
        CopyOnWrite::Btrfs { folder: true, .. } => Some(messages::store_on_btrfs()),
        CopyOnWrite::Btrfs { users, .. } if !users.is_empty() => Some(messages::records_on_btrfs(users)),
        CopyOnWrite::No | CopyOnWrite::Btrfs { .. } => None,
        CopyOnWrite::Zfs => Some(messages::store_on_zfs()),
    }
}

/// Labels of `SELinux` with which nobody gets in.
fn label(labels: &Labels, directory: &Path) -> Option<Symptom> {
    let (severity, place, label) = match labels {
        Labels::Fine => return None,
        Labels::Unknown => (Hint, directory, None),
        Labels::Other(path, label) => (Lockout, path.as_path(), Some(label.as_str())),
    };
    Some(Symptom::of_path(severity, place, messages::store_label(directory, label)))
}

/// Whether the file system on which the store should be is mounted.
pub(super) fn mount(facts: &HostFacts) -> Option<Symptom> {
    let mount_point = facts.store.missing_mount.as_ref()?;
    Some(Symptom::of_path(Lockout, mount_point, messages::not_mounted(mount_point)))
}

/// Room for one more attempt.
pub(super) fn space(facts: &HostFacts) -> Vec<Symptom> {
    const LITTLE_BYTES: u64 = 16 * 1024 * 1024;
    const LITTLE_FILES: u64 = 1000;
    let one = |left: Option<u64>, little: u64, text: fn(u64) -> Text| {
        let left = left.filter(|left| *left < little)?;
        let severity = if left == 0 { Lockout } else { Warning };
        Some(Symptom::of_path(severity, &facts.config.store.directory, text(left)))
    };
    let bytes = one(facts.store.free_bytes, LITTLE_BYTES, messages::few_bytes);
    bytes.into_iter().chain(one(facts.store.free_files, LITTLE_FILES, messages::few_files)).collect()
}

/// Whether users reach the broker.
pub(super) fn broker(facts: &HostFacts) -> Option<Symptom> {
    match &facts.broker {
        Broker::Fine => None,
        Broker::NotStarted => Some(Symptom::new(Hint, None, messages::broker_not_started())),
        Broker::Fault(error) => {
            Some(Symptom::of_path(Hint, &error.path, messages::broker_fault(error.to_string(), error.hint())))
        }
    }
}

#[cfg(test)]
mod tests {
    use twinlock_core::account::UserName;

    use super::*;

    #[test]
    fn a_store_on_nfs_is_a_warning() {
        let place = Path::new("/var/lib/twinlock");
        assert_eq!(trusted(&StoreFacts::default(), place), []);
        let found = trusted(&StoreFacts { network: true, ..StoreFacts::default() }, place);
        let told: Vec<_> =
            found.iter().map(|one| (one.severity, one.place.as_deref(), one.text.found.as_str())).collect();
        assert_eq!(told, [(Warning, Some("/var/lib/twinlock"), "the store is on NFS")]);
    }

    #[test]
    fn a_file_system_that_copies_on_write_is_a_warning() {
        let found = |copy_on_write| {
            let store = StoreFacts { copy_on_write, ..StoreFacts::default() };
            let all = trusted(&store, Path::new("/var/lib/twinlock"));
            all.into_iter().map(|one| (one.severity, one.text.found)).collect::<Vec<_>>()
        };
        let users = |names: &[&str]| names.iter().map(|name| UserName::parse(name.as_bytes()).unwrap()).collect();
        let btrfs = |folder, names: &[&str]| CopyOnWrite::Btrfs { folder, users: users(names) };
        assert_eq!(found(CopyOnWrite::No), []);
        assert_eq!(found(btrfs(false, &[])), []);
        for (what, told) in [
            (CopyOnWrite::Zfs, "the store is on ZFS, which has no flag against copy-on-write"),
            (btrfs(true, &["alice"]), "the store is on btrfs without the no-copy-on-write flag"),
            (btrfs(false, &["bob"]), "1 record on btrfs lacks the no-copy-on-write flag: bob"),
            (btrfs(false, &["a", "b", "c", "d"]), "4 records on btrfs lack the no-copy-on-write flag: a, b, c, d"),
        ] {
            assert_eq!(found(what), [(Warning, told.to_owned())]);
        }
    }
}
