//! What is left of a login: on the network, in the log, in environments, in ids and in memory.

use std::fs;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use twinlock_tests::{Attempt, PamCode, credentials_of};

use crate::contender::Contender;
use crate::programs::secrets_in_memory;
use crate::row::Finding;

pub(super) fn no_proxy_is_asked(contender: Contender) -> Finding {
    const NAMES: [&str; 6] = ["http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "RES_OPTIONS", "HOSTALIASES"];
    contender.scene(|scene| {
        let attempt = scene.attempt().rhost("some.host.example").answer(scene.codes().next());
        let attempt = NAMES.iter().fold(attempt, |attempt, name| attempt.environment(name, "http://127.0.0.1:9/"));
        let (_, calls) = scene.trace(attempt, "socket", &[]);
        let sockets = calls.iter().filter(|call| call.contains("AF_INET")).count();
        Finding::of(sockets == 0, format!("{sockets} network sockets"))
    })
}

pub(super) fn no_control_character_is_logged(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let mark = scene.world.log_mark();
        let evil = b"a\nNov 24 05:43:01 host sshd[1]: Accepted\x1b[2Jx";
        for attempt in [Attempt::new("svc").user(evil), scene.attempt().rhost(evil), scene.attempt().tty(evil)] {
            attempt.answer("000000").run(scene.world);
        }
        let lines = scene.world.log_since(mark);
        let raw = lines.iter().filter(|line| line.text.chars().any(char::is_control)).count();
        Finding::of(
            raw == 0,
            match lines.len() {
                0 => "nothing logged".into(),
                count => format!("{raw} of {count} lines have control characters"),
            },
        )
    })
}

pub(super) fn no_code_is_in_the_environment(contender: Contender) -> Finding {
    const NAMES: [&str; 5] = ["TWINLOCK_CODE", "DUO_PASSCODE", "PASSCODE", "OTP", "PAM_AUTHTOK"];
    contender.scene(|scene| {
        let code = scene.codes().next();
        let given = NAMES.iter().fold(scene.attempt(), |attempt, name| attempt.environment(name, &code));
        let given = NAMES.iter().fold(given, |attempt, name| attempt.pam_environment(name, &code));
        let taken = given.run(scene.world).code() == PamCode::Success;
        let outcome = scene.attempt().answer(&code).run(scene.world);
        assert_eq!(outcome.code(), PamCode::Success, "{}", contender.name());
        let left = outcome.pam_environment.iter().chain(outcome.after.environment.values());
        let left = left.filter(|value| value.contains(&code)).count();
        Finding::of(
            !taken && left == 0,
            format!("code in the environment {}, {left} variables left", if taken { "accepted" } else { "ignored" }),
        )
    })
}

pub(super) fn the_program_stays_who_it_is(contender: Contender) -> Finding {
    const CALLS: &str = "setuid,setgid,setresuid,setresgid,setreuid,setregid,setfsuid,setfsgid,setgroups";
    contender.scene(|scene| {
        let (outcome, calls) = scene.trace(scene.attempt().answer(scene.codes().next()), CALLS, &[]);
        let changes = calls.iter().filter(|call| call.starts_with("set")).count();
        let of = |name: &str| outcome.before.status[name] == outcome.after.status[name];
        let same = ["Uid", "Gid", "Groups", "Umask", "CapEff"].iter().all(|name| of(name));
        let end = if same { "unchanged" } else { "changed" };
        Finding::of(same, format!("{changes} changes of user or group, {end} afterwards"))
    })
}

pub(super) fn no_secret_stays_in_memory(contender: Contender) -> Finding {
    contender.scene(|scene| {
        // The next module asks for the password: then this one has long returned.
        scene.stack(&format!("auth required {}\nauth required pam_unix.so\n", contender.module()));
        let held = scene.attempt().answer(scene.codes().next()).held().answer("x").start(scene.world);
        let copies = secrets_in_memory(held.process().pid(), &scene.app);
        held.release();
        Finding::of(copies == 0, format!("{copies} copies of the secret in memory"))
    })
}

pub(super) fn no_report_has_a_secret() -> String {
    Contender::Twinlock.scene(|scene| {
        scene.answer(scene.codes().next());
        let credentials = fs::read_to_string(credentials_of("alice")).unwrap();
        let hash = credentials.split("p=1$").nth(1).unwrap().split('"').next().unwrap();
        let mut canaries = vec![BASE32_NOPAD.encode(&scene.app.secret), HEXLOWER.encode(&scene.app.secret)];
        canaries.extend(hash.split('$').map(str::to_owned));
        canaries.extend(scene.recovery_code.clone());
        let reports: [&[&str]; 9] = [
            &["doctor"],
            &["doctor", "--json"],
            &["check"],
            &["list"],
            &["list", "--json"],
            &["status", "alice"],
            &["status", "alice", "--json"],
            &["explain", "alice"],
            &["device", "list", "alice"],
        ];
        for report in reports {
            let output = scene.world.twinlock(report);
            let said = output.stdout + &output.stderr;
            assert!(!said.is_empty(), "{report:?}");
            for canary in &canaries {
                assert!(!said.to_lowercase().contains(&canary.to_lowercase()), "{report:?}");
            }
        }
        format!("{} reports without secrets, hashes or recovery codes", reports.len())
    })
}
