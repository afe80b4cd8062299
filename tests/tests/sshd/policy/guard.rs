//! The guard under rules: the logins it refuses when sshd forgot to ask.

use std::fs;

use twinlock_tests::{Attempt, FirstFactor, Operation, PamCode, converse, in_sshd_world, in_world};

use crate::policy::first_login::{detail, ends, host, ours};

#[test]
fn by_key_alone_only_those_whom_a_rule_exempts_get_in() {
    in_sshd_world(|world| {
        let config = "[[rule]]\ngroups = [\"robots\"]\nfrom = [\"127.0.0.0/8\"]\nservices = [\"sshd\"]\nsecond_factor = \"skip\"\n";
        let sshd = host(world, FirstFactor::Key, config);
        world.write("/etc/ssh/sshd_config.d/0-before.conf", "AuthenticationMethods publickey\n");
        world.account("git");
        world.group("robots", &["git"]);
        let robot = sshd.login("git").run();
        assert!(robot.granted && ends(&robot) == ["granted/-"], "{robot:#?}");
        let alice = sshd.login("alice").run();
        assert!(!alice.granted, "{alice:#?}");
        assert_eq!(ends(&alice), ["refused/bypass"]);
        assert!(alice.stdout.contains("requires a second factor") || alice.stderr.contains("requires a second factor"));
        assert!(detail(&ours(&alice)[0]).contains("AuthenticationMethods"), "{alice:#?}");
    });
}

/// Hosts try again in the same transaction. What counts is the last time, however early it failed.
#[test]
fn who_passed_once_and_then_failed_has_not_passed() {
    in_world(|world| {
        world.set_up("");
        world.account("alice");
        let alice = world.enrol("alice");
        let config = "/etc/twinlock/auth.toml";
        world.write(config, "");
        world.service(
            "svc",
            &format!("auth required pam_twinlock.so config={config}\naccount required pam_twinlock.so\n"),
        );
        let operations = [Operation::Authenticate, Operation::Authenticate, Operation::AcctMgmt];
        let codes = converse(c"svc", c"alice", c"X=", &operations, |_| {
            // It was read before the question, and is read again the next time.
            world.write(config, "nonsense");
            alice.codes().next().into_bytes()
        });
        assert_eq!(codes, [PamCode::Success, PamCode::AuthinfoUnavail, PamCode::PermDenied]);
    });
}

/// What the auth phase leaves in the host's memory is read by the build that left it alone: another may lay it out differently.
#[test]
fn another_build_of_the_module_does_not_take_this_one_s_word() {
    in_world(|world| {
        world.set_up("");
        world.account("alice");
        let alice = world.enrol("alice");
        let mut codes = alice.codes();
        let mut module = fs::read(world.module_path()).unwrap();
        fs::create_dir("/run/copy").unwrap();
        fs::write("/run/copy/same.so", &module).unwrap();
        // The name of the data has the version and an id of the build behind it.
        let name = format!("twinlock-{}-", env!("CARGO_PKG_VERSION"));
        let at = module.windows(name.len()).position(|bytes| bytes == name.as_bytes()).unwrap() + name.len();
        assert!(module[at..at + 16].iter().all(u8::is_ascii_hexdigit), "{:?}", &module[at..at + 16]);
        module[at] = if module[at] == b'0' { b'1' } else { b'0' };
        fs::write("/run/copy/other.so", &module).unwrap();
        for (account, code) in [
            ("pam_twinlock.so", PamCode::Success),
            ("/run/copy/same.so", PamCode::Success),
            ("/run/copy/other.so", PamCode::PermDenied),
        ] {
            world.service("svc", &format!("auth required pam_twinlock.so\naccount required {account}\n"));
            let attempt = Attempt::new("svc").user("alice").answer(codes.next());
            let outcome = attempt.operations([Operation::Authenticate, Operation::AcctMgmt]).run(world);
            assert_eq!((outcome.code(), outcome.code_of(Operation::AcctMgmt)), (PamCode::Success, code), "{account}");
        }
    });
}

#[test]
fn a_service_that_is_not_sshd_is_told_to_drop_the_line() {
    in_world(|world| {
        world.set_up("");
        world.account("alice");
        world.service("cron", "auth required pam_permit.so\naccount required pam_twinlock.so\n");
        let mark = world.log_mark();
        let outcome = Attempt::new("cron").user("alice").operations([Operation::AcctMgmt]).run(world);
        assert_eq!(outcome.code(), PamCode::PermDenied);
        let entries = world.entries_since(mark);
        assert!(detail(&entries[0]).contains("remove it from this service's file"), "{entries:#?}");
    });
}
