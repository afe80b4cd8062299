//! The broker and its helper, which judge for hosts that are not root's.

use twinlock_tests::{Act, Attempt, PASSWORD, PamCode, Terminal, credentials_of, frame, in_world, is_root_in_earnest};

use crate::contender::Contender;

const NOT_HERE: &str = "not tried: it needs a user who is not root";

pub(super) fn a_killed_helper_says_no() -> String {
    const SIGNALS: [&str; 6] = ["KILL", "TERM", "SEGV", "ABRT", "BUS", "HUP"];
    if !is_root_in_earnest("an account of its own number") {
        return NOT_HERE.into();
    }
    in_world(|world| {
        world.set_up("");
        let alice = world.account("alice");
        let _broker = world.broker();
        // The helper asks for the password, and is killed after it was right.
        let right = "auth required pam_unix.so nodelay\n";
        let enrols = |service: &str| {
            world.service("twinlock", &format!("{service}account required pam_unix.so\n"));
            let mut terminal = Terminal::start(world.twinlock_as(&alice, &["enroll"]));
            terminal.expect("Password: ");
            terminal.send_line(PASSWORD);
            terminal.expect_or_end("Enter the code that the app shows now: ").is_some()
        };
        assert!(enrols(right), "{:#?}", world.log());
        for signal in SIGNALS {
            let script = format!("#!/bin/sh\nwhile kill -{signal} $PPID 2>/dev/null; do :; done\n");
            world.write_script("/run/killer", &script);
            assert!(!enrols(&format!("{right}auth required pam_exec.so quiet /run/killer\n")), "{signal}");
        }
        assert!(!credentials_of("alice").exists());
    });
    format!("killed by {} signals: denied", SIGNALS.len())
}

pub(super) fn only_yes_is_yes() -> String {
    if !is_root_in_earnest("an account of its own number") {
        return NOT_HERE.into();
    }
    let question = || Act::Say('Q', b"Code: ".to_vec());
    let verdict = |text: &str| Act::Say('V', text.as_bytes().to_vec());
    let mut wrong: Vec<Vec<Act>> = vec![
        vec![],
        vec![Act::Hear],
        vec![Act::Hear, verdict("granted")],
        vec![Act::Hear, question()],
        vec![Act::Hear, question(), Act::Hear],
        vec![Act::Hear, question(), Act::Hear, Act::Say('D', b"{\"right\":null}".to_vec())],
        vec![Act::Hear, question(), Act::Hear, verdict("refused wrong-code"), verdict("granted")],
        vec![Act::Hear, question(), Act::Hear, Act::Send(b"\xff\xff\xff\xffVgranted".to_vec())],
    ];
    let words = ["", "grant", "granted ", "Granted", "granted\0", "granted -1", "yes", "0", "refused", "too-soon 1"];
    wrong.extend(words.map(|word| vec![Act::Hear, question(), Act::Hear, verdict(word)]));
    let whole = frame('V', b"granted");
    wrong.extend(
        (1..whole.len()).map(|length| vec![Act::Hear, question(), Act::Hear, Act::Send(whole[..length].to_vec())]),
    );
    in_world(|world| {
        world.set_up("");
        let alice = world.account("alice");
        world.service("svc", &format!("auth {}\n", Contender::Twinlock.line()));
        let login = |acts: &[Act]| {
            let _broker = world.fake_broker(acts);
            Attempt::new("svc").user("alice").as_account(&alice).answer("123456").run(world).code()
        };
        assert_eq!(login(&[Act::Hear, question(), Act::Hear, verdict("granted")]), PamCode::Success);
        for acts in &wrong {
            assert_ne!(login(acts), PamCode::Success, "{acts:?}");
        }
    });
    format!("{} invalid replies from the broker: denied", wrong.len())
}
