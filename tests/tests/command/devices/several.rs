//! `enroll --add` and `device`.

use std::fs;

use twinlock_tests::{PamCode, Snapshot, credentials_of};

use crate::devices::verbs::{done, login, refused, with_account};

const STORE: &str = "/var/lib/twinlock";

#[test]
fn a_login_takes_a_code_of_any_device_and_says_which() {
    with_account(|world| {
        let phone = world.enrol("alice");
        let tablet = world.enrol_with("alice", &["--add", "--label", "tablet"]);
        assert!(tablet.recovery_codes.is_empty(), "the codes stay those of the first");
        for device in [&tablet, &phone] {
            assert_eq!(login(world, &[&device.codes().next()]), PamCode::Success);
            world.wait_for_log(|line| {
                line.text
                    .contains(&format!("result=granted reason=- user=alice method=totp authenticator={} ", device.id))
            });
        }
        assert_eq!(login(world, &[&phone.recovery_codes[0]]), PamCode::Success);
    });
}

#[test]
fn a_suspended_device_opens_nothing_until_it_is_resumed() {
    with_account(|world| {
        let phone = world.enrol("alice");
        let tablet = world.enrol_with("alice", &["--add", "--label", "tablet"]);
        done(world, &["device", "suspend", "alice", "tablet"]);
        assert_eq!(login(world, &[&tablet.codes().next()]), PamCode::AuthErr);
        assert_eq!(login(world, &[&phone.codes().next()]), PamCode::Success);
        done(world, &["device", "resume", "alice", &tablet.id]);
        assert_eq!(login(world, &[&tablet.codes().next()]), PamCode::Success);
    });
}

#[test]
fn the_devices_of_an_account_that_is_gone_can_be_changed() {
    with_account(|world| {
        world.enrol("alice");
        world.enrol_with("alice", &["--add", "--label", "tablet"]);
        world.remove_account("alice");
        done(world, &["device", "suspend", "alice", "phone"]);
        done(world, &["device", "rename", "alice", "tablet", "slate"]);
        done(world, &["device", "remove", "alice", "slate"]);
        let devices = done(world, &["device", "list", "alice"]).stdout;
        assert!(
            devices.lines().count() == 1 && devices.contains("  phone  ") && devices.contains("SUSPENDED"),
            "{devices}"
        );
        refused(world, &["device", "list", "zoe"], 1, "there is no account named zoe");
    });
}

#[test]
fn without_a_user_they_are_the_devices_of_the_own_account() {
    with_account(|world| {
        world.enrol("root");
        world.enrol_with("root", &["--add", "--label", "tablet"]);
        for (words, told) in [
            (&["device", "rename", "phone", "old phone"][..], "renamed"),
            (&["device", "suspend", "old phone"], "suspended"),
            (&["device", "resume", "old phone"], "resumed"),
            (&["device", "remove", "old phone"], "removed"),
        ] {
            let output = done(world, words);
            assert!(output.stderr.starts_with("root: ") && output.stderr.contains(told), "{output:?}");
        }
        let devices = done(world, &["device", "list"]).stdout;
        assert!(devices.lines().count() == 1 && devices.contains("  tablet  "), "{devices}");
        refused(world, &["device", "rename", "tablet"], 2, "twinlock device rename [OPTIONS] [USER] <DEVICE> <TO>");
        refused(world, &["device", "suspend"], 2, "twinlock device suspend [USER] <DEVICE>");
    });
}

#[test]
fn suspending_every_device_makes_nobody_a_one_factor_user() {
    with_account(|world| {
        let phone = world.enrol("alice");
        world.write("/etc/twinlock/config.toml", "second_factor = \"optional\"\n");
        let output = done(world, &["device", "suspend", "alice", "phone"]);
        assert!(output.stderr.contains("no active device"), "{output:?}");
        assert_eq!(login(world, &[&phone.codes().next()]), PamCode::AuthErr);
        assert_eq!(login(world, &[&phone.recovery_codes[0]]), PamCode::Success);
    });
}

#[test]
fn a_removed_device_is_dead_and_the_last_one_is_not_removed() {
    with_account(|world| {
        let phone = world.enrol("alice");
        let tablet = world.enrol_with("alice", &["--add", "--label", "tablet"]);
        done(world, &["device", "remove", "alice", "phone"]);
        assert_eq!(login(world, &[&phone.codes().next()]), PamCode::AuthErr);
        refused(world, &["device", "remove", "alice", "tablet"], 1, "hint: `twinlock remove");
        assert_eq!(login(world, &[&tablet.codes().next()]), PamCode::Success);
    });
}

