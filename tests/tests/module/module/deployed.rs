//! Credentials that configuration management deployed, and files of somebody else.

use std::fs;
use std::os::unix::fs::MetadataExt;

use twinlock_tests::{
    Attempt, Enrolled, ForgedState, PamCode, STORE, Setup, Snapshot, State, World, credentials_of, state_of,
};

use crate::module::end::{End, granted, granted_by_recovery, refused, run};

/// alice, deployed, without a state.
fn with_deployed(test: impl FnOnce(&World, &Enrolled) + Send) {
    Setup::new().host(|world| {
        world.account("alice");
        test(world, &world.deploy("alice"));
    });
}

fn login(world: &World, answer: &str) -> End {
    run(world, Attempt::new("svc").user("alice").answer(answer)).1
}

fn is_refused_for_its_store(end: &End, detail: &str) {
    assert_eq!(end.code, PamCode::AuthinfoUnavail);
    let start = format!("{} detail=\"", refused(PamCode::AuthinfoUnavail, "store").log);
    assert!(end.log.starts_with(&start) && end.log.contains(detail), "{end:?}");
}

fn change_credentials(world: &World, from: &str, to: &str) {
    let text = fs::read_to_string(credentials_of("alice")).unwrap();
    assert!(text.contains(from));
    world.write_secret(credentials_of("alice"), text.replacen(from, to, 1));
}

#[test]
fn the_first_login_makes_the_state() {
    with_deployed(|world, alice| {
        let code = alice.codes().next();
        assert_eq!(login(world, &code), granted());
        assert_eq!(State::of("alice").text("user"), "alice");
        assert_eq!(login(world, &code).log.split(' ').nth(1), Some("reason=replayed"));
    });
}

#[test]
fn a_first_login_with_a_recovery_code_makes_the_state_too() {
    with_deployed(|world, alice| {
        assert_eq!(login(world, &alice.recovery_codes[0]), granted_by_recovery());
        assert_eq!(State::of("alice").text("recovery.ids"), "[1]");
    });
}

#[test]
fn a_first_login_with_a_wrong_code_is_charged() {
    with_deployed(|world, alice| {
        assert_eq!(login(world, &alice.authenticator.wrong_code()).code, PamCode::AuthErr);
        assert_eq!(State::of("alice").charges(), [1, 1, 0, 1]);
    });
}

#[test]
fn a_login_never_writes_the_credentials() {
    with_deployed(|world, alice| {
        let before = Snapshot::of(credentials_of("alice"));
        let changed = fs::metadata(credentials_of("alice")).unwrap().modified().unwrap();
        for answer in [alice.codes().next(), alice.authenticator.wrong_code(), alice.recovery_codes[0].clone()] {
            login(world, &answer);
        }
        assert_eq!(Snapshot::of(credentials_of("alice")), before);
        assert_eq!(fs::metadata(credentials_of("alice")).unwrap().modified().unwrap(), changed);
    });
}

#[test]
fn the_state_has_its_whole_size_and_roots_mode_from_the_start() {
    with_deployed(|world, alice| {
        for mask in ["000", "022", "777"] {
            drop(fs::remove_file(state_of("alice")));
            let masked = format!("umask {mask}; exec \"$@\"");
            let attempt = Attempt::new("svc").user("alice").under(["sh", "-c", &masked, "sh"]);
            assert_eq!(run(world, attempt.answer(alice.codes().next())).1, granted(), "umask {mask}");
            let state = fs::metadata(state_of("alice")).unwrap();
            assert_eq!((state.len(), state.mode() & 0o7777, state.uid()), (8192, 0o600, 0), "G16: umask {mask}");
            assert!(state.blocks() * 512 >= 8192, "written through: {state:?}");
        }
    });
}

#[test]
fn nothing_else_is_left_in_the_store_after_the_first_login() {
    with_deployed(|world, alice| {
        assert_eq!(login(world, &alice.codes().next()), granted());
        let paths = Snapshot::of(STORE).paths().iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
        let root = STORE.to_owned();
        let files = ["", "/credentials", "/credentials/alice.toml", "/state", "/state/alice", "/store-id", "/uid"]
            .map(|name| format!("{root}{name}"));
        assert_eq!(paths, files);
    });
}

#[test]
fn a_stale_draft_of_somebody_who_died_is_in_nobodys_way() {
    with_deployed(|world, alice| {
        world.write_secret(format!("{STORE}/state/.alice.new"), "half a draft");
        world.write_secret(format!("{STORE}/credentials/.alice.toml.new"), "half a draft");
        assert_eq!(login(world, &alice.codes().next()), granted(), "P06");
        assert!(!fs::exists(format!("{STORE}/state/.alice.new")).unwrap(), "reclaimed");
    });
}

#[test]
fn credentials_with_the_uid_of_the_account_work() {
    with_deployed(|world, alice| {
        change_credentials(world, "user = \"alice\"", "user = \"alice\"\nuid = 1001");
        assert_eq!(login(world, &alice.codes().next()), granted());
    });
}

#[test]
fn credentials_made_for_another_uid_are_refused() {
    with_deployed(|world, alice| {
        change_credentials(world, "user = \"alice\"", "user = \"alice\"\nuid = 4711");
        is_refused_for_its_store(
            &login(world, &alice.codes().next()),
            "it was made for uid 4711, but the account has uid 1001",
        );
    });
}

#[test]
fn credentials_that_name_another_user_are_refused() {
    with_deployed(|world, alice| {
        world.account("bob");
        fs::copy(credentials_of("alice"), credentials_of("bob")).unwrap();
        let (_, end) = run(world, Attempt::new("svc").user("bob").answer(alice.codes().next()));
        assert_eq!(end.code, PamCode::AuthinfoUnavail);
        assert!(
            end.log.contains("reason=store user=bob")
                && end.log.contains("it belongs to another user, as its content says"),
            "{end:?}"
        );
    });
}

#[test]
fn the_state_of_another_uid_is_refused() {
    with_deployed(|world, alice| {
        let other = twinlock_tests::Account { uid: 4711, ..world.account_with_uid("alice", 1001) };
        ForgedState::of(&other).write(world);
        let before = Snapshot::of(STORE);
        is_refused_for_its_store(
            &login(world, &alice.codes().next()),
            "it was made for uid 4711, but the account has uid 1001",
        );
        assert_eq!(Snapshot::of(STORE), before);
    });
}

#[test]
fn an_account_made_anew_under_an_old_name_does_not_inherit_its_second_factor() {
    Setup::new().host(|world| {
        world.account("alice");
        let old = world.enrol("alice");
        assert_eq!(login(world, &old.codes().next()).code, PamCode::Success);
        world.account_with_uid("alice", 4711);
        let end = login(world, &old.recovery_codes[0]);
        is_refused_for_its_store(&end, "it was made for uid 1001, but the account has uid 4711");
    });
}
