//! What a login does to the system, counted: one `fdatasync` on one file that was there before, and nothing else.

use std::fs;

use twinlock_tests::{Attempt, BESIDE, STORE, Setup, User};

use crate::module::end::{granted, granted_by_recovery, login, run};

/// The system calls of the module during one attempt, from its loading to the look that the host then takes at itself.
fn calls(alice: &User<'_>, attempt: Attempt) -> Vec<String> {
    let (_, _end) = run(alice.world, attempt.under(["strace", "-f", "-y", "-o", "/run/trace"]));
    let trace = fs::read_to_string("/run/trace").unwrap();
    // Without the number of the process in front.
    let lines = trace.lines().map(|line| line.split_once(' ').map_or(line, |(_, call)| call.trim_start()));
    let loaded = lines.skip_while(|line| !line.contains("pam_twinlock.so"));
    let calls: Vec<_> =
        loaded.skip(1).take_while(|line| !line.contains("\"/proc/self/status\"")).map(str::to_owned).collect();
    assert!(calls.len() > 20, "a trace of the module: {calls:#?}");
    calls
}

fn named<'c>(calls: &'c [String], names: &[&str]) -> Vec<&'c str> {
    let is = |call: &&String| names.iter().any(|name| call.starts_with(&format!("{name}(")));
    calls.iter().filter(is).map(String::as_str).collect()
}

const SYNCS: [&str; 5] = ["fsync", "fdatasync", "sync", "syncfs", "msync"];
const CHANGES: [&str; 16] = [
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "creat",
    "truncate",
    "ftruncate",
    "fchmod",
    "chown",
];

/// One sync, on the state; two writes of one slot each to the state and, after the sync, a mark in the other slot that it
/// is done; no file is made, renamed or removed.
fn is_small(calls: &[String]) {
    let syncs = named(calls, &SYNCS);
    assert!(syncs.len() == 1 && syncs[0].starts_with("fdatasync(") && syncs[0].contains("/state/alice>"), "{syncs:#?}");
    let writes = named(calls, &["pwrite64", "pwritev", "pwritev2"]);
    let sizes = [", 4096, ", ", 4096, ", ", 16, "];
    let sound = writes.iter().zip(sizes).all(|(write, size)| write.contains("/state/alice>") && write.contains(size));
    assert!(writes.len() == sizes.len() && sound, "{writes:#?}");
    let order: Vec<&str> =
        named(calls, &["pwrite64", "fdatasync"]).iter().map(|call| call.split('(').next().unwrap()).collect();
    assert_eq!(order, ["pwrite64", "pwrite64", "fdatasync", "pwrite64"]);
    assert_eq!(named(calls, &CHANGES), Vec::<&str>::new());
    let opened = named(calls, &["open", "openat", "openat2"]);
    assert!(!opened.iter().any(|call| call.contains("O_CREAT") || call.contains("O_TMPFILE")), "{opened:#?}");
}

#[test]
fn a_granted_login_syncs_once_and_makes_no_file() {
    Setup::new().enrolled(|alice| {
        is_small(&calls(alice, alice.attempt().answer(alice.codes().next())));
    });
}

#[test]
fn a_refused_login_syncs_once_and_makes_no_file() {
    Setup::new().enrolled(|alice| {
        is_small(&calls(alice, alice.attempt().answer(alice.wrong_code())));
    });
}

#[test]
fn a_login_with_a_recovery_code_syncs_once_and_makes_no_file() {
    Setup::new().enrolled(|alice| {
        is_small(&calls(alice, alice.attempt().answer(alice.recovery_code(0))));
        assert_eq!(login(alice, &[alice.recovery_code(1)]), granted_by_recovery());
    });
}

#[test]
fn junk_syncs_and_writes_nothing() {
    Setup::new().enrolled(|alice| {
        let calls = calls(alice, alice.attempt().answer("hunter2"));
        let touched = [SYNCS.as_slice(), &CHANGES, &["pwrite64", "flock"]].concat();
        assert_eq!(named(&calls, &touched), Vec::<&str>::new());
    });
}

#[test]
fn no_program_is_run_no_thread_started_and_no_network_used() {
    Setup::new().enrolled(|alice| {
        let calls = calls(alice, alice.attempt().answer(alice.codes().next()));
        assert_eq!(
            named(&calls, &["execve", "execveat", "fork", "vfork", "clone", "clone3", "prctl", "ptrace"]),
            Vec::<&str>::new()
        );
        let sockets = named(&calls, &["socket"]);
        // PF_NETLINK is libpam's own audit.
        assert!(
            sockets.iter().all(|call| call.contains("AF_UNIX") || call.contains("AF_NETLINK")),
            "G20: {sockets:#?}"
        );
    });
}

