//! The ways out of a host that lets nobody in: `twinlock emergency off` above every rule, and `twinlock ssh disable`.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use twinlock_tests::{CONFIG, DEADLINE, Family, Login, STORE, tool};

use crate::ssh_enable::stock_host::{Host, with_host};

/// With a rule that asks, and comes before the default.
fn with_rule(test: impl FnOnce(&Host<'_>) + Send) {
    with_host(Family::Debian, |host| {
        host.world
            .write(CONFIG, "second_factor = \"skip\"\n\n[[rule]]\nname = \"all\"\nsecond_factor = \"required\"\n");
        host.ssh_done(&["enable", "--keep", "--without-break-glass"]);
        test(host);
    });
}

fn emergency(host: &Host<'_>, words: &[&str]) -> String {
    let output = host.world.twinlock(&[&["emergency"], words].concat());
    assert_eq!(output.code, Some(0), "{words:?}: {output:?}");
    output.stdout + &output.stderr
}

/// alice's key and nothing else; the store is left as it is.
fn key_alone(host: &Host<'_>) -> Login {
    host.sshd.login("alice").run()
}

#[test]
fn an_emergency_lets_everybody_in_by_the_first_factor_until_it_is_over() {
    with_rule(|host| {
        let world = host.world;
        assert!(!key_alone(host).granted);
        assert_eq!(emergency(host, &["status"]), "second factors are on\n");
        let mark = world.log_mark();
        let said = emergency(host, &["off", "--for", "10m"]);
        assert!(said.starts_with("second factors are off on this host until "), "{said}");

        let login = key_alone(host);
        assert!(login.granted && login.prompts.is_empty(), "{login:#?}");
        assert!(login.stderr.contains("Second factors are off on this host until "), "{login:#?}");
        assert!(!host.strange_key().granted && !host.answers(&[""]).granted, "the first factor is asked for");
        let entries: Vec<_> =
            world.entries_since(mark).into_iter().filter(|entry| entry.value("result") == "granted").collect();
        let [entry] = entries.as_slice() else { panic!("one line for the one login: {entries:#?}") };
        assert_eq!((entry.value("reason"), entry.value("user")), ("emergency", "alice"));
        assert!(entry.detail.as_ref().unwrap().starts_with("not asked: `twinlock emergency off` is in force until 2"));

        // The administrator is warned.
        let doctor = world.twinlock(&["doctor"]);
        assert!(
            doctor.code == Some(1) && doctor.stdout.contains("WARNING emergency: second factors are off"),
            "{doctor:?}"
        );
        assert!(host.ssh_done(&["plan"]).stderr.starts_with("warning: second factors are off"));
        let explained = world.twinlock(&["explain", "alice"]).stdout;
        assert!(explained.contains("none matches; `twinlock emergency off` (until "), "{explained}");
        assert!(explained.contains("\noutcome:  passes: alice is not asked for a code"), "{explained}");
        let later = world.twinlock(&["explain", "alice", "--at", "2037-01-31"]).stdout;
        assert!(later.contains("\noutcome:  asked: alice "), "{later}");

        assert_eq!(emergency(host, &["on"]), "second factors are on again\n");
        assert!(!key_alone(host).granted);
        assert_eq!(emergency(host, &["on"]), "nothing to do: second factors are on\n");

        emergency(host, &["off", "--for", "2s"]);
        assert!(key_alone(host).granted);
        let end = Instant::now() + DEADLINE;
        while emergency(host, &["status"]) != "second factors are on\n" {
            assert!(Instant::now() < end, "it ends by itself");
            thread::sleep(Duration::from_millis(50));
        }
        assert!(!key_alone(host).granted);
        let changes = world.log_since(mark).into_iter().filter(|line| line.text.starts_with("change="));
        let words: Vec<_> = changes.map(|line| line.text.split(" until=").next().unwrap().to_owned()).collect();
        let (off, on) = ("change=emergency-off user=- by-uid=0", "change=emergency-on user=- by-uid=0");
        assert_eq!(words, [off, on, off]);

        // Root alone.
        let refused = world.twinlock_launch(&["emergency", "off"]).account(&host.alice).run();
        assert_eq!(refused.code, Some(3), "{refused:?}");
        assert!(!key_alone(host).granted);
    });
}

/// Nobody gets in; the emergency lets alice in by her key, and its end leaves everything as it was.
fn emergency_frees(host: &Host<'_>, state: &str) {
    assert!(!key_alone(host).granted, "{state}");
    emergency(host, &["off"]);
    let login = key_alone(host);
    assert!(login.granted, "{state}: {login:#?}");
    emergency(host, &["on"]);
    assert!(!key_alone(host).granted, "{state}");
}

#[test]
fn one_of_the_two_exits_works_in_every_state_of_the_host() {
    with_rule(|host| {
        let world = host.world;
        let config = fs::read_to_string(CONFIG).unwrap();

        world.write(CONFIG, format!("{config}\n[store]\nsecond_factor = \"skip\"\n"));
        emergency_frees(host, "broken configuration");
        world.write(CONFIG, config);

        // A file system of its own for the store.
        tool(&["cp", "-a", STORE, "/var/aside"]);
        tool(&["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "store", STORE]);
        tool(&[
            "sh",
            "-c",
            &format!(
                "cp -a /var/aside/. {STORE}/; cat /dev/zero >{STORE}/filler 2>/dev/null; ! echo x >>{STORE}/filler 2>/dev/null"
            ),
        ]);
        emergency_frees(host, "full disk");
        tool(&["rm", &format!("{STORE}/filler")]);
        tool(&["mount", "-o", "remount,ro", STORE]);
        emergency_frees(host, "read-only store");
        let disabled = host.ssh(&["disable"]);
        assert!(disabled.code == Some(1) && disabled.stderr.contains("Read-only file system"), "{disabled:?}");
        tool(&["umount", STORE]);

        // The clock of sshd, and then that of the command, is a year off, and right when the other one looks.
        for (sshd, command) in [("+365d", "+365d"), ("-365d", "-365d"), ("+0", "+365d"), ("+0", "-365d")] {
            let state = format!("{sshd} {command}");
            let at = |offset| ["env", "DONT_FAKE_MONOTONIC=1", "faketime", "-f", offset];
            let login = || {
                let server = twinlock_tests::Sshd::from_file(world, "/etc/ssh/sshd_config").under(at(sshd));
                server.login("alice").run()
            };
            assert!(!login().granted, "{state}");
            let off = world.twinlock_launch(&["emergency", "off", "--for", "1h"]).under(at(command)).run();
            assert_eq!(off.code, Some(0), "{state}: {off:?}");
            let entry = login();
            assert!(entry.granted, "{state}: {entry:#?}");
            emergency(host, &["on"]);
        }

        // What is not there cannot let anybody pass.
        fs::remove_file(world.module_path()).unwrap();
        emergency(host, &["off"]);
        assert!(!key_alone(host).granted);
        emergency(host, &["on"]);
        world.write(CONFIG, "second_factor = \n");
        host.ssh_done(&["disable"]);
        let login = key_alone(host);
        assert!(login.granted, "missing module and broken configuration: {login:#?}");
    });
}
