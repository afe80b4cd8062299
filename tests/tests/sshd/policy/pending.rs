//! What a login leaves for its own end: who can store it, and who cannot. The application is libpam's caller alone.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use twinlock_tests::Operation::{AcctMgmt, Authenticate, DeleteCred, SetCred};
use twinlock_tests::{Attempt, Operation, PamCode, World, converse, in_world, recovery_codes_in};

use crate::policy::first_login::{BACK, alice_is_enrolled, app_of};

const ENROLL: &str = "second_factor = \"enroll\"\n";
const PENDING: &str = "/var/lib/twinlock/credentials/.alice.toml.due";
const VARIABLE: &str = "pam_twinlock_pending";

fn on_a_host(test: impl FnOnce(&World) + Send) {
    in_world(|world| {
        world.set_up(ENROLL);
        world.account("alice");
        world.account("bob");
        world.service("svc", "auth required pam_twinlock.so\naccount required pam_twinlock.so\n");
        test(world);
    });
}

/// A login of alice's who enrols in it, in which the application does this.
fn enrol(operations: &[Operation]) -> Vec<PamCode> {
    converse(c"svc", c"alice", c"SSH_AUTH_INFO_0=password", operations, |prompt| {
        let answer =
            if prompt.ends_with(BACK) { recovery_codes_in(prompt).remove(0) } else { app_of(prompt).codes().next() };
        answer.into_bytes()
    })
}

/// `pam_setcred` of another process, to which this id was handed over.
fn end(world: &World, user: &str, id: &str) -> PamCode {
    Attempt::new("svc").user(user).pam_environment(VARIABLE, id).operations([SetCred]).run(world).code_of(SetCred)
}

fn id_on_disk() -> String {
    let text = fs::read_to_string(PENDING).unwrap();
    text.split(' ').next().unwrap().to_owned()
}

#[test]
fn without_the_end_of_the_login_nothing_is_stored() {
    on_a_host(|world| {
        assert_eq!(enrol(&[Authenticate, AcctMgmt]), [PamCode::Success; 2]);
        assert!(!alice_is_enrolled(world));
        assert_eq!(fs::metadata(PENDING).unwrap().mode() & 0o777, 0o600);
        assert!(!Path::new("/var/lib/twinlock/state/alice").exists(), "nor does anything say that she is enrolled");
        assert_eq!(enrol(&[Authenticate, AcctMgmt, SetCred]), [PamCode::Success; 3], "the next login is not hindered");
        assert!(alice_is_enrolled(world) && !Path::new(PENDING).exists());
    });
}

#[test]
fn an_application_that_does_not_run_the_account_phase_first_stores_nothing() {
    on_a_host(|world| {
        for operations in [&[Authenticate, SetCred][..], &[Authenticate, SetCred, AcctMgmt]] {
            let codes = enrol(operations);
            assert!(codes.iter().all(|code| *code == PamCode::Success), "{codes:?}");
            assert!(!alice_is_enrolled(world), "{operations:?}");
        }
    });
}

#[test]
fn credentials_that_are_deleted_store_nothing() {
    on_a_host(|world| {
        assert_eq!(enrol(&[Authenticate, AcctMgmt, DeleteCred]), [PamCode::Success; 3]);
        assert!(!alice_is_enrolled(world));
    });
}

#[test]
fn an_id_that_was_not_handed_over_stores_nothing() {
    on_a_host(|world| {
        enrol(&[Authenticate, AcctMgmt]);
        let id = id_on_disk();
        let other = "0123456789abcdef0123456789abcdef".to_owned();
        for forged in [other, String::new(), "x".repeat(5000), id.repeat(2), id.to_uppercase() + "0", format!("{id}\n")]
        {
            assert_eq!(end(world, "alice", &forged), PamCode::CredErr, "{forged}");
        }
        assert_eq!(end(world, "bob", &id), PamCode::CredErr, "somebody else's");
        assert_eq!(end(world, "nobody-at-all", &id), PamCode::CredErr);
        assert!(!alice_is_enrolled(world) && world.twinlock(&["status", "bob"]).code != Some(0));
        assert_eq!(end(world, "alice", &id), PamCode::Success, "the process to which it was");
        assert!(alice_is_enrolled(world));
        assert_eq!(end(world, "alice", &id), PamCode::CredErr, "once");
    });
}

#[test]
fn an_id_of_an_earlier_login_stores_nothing() {
    on_a_host(|world| {
        enrol(&[Authenticate, AcctMgmt]);
        let id = id_on_disk();
        enrol(&[Authenticate, AcctMgmt]);
        assert_eq!(end(world, "alice", &id), PamCode::CredErr);
        assert!(!alice_is_enrolled(world));
    });
}

#[test]
fn an_enrolment_that_came_between_stays() {
    on_a_host(|world| {
        enrol(&[Authenticate, AcctMgmt]);
        let id = id_on_disk();
        let mut codes = world.enrol("alice").codes();
        assert_eq!(end(world, "alice", &id), PamCode::CredErr);
        let login = Attempt::new("svc").user("alice").answer(codes.next()).run(world);
        assert_eq!(login.code(), PamCode::Success, "with the app that root gave her");
    });
}

#[test]
fn an_account_of_another_number_is_not_enrolled() {
    on_a_host(|world| {
        enrol(&[Authenticate, AcctMgmt]);
        world.account_with_uid("alice", 4711);
        assert_eq!(end(world, "alice", &id_on_disk()), PamCode::CredErr);
        assert!(!alice_is_enrolled(world));
    });
}

#[test]
fn removing_a_second_factor_takes_what_waits_with_it() {
    on_a_host(|world| {
        enrol(&[Authenticate, AcctMgmt]);
        world.enrol("alice");
        assert_eq!(world.twinlock(&["remove", "alice", "--yes"]).code, Some(0));
        assert!(!Path::new(PENDING).exists());
    });
}

#[test]
fn a_disk_on_which_it_cannot_be_kept_refuses_the_login() {
    on_a_host(|world| {
        fs::create_dir(PENDING).unwrap();
        let mark = world.log_mark();
        assert_eq!(enrol(&[Authenticate, AcctMgmt]), [PamCode::Success, PamCode::AuthinfoUnavail]);
        let entries = world.entries_since(mark);
        assert_eq!(entries[1].value("reason"), "store", "{entries:#?}");
        assert!(entries[1].detail.as_ref().unwrap().contains("nothing was stored"), "{entries:#?}");
        let names = fs::read_dir("/var/lib/twinlock/credentials").unwrap().count();
        assert_eq!((alice_is_enrolled(world), names), (false, 1), "and no draft is left");
    });
}