#[test]
fn a_label_that_looks_like_another_is_refused_when_it_is_given() {
    with_account(|world| {
        world.enrol("alice");
        let other = world.enrol_with("alice", &["--add", "--label", "Büro"]);
        let store = Snapshot::of(STORE);
        let alike = "alice already has a device with this label, or with one that looks the same";
        for label in ["phone", "Phone", "pho ne"] {
            refused(world, &["enroll", "alice", "--add", "--no-confirm", "--label", label], 1, alike);
            refused(world, &["device", "rename", "alice", &other.id, label], 1, alike);
        }
        for label in ["pho\u{200b}ne", "\u{202e}phone", "x\u{2066}"] {
            let words = "without control characters and invisible characters";
            refused(world, &["enroll", "alice", "--add", "--no-confirm", "--label", label], 2, words);
            refused(world, &["device", "rename", "alice", &other.id, label], 2, words);
        }
        assert_eq!(Snapshot::of(STORE), store);
        done(world, &["device", "rename", "alice", &other.id, "BÜRO"]);
        let replaced = world.enrol_with("alice", &["--replace", "--label", "büro"]);
        assert_eq!(login(world, &[&replaced.codes().next()]), PamCode::Success);
    });
}

#[test]
fn a_label_must_be_unique_to_be_used_as_a_name() {
    with_account(|world| {
        world.enrol("alice");
        let other = world.enrol_with("alice", &["--add"]);
        assert_eq!(other.label, "phone-2", "nobody chose one, and phone is taken");
        // Configuration management may deploy two of one label, and an earlier version stored them.
        let deployed = fs::read_to_string(credentials_of("alice")).unwrap();
        world.write_secret(credentials_of("alice"), deployed.replace("\"phone-2\"", "\"phone\""));
        let store = Snapshot::of(STORE);
        refused(world, &["device", "suspend", "alice", "phone"], 1, "several devices of alice have this label");
        refused(world, &["device", "suspend", "alice", "watch"], 1, "alice has no device with this id or label");
        assert_eq!(Snapshot::of(STORE), store);
        done(world, &["device", "rename", "alice", &other.id, "watch"]);
        done(world, &["device", "suspend", "alice", "watch"]);
        let devices = done(world, &["device", "list", "alice", "--json"]).json();
        let seen: Vec<_> = devices
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["label"].as_str().unwrap(), one["suspended"].as_bool().unwrap()))
            .collect();
        assert_eq!(seen, [("phone", false), ("watch", true)]);
        assert!(done(world, &["device", "list", "alice"]).stdout.contains("SUSPENDED"));
    });
}

#[test]
fn a_device_is_added_to_who_is_enrolled_and_to_nobody_else() {
    with_account(|world| {
        refused(world, &["enroll", "alice", "--add", "--no-confirm"], 4, "alice is not enrolled");
        refused(world, &["device", "list", "alice"], 4, "alice is not enrolled");
        refused(world, &["device", "suspend", "alice", "phone"], 4, "not enrolled");
        refused(world, &["enroll", "alice", "--add", "--replace", "--no-confirm"], 2, "cannot be used with");
    });
}

#[test]
fn sixteen_devices_and_not_one_more() {
    with_account(|world| {
        world.enrol("alice");
        let last = (1..16).map(|_| world.enrol_with("alice", &["--add"])).last().unwrap();
        let store = Snapshot::of(STORE);
        refused(world, &["enroll", "alice", "--add", "--no-confirm"], 1, "alice already has 16 devices");
        assert_eq!(Snapshot::of(STORE), store);
        assert_eq!(login(world, &[&last.codes().next()]), PamCode::Success);
    });
}

#[test]
fn one_throttle_holds_for_all_devices() {
    with_account(|world| {
        let phone = world.enrol("alice");
        let tablet = world.enrol_with("alice", &["--add", "--label", "tablet"]);
        for device in [&phone, &tablet, &phone] {
            assert_eq!(login(world, &[&device.authenticator.wrong_code()]), PamCode::AuthErr);
        }
        let status = done(world, &["status", "alice", "--json"]).json();
        assert_eq!((&status["throttle"]["mode"], &status["throttle"]["failures"]), (&"step-up".into(), &3.into()));
    });
}
