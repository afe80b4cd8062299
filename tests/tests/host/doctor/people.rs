//! What is read of accounts: keys, passwords, groups, devices, and sshd's lists of users.

use std::fs;

use nix::sys::stat::Mode;
use twinlock_tests::{CONFIG, credentials_of};

use crate::doctor::planted::{
    DROP_IN, account_with_key, findings, findings_of, finds, finds_no, finds_with, first_in_drop_in, on_debian, only,
};

#[test]
fn who_has_a_key_and_whom_sshd_refuses_is_known_of_each_account() {
    on_debian(|world| {
        account_with_key(world, "bob");
        account_with_key(world, "carol");
        // With key and code, a password alone is no way in that being enrolled would open.
        world.account("dave");
        let one = finds(world, "not-enrolled", "lockout", None);
        assert!(one.found.ends_with("will be denied: bob, carol"), "{one:#?}");
        first_in_drop_in(world, "DenyUsers carol\nAllowUsers alice bo*\n");
        let one = only(&findings(world), "not-enrolled");
        assert!(one.found.ends_with("will be denied: bob"), "{one:#?}");
        let all = findings_of(world, &["--user", "bob"]);
        assert_eq!(only(&all, "not-enrolled").severity, "lockout");
        assert!(findings_of(world, &["--user", "alice"]).is_empty());
        world.write(CONFIG, "second_factor = \"optional\"\n");
        finds_no(world, "not-enrolled");
    });
}

#[test]
fn groups_that_sshd_names_and_those_of_administrators_are_known() {
    on_debian(|world| {
        world.account("bob");
        world.deploy("bob");
        world.group("staff", &["alice"]);
        for lists in ["AllowGroups staff root", "DenyGroups bob"] {
            first_in_drop_in(world, &format!("{lists}\n"));
            let one = finds(world, "not-allowed", "hint", Some(&format!("{DROP_IN}:1")));
            assert!(one.found.ends_with(": bob"), "{lists}: {one:#?}");
            assert_eq!(only(&findings_of(world, &["--user", "bob"]), "not-allowed").severity, "lockout");
            world.change(DROP_IN, &format!("{lists}\n"), "");
        }
        let path = credentials_of("alice");
        let text = fs::read_to_string(&path).unwrap();
        world.write_secret(&path, text.split("[recovery]").next().unwrap());
        let one = finds(world, "recovery-codes", "hint", None);
        assert!(one.found == "1 enrolled user has no recovery code left: alice", "{one:#?}");
        world.group("sudo", &["alice"]);
        let one = finds(world, "recovery-codes", "warning", None);
        assert!(one.found.starts_with("1 administrator has "), "{one:#?}");
    });
}

#[test]
fn an_enrolment_that_is_older_than_the_account_is_found() {
    on_debian(|world| {
        let path = credentials_of("alice");
        let text = fs::read_to_string(&path).unwrap();
        let created = |time: &str| {
            world.write_secret(&path, text.replace("label =", &format!("created = {time}\nlabel =")));
        };
        // The home is of today, the password of day 20000, 2024-10-04.
        for (time, found) in
            [("2024-10-03T23:59:59Z", true), ("2024-10-04T23:59:59Z", true), ("2024-10-05T00:00:00Z", false)]
        {
            created(time);
            if found {
                let one = finds(world, "earlier-owner", "hint", None);
                assert!(one.found.ends_with(": alice") && one.mend.contains("twinlock remove"), "{one:#?}");
            } else {
                finds_no(world, "earlier-owner");
            }
        }
        world.remove_account("alice");
        fs::remove_dir_all("/home/alice").unwrap();
        created("2024-10-03T23:59:59Z");
        finds_no(world, "earlier-owner");
    });
}

#[test]
fn keys_of_programs_are_known_and_a_pipe_in_the_place_of_keys_is_not_read() {
    on_debian(|world| {
        let git = world.account("git");
        let keys = git.home.join(".ssh/authorized_keys");
        fs::create_dir(git.home.join(".ssh")).unwrap();
        nix::unistd::mkfifo(&keys, Mode::S_IRWXU).unwrap();
        finds_no(world, "automation");
        fs::remove_file(&keys).unwrap();
        world.write(&keys, "restrict,command=\"/usr/bin/backup\" ssh-ed25519 AAAA robot\n");
        let one = finds_with(world, "automation", "warning", keys.to_str(), &["not-enrolled"]);
        assert!(one.found.contains(" as git,"), "{one:#?}");
        world.write(CONFIG, "[[rule]]\nusers = [\"git\"]\nsecond_factor = \"skip\"\n");
        finds_no(world, "automation");
    });
}
