//! alice on a sound host, and the claim that something made it unsound: the module and the command both refuse.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use twinlock_tests::{
    Account, Attempt, CONFIG, Enrolled, ForgedState, Launch, Outcome, PamCode, STORE, Snapshot, World, in_world,
};

/// alice, enrolled.
pub(crate) struct Alice<'w> {
    pub(crate) world: &'w World,
    pub(crate) account: Account,
    pub(crate) enrolled: Enrolled,
}

pub(crate) fn with_alice(test: impl FnOnce(&Alice<'_>) + Send) {
    in_world(|world| {
        world.set_up("");
        world.service("svc", "auth required pam_twinlock.so\naccount required pam_twinlock.so\n");
        let account = world.account("alice");
        let enrolled = world.deploy("alice");
        ForgedState::of(&account).write(world);
        test(&Alice { world, account, enrolled });
    });
}

impl Alice<'_> {
    /// An attempt of hers with this answer.
    pub(crate) fn attempt(&self, answer: &str) -> Attempt {
        Attempt::new("svc").user(&self.account.name).answer(answer)
    }

    /// An attempt of hers with a right code.
    pub(crate) fn login(&self) -> Outcome {
        self.attempt(&self.enrolled.codes().next()).run(self.world)
    }

    pub(crate) fn state(&self) -> ForgedState {
        ForgedState::of(&self.account)
    }

    /// The module denies a right code, quickly, for this reason; its one line says all of `told`; nothing is changed.
    pub(crate) fn is_denied(&self, reason: &str, told: &[&str]) {
        let before = (Snapshot::of(STORE), Snapshot::of(CONFIG));
        let mark = self.world.log_mark();
        let limit = ["timeout", "--signal=KILL", "10"];
        let outcome = self.attempt(&self.enrolled.codes().next()).under(limit).run(self.world);
        assert_eq!((outcome.code(), outcome.signal()), (PamCode::AuthinfoUnavail, None), "{:#?}", self.world.log());
        let entries = self.world.entries_since(mark);
        assert_eq!(entries.len(), 1, "{entries:#?}");
        assert_eq!(entries[0].value("reason"), reason, "{entries:#?}");
        let detail = entries[0].detail.clone().unwrap_or_default();
        assert!(told.iter().all(|text| detail.contains(text)), "{told:?} in {detail}");
        assert_eq!((Snapshot::of(STORE), Snapshot::of(CONFIG)), before, "nothing is changed");
    }

    /// The command fails in one message that says all of `told`, and changes nothing.
    pub(crate) fn command_refuses(&self, arguments: &[&str], told: &[&str]) {
        let before = (Snapshot::of(STORE), Snapshot::of(CONFIG));
        let output = self.world.twinlock_launch(arguments).run_with_input(b"123456\n");
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{arguments:?}: {output:?}");
        assert!(told.iter().all(|text| output.stderr.contains(text)), "{told:?} in {}", output.stderr);
        assert_eq!(output.stderr.matches("hint: ").count(), 1, "{}", output.stderr);
        assert_eq!((Snapshot::of(STORE), Snapshot::of(CONFIG)), before, "nothing is changed");
    }
}

pub(crate) fn mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Runs a tool that must succeed.
pub(crate) fn tool(arguments: &[&str]) {
    let output = Launch::new(arguments).run();
    assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
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
        mode(path, 0o600);
    }
    fn folder(path: &Path) {
        fs::create_dir(path).unwrap();
        mode(path, 0o700);
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
