//! A host that seals its own key: by systemd-creds(1) with the key of the host, and with the phrase as the way back.

use std::fs;

use twinlock_tests::{Canaries, PamCode, Terminal, tool};

use super::given::{BLOBS, KEYS, PHRASE, done, furnish, mode, sealed_file, with_machine, with_sealed};

/// What a restart does: memory is gone, and the unit runs.
fn restart() {
    assert_eq!(tool(&["umount", KEYS]).code, Some(0));
}

fn names(folder: &str) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The phrase in an escrow file.
fn phrase() -> String {
    fs::read_to_string(PHRASE).unwrap().lines().nth(1).unwrap().to_owned()
}

fn recover(alice: &twinlock_tests::User<'_>, typed: &str) -> twinlock_tests::Output {
    alice.world.twinlock_launch(&["seal", "recover"]).run_with_input(format!("{typed}\n").as_bytes())
}

#[test]
fn the_key_is_in_memory_alone_and_is_there_again_after_a_restart() {
    with_machine(|alice| {
        done(alice.world, &["enable", "--escrow", PHRASE]);
        let [key] = &names(KEYS)[..] else { panic!("{:?}", names(KEYS)) };
        assert_eq!(names(BLOBS), [format!("twinlock-{key}")]);
        assert_eq!(tool(&["stat", "-f", "-c", "%T", KEYS]).stdout, "ramfs\n");
        let bytes = fs::read(format!("{KEYS}/{key}")).unwrap();
        assert!(!fs::read(format!("{BLOBS}/twinlock-{key}")).unwrap().windows(32).any(|part| part == bytes));
        let status = done(alice.world, &["status"]).stdout;
        assert!(status.contains("this host's key alone") && status.contains(": loaded\n"), "{status}");
        assert_eq!(alice.login().code(), PamCode::Success);
        restart();
        let mark = alice.world.log_mark();
        assert_eq!(alice.login().code(), PamCode::AuthinfoUnavail);
        assert!(alice.world.log_since(mark).iter().any(|line| line.text.contains("reason=sealed")));
        done(alice.world, &["load"]);
        assert_eq!(alice.attempt().answer(alice.recovery_code(0)).run(alice.world).code(), PamCode::Success);
        done(alice.world, &["disable"]);
        assert!(names(KEYS).is_empty() && names(BLOBS).is_empty());
        assert!(fs::read_to_string("/run/asked").unwrap().ends_with("disable --quiet --now twinlock-unseal.service\n"));
        assert_eq!(alice.attempt().answer(alice.recovery_code(1)).run(alice.world).code(), PamCode::Success);
    });
}

#[test]
fn the_phrase_is_typed_back_before_anything_is_sealed() {
    with_machine(|alice| {
        let enable = || Terminal::start(alice.world.twinlock_launch(&["seal", "enable"]));
        let ask = "Type the phrase, to confirm that you have it: ";
        let mut terminal = enable();
        let shown = terminal.expect(ask);
        let phrase = shown.lines().find(|line| line.starts_with("    ")).unwrap().trim().to_owned();
        for _ in 0..5 {
            terminal.send_line("wrong");
            terminal.expect("That is not the phrase.");
        }
        assert_eq!((terminal.finish().code, mode().as_str()), (Some(1), ""));
        assert!(!sealed_file("alice").exists());
        // The same key, which nothing names yet, is shown again.
        let mut terminal = enable();
        assert!(terminal.expect(ask).contains(&phrase));
        terminal.send_line(&phrase.to_lowercase());
        let output = terminal.finish();
        assert_eq!((output.code, mode().as_str()), (Some(0), "yes"), "{output:?}");
        assert_eq!(names(BLOBS).len(), 1);
        assert_eq!(alice.login().code(), PamCode::Success);
    });
}

