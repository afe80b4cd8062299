//! The module without its feature `enrol-in-login`: it checks codes as ever, and enrols nobody.

use std::process::Command;

use twinlock_tests::{Attempt, PamCode, Setup};

use crate::module::end::{granted, granted_by_recovery, login, refused, refused_by, run};
use crate::module::probe;

const ENROLL: &str = "second_factor = \"enroll\"\n";

#[test]
fn it_checks_codes_and_enrols_nobody() {
    let module = probe::bare_module();
    Setup::new().config(ENROLL).enrolled(|alice| {
        std::fs::write(alice.world.module_path(), &module).unwrap();
        let code = alice.codes().next();
        assert_eq!(login(alice, &[&code]), granted());
        assert_eq!(login(alice, &[&code]), refused_by("totp", "0", PamCode::AuthErr, "replayed"));
        assert_eq!(login(alice, &[alice.recovery_code(0)]), granted_by_recovery());
        alice.world.account("bob");
        let attempt = Attempt::new("svc").user("bob").pam_environment("SSH_AUTH_INFO_0", "password").answer("123456");
        let (outcome, end) = run(alice.world, attempt);
        let alices = refused(PamCode::AuthErr, "not-enrolled").log;
        let detail =
            "detail=\"no enrolment was offered: this build of pam_twinlock.so cannot enrol users inside a login\"";
        assert_eq!((end.code, end.log), (PamCode::AuthErr, format!("{} {detail}", alices.replace("alice", "bob"))));
        assert_eq!(outcome.prompts().len(), 1, "one question, as for everybody");
    });
}

#[test]
fn it_links_no_enrolment() {
    let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--offline", "-p", "pam_twinlock", "-e", "normal", "--prefix", "none", "--no-default-features"]);
    let tree = String::from_utf8(tree.current_dir(repository).output().unwrap().stdout).unwrap();
    assert!(tree.contains("twinlock-login"), "{tree}");
    assert!(!tree.contains("twinlock-enrol") && !tree.contains("qrcode"), "{tree}");
}
