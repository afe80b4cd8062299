//! The helper that asks for the password dies, hangs, or is never born; PAM says no in every way it knows: nobody is
//! enrolled (D04).

use std::fs;

use serde_json::json;
use twinlock_tests::{Broker, PASSWORD, STORE, Snapshot, credentials_of};

use crate::injection::{Host, attach, wait_until, with_host};
use crate::person::{Given, Talk, Turn, enroll};

const GENERIC: &str = "this host cannot do that at the moment, because of a problem that its administrator has to fix";
const WRONG: &str = "the password was not accepted";
const UNIX: &str = "auth required pam_unix.so nodelay\n";
const KILLER: &str = "auth required pam_exec.so quiet /run/killer\n";
const ACCOUNT: &str = "account required pam_unix.so\n";

/// The answer to a first enrolment under this PAM service, after which nothing is stored and the broker serves on.
fn refused(host: &Host<'_>, service: &str, password: &str) -> String {
    host.world.service("twinlock", service);
    refused_now(host, password)
}

fn refused_now(host: &Host<'_>, password: &str) -> String {
    let before = Snapshot::of(STORE);
    let end = host.asks(&enroll("first"), Given { password: Some(password.into()), ..Given::password() });
    let Turn::Refused(_, message) = end else { panic!("enrolled, or no answer: {end:?}") };
    assert_eq!(Snapshot::of(STORE), before);
    let status = host.asks(&json!("status"), Given::default());
    assert!(status.is_done(), "it serves on: {status:?}");
    message
}

fn assert_password_enrols(host: &Host<'_>) {
    host.world.broker_service();
    assert!(host.asks(&enroll("first"), Given::password()).is_done(), "{:#?}", host.world.log());
}

