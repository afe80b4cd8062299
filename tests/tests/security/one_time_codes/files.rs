//! The files of the secrets: what stands in their place, who reads them, what is wrong in them.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use twinlock_tests::{PamCode, set_mode, tally, tool};

use crate::attacks::planted;
use crate::contender::{Contender, Scene};
use crate::row::Finding;
use crate::tools::text;

/// What can stand in the place of a file, and how it is made.
type Kind = (&'static str, fn(&Path));

const KINDS: [Kind; 4] = [
    ("a FIFO", |path| drop(tool(&["mkfifo", "-m", "600", text(path)]))),
    ("a socket", |path| drop(UnixListener::bind(path).unwrap())),
    ("a folder", |path| fs::create_dir(path).unwrap()),
    ("a link to /dev/zero", |path| symlink("/dev/zero", path).unwrap()),
];

pub(super) fn what_is_no_file_is_refused_at_once(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let mut held_up = Vec::new();
        for path in scene.files() {
            for (name, make) in KINDS {
                scene.reset();
                fs::remove_file(&path).unwrap();
                make(&path);
                // What reads for ever shall not eat the memory of this machine.
                let limits = ["prlimit", "--as=268435456", "timeout", "--signal=KILL", "4"];
                let outcome = scene.attempt().under(limits).answer(scene.codes().next()).run(scene.world);
                if outcome.report_came() {
                    assert_ne!(outcome.code(), PamCode::Success, "{}: {name}", contender.name());
                } else {
                    held_up.push(name);
                }
                drop(fs::remove_file(&path).or_else(|_| fs::remove_dir(&path)));
            }
        }
        Finding::of(
            held_up.is_empty(),
            if held_up.is_empty() {
                "pipes, sockets, folders, devices: denied at once".into()
            } else {
                format!("hung for four seconds: {}", held_up.join(", "))
            },
        )
    })
}

/// Runs the host with this umask.
fn with_umask(mask: &str) -> [String; 4] {
    ["sh".into(), "-c".into(), format!("umask {mask}; exec \"$@\""), "sh".into()]
}

pub(super) fn secrets_are_roots_alone(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let mut open = Vec::new();
        for mask in ["000", "022", "077"] {
            scene.reset();
            let outcome = scene.attempt().under(with_umask(mask)).answer(scene.codes().next()).run(scene.world);
            assert_eq!(outcome.code(), PamCode::Success, "{}: umask {mask}", contender.name());
            open.extend(others_may(scene));
            if contender == Contender::Twinlock {
                let again = scene.world.twinlock_launch(&["enroll", "alice", "--replace", "--no-confirm"]);
                assert_eq!(again.under(with_umask(mask)).run().code, Some(0));
                open.extend(others_may(scene));
            }
        }
        scene.reset();
        for path in scene.files() {
            set_mode(&path, 0o644);
            if scene.answer(scene.codes().next()) == PamCode::Success {
                open.push("file with mode 0644 used".into());
            }
            set_mode(&path, 0o600);
        }
        open.sort();
        open.dedup();
        Finding::of(
            open.is_empty(),
            if open.is_empty() { "private under any umask; mode 0644 denied".into() } else { open.join("; ") },
        )
    })
}

/// What is wrong with the modes after a login.
fn others_may(scene: &Scene<'_>) -> Vec<String> {
    let modes = scene.files().into_iter().map(|path| fs::metadata(path).unwrap().mode() & 0o777);
    modes.filter(|mode| mode & 0o077 != 0).map(|mode| format!("written with mode {mode:04o}")).collect()
}

pub(super) fn planted_links_lead_nowhere(contender: Contender) -> Finding {
    contender.scene(planted)
}

pub(super) fn damaged_files_crash_nothing(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let wrong = scene.app.wrong_code();
        let (mut tried, mut crashed, mut opened) = (0_u64, 0, 0);
        for path in scene.files() {
            scene.reset();
            let whole = fs::read(&path).unwrap();
            for damaged in damages(&whole) {
                scene.reset();
                scene.world.write_secret(&path, damaged);
                let limit = ["timeout", "--signal=KILL", "5"];
                let outcome = scene.attempt().under(limit).answer(&wrong).run(scene.world);
                tried += 1;
                crashed += usize::from(!outcome.report_came());
                opened += usize::from(outcome.report_came() && outcome.code() == PamCode::Success);
            }
        }
        tally("security", "damaged files tried", tried);
        Finding::of(
            crashed + opened == 0,
            format!("{tried} damaged files: {crashed} crashes or hangs, {opened} granted"),
        )
    })
}

/// Files that are cut short, have bytes turned, or lines without an end.
fn damages(whole: &[u8]) -> Vec<Vec<u8>> {
    let cut = (0..8).map(|part| whole[..whole.len() * part / 8].to_vec());
    let turned = (0..8).map(|part| {
        let mut bytes = whole.to_vec();
        bytes[whole.len() * part / 8] ^= 0xff;
        bytes
    });
    let long = [b'A', b' ', b'"', b'[', 0, b'\n'].map(|byte| vec![byte; 1 << 16]);
    let longer = [&b"\" "[..], b"\" RATE_LIMIT ", b"\" RESETTING_TIME_SKEW ", b"a = ", b"HOTP/T30/6 alice - "]
        .map(|start| [whole, start, &vec![b'9'; 40_000]].concat());
    cut.chain(turned).chain(long).chain(longer).collect()
}
