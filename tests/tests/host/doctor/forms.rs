//! What it prints, for whom, and how it ends.

use twinlock_tests::Snapshot;

use crate::doctor::scene::{DROP_IN, STACK, account_with_key, change, findings, on_debian, place_of};

#[test]
fn people_read_a_block_for_each_finding_and_a_summary() {
    on_debian(|world| {
        change(world, STACK, "auth       required     pam_permit.so", "auth       required     pam_deny.so");
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
fn the_worst_comes_first() {
    on_debian(|world| {
        account_with_key(world, "bob");
        change(world, STACK, "\naccount    required     pam_twinlock.so", "\n");
        change(world, STACK, "pam_twinlock.so require_key", "pam_twinlock.so");
        change(world, DROP_IN, "\nAuthenticationMethods publickey,keyboard-interactive", "\n");
        let severities: Vec<_> = findings(world).into_iter().map(|one| one.severity).collect();
        let rank = |severity: &String| {
            ["lockout", "open", "warning", "hint"].iter().position(|known| known == severity).unwrap()
        };
        assert!(severities.iter().map(rank).is_sorted(), "{severities:?}");
        assert!(severities.len() >= 4, "{severities:?}");
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

#[test]
fn it_changes_nothing() {
    on_debian(|world| {
        let before = ["/etc", "/var/lib/twinlock", "/home"].map(Snapshot::of);
        findings(world);
        assert_eq!(["/etc", "/var/lib/twinlock", "/home"].map(Snapshot::of), before);
    });
}
