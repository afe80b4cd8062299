//! `[notify] mail`: a mail about every change, by the host's own sendmail, and nothing that its failures can stop.

use std::fs;
use std::time::{Duration, Instant};

use twinlock_tests::{DEADLINE, Enrolled, PASSWORD, Raw, Setup, Terminal, User, address_in, recovery_code_in};

use crate::asked::{CONFIRM, KEPT};

const MAIL: &str = "[notify]\nmail = true\nsendmail = \"/run/harness/bin/sendmail\"\n";

/// A sendmail that keeps its arguments and the mail.
const KEEPS: &str = "#!/bin/sh\nnumber=$$\nprintf '%s\\n' \"$@\" >/run/mail/arguments-$number\n\
     cat >/run/mail/new-$number\nmv /run/mail/new-$number /run/mail/mail-$number\n";

fn files(start: &str) -> Vec<String> {
    let found = fs::read_dir("/run/mail").unwrap().flatten();
    let named = found.filter(|entry| entry.file_name().to_string_lossy().starts_with(start));
    named.map(|entry| fs::read_to_string(entry.path()).unwrap()).collect()
}

fn wait_for(what: &str, found: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !found() {
        assert!(Instant::now() < end, "{what} never came");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Runs the test with this program as sendmail.
fn with_sendmail(config: &str, script: &str, test: impl FnOnce(&User<'_>) + Send) {
    Setup::with_broker().config(config).enrolled(|alice| {
        fs::create_dir("/run/mail").unwrap();
        alice.world.sendmail(script);
        test(alice);
    });
}

fn rename(alice: &User<'_>, to: &str, code: usize) {
    let from = if to == "a" { "phone" } else { "a" };
    let output = alice.runs(&["device", "rename", "alice", from, to], &[alice.recovery_code(code)]);
    assert_eq!(output.code, Some(0), "{output:?}");
}

/// The one line about a mail that did not go out.
fn failure(alice: &User<'_>, mark: usize) -> String {
    wait_for("a line about the mail", || alice.world.log_since(mark).iter().any(|line| line.text.starts_with("mail=")));
    let lines = alice.world.log_since(mark).into_iter().filter(|line| line.text.starts_with("mail="));
    let lines: Vec<_> = lines.map(|line| format!("{}: {}", line.tag, line.text)).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0].clone()
}

fn holds_no_secret(mail: &str, enrolled: &Enrolled) {
    for code in &enrolled.recovery_codes {
        assert!(!mail.contains(code.as_str()), "{mail}");
    }
    for text in ["otpauth", "http", "Key", PASSWORD] {
        assert!(!mail.contains(text), "{text}: {mail}");
    }
}

#[test]
fn one_mail_goes_to_the_owner_and_says_what_when_and_what_to_do() {
    with_sendmail(MAIL, KEEPS, |alice| {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned();
        rename(alice, "a", 0);
        wait_for("a mail", || !files("mail-").is_empty());
        assert_eq!(files("arguments-"), [format!("-i\n-f\nroot@{host}\n--\nalice@{host}\n")]);
        let mail = files("mail-").concat();
        let (head, body) =
            mail.replace("\r\n", "\n").split_once("\n\n").map(|(h, b)| (h.to_owned(), b.to_owned())).unwrap();
        let field =
            |name: &str| head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).map(str::to_owned);
        assert_eq!(field("To").as_deref(), Some(format!("alice@{host}").as_str()), "{mail}");
        assert!(field("From").is_some_and(|from| from.contains(&format!("root@{host}"))), "{mail}");
        assert_eq!(
            field("Subject").as_deref(),
            Some(format!("Your second factor on {host} was changed").as_str()),
            "{mail}"
        );
        assert!(field("Date").is_some(), "{mail}");
        let body = body.replace("=\n", "");
        assert!(body.starts_with("An app or device was renamed on 20"), "{mail}");
        assert!(body.replace('\n', " ").contains(&format!("Account: alice on {host}.")), "{mail}");
        let advice = format!("If it was not you, tell the administrator of {host} immediately.");
        assert!(body.replace('\n', " ").contains(&advice), "{mail}");
        holds_no_secret(&mail, &alice.enrolled);
    });
}

#[test]
fn a_mail_is_in_the_language_of_the_configuration() {
    with_sendmail(&format!("language = \"/etc/twinlock/german.toml\"\n{MAIL}"), KEEPS, |alice| {
        alice.world.write("/etc/twinlock/german.toml", alice.world.shipped("locale/de.toml"));
        rename(alice, "a", 0);
        wait_for("a mail", || !files("mail-").is_empty());
        let mail = files("mail-").concat().replace("=\r\n", "").replace("\r\n", " ");
        assert!(
            mail.contains("Eine App oder ein Ger=C3=A4t wurde am 20") && mail.contains("Konto: alice auf "),
            "{mail}"
        );
        assert!(mail.contains("charset=utf-8") && !mail.contains("was changed"), "{mail}");
        fs::remove_file("/etc/twinlock/german.toml").unwrap();
        rename(alice, "b", 1);
        wait_for("another mail", || files("mail-").len() == 2);
        assert!(files("mail-").iter().any(|mail| mail.contains("An app or device was renamed on 20")));
    });
}

#[test]
fn every_change_sends_one_and_what_changes_nothing_sends_none() {
    with_sendmail(&format!("second_factor = \"optional\"\n{MAIL}"), KEEPS, |alice| {
        let count = || files("mail-").len();
        alice.runs(&["status"], &[]);
        alice.runs(&["verify"], &[alice.recovery_code(0)]);
        alice.runs(&["device", "suspend", "alice", "phone"], &[&alice.wrong_code()]);
        alice.runs(&["device", "suspend", "alice", "nosuch"], &[alice.recovery_code(1)]);
        for (at, verb) in ["suspend", "resume"].into_iter().enumerate() {
            let output = alice.runs(&["device", verb, "alice", "phone"], &[alice.recovery_code(2 + at)]);
            assert_eq!(output.code, Some(0), "{output:?}");
            wait_for("the mail", || count() == at + 1);
        }
        assert_eq!(alice.world.twinlock(&["recovery", "new", "alice", "--no-confirm"]).code, Some(0));
        assert_eq!(count(), 3, "the command waits until it is sent");
        let output = alice.runs(&["remove", "alice", "--yes"], &[&alice.codes().next()]);
        assert_eq!(output.code, Some(0), "{output:?}");
        wait_for("the mail", || count() == 4);
        let all = files("mail-").concat();
        for told in ["was suspended on", "was resumed on", "codes were renewed on", "factor was removed on"] {
            assert_eq!(all.matches(told).count(), 1, "{told}: {all}");
        }
    });
}

#[test]
fn the_mail_about_an_enrolment_holds_nothing_of_it() {
    Setup::with_broker().config(MAIL).unenrolled(|world, alice| {
        fs::create_dir("/run/mail").unwrap();
        world.sendmail(KEEPS);
        let mut terminal = Terminal::start(world.twinlock_as(alice, &["enroll"]));
        terminal.expect("Password: ");
        terminal.send_line(PASSWORD);
        let shown = terminal.expect(CONFIRM);
        let uri = address_in(&shown).to_owned();
        let app = twinlock_tests::Authenticator::from_uri(&uri);
        let code = app.code_at(app.now_step());
        terminal.send_line(&code);
        let recovery = recovery_code_in(&terminal.expect(KEPT));
        terminal.send_line(&recovery);
        assert_eq!(terminal.finish().code, Some(0));
        wait_for("a mail", || !files("mail-").is_empty());
        let mail = [files("mail-"), files("arguments-")].concat().concat();
        assert!(mail.contains("A second factor was set up on 20"), "{mail}");
        let secret = secret_in(&uri);
        for canary in [&uri, &code, &recovery, &secret, PASSWORD] {
            assert!(!mail.contains(canary), "{canary}: {mail}");
        }
    });
}

fn secret_in(uri: &str) -> String {
    uri.split(['?', '&']).find_map(|pair| pair.strip_prefix("secret=")).unwrap().to_owned()
}

#[test]
fn where_it_is_not_wanted_none_goes_out() {
    for config in ["", "[notify]\n", "[notify]\nmail = false\n"] {
        with_sendmail(config, KEEPS, |alice| {
            rename(alice, "a", 0);
            assert_eq!(alice.world.twinlock(&["device", "rename", "alice", "a", "b"]).code, Some(0));
            assert_eq!(files(""), Vec::<String>::new(), "{config:?}");
            assert!(alice.world.log().iter().all(|line| !line.text.starts_with("mail=")));
        });
    }
}

#[test]
fn a_sendmail_that_fails_is_logged_and_the_change_stands() {
    for (script, why) in [
        ("#!/bin/sh\ncat >/dev/null\nexit 75\n", "sendmail did not accept the mail: exit status: 75"),
        ("#!/bin/sh\nexit 1\n", "sendmail did not accept the mail: exit status: 1"),
        ("#!/bin/sh\nkill -9 $$\n", "sendmail did not accept the mail: signal: 9 (SIGKILL)"),
        ("#!/nonexistent\n", "cannot run sendmail: No such file or directory (os error 2)"),
    ] {
        with_sendmail(MAIL, script, |alice| {
            let mark = alice.world.log_mark();
            rename(alice, "a", 0);
            assert_eq!(failure(alice, mark), format!("twinlockd: mail=failed user=alice detail=\"{why}\""));
            assert!(alice.runs(&["device", "list"], &[]).stdout.contains("  a  "), "it was renamed");
            let mark = alice.world.log_mark();
            assert_eq!(alice.world.twinlock(&["device", "rename", "alice", "a", "b"]).code, Some(0));
            assert_eq!(failure(alice, mark), format!("twinlock: mail=failed user=alice detail=\"{why}\""));
        });
    }
}

#[test]
fn a_host_without_sendmail_is_no_obstacle() {
    Setup::with_broker().config("[notify]\nmail = true\nsendmail = \"/nonexistent/sendmail\"\n").enrolled(|alice| {
        let mark = alice.world.log_mark();
        let launch = alice.world.twinlock_launch(&["device", "rename", "alice", "phone", "a"]);
        let output = launch.run();
        assert_eq!(output.code, Some(0), "{output:?}");
        let why = "cannot run sendmail: No such file or directory (os error 2)";
        assert_eq!(failure(alice, mark), format!("twinlock: mail=failed user=alice detail=\"{why}\""));
    });
}

#[test]
fn a_sendmail_that_hangs_keeps_nobody_waiting_and_is_stopped() {
    with_sendmail(MAIL, "#!/bin/sh\necho $$ >/run/mail/pid\nexec sleep 600\n", |alice| {
        let mark = alice.world.log_mark();
        let begin = Instant::now();
        rename(alice, "a", 0);
        rename(alice, "b", 1);
        assert!(begin.elapsed() < Duration::from_secs(8), "nobody waits for it: {:?}", begin.elapsed());
        let lines = || {
            alice.world.log_since(mark).into_iter().filter(|line| line.text.starts_with("mail=")).collect::<Vec<_>>()
        };
        wait_for("the end of both", || lines().len() == 2);
        for line in lines() {
            assert_eq!(
                line.text,
                "mail=failed user=alice detail=\"sendmail was stopped because it took longer than 10 seconds\""
            );
        }
        let pid = fs::read_to_string("/run/mail/pid").unwrap();
        assert!(!fs::exists(format!("/proc/{}", pid.trim())).unwrap(), "it is gone");
        assert_eq!(alice.runs(&["status"], &[]).code, Some(0));
    });
}

#[test]
fn the_mail_about_an_enrolment_inside_a_login_is_root_s_to_ask_for() {
    with_sendmail(MAIL, KEEPS, |alice| {
        let mark = alice.world.log_mark();
        let say = |mut connection: Raw, content: &str| {
            connection.say('E', content.as_bytes());
            assert!(connection.is_hung_up_within(DEADLINE), "{content:?} has no answer");
        };
        say(alice.world.caller(alice.account.uid).connect(), "1\0alice\0sshd\0host");
        for bad in
            ["", "1\0alice", "2\0alice\0sshd\0", "1\0nobody-at-all\0sshd\0", "1\0\0sshd\0", "1\0alice\0sshd\0x\0y"]
        {
            say(Raw::connect(), bad);
        }
        say(Raw::connect(), "1\0alice\0ss\nhd\0x\ny\x1b[31m");
        wait_for("a mail", || !files("mail-").is_empty());
        let mails: Vec<_> = files("mail-").iter().map(|mail| mail.replace("=\r\n", "").replace("\r\n", " ")).collect();
        assert_eq!(mails.len(), 1, "{mails:?}");
        assert!(
            mails[0].contains("This was inside a login with ss%0Ahd from x%0Ay%1B%5B31m. Account: alice on "),
            "{mails:?}"
        );
        assert_eq!(alice.world.log_since(mark), [], "the module has written the line of the change");
    });
}
