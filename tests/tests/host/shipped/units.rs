//! `config/systemd/`: systemd takes the units and finds little to say against them, and the broker does its work under as
//! many of their restrictions as can be had without systemd.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use twinlock_tests::{
    Account, Authenticator, Launch, Output, PASSWORD, Terminal, World, in_world, is_root_in_earnest, set_mode,
};

const SERVICE: &str = "systemd/twinlockd.service";

fn systemd_analyze(arguments: &[&str]) -> Output {
    assert!(Path::new("/usr/bin/systemd-analyze").exists(), "systemd-analyze is missing: run `make deps`");
    Launch::new([&["systemd-analyze", "--no-pager"], arguments].concat()).run()
}

/// All values of a setting of the service, in the order of the file.
fn values(world: &World, key: &str) -> Vec<String> {
    let unit = world.shipped(SERVICE);
    let lines = unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let values: Vec<_> = lines.flat_map(str::split_whitespace).map(str::to_owned).collect();
    assert!(!values.is_empty(), "{key}");
    values
}

#[test]
fn systemd_rates_the_service_under_two() {
    in_world(|world| {
        world.write("/tmp/twinlockd.service", world.shipped(SERVICE));
        // In tenths.
        let rated = systemd_analyze(&["security", "--offline=true", "--threshold=19", "/tmp/twinlockd.service"]);
        assert_eq!(rated.code, Some(0), "{rated:?}");
        assert!(rated.stdout.contains("Overall exposure level for twinlockd.service: 1."), "{rated:?}");
    });
}

#[test]
fn systemd_takes_the_units_as_they_are_installed() {
    in_world(|world| {
        world.install();
        fs::create_dir_all("/tmp/prefix/sbin").unwrap();
        fs::copy(world.artefacts().join("twinlockd"), "/tmp/prefix/sbin/twinlockd").unwrap();
        fs::create_dir_all("/tmp/prefix/bin").unwrap();
        fs::copy(world.artefacts().join("twinlock"), "/tmp/prefix/bin/twinlock").unwrap();
        let units = ["twinlockd.socket", "twinlockd.service", "twinlock-unseal.service"];
        for unit in units {
            let text = world.shipped(Path::new("systemd").join(unit)).replace("/usr/local/", "/tmp/prefix/");
            world.write(Path::new("/tmp/units").join(unit), text);
        }
        let verified = systemd_analyze(
            &[
                &["verify", "--man=no"][..],
                &units.map(|unit| format!("/tmp/units/{unit}")).each_ref().map(String::as_str),
            ]
            .concat(),
        );
        // Faults of the host's own units are told as well, by their names.
        let is_ours = |line: &&str| units.iter().any(|unit| line.contains(unit)) || line.contains("/tmp/units");
        let about_ours: Vec<_> = verified.stderr.lines().filter(is_ours).collect();
        assert_eq!((verified.code, about_ours.as_slice()), (Some(0), &[][..]), "{verified:?}");
    });
}

/// A whole first enrolment, a wrong password before it.
fn enrol(world: &World, alice: &Account) {
    let mut terminal = Terminal::start(world.twinlock_as(alice, &["enroll"]));
    terminal.expect("Password: ");
    terminal.send_line("wrong");
    terminal.expect("the password was not accepted");
    assert_eq!(terminal.finish().code, Some(1));
    let mut terminal = Terminal::start(world.twinlock_as(alice, &["enroll"]));
    terminal.expect("Password: ");
    terminal.send_line(PASSWORD);
    let shown = terminal.expect("Enter the code that the app shows now: ");
    let uri = shown.split_whitespace().find(|word| word.starts_with("otpauth://")).unwrap();
    terminal.send_line(&Authenticator::from_uri(uri).codes().next());
    let shown = terminal.expect("Enter one of these codes to confirm that you saved them: ");
    let recovery = shown.split_whitespace().find(|word| word.len() == 19).unwrap().to_owned();
    terminal.send_line(&recovery);
    terminal.expect("Done: alice now has a second factor.");
    assert_eq!(terminal.finish().code, Some(0));
}

/// Runs the test where alice may enrol, with the strictest shadow file there is and with a count of wrong passwords.
fn with_alice(test: impl FnOnce(&World, &Account) + Send) {
    if !is_root_in_earnest("another user") {
        return;
    }
    in_world(|world| {
        world.set_up("");
        world.service(
            "twinlock",
            "auth required pam_faillock.so preauth\nauth [success=1 default=bad] pam_unix.so\n\
             auth [default=die] pam_faillock.so authfail\nauth required pam_permit.so\n\
             account required pam_unix.so\n",
        );
        for folder in ["/run/faillock", "/run/twinlock", "/var/spool"] {
            fs::create_dir_all(folder).unwrap();
        }
        let alice = world.account("alice");
        // As RHEL has it.
        set_mode("/etc/shadow", 0o000);
        test(world, &alice);
    });
}

/// Sockets of other services, the unit's and some that anybody of root's rights could have something started by.
const SOCKETS: [&str; 7] = [
    "/run/systemd/private",
    "/run/systemd/io.systemd.Manager",
    "/run/systemd/journal/socket",
    "/run/systemd/userdb/io.systemd.DynamicUser",
    "/run/dbus/system_bus_socket",
    "/run/docker.sock",
    "/run/podman/podman.sock",
];
/// Those that the broker needs.
const SEEN: [&str; 2] = ["/run/systemd/journal/socket", "/run/systemd/userdb/io.systemd.DynamicUser"];

