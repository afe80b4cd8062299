//! What stands in the place of the order of `twinlock emergency off`: only root's own is one.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use twinlock_tests::{CONFIG, IGNORED, Operation, Outcome, PamCode, Setup, User, set_mode};

use crate::bad_input::refusals::{other_kinds, replace_by};

const ORDER: &str = "/run/twinlock-emergency";

fn order(alice: &User<'_>, words: &[&str]) {
    let output = alice.world.twinlock(&[&["emergency"], words].concat());
    assert_eq!(output.code, Some(0), "{output:?}");
}

fn without_answer(alice: &User<'_>) -> Outcome {
    alice.attempt().run(alice.world)
}

/// alice is asked, as if nothing were there, and the doctor says why.
fn is_no_emergency(alice: &User<'_>, what: &str, found: &str) {
    let outcome = without_answer(alice);
    assert_eq!((outcome.code(), outcome.prompts().len()), (PamCode::ConvErr, 1), "{what}");
    let doctor = alice.world.twinlock(&["doctor"]).stdout;
    let line = doctor.lines().find(|line| line.contains(" emergency: ")).unwrap_or_default();
    if found.is_empty() {
        assert_eq!(line, "", "{what}");
    } else {
        assert!(line.starts_with("WARNING emergency: ") && line.contains(found), "{what}: {line}");
    }
}

#[test]
fn an_order_that_is_not_roots_own_lets_nobody_pass() {
    Setup::new().enrolled(|alice| {
        order(alice, &["off"]);
        assert_eq!(without_answer(alice).code(), IGNORED);
        // A screen locker, which has no rights and needs no broker for this.
        assert_eq!(alice.unprivileged_attempt().run(alice.world).code(), IGNORED);

        set_mode(ORDER, 0o664);
        is_no_emergency(alice, "a group writes it", "so users other than root can write to it");
        set_mode(ORDER, 0o644);
        chown(ORDER, Some(alice.account.uid), None).unwrap();
        is_no_emergency(alice, "it is alice's", "belongs to uid");
        chown(ORDER, Some(0), None).unwrap();
        assert_eq!(without_answer(alice).code(), IGNORED);
        set_mode("/run", 0o775);
        is_no_emergency(alice, "a group may put it there", "so users other than root can write to it");
        set_mode("/run", 0o755);

        let valid = fs::read_to_string(ORDER).unwrap();
        let (boot, until) = valid.split_once("until = ").unwrap();
        let until: u64 = until.trim().parse().unwrap();
        for (text, found) in [
            (String::new(), "not what `twinlock emergency off` writes"),
            (format!("{valid}for = \"ever\"\n"), "not what `twinlock emergency off` writes"),
            (format!("{valid}{}", "#".repeat(300)), "larger than"),
            // Over, of another boot, or longer than any: no fault, and no emergency.
            (format!("{boot}until = {}\n", until - 3601), ""),
            (format!("{boot}until = {}\n", until + 24 * 3600), ""),
            (valid.replace("boot = \"", "boot = \"0"), ""),
        ] {
            alice.world.write(ORDER, &text);
            is_no_emergency(alice, &text, found);
        }
        alice.world.write(ORDER, &valid);
        for (what, make, found) in other_kinds() {
            replace_by(Path::new(ORDER), make);
            is_no_emergency(alice, what, found);
            if Path::new(ORDER).is_dir() {
                fs::remove_dir(ORDER).unwrap();
            } else {
                fs::remove_file(ORDER).unwrap();
            }
            fs::rename("/run/aside", ORDER).unwrap();
        }
        assert_eq!(without_answer(alice).code(), IGNORED);
    });
}

#[test]
fn an_emergency_does_not_stand_in_for_the_key_and_leaves_a_line_in_the_account_phase() {
    Setup::new().config("second_factor = \"none of these\"\n").enrolled(|alice| {
        order(alice, &["off"]);
        let mark = alice.world.log_mark();
        let account = alice.attempt().operations([Operation::AcctMgmt]).run(alice.world);
        assert_eq!(account.code(), IGNORED);
        let entries = alice.world.entries_since(mark);
        assert_eq!(entries.len(), 1, "{entries:#?}");
        assert_eq!((entries[0].value("result"), entries[0].value("reason")), ("granted", "emergency"));
        alice.world.service("svc", "auth [ignore=ignore success=done default=die] pam_twinlock.so require_key\n");
        assert_eq!(without_answer(alice).code(), PamCode::PermDenied);
        order(alice, &["on"]);
        alice.configure("");
        assert!(fs::metadata(CONFIG).is_ok() && fs::metadata(ORDER).is_err());
    });
}

#[test]
fn where_selinux_keeps_the_order_from_sshd_that_is_said() {
    Setup::new().enrolled(|alice| {
        assert_eq!(alice.world.twinlock(&["emergency", "off"]).stderr.lines().count(), 2);
        // It cannot be labelled here, where the kernel has no labels.
        mount(Some("sys"), "/sys/fs", Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).unwrap();
        alice.world.write("/sys/fs/selinux/enforce", "1");
        let output = alice.world.twinlock(&["emergency", "off"]);
        let said =
            "warning: sshd may not be able to read /run/twinlock-emergency, because it was not labelled for SELinux: ";
        assert!(output.code == Some(0) && output.stderr.starts_with(said), "{output:?}");
        assert_eq!(without_answer(alice).code(), IGNORED);
    });
}
