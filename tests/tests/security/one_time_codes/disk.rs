//! Disks that are full or read-only, and logins that die while they write.

use std::fs;

use twinlock_tests::{PamCode, one_after_another, tool};

use crate::contender::{Contender, Scene, granted};
use crate::row::Finding;
use crate::tools::text;

pub(super) fn a_host_that_may_not_write_lives(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let before = scene.names();
        let limit = ["prlimit", "--fsize=0:unlimited"];
        let outcome = scene.attempt().under(limit).answer(scene.codes().next()).run(scene.world);
        let left = scene.names().len() - before.len();
        if !outcome.report_came() {
            return Finding::Broken(format!("killed by SIGXFSZ, {left} files left"));
        }
        // Where the host ignores the signal, the write fails.
        scene.reset();
        let ignoring = ["env", "--ignore-signal=XFSZ", "prlimit", "--fsize=0:unlimited"];
        let again = scene.attempt().under(ignoring).answer(scene.codes().next());
        let opened = granted(&[(); 3].map(|()| again.clone().run(scene.world)));
        scene.reset();
        assert_eq!(scene.answer(scene.codes().next()), PamCode::Success, "without the limit");
        Finding::of(opened == 0 && left == 0, format!("denied, program alive, {left} files left"))
    })
}

/// Where it writes what came of the login: the system call, and the how many-th of it.
fn commit(contender: Contender) -> (&'static str, usize) {
    match contender {
        Contender::Twinlock => ("pwrite64", 2),
        Contender::GoogleAuthenticator | Contender::Oath => ("rename", 1),
    }
}

pub(super) fn killed_logins_leave_nothing(contender: Contender) -> Finding {
    const KILLED: usize = 5;
    contender.scene(|scene| {
        let before = scene.names();
        let (call, number) = commit(contender);
        let code = scene.codes().next();
        assert!(scene.kill_at(scene.attempt().answer(&code), call, number), "{}", contender.name());
        for _ in 1..KILLED {
            scene.reset();
            scene.kill_at(scene.attempt().answer(&code), call, number);
        }
        scene.reset();
        // What the next login cleans up is not counted.
        let next = scene.answer(&code);
        let left = scene.names().into_iter().filter(|name| !before.contains(name)).count();
        Finding::of(
            left == 0 && next == PamCode::Success,
            format!("{KILLED} logins killed: {left} files left, next login {}", verdict(next)),
        )
    })
}

fn verdict(code: PamCode) -> &'static str {
    if code == PamCode::Success { "granted" } else { "denied" }
}

pub(super) fn nothing_opens_on_a_read_only_disk(contender: Contender) -> Finding {
    const LOGINS: usize = 3;
    contender.scene(|scene| {
        let words = match contender {
            Contender::GoogleAuthenticator => "allow_readonly",
            Contender::Twinlock | Contender::Oath => "",
        };
        scene.with_words(words);
        let folder = scene.folder();
        tool(&["mount", "--bind", text(&folder), text(&folder)]);
        tool(&["mount", "-o", "remount,bind,ro", text(&folder)]);
        let code = scene.codes().next();
        let opened = granted(&one_after_another(scene.world, vec![scene.attempt().answer(code); LOGINS]));
        let with = if words.is_empty() { String::new() } else { format!(", with `{words}`") };
        Finding::of(opened == 0, format!("{opened} of {LOGINS} logins with one code granted{with}"))
    })
}

pub(super) fn a_full_disk_locks_nobody_out(contender: Contender) -> Finding {
    contender.scene(|scene| {
        fill(scene);
        let code = scene.codes().next();
        let (right, again) = (scene.answer(&code), scene.answer(&code));
        Finding::of(
            right == PamCode::Success && again != PamCode::Success,
            if right == PamCode::Success {
                format!("correct code granted, then {} when reused", verdict(again))
            } else {
                "correct code denied".into()
            },
        )
    })
}

/// Puts the folder of the state on a file system of its own, on which nothing more fits.
fn fill(scene: &Scene<'_>) {
    let folder = scene.folder();
    let kept = "/run/kept";
    tool(&["cp", "-a", text(&folder), kept]);
    tool(&["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "state", text(&folder)]);
    let fill = "cp -a /run/kept/. \"$1\"; cat /dev/zero >\"$1/filler\" 2>/dev/null; ! echo x >>\"$1/filler\"";
    tool(&["sh", "-c", fill, "sh", text(&folder)]);
}

pub(super) fn nothing_unsynced_replaces_a_secret(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let calls = "rename,renameat,renameat2,fsync,fdatasync";
        let secret = fs::read(scene.files().pop().unwrap()).unwrap();
        let (outcome, calls) = scene.trace(scene.attempt().answer(scene.codes().next()), calls, &[]);
        assert_eq!(outcome.code(), PamCode::Success, "{}", contender.name());
        let renames = calls.iter().enumerate().filter(|(_, call)| call.starts_with("rename"));
        let renames: Vec<_> = renames.map(|(at, call)| (at, call.split('"').nth(1).unwrap())).collect();
        let unsynced = renames.iter().filter(|(at, source)| {
            !calls[..*at].iter().any(|call| call.contains("sync(") && call.contains(&format!("<{source}>")))
        });
        let unsynced = unsynced.count();
        let touched = fs::read(scene.files().pop().unwrap()).unwrap() != secret;
        Finding::of(
            unsynced == 0,
            match unsynced {
                0 if renames.is_empty() && !touched => "logins never write the secret file",
                0 => "new file synced before it replaces the old one",
                _ => "new file not synced before it replaces the old one",
            },
        )
    })
}
