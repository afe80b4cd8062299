//! An enrolment inside a login is stored once the whole login has passed, and is told like any other change.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use twinlock_tests::{DEADLINE, FirstFactor, Launch, Login, PASSWORD, Session, Sshd, World, in_sshd_world};

use crate::policy::first_login::{HandedOver, alice_is_enrolled, enrol, host, ours};

const ENROLL: &str = "second_factor = \"enroll\"\nissuer = \"web01\"\n";
const DROP_IN: &str = "/etc/ssh/sshd_config.d/0-before.conf";
const MAIL: &str = "[notify]\nmail = true\nsendmail = \"/run/harness/bin/sendmail\"\n";

/// Enrols after the password and leaves the rest to sshd.
fn enrol_after_the_password(mut session: Session<'_>) -> Login {
    session.expect("Password: ");
    session.send_line(PASSWORD);
    enrol(&mut session);
    session.finish()
}

/// A host that asks for password and code first, and for a key after them.
fn key_comes_last<'w>(world: &'w World, config: &str) -> Sshd<'w> {
    let sshd = host(world, FirstFactor::Password, config);
    world.write(DROP_IN, "AuthenticationMethods keyboard-interactive,publickey\n");
    sshd
}

/// What the store holds of alice.
fn files_of_alice() -> Vec<String> {
    let folders = ["/var/lib/twinlock/credentials", "/var/lib/twinlock/state"];
    let names = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("alice")).collect()
}

#[test]
fn a_password_alone_enrols_nobody_where_a_key_is_asked_for_after_it() {
    in_sshd_world(|world| {
        let sshd = key_comes_last(world, ENROLL);
        let login = enrol_after_the_password(sshd.login("alice").without_key().terminal());
        assert!(!login.granted && login.stdout.contains("Permission denied (publickey)"), "{login:#?}");
        assert!(!alice_is_enrolled(world), "{login:#?}");
        let again = enrol_after_the_password(sshd.login("alice").with_strange_key().terminal());
        assert!(!again.granted && !alice_is_enrolled(world), "{again:#?}");

        let login = enrol_after_the_password(sshd.login("alice").terminal());
        assert!(login.granted && alice_is_enrolled(world), "with her key: {login:#?}");
        assert_eq!(files_of_alice().len(), 2, "nothing is left of the others: {:?}", files_of_alice());
    });
}

#[test]
fn an_account_that_pam_access_refuses_is_not_enrolled() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        world.write("/etc/access.conf", "-:alice:ALL\n");
        world.change(
            "/etc/pam.d/sshd",
            "# account  required     pam_access.so",
            "account required pam_access.so accessfile=/etc/access.conf",
        );
        let mut session = sshd.login("alice").terminal();
        enrol(&mut session);
        let login = session.finish();
        assert!(!login.granted && !alice_is_enrolled(world), "{login:#?}");

        world.write("/etc/access.conf", "+:alice:ALL\n");
        let mut session = sshd.login("alice").terminal();
        enrol(&mut session);
        let login = session.finish();
        assert!(login.granted && alice_is_enrolled(world), "{login:#?}");
    });
}

#[test]
fn an_account_that_has_expired_is_not_enrolled() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        let expire = |day: &str| assert_eq!(Launch::new(["chage", "-E", day, "alice"]).run().code, Some(0));
        expire("1");
        let mut session = sshd.login("alice").terminal();
        enrol(&mut session);
        let login = session.finish();
        assert!(!login.granted && !alice_is_enrolled(world), "{login:#?}");

        expire("-1");
        let mut session = sshd.login("alice").terminal();
        enrol(&mut session);
        assert!(session.finish().granted && alice_is_enrolled(world));
    });
}

/// As where the disk fails between the account phase and the end of the login.
#[test]
fn a_login_whose_enrolment_cannot_be_stored_in_the_end_is_refused() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        world.write_script("/tmp/spoil", "#!/bin/sh\necho >/var/lib/twinlock/credentials/.alice.toml.due\n");
        world.change(
            "/etc/pam.d/sshd",
            "@include common-account",
            "@include common-account\naccount required pam_exec.so /tmp/spoil",
        );
        let mut session = sshd.login("alice").terminal();
        enrol(&mut session);
        let login = session.finish();
        assert!(!login.granted && !alice_is_enrolled(world), "{login:#?}");
        let entries = ours(&login);
        assert_eq!(entries[1].value("result"), "refused", "{entries:#?}");
        assert_eq!(changes(&login), [""; 0]);
    });
}

