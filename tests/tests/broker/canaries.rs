//! Canaries: nothing secret of a whole self-service session is in the log, in anybody's arguments, or on stderr.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use twinlock_tests::{
    Authenticator, Canaries, PASSWORD, SOCKET, STORE, Terminal, address_in, in_world, recovery_codes_in,
};

use crate::asked::{CONFIRM, KEPT, PROOF};

/// The arguments and the environment of every process of this host, as they are now.
fn processes() -> String {
    let numbers = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let texts = numbers.flat_map(|process| ["cmdline", "environ"].map(|file| fs::read(process.join(file))));
    texts.flatten().map(|text| String::from_utf8_lossy(&text).into_owned() + "\n").collect()
}

#[test]
fn nothing_secret_leaves_by_log_arguments_or_stderr() {
    in_world(|world| {
        world.set_up("second_factor = \"optional\"\n");
        world.broker_service();
        let alice = world.account("alice");
        let broker = world.broker();
        let mut canaries = Canaries::default();
        canaries.password(PASSWORD);
        let (mut seen, mut errors) = (String::new(), String::new());

        let start = |arguments: &[&str]| Terminal::start_with_error_apart(world.twinlock_as(&alice, arguments));
        let mut terminal = start(&["enroll"]);
        terminal.expect("Password: ");
        seen += &processes();
        terminal.send_line("wrong password of hers");
        canaries.password("wrong password of hers");
        errors += &terminal.finish().stderr;
        let mut recovery = Vec::new();
        let mut app = None;
        for arguments in [&["enroll"][..], &["recovery", "new"], &["enroll", "--add"], &["enroll", "--replace"]] {
            let mut terminal = start(arguments);
            if arguments == ["enroll"] {
                terminal.expect("Password: ");
                terminal.send_line(PASSWORD);
            } else {
                terminal.expect(PROOF);
                let code: String = recovery.pop().unwrap();
                terminal.send_line(&code);
            }
            if arguments[0] == "enroll" {
                let uri = address_in(&terminal.expect(CONFIRM)).to_owned();
                canaries.uri(&uri);
                let new = Authenticator::from_uri(&uri);
                let code = new.code_at(new.now_step());
                canaries.code(&code);
                canaries.code(&(new.wrong_code() + "77"));
                terminal.send_line(&(new.wrong_code() + "77"));
                terminal.expect(CONFIRM);
                seen += &processes();
                terminal.send_line(&code);
                app = Some(new);
            }
            if !arguments.contains(&"--add") {
                let shown = terminal.expect(KEPT);
                let (_, new) = shown.split_once("These are your recovery codes.").unwrap();
                recovery = recovery_codes_in(new);
                assert_eq!(recovery.len(), 10, "{shown}");
                for code in &recovery {
                    canaries.recovery_code(code);
                }
                seen += &processes();
                terminal.send_line(&recovery[0]);
            }
            let output = terminal.finish();
            assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
            errors += &output.stderr;
        }
        let app = app.unwrap();
        let code = app.code_at(app.now_step() + 1);
        canaries.code(&code);
        let answers = [code.as_str(), &code, &recovery[1], &recovery[1], "neither a code nor anything else"];
        canaries.password("neither a code nor anything else");
        for answer in answers {
            let mut terminal = start(&["verify"]);
            terminal.expect("Verification code: ");
            terminal.send_line(answer);
            errors += &terminal.finish().stderr;
        }
        let mut terminal = start(&["remove", "alice", "--yes"]);
        terminal.expect(PROOF);
        terminal.send_line(&recovery[2]);
        let output = terminal.finish();
        assert_eq!(output.code, Some(0), "{output:?}");
        errors += &output.stderr;

        let socket = fs::metadata(SOCKET).unwrap().permissions().mode();
        assert_eq!(socket & 0o777, 0o666, "everybody may come");
        let broker = broker.stop();
        assert_eq!((broker.stdout.as_str(), broker.stderr.as_str()), ("", ""));
        let log = world.log().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(log.contains("change=removed user=alice by-uid=1001"), "the whole session is in it: {log}");
        assert!(
            seen.contains("twinlockd\0--prove\0alice\0") || seen.contains("--prove\0alice\0"),
            "helpers were seen too"
        );
        for (place, text) in [("the log", &log), ("an argument", &seen), ("stderr", &errors)] {
            canaries.assert_not_in(place, text);
        }
        // What was removed is gone from the store, with everything that it held.
        let left = twinlock_tests::Snapshot::of(STORE);
        assert!(!left.paths().iter().any(|path| path.ends_with("alice.toml")), "{left:?}");
    });
}
