//! Users enrol themselves.

use twinlock_tests::{Authenticator, PASSWORD, Setup, Terminal, address_in, recovery_code_in};

use crate::asked::{CONFIRM, KEPT};

#[test]
fn a_user_enrols_with_the_password_of_the_account() {
    Setup::with_broker().unenrolled(|world, alice| {
        let status = world.twinlock_as(alice, &["status"]).run();
        assert_eq!((status.code, status.stdout.as_str()), (Some(4), "alice: not enrolled\n"), "{status:?}");
        let mut terminal = Terminal::start(world.twinlock_as(alice, &["enroll"]));
        terminal.expect("Password: ");
        terminal.send_line(PASSWORD);
        let shown = terminal.expect(CONFIRM);
        assert!(!shown.contains(PASSWORD), "{shown}");
        let mut codes = Authenticator::from_uri(address_in(&shown)).codes();
        terminal.send_line(&codes.next());
        let recovery = recovery_code_in(&terminal.expect(KEPT));
        terminal.send_line(&recovery);
        terminal.expect("Done: alice now has a second factor.");
        assert_eq!(terminal.finish().code, Some(0));
        let status = world.twinlock_as(alice, &["status"]).run();
        assert_eq!(status.code, Some(0), "{status:?}");
    });
}