#[test]
fn the_session_has_no_variable_of_the_enrolment() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        let mut session = sshd.login("alice").command("env && echo IN").terminal();
        enrol(&mut session);
        let login = session.finish();
        assert!(login.granted && alice_is_enrolled(world), "{login:#?}");
        let (_, session) = login.stdout.split_once("USER=alice").unwrap();
        assert!(!session.to_lowercase().contains("twinlock"), "{session}");
    });
}

#[test]
fn a_person_at_a_terminal_is_told_that_it_was_stored() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        let mut session = sshd.login("alice").shell().terminal();
        enrol(&mut session);
        session.expect("will be saved when this login is complete");
        session.expect("You are enrolled.");
        session.send_line("exit");
        session.finish();
        assert!(alice_is_enrolled(world));
    });
}

/// The line of a change that a login made.
fn changes(login: &Login) -> Vec<String> {
    let lines = login.server_log.iter().filter_map(|line| line.text.split_once("change="));
    lines.map(|(_, line)| line.to_owned()).collect()
}

fn mails() -> Vec<String> {
    let files = fs::read_dir("/run/mail").unwrap().flatten();
    let mails = files.filter(|entry| entry.file_name().to_string_lossy().starts_with("mail-"));
    mails.map(|entry| fs::read_to_string(entry.path()).unwrap().replace("=\r\n", "").replace("\r\n", " ")).collect()
}

fn keep_mails(world: &World) {
    fs::create_dir("/run/mail").unwrap();
    world.sendmail("#!/bin/sh\ncat >/run/mail/new-$$\nmv /run/mail/new-$$ /run/mail/mail-$$\n");
}

fn enrol_with_key(sshd: &Sshd<'_>) -> (Login, HandedOver) {
    let mut session = sshd.login("alice").terminal();
    let handed_over = enrol(&mut session);
    (session.finish(), handed_over)
}

#[test]
fn it_is_logged_as_a_change_told_at_the_next_login_and_mailed_by_the_broker() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, &format!("{ENROLL}{MAIL}"));
        keep_mails(world);
        let _broker = world.broker();
        let (login, mut handed_over) = enrol_with_key(&sshd);
        assert!(login.granted, "{login:#?}");
        let uid = fs::metadata("/home/alice").unwrap().uid();
        assert_eq!(changes(&login), [format!("enrolled user=alice by-uid={uid} service=sshd rhost=127.0.0.1")]);
        let end = Instant::now() + DEADLINE;
        while mails().is_empty() {
            assert!(Instant::now() < end, "no mail came");
            std::thread::sleep(Duration::from_millis(2));
        }
        let mail = mails().concat();
        assert!(mail.contains("To: alice@") && mail.contains("A second factor was set up on 20"), "{mail}");
        assert!(mail.contains("inside a login with sshd from 127.0.0.1"), "{mail}");

        let next = sshd.login("alice").answer(handed_over.codes.next()).run();
        let told = next.stderr.replace('\n', " ");
        let notice = "A second factor was set up just now. Was that not you? Tell your administrator.";
        assert!(next.granted && told.contains(notice), "{next:#?}");
        assert_eq!(mails().len(), 1, "one change, one mail");
        assert_eq!(changes(&next), [""; 0]);
    });
}

#[test]
fn where_no_broker_listens_the_log_alone_has_it_and_the_login_passes() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, &format!("{ENROLL}{MAIL}"));
        keep_mails(world);
        let (login, _) = enrol_with_key(&sshd);
        assert!(login.granted && alice_is_enrolled(world), "{login:#?}");
        assert_eq!(changes(&login).len(), 1, "{login:#?}");
        assert_eq!(mails(), [""; 0]);
        assert_eq!(ours(&login).len(), 2);
    });
}

#[test]
fn a_broker_that_answers_nobody_holds_no_login_up() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, &format!("{ENROLL}{MAIL}"));
        keep_mails(world);
        let broker = world.broker();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(broker.pid()), nix::sys::signal::Signal::SIGSTOP).unwrap();
        let begin = Instant::now();
        let (login, _) = enrol_with_key(&sshd);
        assert!(login.granted && alice_is_enrolled(world), "{login:#?}");
        assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
        broker.kill();
    });
}

#[test]
fn mail_that_is_not_wanted_is_not_sent() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        keep_mails(world);
        let broker = world.broker();
        let (login, _) = enrol_with_key(&sshd);
        assert!(login.granted, "{login:#?}");
        broker.stop();
        assert_eq!(mails(), [""; 0]);
    });
}
