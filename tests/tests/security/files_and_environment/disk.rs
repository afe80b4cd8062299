//! Files that are deleted, half written, written by two, left behind, or swapped.

use std::fs;
use std::path::Path;
use std::process;

use twinlock_tests::{CONFIG, Launch, PamCode, STORE, Snapshot, credentials_of, race, set_mode, tally, tool};

use crate::contender::{Contender, Scene};
use crate::row::Finding;
use crate::tools::on_a_disk;

pub(super) fn what_a_user_can_delete_switches_nothing_off(contender: Contender) -> Finding {
    if contender == Contender::Oath {
        return Finding::Unfit("never optional");
    }
    contender.scene(|scene| {
        let own = scene.alice.home.join(".google_authenticator");
        let module = match contender {
            Contender::GoogleAuthenticator => {
                scene.world.write_secret(&own, fs::read(scene.state()).unwrap());
                "pam_google_authenticator.so secret=/home/${USER}/.google_authenticator user=root no_strict_owner nullok".into()
            }
            Contender::Twinlock | Contender::Oath => contender.module(),
        };
        scene.world.write(CONFIG, "second_factor = \"optional\"\n");
        scene.stack(&format!("auth required {module}\nauth required pam_permit.so\n"));
        let open = || scene.answer(scene.app.wrong_code()) == PamCode::Success;
        assert!(!open(), "{}: who is enrolled must answer", contender.name());
        assert_eq!(scene.answer(scene.codes().next()), PamCode::Success, "{}", contender.name());
        fs::remove_dir_all(&scene.alice.home).unwrap();
        let mut opened = vec![open()];
        if contender == Contender::Twinlock {
            // Not in a user's reach, but on a file system that may not be mounted.
            fs::remove_file(scene.state()).unwrap();
            opened.push(open());
            fs::rename(STORE, "/var/lib/unmounted").unwrap();
            opened.push(open());
        }
        let seen = match (opened.contains(&true), contender) {
            (true, _) => "granted without a code, with the file in the user's home (the default) and `nullok`",
            (false, Contender::Twinlock) => "denied without home, state or store",
            (false, _) => "denied",
        };
        Finding::of(!opened.contains(&true), seen)
    })
}

/// The system calls by which files are changed.
const CHANGES: [&str; 10] =
    ["write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "fchmod", "fchown", "ftruncate", "unlink"];

pub(super) fn a_write_that_fails_locks_nobody_out(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let (mut tried, mut locked_out) = (0, Vec::new());
        let code = scene.codes().next();
        let points = scene.points(scene.attempt().answer(&code));
        for (call, count) in points.iter().filter(|(call, _)| CHANGES.contains(&call.as_str())) {
            clear(scene);
            let fault = format!("inject={call}:error=ENOSPC:when={count}");
            let failed = scene.trace(scene.attempt().answer(&code), call, &["-e", &fault]).0;
            // A login that was granted has used it up.
            let next = scene.app.code_at(scene.app.now_step() + 1);
            tried += 1;
            if failed.report_came() && scene.answer(next) != PamCode::Success {
                locked_out.push(format!("`{call}`"));
            }
        }
        if contender == Contender::Twinlock {
            tried += enrolments_that_fail(scene);
        }
        locked_out.dedup();
        Finding::of(
            locked_out.is_empty(),
            if locked_out.is_empty() {
                format!("{tried} writes failed: next login granted")
            } else {
                format!("{tried} writes failed: locked out after {}", locked_out.join(", "))
            },
        )
    })
}

/// As it was before the first login, without what others left.
fn clear(scene: &Scene<'_>) {
    scene.reset();
    let state = scene.state();
    for name in scene.names() {
        let path = scene.folder().join(name);
        if path != state {
            fs::remove_file(path).unwrap();
        }
    }
}

/// Enrolments that find no room leave what there was; how many.
fn enrolments_that_fail(scene: &Scene<'_>) -> usize {
    let faults = [("pwrite64", 1), ("fsync", 1), ("renameat", 1), ("fdatasync", 1)];
    for (call, count) in faults {
        scene.reset();
        let before = Snapshot::of(credentials_of("alice"));
        let (trace, fault) = (format!("trace={call}"), format!("inject={call}:error=ENOSPC:when={count}"));
        let strace = ["strace", "-f", "-o", "/dev/null", "-e", &trace, "-e", &fault];
        let launch = scene.world.twinlock_launch(&["enroll", "alice", "--replace", "--no-confirm"]).under(strace);
        assert_eq!(launch.run().code, Some(1), "{call}");
        assert_eq!(Snapshot::of(credentials_of("alice")), before, "{call}");
        assert_eq!(scene.answer(scene.codes().next()), PamCode::Success, "{call}");
    }
    faults.len()
}

