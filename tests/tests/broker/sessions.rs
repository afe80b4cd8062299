//! `first_enrollment = "session"`: whose session has just begun needs no password, and nobody else.

use std::time::{SystemTime, UNIX_EPOCH};

use twinlock_tests::{Account, Launch, PASSWORD, Setup, Terminal, World, is_root_in_earnest};

use crate::asked::CONFIRM;

const CONFIG: &str = "[self_service]\nfirst_enrollment = \"session\"\n";
const MINUTE: u64 = 60;
const NO_SESSION: &str =
    "not permitted: you can enrol only from a login session, and this host does not recognise yours";
const TOO_OLD: &str = "not permitted: you can enrol only within ten minutes of logging in";

/// As `login` does it: the process gets an audit session of this user, which logind notes so; then root's rights go.
/// Without a uid, there is no session; without a note, logind knows nothing of it.
const LOGIN: &str = "if [ -n \"$AUDIT_UID\" ]; then echo \"$AUDIT_UID\" >/proc/self/loginuid || exit 99; fi\n\
     mkdir -p /run/systemd/sessions\n\
     read -r number </proc/self/sessionid\n\
     rm -f \"/run/systemd/sessions/$number\"\n\
     if [ -n \"$NOTE\" ]; then printf '%s' \"$NOTE\" >\"/run/systemd/sessions/$number\"; fi\n\
     if [ -n \"$SCOPE\" ]; then\n\
         printf '0::/user.slice/user-%s.slice/%s' \"$ALICE\" \"$SCOPE\" >/run/cgroup && mount --bind /run/cgroup /proc/$$/cgroup || exit 98\n\
         printf '%s' \"$COUNTED\" >/run/systemd/sessions/c1\n\
     fi\n\
     exec setpriv --reuid \"$ALICE\" --regid \"$ALICE\" --clear-groups \"$@\"\n";

fn in_session(world: &World, account: &Account, audit_uid: &str, note: &str, arguments: &[&str]) -> Launch {
    world
        .twinlock_launch(arguments)
        .under(["sh", "-c", LOGIN, "sh"])
        .environment("AUDIT_UID", audit_uid)
        .environment("NOTE", note)
        .environment("ALICE", account.uid.to_string())
}

fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What logind notes of a session of this user and class, which began then.
fn noted(uid: u32, class: &str, began: u64) -> String {
    format!(
        "# This is private data. Do not parse.\nUID={uid}\nUSER=alice\nACTIVE=1\nIS_DISPLAY=0\nSTATE=active\nREMOTE=1\n\
         TYPE=tty\nORIGINAL_TYPE=tty\nCLASS={class}\nSCOPE=session-5.scope\nSERVICE=sshd\nLEADER=1\n\
         REALTIME={began}000123\nMONOTONIC=1\n"
    )
}

/// Runs the test where the kernel keeps audit sessions.
fn with_sessions(test: impl FnOnce(&World, &Account) + Send) {
    if is_root_in_earnest("a process's audit session") {
        Setup::with_broker().config(CONFIG).unenrolled(test);
    }
}

#[test]
fn whoever_has_just_logged_in_enrols_without_a_password() {
    with_sessions(|world, alice| {
        let note = noted(alice.uid, "user", seconds_since_1970() - MINUTE);
        let mut terminal = Terminal::start(in_session(world, alice, "1001", &note, &["enroll"]));
        let shown = terminal.expect(CONFIRM);
        assert!(!shown.contains("Password"), "{shown}");
        drop(terminal);
        for began in [0, 1, 9 * MINUTE] {
            let note = noted(alice.uid, "user", seconds_since_1970() - began);
            let output = in_session(world, alice, "1001", &note, &["enroll"]).run();
            assert_eq!(output.code, Some(1), "{began}: {output:?}");
            assert!(output.stderr.contains("cannot enrol alice: there is no terminal"), "{began}: {output:?}");
        }
    });
}

