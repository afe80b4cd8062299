//! Which file counts is said by the mode, not by which files exist.

use std::fs;

use twinlock_tests::{BESIDE, PamCode, credentials_of};

use super::given::{PHRASE, done, force_mode, mode, sealed_file, with_sealed, with_site_key};

#[test]
fn in_each_mode_one_form_counts_and_the_wrong_one_is_a_fault() {
    with_site_key(|alice| {
        let plain = fs::read(credentials_of("alice")).unwrap();
        done(alice.world, &["enable", "--escrow", PHRASE]);
        let sealed = fs::read(sealed_file("alice")).unwrap();
        let unsealed_id = fs::read_to_string(BESIDE).unwrap().lines().next().unwrap().to_owned() + "\n";
        let sealed_id = fs::read_to_string(BESIDE).unwrap();
        let mut codes = 0;
        for (word, in_clear, is_sealed, passes) in [
            ("", true, false, true),
            ("", true, true, true),
            ("", false, true, false),
            ("sealing", true, false, true),
            ("sealing", true, true, true),
            ("sealing", false, true, true),
            ("yes", true, false, false),
            ("yes", true, true, false),
            ("yes", false, true, true),
            ("unsealing", true, false, true),
            ("unsealing", true, true, true),
            ("unsealing", false, true, true),
        ] {
            alice.world.write(BESIDE, if word.is_empty() { &unsealed_id } else { &sealed_id });
            if !word.is_empty() {
                force_mode(alice.world, word);
            }
            let _ = fs::remove_file(credentials_of("alice"));
            let _ = fs::remove_file(sealed_file("alice"));
            if in_clear {
                alice.world.write_secret(credentials_of("alice"), &plain);
            }
            if is_sealed {
                alice.world.write_secret(sealed_file("alice"), &sealed);
            }
            // Each login by a recovery code of its own, as codes of the app are used up.
            let mark = alice.world.log_mark();
            let outcome = alice.attempt().answer(alice.recovery_code(codes)).run(alice.world);
            let when = format!("{word:?}: in clear {in_clear}, sealed {is_sealed}");
            if passes {
                assert_eq!(outcome.code(), PamCode::Success, "{when}");
                codes += 1;
            } else {
                assert_eq!(outcome.code(), PamCode::AuthinfoUnavail, "{when}");
                let log = alice.world.log_since(mark);
                assert!(log.iter().any(|line| line.text.contains("reason=sealed")), "{when}: {log:?}");
            }
        }
    });
}

#[test]
fn an_enrolment_during_each_mode_has_the_form_of_the_mode() {
    with_sealed(|alice| {
        for (word, is_sealed) in [("sealing", true), ("yes", true), ("unsealing", false)] {
            force_mode(alice.world, word);
            let user = format!("user-{word}");
            alice.world.account(&user);
            alice.world.enrol(&user);
            assert_eq!(
                (sealed_file(&user).exists(), credentials_of(&user).exists()),
                (is_sealed, !is_sealed),
                "{word}"
            );
        }
        // The write in clear takes the sealed file away, which would be in force.
        let replaced = alice.world.twinlock(&["enroll", "alice", "--replace", "--no-confirm"]);
        assert_eq!(replaced.code, Some(0), "{replaced:?}");
        assert!(credentials_of("alice").exists() && !sealed_file("alice").exists());
    });
}

#[test]
fn a_file_in_clear_on_a_sealed_host_is_named_and_imported() {
    with_sealed(|alice| {
        let world = alice.world;
        world.account("bob");
        let bob = world.deploy("bob");
        let status = done(world, &["status"]).stdout;
        assert!(status.contains("  bob: in clear\n"), "{status}");
        let enabled = world.twinlock(&["seal", "enable"]);
        assert_eq!(enabled.code, Some(1));
        assert!(enabled.stderr.contains("twinlock seal import bob"), "{enabled:?}");
        let login = |code: String| twinlock_tests::Attempt::new("svc").user("bob").answer(code).run(world).code();
        assert_eq!(login(bob.codes().next()), PamCode::AuthinfoUnavail);
        done(world, &["import", "bob"]);
        assert!(!credentials_of("bob").exists());
        assert_eq!(login(bob.codes().next()), PamCode::Success);
        // A file that is deployed anew is imported in the place of the sealed one.
        world.deploy("bob");
        assert_eq!(login(bob.recovery_codes[0].clone()), PamCode::AuthinfoUnavail);
        done(world, &["import", "bob"]);
        assert_eq!(login(bob.recovery_codes[0].clone()), PamCode::Success);
        assert_eq!(world.twinlock(&["seal", "import", "bob"]).code, Some(1), "there is nothing in clear");
    });
}

#[test]
fn a_host_that_lost_its_id_has_a_way_back() {
    with_sealed(|alice| {
        fs::remove_file(BESIDE).unwrap();
        let mark = alice.world.log_mark();
        assert_eq!(alice.login().code(), PamCode::AuthinfoUnavail);
        let log = alice.world.log_since(mark);
        assert!(log.iter().any(|line| line.text.contains("twinlock store init --accept")), "{log:?}");
        assert_eq!(alice.world.twinlock(&["store", "init", "--accept"]).code, Some(0));
        assert_eq!(mode(), "sealing");
        assert_eq!(alice.login().code(), PamCode::Success);
        done(alice.world, &["enable"]);
        assert_eq!(mode(), "yes");
    });
}

#[test]
fn no_new_id_is_drawn_for_a_store_with_sealed_files() {
    with_sealed(|alice| {
        fs::remove_file(BESIDE).unwrap();
        fs::remove_file(format!("{}/store-id", twinlock_tests::STORE)).unwrap();
        for arguments in [&["store", "init"][..], &["store", "init", "--accept"]] {
            let refused = alice.world.twinlock(arguments);
            assert_eq!(refused.code, Some(1), "{refused:?}");
            assert!(refused.stderr.contains("has sealed credentials"), "{refused:?}");
        }
        assert!(!fs::exists(BESIDE).unwrap());
    });
}