fn with_broker(test: impl FnOnce(&Host<'_>, &Broker) + Send) {
    with_host("", |host| {
        let broker = host.world.broker();
        test(host, &broker);
    });
}

#[test]
fn a_helper_that_a_signal_ends_proves_nothing() {
    with_broker(|host, _| {
        // Before the password, after it was right, and when the account is looked at.
        let points = [
            format!("{KILLER}{UNIX}{ACCOUNT}"),
            format!("{UNIX}{KILLER}{ACCOUNT}"),
            format!("{UNIX}account required pam_exec.so quiet /run/killer\n{ACCOUNT}"),
        ];
        for signal in ["HUP", "INT", "QUIT", "ILL", "ABRT", "BUS", "FPE", "KILL", "SEGV", "TERM", "ALRM", "USR1", "SYS"]
        {
            // As a module that crashes: the parent of what pam_exec runs is the helper. Again and again, because Rust's
            // runtime takes the first SIGSEGV or SIGBUS for itself, and lets a real one come again.
            let script = format!("#!/bin/sh\nwhile kill -{signal} $PPID 2>/dev/null; do :; done\n");
            host.world.write_script("/run/killer", &script);
            for service in &points {
                assert_eq!(refused(host, service, PASSWORD), WRONG, "{signal} in {service}");
            }
        }
        assert_password_enrols(host);
    });
}

#[test]
fn a_helper_that_is_killed_about_its_last_word_proves_nothing() {
    with_broker(|host, broker| {
        for call in ["exit_group", "munmap"] {
            let talk = Talk::begin(host.world.caller(host.alice.uid).connect(), &enroll("first"), Given::password());
            let mut talk = talk.until("Password: ");
            // The helper is there, and waits for the password.
            let fault = format!("inject={call}:signal=SIGKILL:when=1");
            let helper = helper_of(broker);
            let trace = trace_helper(helper, &["-e", &format!("trace={call}"), "-e", &fault]);
            assert_eq!(talk.finish_with("Password: ").refusal(), WRONG, "{call}");
            drop(trace);
        }
        assert!(!fs::exists(credentials_of("alice")).unwrap());
        assert_password_enrols(host);
    });
}

#[test]
fn a_helper_that_says_right_and_then_hangs_proves_nothing_and_is_not_waited_for() {
    with_broker(|host, broker| {
        let mut talk = Talk::begin(host.world.caller(host.alice.uid).connect(), &enroll("first"), Given::password())
            .until("Password: ");
        // Stopped at its end: it has said its last word, and only the runtime has something to tidy up.
        let helper = helper_of(broker);
        let trace = trace_helper(helper, &["-e", "inject=sigaltstack:signal=SIGSTOP:when=1"]);
        let answer = talk.finish_with("Password: ");
        assert_eq!(answer.refusal(), WRONG);
        wait_until("the helper is gone", || !fs::exists(format!("/proc/{helper}")).unwrap());
        let seen = fs::read_to_string("/run/helper-trace").unwrap();
        let (before, _) = seen.split_once("stopped by SIGSTOP").unwrap();
        assert!(before.contains("right"), "it had said its word: {seen}");
        drop(trace);
        assert_password_enrols(host);
    });
}

/// The one child of the broker.
fn helper_of(broker: &Broker) -> i32 {
    let tasks = fs::read_dir(format!("/proc/{}/task", broker.pid())).unwrap().flatten();
    let children: String =
        tasks.map(|task| fs::read_to_string(task.path().join("children")).unwrap_or_default()).collect();
    children.trim().parse().unwrap_or_else(|_| panic!("not one child: {children:?}"))
}

fn trace_helper(helper: i32, options: &[&str]) -> twinlock_tests::Process {
    let script = format!("exec strace -f -o /run/helper-trace -p {helper} \"$@\" 2>&1");
    let process = twinlock_tests::Launch::new(["sh", "-c", &script, "sh"].iter().chain(options)).start();
    process.wait_for_output("attached");
    process
}

#[test]
fn a_helper_that_cannot_be_started_proves_nothing() {
    with_broker(|host, broker| {
        for (calls, error) in [
            ("clone,clone3,vfork,fork", "EAGAIN"),
            ("clone,clone3,vfork,fork", "ENOMEM"),
            ("execve", "EAGAIN"),
            ("execve", "ENOENT"),
            ("execve", "EACCES"),
            ("socketpair", "EMFILE"),
        ] {
            let raw = host.world.caller(host.alice.uid).connect();
            // Its thread is there by now, so only the helper is hit.
            wait_until("the thread of the connection", || {
                fs::read_dir(format!("/proc/{}/task", broker.pid())).unwrap().count() > 2
            });
            let mark = host.world.log_mark();
            let tracer =
                attach(broker, &["-e", &format!("trace={calls}"), "-e", &format!("inject={calls}:error={error}")]);
            let end = Talk::begin(raw, &enroll("first"), Given::password()).finish();
            assert!(tracer.injected(), "{calls} {error}");
            assert_eq!(end, Turn::Refused("refused".into(), GENERIC.into()), "{calls} {error}");
            let told = host.host_errors(mark);
            assert!(
                told.len() == 1 && told[0].text.contains("cannot ask for the password"),
                "{calls} {error}: {told:#?}"
            );
        }
        assert!(!fs::exists(credentials_of("alice")).unwrap());
        assert_password_enrols(host);
    });
}

#[test]
fn a_broker_that_may_start_no_thread_refuses_and_serves_on() {
    with_broker(|host, broker| {
        let tracer = attach(broker, &["-e", "trace=clone3,clone", "-e", "inject=clone3,clone:error=EAGAIN"]);
        let end = host.asks(&enroll("first"), Given::password());
        assert!(tracer.injected());
        assert_eq!(end, Turn::Gone);
        host.world.wait_for_log(|line| line.text.contains("cannot start a thread"));
        assert_password_enrols(host);
    });
}

#[test]
fn what_pam_says_no_to_is_refused() {
    with_broker(|host, _| {
        let deny = "auth required pam_deny.so\n";
        for (service, password) in [
            (format!("{UNIX}{ACCOUNT}"), "wrong"),
            (format!("{UNIX}{ACCOUNT}"), ""),
            (format!("{deny}{ACCOUNT}"), PASSWORD),
            (format!("{UNIX}account required pam_deny.so\n"), PASSWORD),
            (format!("{UNIX}auth required pam_nowhere.so\n{ACCOUNT}"), PASSWORD),
            (format!("{UNIX}account required pam_nowhere.so\n"), PASSWORD),
            // Nobody said anything.
            (format!("auth optional pam_nowhere.so\n{ACCOUNT}"), PASSWORD),
            ("nonsense\n".into(), PASSWORD),
            (String::new(), PASSWORD),
            // The first of the list is who logs in: bob, whatever alice said.
            (format!("auth required pam_ftp.so users=bob,alice\n{}", "account required pam_permit.so\n"), PASSWORD),
        ] {
            assert_eq!(refused(host, &service, password), WRONG, "{password:?} for {service}");
        }
        // Without a service of its own, `other` denies.
        fs::remove_file("/etc/pam.d/twinlock").unwrap();
        assert_eq!(refused_now(host, PASSWORD), WRONG);
        assert_password_enrols(host);
    });
}

#[test]
fn a_module_that_leaves_the_name_as_it_is_can_prove_it() {
    with_broker(|host, _| {
        // The counterpart of the refusal above: the module itself grants.
        let service = "auth required pam_ftp.so users=alice\naccount required pam_permit.so\n";
        host.world.service("twinlock", service);
        let end = host.asks(&enroll("first"), Given::password());
        assert!(end.is_done(), "{end:?}");
    });
}

#[test]
fn an_account_that_is_not_in_order_is_refused() {
    with_broker(|host, _| {
        let service = format!("auth required pam_unix.so nullok nodelay\n{ACCOUNT}");
        let shadow = fs::read_to_string("/etc/shadow").unwrap();
        let line = shadow.lines().find(|line| line.starts_with("alice:")).unwrap();
        let hash = line.split(':').nth(1).unwrap();
        for (why, entry, password) in [
            ("expired", format!("alice:{hash}:20000:0:99999:7::1:"), PASSWORD),
            ("the password is too old", format!("alice:{hash}:1:0:10:7:1::"), PASSWORD),
            ("the password must be changed", format!("alice:{hash}:0:0:99999:7:::"), PASSWORD),
            ("locked", format!("alice:!{hash}:20000:0:99999:7:::"), PASSWORD),
            ("no password", "alice::20000:0:99999:7:::".into(), ""),
            ("no entry", String::new(), PASSWORD),
        ] {
            host.world.write_secret("/etc/shadow", shadow.replace(line, &entry));
            assert_eq!(refused(host, &service, password), WRONG, "{why}");
        }
        host.world.write_secret("/etc/shadow", &shadow);
        assert_password_enrols(host);
    });
}