#[test]
fn another_machine_opens_nothing_and_the_phrase_makes_it_the_owners() {
    with_machine(|alice| {
        done(alice.world, &["enable", "--escrow", PHRASE]);
        restart();
        // The disk is in another machine: its host key is another one.
        fs::remove_file("/var/lib/systemd/credential.secret").unwrap();
        let failed = alice.world.twinlock(&["seal", "load"]);
        assert_eq!(failed.code, Some(1));
        assert!(failed.stderr.contains("twinlock seal recover"), "{failed:?}");
        assert_eq!(alice.login().code(), PamCode::AuthinfoUnavail);
        let other = "AAAA ".repeat(14);
        for wrong in ["", "wrong", other.as_str()] {
            assert_eq!(recover(alice, wrong).code, Some(1), "{wrong}");
        }
        let recovered = recover(alice, &phrase());
        assert_eq!(recovered.code, Some(0), "{recovered:?}");
        assert_eq!(alice.login().code(), PamCode::Success);
        restart();
        done(alice.world, &["load"]);
        assert_eq!(alice.attempt().answer(alice.recovery_code(0)).run(alice.world).code(), PamCode::Success);
    });
}

#[test]
fn a_rotation_seals_all_with_another_key_and_old_phrases_open_nothing_new() {
    with_machine(|alice| {
        done(alice.world, &["enable", "--escrow", PHRASE]);
        let old = (phrase(), names(KEYS), fs::read(sealed_file("alice")).unwrap());
        let refused = alice.world.twinlock(&["seal", "rotate", "--escrow", PHRASE]);
        assert!(refused.code == Some(1) && refused.stderr.contains("exists and is not"), "{refused:?}");
        done(alice.world, &["rotate", "--escrow", "/root/second"]);
        let new = names(KEYS);
        assert!(new.len() == 1 && new != old.1 && names(BLOBS) == [format!("twinlock-{}", new[0])]);
        assert_ne!(fs::read(sealed_file("alice")).unwrap(), old.2);
        assert_eq!(alice.login().code(), PamCode::Success);
        assert!(recover(alice, &old.0).stderr.contains("that is the phrase of the key"));
        // An old backup opens again with the old phrase, and a rotation that is run once more brings it to the new key.
        alice.world.write_secret(sealed_file("alice"), &old.2);
        assert_eq!(alice.attempt().answer(alice.recovery_code(0)).run(alice.world).code(), PamCode::AuthinfoUnavail);
        assert_eq!(recover(alice, &old.0).code, Some(0));
        assert_eq!(alice.attempt().answer(alice.recovery_code(0)).run(alice.world).code(), PamCode::Success);
        done(alice.world, &["rotate"]);
        assert_eq!(names(KEYS), new);
        assert_eq!(alice.attempt().answer(alice.recovery_code(1)).run(alice.world).code(), PamCode::Success);
    });
}

#[test]
fn the_phrase_is_no_argument_and_in_no_log() {
    with_machine(|alice| {
        done(alice.world, &["enable", "--escrow", PHRASE]);
        let mut canaries = Canaries::default();
        canaries.password(&phrase());
        canaries.secret(&fs::read(format!("{KEYS}/{}", names(KEYS)[0])).unwrap());
        let log: String = alice.world.log().iter().map(ToString::to_string).collect();
        assert!(log.contains("change=sealed"), "{log}");
        canaries.assert_not_in("the log", log);
        canaries.assert_not_in("systemctl's arguments", fs::read_to_string("/run/asked").unwrap());
    });
}

#[test]
fn without_systemd_the_site_provides_the_key() {
    twinlock_tests::Setup::new().enrolled(|alice| {
        let refused = alice.world.twinlock(&["seal", "enable", "--escrow", PHRASE]);
        assert!(refused.code == Some(1) && refused.stderr.contains("key_file"), "{refused:?}");
        assert_eq!((mode().as_str(), fs::exists(PHRASE).unwrap()), ("", false));
    });
    with_sealed(|alice| {
        for verb in ["rotate", "recover"] {
            let refused = recover_or(alice, verb);
            assert!(refused.contains("key_file"), "{refused}");
        }
        furnish(alice.world);
    });
}

fn recover_or(alice: &twinlock_tests::User<'_>, verb: &str) -> String {
    alice.world.twinlock_launch(&["seal", verb]).run_with_input(b"x\n").stderr
}