pub(super) fn two_logins_are_both_on_record(contender: Contender) -> Finding {
    const ROUNDS: usize = 15;
    contender.scene(|scene| {
        let mut replayed = 0;
        for _ in 0..ROUNDS {
            scene.reset();
            let mut codes = scene.codes();
            let both = [codes.next(), codes.next()];
            let ends = race(scene.world, both.each_ref().map(|code| on_a_disk(scene.attempt()).answer(code)));
            let used = both.iter().zip(&ends).filter(|(_, end)| end.code() == PamCode::Success);
            replayed += usize::from(used.filter(|(code, _)| scene.answer(code) == PamCode::Success).count() > 0);
        }
        tally("security", "logins raced with two codes", 2 * ROUNDS as u64);
        Finding::of(replayed == 0, format!("used code accepted in {replayed} of {ROUNDS} rounds"))
    })
}

pub(super) fn what_a_dead_login_left_is_in_nobodys_way(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let names = match contender {
            Contender::Twinlock => {
                [scene.state().with_file_name(".alice.new"), credentials_of(".alice").with_extension("toml.new")]
            }
            Contender::GoogleAuthenticator => ["alice~", "alice~AbCdEf"].map(|name| scene.folder().join(name)),
            Contender::Oath => ["users.oath.new", "users.oath.lock"].map(|name| scene.folder().join(name)),
        };
        let mut refused = Vec::new();
        for path in &names {
            // Of a process that is gone, and of one that runs.
            for content in [String::new(), format!("{}\n", i32::MAX), format!("{}\n", process::id())] {
                clear(scene);
                scene.world.write_secret(path, content);
                let mut opened = scene.answer(scene.codes().next()) == PamCode::Success;
                if contender == Contender::Twinlock {
                    fs::remove_file(scene.state()).unwrap();
                    opened &= scene.answer(scene.codes().next()) == PamCode::Success;
                }
                if !opened {
                    refused.push(path.file_name().unwrap().to_string_lossy().into_owned());
                }
                drop(fs::remove_file(path));
            }
        }
        refused.dedup();
        Finding::of(
            refused.is_empty(),
            if refused.is_empty() {
                "granted".into()
            } else {
                format!("everybody denied beside {}", refused.join(", "))
            },
        )
    })
}

pub(super) fn a_store_in_a_folder_of_others_is_refused() -> String {
    const ENROLMENTS: usize = 5;
    Contender::Twinlock.scene(|scene| {
        let shared = Path::new("/run/shared");
        for folder in [shared, Path::new("/run/victim")] {
            fs::create_dir(folder).unwrap();
            set_mode(folder, 0o777);
        }
        scene.world.write(CONFIG, "[store]\ndirectory = \"/run/shared/store\"\n");
        tool(&["sh", "-c", "cp -a /var/lib/twinlock /run/shared/real && ln -s /run/victim /run/shared/link"]);
        let swap = "cd /run/shared; echo swaps; while :; do mv -T real store; mv -T store real; mv -T link store; mv -T store link; done";
        let swapper = Launch::new(["sh", "-c", swap]).start();
        swapper.wait_for_output("swaps");
        scene.world.account("bob");
        for _ in 0..ENROLMENTS {
            for verb in [&["status", "bob"][..], &["enroll", "bob", "--no-confirm"]] {
                let output = scene.world.twinlock(verb);
                assert_eq!(output.code, Some(1), "{output:?}");
                assert!(output.stderr.contains("cannot trust /run/shared: its mode is 0777"), "{output:?}");
            }
            assert_ne!(scene.answer(scene.codes().next()), PamCode::Success);
        }
        swapper.kill();
        assert_eq!(fs::read_dir("/run/victim").unwrap().count(), 0);
        format!("denied {ENROLMENTS} times, nothing written elsewhere")
    })
}
