//! `twinlock check`: what `sshd -t` is to sshd.

use std::fs;

use twinlock_tests::{STORE, Snapshot, World, credentials_of, state_of};

use crate::scene::{parts, with_account, with_alice};

/// It exits 1, names all of this, counts the problems and changes nothing.
fn finds(world: &World, count: usize, told: &[&str]) {
    let store = Snapshot::of(STORE);
    let output = world.twinlock(&["check"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output:?}");
    assert_eq!(output.stderr.matches("problem: ").count(), count, "{output:?}");
    assert_eq!(output.stderr.matches("hint: ").count(), count, "{output:?}");
    assert!(output.stderr.ends_with(&format!("twinlock: {count} problems\n")), "{output:?}");
    assert!(told.iter().all(|text| output.stderr.contains(text)), "{told:?} in {}", output.stderr);
    assert_eq!(Snapshot::of(STORE), store);
}

#[test]
fn a_sound_host_is_fine() {
    with_alice(|world, _| {
        let fine = "/etc/twinlock/config.toml: fine; 1 users in /var/lib/twinlock\n";
        assert_eq!(parts(&world.twinlock(&["check"])), (Some(0), fine, ""));
    });
}

#[test]
fn a_host_without_users_is_fine() {
    with_account(|world, _| assert_eq!(world.twinlock(&["check"]).code, Some(0)));
}

#[test]
fn the_shipped_configuration_is_fine() {
    with_alice(|world, _| {
        world.write(twinlock_tests::CONFIG, world.shipped("config.toml"));
        assert_eq!(world.twinlock(&["check"]).code, Some(0));
    });
}

#[test]
fn another_configuration_can_be_tried_before_it_is_put_in_force() {
    with_alice(|world, _| {
        world.write("/etc/twinlock/new.toml", "second_factor = \"none\"\n");
        let output = world.twinlock(&["check", "--config", "/etc/twinlock/new.toml"]);
        assert!(
            output.code == Some(1) && output.stderr.starts_with("twinlock: /etc/twinlock/new.toml:1:17: "),
            "{output:?}"
        );
        assert_eq!(world.twinlock(&["check"]).code, Some(0));
    });
}

#[test]
fn credentials_of_an_account_that_is_gone_are_found() {
    with_alice(|world, _| {
        world.remove_account("alice");
        finds(world, 1, &["credentials/alice.toml: there is no account named alice", "remove the file"]);
    });
}

#[test]
fn a_file_whose_name_nobody_can_have_is_found() {
    with_alice(|world, _| {
        world.write_secret(format!("{STORE}/credentials/a b.toml"), "");
        finds(world, 1, &["credentials/a b.toml: not the name of an account"]);
    });
}

#[test]
fn a_torn_state_is_found() {
    with_alice(|world, _| {
        world.write_secret(state_of("alice"), vec![0; 8192]);
        finds(world, 1, &["state/alice: neither half of it is valid"]);
    });
}

#[test]
fn credentials_of_another_uid_are_found() {
    with_account(|world, _| {
        world.enrol("alice");
        world.account_with_uid("alice", 4711);
        finds(world, 1, &["it was made for uid 1001, the account has 4711"]);
    });
}

#[test]
fn all_problems_are_told_at_once() {
    with_alice(|world, _| {
        world.account("bob");
        world.deploy("bob");
        world.write_secret(credentials_of("bob"), "torn");
        world.write_secret(state_of("alice"), "torn");
        finds(world, 2, &["credentials/bob.toml: ", "state/alice: "]);
    });
}

#[test]
fn a_missing_store_is_found() {
    with_alice(|world, _| {
        fs::remove_dir_all(STORE).unwrap();
        let output = world.twinlock(&["check"]);
        assert!(
            output.code == Some(1) && output.stderr.contains("cannot open /var/lib/twinlock: it does not exist"),
            "{output:?}"
        );
    });
}
