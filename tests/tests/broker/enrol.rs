//! Users enrol themselves.

use twinlock_tests::{Account, Authenticator, PASSWORD, Terminal, World, in_world};

/// Runs the test with a broker and an account alice, who is not enrolled.
fn with_alice(test: impl FnOnce(&World, &Account) + Send) {
    in_world(|world| {
        world.set_up("");
        world.broker_service();
        let alice = world.account("alice");
        let _broker = world.broker();
        test(world, &alice);
    });
}

#[test]
fn a_user_enrols_with_the_password_of_the_account() {
    with_alice(|world, alice| {
        let status = world.twinlock_as(alice, &["status"]).run();
        assert_eq!((status.code, status.stdout.as_str()), (Some(4), "alice: not enrolled\n"), "{status:?}");
        let mut terminal = Terminal::start(world.twinlock_as(alice, &["enroll"]));
        terminal.expect("Password: ");
        terminal.send_line(PASSWORD);
        let shown = terminal.expect("The code that the app shows now: ");
        assert!(!shown.contains(PASSWORD), "{shown}");
        let uri = shown.split_whitespace().find(|word| word.starts_with("otpauth://")).unwrap();
        let mut codes = Authenticator::from_uri(uri).codes();
        terminal.send_line(&codes.next());
        let codes_shown = terminal.expect("Type one of them, to show that you have them: ");
        let recovery = codes_shown.split_whitespace().find(|word| word.len() == 19).unwrap().to_owned();
        terminal.send_line(&recovery);
        terminal.expect("Done: alice now has a second factor.");
        assert_eq!(terminal.finish().code, Some(0));
        let status = world.twinlock_as(alice, &["status"]).run();
        assert_eq!(status.code, Some(0), "{status:?}");
    });
}
