//! alice, with an app of eight digits and real recovery codes, and canaries for all of it.

use twinlock_tests::{Canaries, PASSWORD, Setup, User};

/// The module with every return code of it passed on to the application, and with all that it says for debugging.
pub(crate) const EXACT: &str = "auth [ignore=ignore success=done default=die] pam_twinlock.so debug\n\
     auth required pam_deny.so\n\
     account [ignore=ignore success=done default=die] pam_twinlock.so debug\n\
     account required pam_deny.so\n";

/// Runs the test with alice enrolled by the command, so that no other test has her secrets, and with canaries for what she
/// has: secret, recovery codes, password. The codes of her app are put in by the tests that use them.
pub(crate) fn with_alice(test: impl FnOnce(&User<'_>, &mut Canaries) + Send) {
    // Eight digits: six turn up by chance.
    Setup::new().stack(EXACT).enrolled_by_command(&["--digits", "8"]).enrolled(|alice| {
        let mut canaries = Canaries::default();
        canaries.secret(&alice.enrolled.authenticator.secret);
        canaries.password(PASSWORD);
        alice.enrolled.recovery_codes.iter().for_each(|code| canaries.recovery_code(code));
        test(alice, &mut canaries);
    });
}