#[test]
fn nothing_of_the_host_is_changed_on_the_way() {
    Setup::new().enrolled(|alice| {
        let calls = calls(alice, alice.attempt().answer(alice.codes().next()));
        let forbidden = [
            "umask",
            "setuid",
            "setgid",
            "setresuid",
            "setresgid",
            "setfsuid",
            "setfsgid",
            "setgroups",
            "setrlimit",
            "chdir",
            "alarm",
            "setitimer",
        ];
        assert_eq!(named(&calls, &forbidden), Vec::<&str>::new());
        let set_limits: Vec<_> =
            named(&calls, &["prlimit64"]).into_iter().filter(|call| !call.contains(", NULL, ")).collect();
        assert_eq!(set_limits, Vec::<&str>::new());
    });
}

#[test]
fn only_the_configuration_the_accounts_and_the_users_own_files_are_opened() {
    Setup::new().enrolled(|alice| {
        alice.world.account("bob");
        alice.world.deploy("bob");
        let calls = calls(alice, alice.attempt().answer(alice.codes().next()));
        let opened = named(&calls, &["open", "openat", "openat2"]);
        let of_a_successful_one =
            |call: &str| call.rsplit_once("= ").is_some_and(|(_, result)| !result.starts_with('-'));
        // What was opened is behind the arrow: `= 5</var/lib/twinlock>`.
        let paths = opened
            .iter()
            .filter(|call| of_a_successful_one(call))
            .filter_map(|call| call.rsplit_once('<')?.1.strip_suffix('>'));
        let allowed = ["/", "/etc", "/etc/twinlock", "/etc/twinlock/config.toml", BESIDE, "/var", "/var/lib", STORE];
        let own =
            ["credentials", "credentials/alice.toml", "state", "state/alice"].map(|name| format!("{STORE}/{name}"));
        // The last ones are libpam's, libc's and the audit's own.
        let of_libc = [
            "/run/harness/host-modules/pam_debug.so",
            "/run/harness/host-modules/pam_deny.so",
            "/etc/passwd",
            "/etc/nsswitch.conf",
            "/etc/login.defs",
            "/etc/localtime",
            "/etc/pam.d/",
            "/proc/self/loginuid",
            "/usr/",
            "/lib",
            "/etc/ld.so.cache",
            "/etc/group",
            "/etc/host",
        ];
        let strange: Vec<_> = paths
            .filter(|path| !allowed.contains(path) && !own.contains(&(*path).to_owned()))
            .filter(|path| !of_libc.iter().any(|start| path.starts_with(start)))
            .collect();
        assert_eq!(strange, Vec::<&str>::new(), "P10");
        assert!(!opened.iter().any(|call| call.contains("bob")), "{opened:#?}");
    });
}

#[test]
fn each_file_is_opened_once() {
    Setup::new().enrolled(|alice| {
        let calls = calls(alice, alice.attempt().answer(alice.codes().next()));
        for file in ["\"config.toml\"", "\"alice.toml\"", "\"alice\""] {
            let times = named(&calls, &["openat"]).iter().filter(|call| call.contains(file)).count();
            assert_eq!(times, 1, "S09: {file}");
        }
    });
}

#[test]
fn every_file_is_opened_without_following_links_or_surviving_an_exec() {
    Setup::new().enrolled(|alice| {
        let calls = calls(alice, alice.attempt().answer(alice.codes().next()));
        let ours =
            named(&calls, &["openat"]).into_iter().filter(|call| call.contains("twinlock") || call.contains("\"alice"));
        // What is opened by O_PATH is not waited for either.
        let never_waits = |call: &str| call.contains("O_NONBLOCK") || call.contains("O_PATH");
        let loose: Vec<_> = ours
            .filter(|call| !(call.contains("O_NOFOLLOW") && call.contains("O_CLOEXEC") && never_waits(call)))
            .collect();
        assert_eq!(loose, Vec::<&str>::new());
    });
}

#[test]
fn the_work_of_a_login_does_not_grow_with_the_number_of_users() {
    Setup::new().enrolled(|alice| {
        let before = calls(alice, alice.attempt().answer(alice.codes().next())).len();
        for number in 0..500 {
            alice.world.deploy(&format!("user{number}"));
        }
        alice.state().write(alice.world);
        let after = calls(alice, alice.attempt().answer(alice.codes().next())).len();
        assert_eq!(after, before);
        assert_eq!(login(alice, &[alice.recovery_code(0)]), granted_by_recovery());
        alice.state().write(alice.world);
        assert_eq!(login(alice, &[&alice.codes().next()]), granted());
    });
}