#[test]
fn every_other_session_is_refused() {
    with_sessions(|world, alice| {
        world.account("bob");
        let now = seconds_since_1970();
        let fresh = noted(1001, "user", now - MINUTE);
        for (what, audit_uid, note, told) in [
            ("stale", "1001", noted(1001, "user", now - 11 * MINUTE), TOO_OLD),
            ("of yesterday", "1001", noted(1001, "user", now - 86400), TOO_OLD),
            ("of the future", "1001", noted(1001, "user", now + 60 * MINUTE), TOO_OLD),
            ("of no time", "1001", fresh.replace("REALTIME", "RE"), NO_SESSION),
            (
                "of an empty time",
                "1001",
                noted(1001, "user", now).replace(&now.to_string(), "").replace("=000123", "="),
                NO_SESSION,
            ),
            ("of a time that is none", "1001", fresh.replace("REALTIME=", "REALTIME=-"), NO_SESSION),
            ("of a time beyond all", "1001", fresh.replace("REALTIME=", "REALTIME=99999999999999999999"), NO_SESSION),
            ("of somebody else", "1001", noted(1002, "user", now), NO_SESSION),
            ("of root", "1001", noted(0, "user", now), NO_SESSION),
            ("of a longer number", "1001", fresh.replace("UID=1001", "UID=10010"), NO_SESSION),
            ("of nobody", "1001", fresh.replace("UID=1001", "UID="), NO_SESSION),
            ("of the user's manager", "1001", noted(1001, "manager", now), NO_SESSION),
            ("of a greeter", "1001", noted(1001, "greeter", now), NO_SESSION),
            ("of a lock screen", "1001", noted(1001, "lock-screen", now), NO_SESSION),
            ("of a background job", "1001", noted(1001, "background", now), NO_SESSION),
            ("of no class", "1001", fresh.replace("CLASS=user", "CLASS="), NO_SESSION),
            ("that logind does not know", "1001", String::new(), NO_SESSION),
            ("that the kernel gives to somebody else", "1002", fresh.clone(), NO_SESSION),
            ("that the kernel gives to root", "0", fresh.clone(), NO_SESSION),
            ("of no session at all", "", fresh.clone(), NO_SESSION),
        ] {
            let output = in_session(world, alice, audit_uid, &note, &["enroll"]).run();
            let told = format!("twinlock: {told}\nhint: log in again, and run `twinlock enroll` within ten minutes\n");
            assert_eq!(output.parts(), (Some(3), "", told.as_str()), "a session {what}");
        }
    });
}

/// Where logind counts sessions by itself, as in a container, the kernel knows them by their cgroup. The session that audit
/// gives the process is then one of the host, of which logind has no note.
#[test]
fn a_session_of_a_container_is_that_of_its_cgroup() {
    with_sessions(|world, alice| {
        let now = seconds_since_1970();
        let fresh = noted(alice.uid, "user", now - MINUTE);
        let enrols = |audit_uid: &str, scope: &str, counted: &str| {
            let launch = in_session(world, alice, audit_uid, "", &["enroll"]);
            launch.environment("SCOPE", scope).environment("COUNTED", counted).run()
        };
        for audit_uid in ["1001", "0", ""] {
            let output = enrols(audit_uid, "session-c1.scope", &fresh);
            assert!(output.stderr.contains("cannot enrol alice: there is no terminal"), "{audit_uid}: {output:?}");
        }
        for (what, scope, counted, told) in [
            ("stale", "session-c1.scope", noted(1001, "user", now - 11 * MINUTE), TOO_OLD),
            ("of somebody else", "session-c1.scope", noted(1002, "user", now), NO_SESSION),
            ("of the user's manager", "session-c1.scope", noted(1001, "manager", now), NO_SESSION),
            ("that logind does not know", "session-c2.scope", fresh.clone(), NO_SESSION),
            ("of a folder of the user's own", "user@1001.service/session-c1.scope", fresh.clone(), NO_SESSION),
        ] {
            let output = enrols("", scope, &counted);
            assert!(output.code == Some(3) && output.stderr.contains(told), "a session {what}: {output:?}");
        }
    });
}

#[test]
fn a_session_is_worth_nothing_where_the_password_is_wanted_and_the_other_way_round() {
    with_sessions(|world, alice| {
        let note = noted(alice.uid, "user", seconds_since_1970() - MINUTE);
        world.write(twinlock_tests::CONFIG, "[self_service]\nfirst_enrollment = \"password\"\n");
        let mut terminal = Terminal::start(in_session(world, alice, "1001", &note, &["enroll"]));
        terminal.expect("Password: ");
        terminal.send_line(PASSWORD);
        terminal.expect(CONFIRM);
        drop(terminal);
        world.write(twinlock_tests::CONFIG, "[self_service]\nfirst_enrollment = \"off\"\n");
        assert_eq!(in_session(world, alice, "1001", &note, &["enroll"]).run().code, Some(3));
    });
}

#[test]
fn a_fresh_session_is_no_proof_for_what_is_there_already() {
    with_sessions(|world, alice| {
        world.deploy("alice");
        let note = noted(alice.uid, "user", seconds_since_1970() - MINUTE);
        let output = in_session(world, alice, "1001", &note, &["device", "rename", "alice", "phone", "x"]).run();
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains("not confirmed, so nothing was changed"), "{output:?}");
        let output = in_session(world, alice, "1001", &note, &["enroll"]).run();
        assert!(output.stderr.contains("already"), "{output:?}");
    });
}
