//! Many faults at once: what it prints of them, for whom, and how it ends.

use twinlock_tests::{Snapshot, credentials_of};

use crate::doctor::planted::{DROP_IN, Finding, STACK, account_with_key, append, findings, on_debian, only, place_of};

#[test]
fn many_faults_of_a_host_are_each_found_at_their_place_the_worst_first() {
    on_debian(|world| {
        account_with_key(world, "bob");
        world.change(STACK, "\naccount    required     pam_twinlock.so", "\n");
        world.change(STACK, "pam_twinlock.so require_key", "pam_twinlock.so");
        append(world, DROP_IN, "Match User alice\n    AuthenticationMethods publickey\n");
        world.write("/etc/systemd/system/twinlockd.socket", "");
        world.write("/run/twinlock/broker.sock", "no socket");
        world.service("SSHD", "auth required pam_twinlock.so\n");
        world.write_secret(credentials_of("carol"), "torn");
        world.account("carol");
        let before = ["/etc", "/var/lib/twinlock", "/home"].map(Snapshot::of);
        let all = findings(world);
        assert_eq!(["/etc", "/var/lib/twinlock", "/home"].map(Snapshot::of), before, "it changes nothing");
        let end_of_drop_in = place_of(DROP_IN, "    AuthenticationMethods publickey");
        let carols = credentials_of("carol");
        for (id, severity, place) in [
            ("not-enrolled", "lockout", None),
            ("store", "lockout", carols.to_str()),
            ("key-alone", "open", Some(end_of_drop_in.as_str())),
            ("guard", "warning", Some(STACK)),
            ("service-name", "warning", Some("/etc/pam.d/SSHD")),
            ("broker", "hint", Some("/run/twinlock/broker.sock")),
            ("root", "hint", None),
        ] {
            let Finding { severity: found, place: at, .. } = only(&all, id);
            assert_eq!((found.as_str(), at.as_deref()), (severity, place), "{id} in {all:#?}");
        }
        let rank = |finding: &Finding| {
            ["lockout", "open", "warning", "hint"].iter().position(|known| known == &finding.severity).unwrap()
        };
        assert!(all.iter().map(rank).is_sorted(), "{all:#?}");
    });
}

#[test]
fn people_read_a_block_for_each_finding_and_a_summary() {
    on_debian(|world| {
        world.change(STACK, "auth       required     pam_permit.so", "auth       required     pam_deny.so");
        let output = world.twinlock(&["doctor"]);
        assert_eq!((output.code, output.stderr.as_str()), (Some(1), ""), "{output:?}");
        let place = place_of(STACK, "auth       required     pam_twinlock.so");
        let first = format!(
            "LOCKOUT pam-refuses: no login can succeed, not even with a correct code: the control value of this line, or a line \
             below it, denies all ({place})\n  why:  nobody can log in\n  fix:  compare with the shipped file: "
        );
        assert!(output.stdout.starts_with(&first), "{}", output.stdout);
        assert!(output.stdout.ends_with("\n2 findings: 1 lockout, 1 hint\n"), "{}", output.stdout);
        assert_eq!(output.stdout.matches("\n  fix:  ").count(), 2, "{}", output.stdout);
    });
}

#[test]
fn it_is_for_root_and_for_accounts_that_exist() {
    on_debian(|world| {
        let alice = world.account("alice");
        let output = world.twinlock_launch(&["doctor"]).account(&alice).run();
        assert_eq!((output.code, output.stdout.as_str()), (Some(3), ""), "{output:?}");
        let output = world.twinlock(&["doctor", "--user", "nobody-knows"]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains("there is no account named nobody-knows"), "{output:?}");
        let output = world.twinlock(&["doctor", "--from", "somewhere"]);
        assert_eq!(output.code, Some(2), "{output:?}");
    });
}