/// The paths of a setting, without what says how they are mounted.
fn paths(world: &World, key: &str) -> Vec<String> {
    values(world, key).iter().map(|path| path.trim_start_matches('-').trim_end_matches(":ro").to_owned()).collect()
}

#[test]
fn the_broker_works_with_the_rights_and_the_files_that_the_unit_leaves_it() {
    with_alice(|world, alice| {
        let kept: Vec<_> = values(world, "CapabilityBoundingSet")
            .iter()
            .map(|capability| format!(",+{}", capability.strip_prefix("CAP_").unwrap().to_lowercase()))
            .collect();
        let writable: Vec<_> =
            values(world, "ReadWritePaths").iter().map(|path| path.trim_start_matches('-').to_owned()).collect();
        assert!(writable.contains(&"/var/lib/twinlock".into()), "{writable:?}");
        let _sockets = SOCKETS.map(|path| {
            fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
            UnixListener::bind(path).unwrap()
        });
        world.write("/run/systemd/sessions/7", "UID=1001\n");
        // What ProtectSystem=strict, ProtectHome=yes and the settings of /run/systemd do; all else is read-only in a world.
        // The socket would be systemd's.
        let hidden = paths(world, "TemporaryFileSystem").join(" ");
        let kept_of_it = paths(world, "BindReadOnlyPaths").join(" ");
        let inaccessible = paths(world, "InaccessiblePaths").join(" ");
        let script = format!(
            "set -e; for path in {} /run/twinlock; do mount --bind $path $path; done\n\
             mkdir /tmp/kept && mount --rbind /run/systemd /tmp/kept\n\
             for path in {hidden}; do mount -t tmpfs none $path; done\n\
             for path in {kept_of_it}; do test ! -d /tmp/kept/${{path##*/}} || \
                 {{ mkdir $path; mount -o bind,ro /tmp/kept/${{path##*/}} $path; }}; done\n\
             umount --lazy /tmp/kept\n\
             for path in {inaccessible}; do test ! -d $path || mount -t tmpfs -o ro,mode=000 none $path; \
                 test ! -S $path || mount --bind /dev/null $path; done\n\
             for path in /etc /var /run /tmp; do mount -o remount,bind,ro $path; done\n\
             for path in /home /root; do mount -t tmpfs -o ro,mode=000 none $path; done\n\
             exec setpriv --no-new-privs --bounding-set -all{} -- \"$@\"",
            writable.join(" "),
            kept.concat()
        );
        let broker = world.broker_under(&["unshare", "--mount", "sh", "-c", &script, "sh"]);
        let sees = |test: &str, path: &str| {
            let inside = ["nsenter", "--mount", "--target", &broker.pid().to_string(), "test", test, path];
            Launch::new(inside).run().code == Some(0)
        };
        for path in SOCKETS {
            assert_eq!(sees("-S", path), SEEN.contains(&path), "{path}");
        }
        assert!(sees("-r", "/run/systemd/sessions/7"));
        enrol(world, alice);
        assert_eq!(fs::metadata("/run/faillock/alice").unwrap().uid(), alice.uid);
    });
}

/// The system calls in a group of systemd's, those of the groups in it included.
fn calls(groups: &BTreeMap<String, Vec<String>>, name: &str) -> BTreeSet<String> {
    if !name.starts_with('@') {
        return [name.to_owned()].into();
    }
    groups[name].iter().flat_map(|inner| calls(groups, inner)).collect()
}

#[test]
fn the_broker_makes_no_system_call_that_the_unit_forbids() {
    with_alice(|world, alice| {
        let listed = systemd_analyze(&["syscall-filter"]);
        let mut groups = BTreeMap::new();
        let mut group = String::new();
        for line in listed.stdout.lines().filter(|line| !line.trim_start().starts_with('#')) {
            if line.starts_with('@') {
                group = line.trim().to_owned();
            } else if !line.trim().is_empty() {
                groups.entry(group.clone()).or_insert_with(Vec::new).push(line.trim().to_owned());
            }
        }
        let mut allowed = calls(&groups, "@default");
        for value in values(world, "SystemCallFilter") {
            match value.strip_prefix('~') {
                Some(forbidden) => allowed = &allowed - &calls(&groups, forbidden),
                None => allowed.extend(calls(&groups, &value)),
            }
        }
        let broker = world.broker_under(&["strace", "-f", "-qq", "-o", "/tmp/calls"]);
        enrol(world, alice);
        drop(broker);
        let traced = fs::read_to_string("/tmp/calls").unwrap();
        let made = traced.lines().filter_map(|line| {
            // "PID name(arguments"; what is resumed began before.
            let (name, _) = line.split_once(' ')?.1.trim_start().split_once('(')?;
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then(|| name.to_owned())
        });
        let made: BTreeSet<_> = made.collect();
        assert!(made.contains("landlock_restrict_self") && made.contains("execve"), "{made:?}");
        let forbidden: Vec<_> = made.difference(&allowed).collect();
        assert!(forbidden.is_empty(), "{forbidden:?}");
    });
}
