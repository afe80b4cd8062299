//! The module as it is built, through libpam, in this process: whatever a login says of itself and answers, it passes by a
//! rule that is meant for it or not at all.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that cannot go on panics"
)]

mod corpus;

use std::{ffi::CString, fs};

use corpus::corpus;
use twinlock_fuzz::{
    auth_info::proven,
    login::{self, POLICY},
    random::Random,
};
use twinlock_tests::{PamCode, authenticate_from, in_world, state_of, sweep_of, tally};

/// Logins of the whole sweep.
const LOGINS: usize = 20_000;

/// libpam never passes `PAM_IGNORE` on; a module behind ours turns it into this.
const IGNORED: PamCode = PamCode::CredUnavail;
const SSHD: &str =
    "auth [ignore=ignore success=done default=die] pam_twinlock.so\nauth required pam_debug.so auth=cred_unavail\n";

/// As a C string ends.
fn text(mut bytes: Vec<u8>) -> CString {
    bytes.retain(|byte| *byte != 0);
    CString::new(bytes).unwrap()
}

#[test]
fn no_login_of_thousands_passes_by_a_rule_that_is_not_meant_for_it() {
    // The world hides the repository.
    let [answers, infos] = ["answer", "auth_info"].map(corpus);
    let people = ["alice", "bob", "carol", "carol"].map(|name| vec![name.as_bytes().to_vec(); 6]).concat();
    let names = [corpus("user_name"), people].concat();
    let logins = sweep_of(LOGINS);
    in_world(|world| {
        world.set_up(POLICY);
        world.service("sshd", SSHD);
        for account in ["alice", "bob", "carol"] {
            world.account(account);
        }
        world.group("admins", &["alice"]);
        world.group("robots", &[]);
        // Of the three carol alone has a second factor.
        let mut codes = world.deploy("carol").codes();
        let mut is_let_in = || {
            let code = authenticate_from(c"sshd", c"carol", codes.next().as_bytes(), c"192.0.2.1", c"SSH_AUTH_INFO_0=");
            assert_eq!(code, PamCode::Success);
        };
        is_let_in();
        let sources: [&[u8]; 6] =
            [b"10.1.2.3", b"::ffff:10.1.2.3", b"fd00::1%eth0", b"192.0.2.1", b"localhost", b"10.1.2"];
        let mut random = Random(0x2026_1124_0700_0002);
        let mut passed = 0;
        for _ in 0..logins {
            let (user, rhost) = (text(random.mutated(&names)), text(random.mutated(&sources)));
            let (info, answer) = (text(random.mutated(&infos)), text(random.mutated(&answers)));
            let variable = CString::new([b"SSH_AUTH_INFO_0=", info.as_bytes()].concat()).unwrap();
            let code = authenticate_from(c"sshd", &user, answer.as_bytes(), &rhost, &variable);
            let [user, rhost, info] = [user.as_bytes(), rhost.as_bytes(), info.as_bytes()];
            // Users who have no second factor pass from some networks, where carol and strangers do not.
            let without = [&b"alice"[..], b"bob", b"root"].contains(&user);
            let token = proven(info).contains(&"sk-ssh-ed25519@openssh.com");
            let may_pass = login::decide(b"sshd", user, rhost, info) && (token || without);
            let shown = [user, rhost, info].map(String::from_utf8_lossy);
            assert_eq!(code == IGNORED, may_pass, "{code:?} {shown:?}");
            assert_ne!(code, PamCode::Success, "{shown:?}");
            passed += usize::from(may_pass);
        }
        assert!((logins / 20..logins / 2).contains(&passed), "{passed}");
        // What slowed the guesses down is taken away; what was used stays used, and nothing else is.
        fs::remove_file(state_of("carol")).unwrap();
        is_let_in();
        tally("fuzz", "logins through libpam", logins as u64);
    });
}
