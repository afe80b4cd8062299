//! Killed at every system call that writes: the two files are one of the four pairs that mean the old configuration or
//! the new one (`pairs.rs`), and the next command makes it one of the two. `make test` takes every fifth call.

use std::collections::BTreeMap;
use std::fs;

use twinlock_tests::{Family, sample_of_sweep};

use crate::ssh_enable::stock_host::{Host, JOURNAL, configuration, journal, pair, with_host};

/// Calls that change something outside of the process.
pub(crate) const WRITES: [&str; 9] =
    ["mkdir", "write", "fsync", "rename", "unlink", "unlinkat", "fchown", "fchmod", "kill"];

/// The calls from the lock on, each with the how many-th of its name it is. The command is done.
pub(crate) fn calls(host: &Host<'_>, words: &[&str]) -> Vec<(String, usize)> {
    let launch = host.world.twinlock_launch(&[&["ssh"], words].concat());
    let output = launch.under(["strace", "-o", "/run/trace"]).run();
    assert_eq!(output.code, Some(0), "{output:?}");
    let trace = fs::read_to_string("/run/trace").unwrap();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    let mut calls = Vec::new();
    let mut locked = false;
    for (name, _) in trace.lines().filter_map(|line| line.split_once('(')) {
        let number = count.entry(name.into()).or_default();
        *number += 1;
        locked |= name == "flock";
        if locked {
            calls.push((name.to_owned(), *number));
        }
    }
    assert!(locked, "{trace}");
    calls
}

/// The texts of the two files, before, between and after.
pub(crate) struct Known {
    whole: [[Option<String>; 2]; 4],
}

impl Known {
    /// Learnt from a host that is switched on with these words and off again.
    pub(crate) fn of(host: &Host<'_>, words: &[&str]) -> Self {
        let before = pair();
        host.ssh_done(&[&["enable", "--keep"], words].concat());
        let after = pair();
        let bridge = fs::read_to_string(format!("{JOURNAL}/pam.bridge")).ok();
        host.ssh_done(&["disable"]);
        assert_eq!(pair(), before);
        let between = [[bridge.clone(), before[1].clone()], [bridge, after[1].clone()]];
        let [first, second] = between;
        Self { whole: [before, first, second, after] }
    }

    /// The pair that is there is one of the four.
    pub(crate) fn assert_whole(&self, when: &str) {
        assert!(self.whole.contains(&pair()), "{when}: {:?}", pair());
    }

    /// The new configuration is in place.
    fn is_new(&self) -> bool {
        pair() == self.whole[3]
    }
}

fn kill_at(host: &Host<'_>, words: &[&str], (name, number): &(String, usize)) {
    let inject = format!("inject={name}:signal=SIGKILL:when={number}");
    let trace = ["strace", "-o", "/run/trace", "-e", &format!("trace={name}"), "-e", &inject];
    let output = host.world.twinlock_launch(&[&["ssh"], words].concat()).under(trace).run();
    assert_eq!(output.signal, Some(9), "{words:?} {name} {number}: {output:?}");
}

/// Kills a command at each call that writes; `prepare` brings the host to where the command begins. `how` is what `enable` is
/// told.
fn at_every_write(how: &[&str], prepare: &[&[&str]], words: &[&str], at_least: usize) {
    with_host(Family::Debian, |host| {
        let before = configuration();
        let known = Known::of(host, how);
        let prepared = || prepare.iter().for_each(|words| drop(host.ssh_done(words)));
        prepared();
        let calls = calls(host, words);
        host.ssh_done(&["disable"]);
        let points: Vec<_> = calls.iter().filter(|(name, _)| WRITES.contains(&name.as_str())).collect();
        assert!(points.len() >= at_least, "{points:?}");
        for (index, point) in sample_of_sweep(5, points.into_iter()).enumerate() {
            let when = format!("{words:?} {point:?}");
            prepared();
            kill_at(host, words, point);
            known.assert_whole(&when);
            let kept = journal().contains(&"kept".to_owned());
            let trying = journal().contains(&"trying".to_owned());
            assert!(!(kept || trying) || known.is_new(), "{when}: what is said to be in place is");
            // Each verb undoes what was interrupted, and leaves alone what was done.
            let next = host.ssh(&[["plan", "enable", "confirm"][index % 3]]);
            if index % 3 == 0 && !(kept || trying) {
                assert_eq!(configuration(), before, "{when}: {next:?}");
            } else if kept || trying {
                assert!(known.is_new(), "{when}: {next:?}");
            }
            host.ssh_done(&["disable"]);
            assert_eq!((configuration(), journal()), (before.clone(), vec![]), "{when}");
        }
    });
}

#[test]
fn enable() {
    let how = ["--enroll-until", "2199-01-31"];
    at_every_write(&how, &[], &["enable", how[0], how[1]], 70);
}

#[test]
fn enable_with_passwords() {
    let how = ["--mode", "password+code"];
    at_every_write(&how, &[], &["enable", how[0], how[1], "--keep"], 60);
}

#[test]
fn confirm() {
    at_every_write(&[], &[&["enable"]], &["confirm"], 3);
}

#[test]
fn disable() {
    let enable = ["enable", "--enroll-until", "2199-01-31"];
    at_every_write(&enable[1..], &[&enable, &["confirm"]], &["disable"], 18);
}

#[test]
fn the_end_of_a_trial() {
    // What `expire` does is done by the next command, too: the same steps under the same lock.
    with_host(Family::Debian, |host| {
        let before = configuration();
        let known = Known::of(host, &[]);
        let id = || {
            host.ssh_done(&["enable"]);
            let record = fs::read_to_string(format!("{JOURNAL}/trying")).unwrap();
            record.split("\"id\":\"").nth(1).unwrap()[..16].to_owned()
        };
        let first = id();
        let calls = calls(host, &["expire", &first]);
        assert_eq!(configuration(), before);
        let points: Vec<_> = calls.iter().filter(|(name, _)| WRITES.contains(&name.as_str())).collect();
        assert!(points.len() >= 8, "{points:?}");
        for point in points {
            let id = id();
            kill_at(host, &["expire", &id], point);
            known.assert_whole(&format!("{point:?}"));
            host.ssh_done(&["expire", &id]);
            assert_eq!(configuration(), before, "{point:?}");
            host.ssh_done(&["disable"]);
            assert_eq!((configuration(), journal()), (before.clone(), vec![]), "{point:?}");
        }
    });
}
