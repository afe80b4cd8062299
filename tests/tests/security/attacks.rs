//! Attacks that more than one row makes.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;

use twinlock_tests::{Attempt, PamCode, World, credentials_of};

use crate::contender::{Contender, Scene};
use crate::row::Finding;

const VICTIM: &str = "/etc/victim";

/// The files that a login makes under names which others know before.
fn made(scene: &Scene<'_>) -> Vec<PathBuf> {
    if scene.contender == Contender::Twinlock {
        // By the first login of all, and by an enrolment.
        return vec![scene.folder().join(".alice.new"), credentials_of("alice").with_file_name(".alice.toml.new")];
    }
    let mut seen = [(); 2].map(|()| {
        scene.reset();
        let calls = "open,creat,rename,renameat,renameat2,mkdir,mkdirat,link,linkat";
        let (_, calls) = scene.trace(scene.attempt().answer(scene.codes().next()), calls, &[]);
        let makes =
            |call: &&String| ["O_CREAT", "rename", "creat", "mkdir", "link"].iter().any(|word| call.contains(word));
        let names = calls.iter().filter(makes).filter_map(|call| Some(PathBuf::from(call.split('"').nth(1)?)));
        names.collect::<Vec<_>>()
    });
    let mut names = std::mem::take(&mut seen[0]);
    names.retain(|name| seen[1].contains(name) && name.parent() == Some(&scene.folder()) && *name != scene.state());
    names.sort();
    names.dedup();
    names
}

/// Puts links to a file of root's there.
fn plant(paths: &[PathBuf]) {
    for path in paths {
        drop(fs::remove_file(path));
        symlink(VICTIM, path).unwrap();
    }
}

/// Puts links to a file of root's under every name that a login makes, and logs in.
pub(crate) fn planted(scene: &Scene<'_>) -> Finding {
    let names = made(scene);
    scene.reset();
    scene.world.write(VICTIM, "root's\n");
    let before = fs::metadata(VICTIM).unwrap();
    plant(&names);
    if scene.contender == Contender::Twinlock {
        fs::remove_file(scene.state()).unwrap();
    }
    let code = scene.answer(scene.codes().next());
    if scene.contender == Contender::Twinlock {
        plant(&names);
        scene.world.twinlock(&["enroll", "alice", "--replace", "--no-confirm"]);
    }
    let after = fs::metadata(VICTIM).unwrap();
    let same = fs::read(VICTIM).unwrap() == b"root's\n" && (after.uid(), after.mode()) == (before.uid(), before.mode());
    let login = if code == PamCode::Success { "granted" } else { "denied" };
    let file = if same { "unchanged" } else { "changed" };
    Finding::of(
        same,
        match &names[..] {
            [] => "no predictable name".into(),
            names => {
                let names = names.iter().map(|path| path.file_name().unwrap().to_string_lossy()).collect::<Vec<_>>();
                format!("links at {}: target {file}, login {login}", names.join(", "))
            }
        },
    )
}

/// Everything that is seen of an attempt with an incorrect code.
fn seen(world: &World, user: &str) -> (Vec<String>, bool) {
    let outcome = Attempt::new("svc").user(user).answer("000000").run(world);
    let texts = outcome.messages.iter().map(|message| message.text.replace(user, "USER")).collect();
    (texts, outcome.fail_delay().is_zero())
}

/// Whether alice, who is enrolled, sees the same as somebody else.
pub(crate) fn same_as(scene: &Scene<'_>, other: &str) -> Finding {
    let (alice, other) = (seen(scene.world, "alice"), seen(scene.world, other));
    Finding::of(
        alice == other,
        if alice == other {
            "same prompt and delay"
        } else if alice.0 == other.0 {
            "same prompt, different delay"
        } else if other.0.is_empty() {
            "no prompt"
        } else {
            "different prompt"
        },
    )
}
