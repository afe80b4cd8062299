//! The claim that something made a sound host unsound: the module and the command both refuse. And what can stand in the
//! place of a file.

use std::fs;
use std::path::Path;

use twinlock_tests::{CONFIG, PamCode, STORE, Snapshot, User, set_mode, tool};

/// The module denies a correct code, quickly, for this reason; its one line says all of `told`; nothing is changed.
pub(crate) fn is_denied(alice: &User<'_>, reason: &str, told: &[&str]) {
    let before = (Snapshot::of(STORE), Snapshot::of(CONFIG));
    let mark = alice.world.log_mark();
    let limit = ["timeout", "--signal=KILL", "10"];
    let outcome = alice.attempt().answer(alice.codes().next()).under(limit).run(alice.world);
    assert_eq!((outcome.code(), outcome.signal()), (PamCode::AuthinfoUnavail, None), "{:#?}", alice.world.log());
    let entries = alice.world.entries_since(mark);
    assert_eq!(entries.len(), 1, "{entries:#?}");
    assert_eq!(entries[0].value("reason"), reason, "{entries:#?}");
    let detail = entries[0].detail.clone().unwrap_or_default();
    assert!(told.iter().all(|text| detail.contains(text)), "{told:?} in {detail}");
    assert_eq!((Snapshot::of(STORE), Snapshot::of(CONFIG)), before, "nothing is changed");
}

/// The command fails in one message that says all of `told`, and changes nothing.
pub(crate) fn command_refuses(alice: &User<'_>, arguments: &[&str], told: &[&str]) {
    let before = (Snapshot::of(STORE), Snapshot::of(CONFIG));
    let output = alice.world.twinlock_launch(arguments).run_with_input(b"123456\n");
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{arguments:?}: {output:?}");
    assert!(told.iter().all(|text| output.stderr.contains(text)), "{told:?} in {}", output.stderr);
    assert_eq!(output.stderr.matches("hint: ").count(), 1, "{}", output.stderr);
    assert_eq!((Snapshot::of(STORE), Snapshot::of(CONFIG)), before, "nothing is changed");
}

/// Moves what is there away and puts something else in its place.
pub(crate) fn replace_by(path: &Path, make: impl FnOnce(&Path)) {
    let aside = path.with_file_name("aside");
    fs::rename(path, &aside).unwrap();
    make(path);
}

/// Its name, how it is made, and what is said of it.
type Kind = (&'static str, fn(&Path), &'static str);

/// What can stand where a file should be.
pub(crate) fn other_kinds() -> Vec<Kind> {
    fn fifo(path: &Path) {
        tool(&["mkfifo", "-m", "600", &path.display().to_string()]);
    }
    fn socket(path: &Path) {
        drop(std::os::unix::net::UnixListener::bind(path).unwrap());
        set_mode(path, 0o600);
    }
    fn folder(path: &Path) {
        fs::create_dir(path).unwrap();
        set_mode(path, 0o700);
    }
    fn link(path: &Path) {
        std::os::unix::fs::symlink("aside", path).unwrap();
    }
    fn dangling(path: &Path) {
        std::os::unix::fs::symlink("/nowhere", path).unwrap();
    }
    fn device(path: &Path) {
        tool(&["mknod", "-m", "600", &path.display().to_string(), "c", "1", "5"]);
    }
    vec![
        ("a FIFO", fifo, "it is not a regular file"),
        ("a socket", socket, "it is not a regular file"),
        ("a folder", folder, "it is not a regular file"),
        ("a symbolic link", link, "it is a symbolic link"),
        ("a dangling link", dangling, "it is a symbolic link"),
        ("a character device", device, "it is not a regular file"),
    ]
}
