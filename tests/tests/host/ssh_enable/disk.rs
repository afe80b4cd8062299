//! A disk that is full, or fails, at each write: nothing is changed, or all of it is undone, now or by the next command.

use std::collections::BTreeMap;
use std::fs;

use twinlock_tests::{Family, Output};

use crate::ssh_enable::killed::{Known, WRITES, calls};
use crate::ssh_enable::stock_host::{Host, configuration, journal, with_host};

/// Runs it with a fault at one call, or from that one on.
fn with_fault(host: &Host<'_>, words: &[&str], call: &str, errno: &str, when: &str) -> Output {
    let inject = format!("inject={call}:error={errno}:when={when}");
    let trace = ["strace", "-o", "/run/trace", "-e", &inject];
    let output = host.world.twinlock_launch(&[&["ssh"], words].concat()).under(trace).run();
    assert!(fs::read_to_string("/run/trace").unwrap().contains("INJECTED"), "the fault came: {inject}");
    output
}

/// Each call that writes, with each number that it comes with.
fn faults(host: &Host<'_>, words: &[&str]) -> Vec<(String, usize)> {
    let mut last: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (name, number) in calls(host, words) {
        if WRITES.contains(&name.as_str()) && !["kill", "unlink", "unlinkat"].contains(&name.as_str()) {
            last.entry(name).or_insert((number, number)).1 = number;
        }
    }
    last.into_iter().flat_map(|(name, (first, end))| (first..=end).map(move |number| (name.clone(), number))).collect()
}

#[test]
fn a_write_that_fails_once_leaves_the_old_configuration() {
    with_host(Family::Debian, |host| {
        let before = configuration();
        // Makes the journal's folder, which is done once.
        host.ssh_done(&["plan"]);
        let faults = faults(host, &["enable", "--keep"]);
        host.ssh_done(&["disable"]);
        assert!(faults.len() > 30, "{faults:?}");
        for (number, (call, when)) in faults.iter().enumerate() {
            let errno = ["ENOSPC", "EIO"][number % 2];
            let output = with_fault(host, &["enable", "--keep"], call, errno, &when.to_string());
            if output.code == Some(0) {
                // A fault that does no harm: the label of a file, the report itself.
                host.ssh_done(&["disable"]);
            }
            let failed = configuration();
            host.ssh_done(&["disable"]);
            assert_eq!(configuration(), before, "{call} {when} {errno}: {output:?}");
            if failed != before {
                assert!(output.stderr.contains("could not be undone"), "{call} {when} {errno}: {output:?}");
            }
            assert_eq!(journal(), [""; 0], "{call} {when} {errno}");
        }
    });
}

#[test]
fn a_disk_that_stays_full_leaves_a_whole_configuration_and_the_next_command_mends_it() {
    with_host(Family::Debian, |host| {
        let before = configuration();
        let known = Known::of(host, &[]);
        for words in [vec!["enable", "--keep"], vec!["disable"]] {
            if words[0] == "disable" {
                host.ssh_done(&["enable", "--keep"]);
            }
            let faults = faults(host, &words);
            host.ssh_done(&["disable"]);
            for (call, when) in faults.iter().step_by(3) {
                if words[0] == "disable" {
                    host.ssh_done(&["enable", "--keep"]);
                }
                let output = with_fault(host, &words, call, "ENOSPC", &format!("{when}+"));
                known.assert_whole(&format!("{call} {when}+: {output:?}"));
                host.ssh_done(&["disable"]);
                assert_eq!((configuration(), journal()), (before.clone(), vec![]), "{call} {when}+");
            }
        }
    });
}
