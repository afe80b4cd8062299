//! Worlds: private, complete, and gone afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use twinlock_tests::{Launch, in_world};

/// Names, sizes and times of everything below `path`.
fn listing(path: &Path, into: &mut BTreeMap<PathBuf, (u64, i64, i64)>) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let Ok(found) = entry.path().symlink_metadata() else {
            continue;
        };
        into.insert(entry.path(), (found.len(), found.mtime(), found.mtime_nsec()));
        if found.is_dir() {
            listing(&entry.path(), into);
        }
    }
}

fn host() -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let mut all = BTreeMap::new();
    for path in ["/etc", "/var/lib/pam", "/var/log", "/home", "/usr/lib/x86_64-linux-gnu/security"] {
        listing(Path::new(path), &mut all);
    }
    all
}

#[test]
fn nothing_done_in_a_world_reaches_the_host() {
    let before = host();
    in_world(|world| {
        let account = world.account("alice");
        world.service("svc", "auth required pam_permit.so\n");
        for folder in ["/etc", "/var", "/var/lib", "/var/log", "/run", "/home", "/root", "/tmp", "/dev"] {
            world.write(format!("{folder}/of-a-world"), "");
        }
        fs::write(world.module_path(), "").unwrap();
        fs::remove_file("/etc/hosts").unwrap();
        assert!(account.home.is_dir());
    });
    assert_eq!(host(), before);
    for folder in ["/etc", "/var", "/var/lib", "/var/log", "/run", "/home", "/root", "/tmp", "/dev"] {
        assert!(!Path::new(folder).join("of-a-world").exists(), "{folder}");
    }
    assert!(!Path::new("/run/harness").exists());
}

#[test]
fn what_a_world_does_not_own_is_read_only() {
    in_world(|_| {
        for path in ["/of-a-world", "/usr/of-a-world", "/run/harness/repository/of-a-world", "/run/harness/host-etc/x"]
        {
            let error = fs::write(path, "").unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::ReadOnlyFilesystem, "{path}");
        }
    });
}

#[test]
fn neither_the_host_nor_another_world_sees_into_a_world() {
    let (entered, wait_entered) = mpsc::channel();
    let (looked, wait_looked) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            in_world(move |world| {
                world.account("alice");
                entered.send(()).unwrap();
                let _ended = wait_looked.recv();
            });
        });
        // Err when that world was skipped.
        if wait_entered.recv().is_ok() {
            assert!(!Path::new("/home/alice").exists() && !Path::new("/run/harness").exists());
            in_world(|_| assert!(!Path::new("/home/alice").exists()));
        }
        drop(looked);
    });
}

#[test]
#[should_panic(expected = "the test failed")]
fn a_panic_in_a_world_fails_the_test() {
    in_world(|_| panic!("the test failed"));
    panic!("the test failed where worlds are skipped");
}

#[test]
fn processes_see_the_accounts_and_groups_of_the_world() {
    in_world(|world| {
        world.account("alice");
        world.group("admins", &["alice"]);
        assert_eq!(
            Launch::new(["id", "alice"]).run().stdout,
            "uid=1001(alice) gid=1001(alice) groups=1001(alice),2001(admins)\n"
        );
        world.remove_account("alice");
        assert_eq!(Launch::new(["id", "alice"]).run().code, Some(1));
    });
}

#[test]
fn a_program_has_no_terminal_and_a_clean_environment() {
    in_world(|_| {
        let output = Launch::new(["sh", "-c", "env | cut -d= -f1 | sort | tr '\\n' ' '; exec 3</dev/tty"]).run();
        assert_eq!(output.stdout, "HOME LANG PATH PWD ");
        assert!(output.stderr.contains("/dev/tty"), "{output:?}");
    });
}

#[test]
fn the_repository_is_at_hand() {
    in_world(|world| assert!(world.repository().join("Cargo.toml").is_file()));
}

#[test]
fn syslog_lines_arrive_in_order_and_whole() {
    in_world(|world| {
        Launch::new(["logger", "-p", "authpriv.notice", "-t", "one", "-i", "first: of two"]).run();
        let mark = world.log_mark();
        Launch::new(["logger", "-p", "user.err", "-t", "two", "second"]).run();
        let all = world.log();
        assert_eq!((all[0].facility, all[0].severity), (10, 5));
        assert_eq!((all[0].tag.as_str(), all[0].text.as_str()), ("one", "first: of two"));
        assert!(all[0].pid.is_some());
        assert_eq!(world.log_since(mark), all[1..]);
        assert_eq!(world.wait_for_log(|line| line.text == "second").to_string(), "two: second");
    });
}
