//! What the tests of the import start from.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use twinlock_tests::{Account, Attempt, Authenticator, Launch, Output, PamCode, World, set_mode};

/// The peer without its change of user, which a user namespace does not allow.
pub(crate) const GOOGLE: &str = "auth required pam_google_authenticator.so \
                                 secret=/home/${USER}/.google_authenticator user=root no_strict_owner\n";

pub(crate) const OATH: &str = "auth required pam_oath.so usersfile=/etc/users.oath window=5\n";

pub(crate) const TWINLOCK: &str = "auth required pam_twinlock.so\n";

/// A world as `make install` leaves it: with the configuration that is shipped.
pub(crate) fn in_world(test: impl FnOnce(&World) + Send) {
    twinlock_tests::in_world(|world| furnished(world, test));
}

pub(crate) fn in_sshd_world(test: impl FnOnce(&World) + Send) {
    twinlock_tests::in_sshd_world(|world| furnished(world, test));
}

fn furnished(world: &World, test: impl FnOnce(&World)) {
    let shipped = fs::read(world.repository().join("config/config.toml")).unwrap();
    world.write("/etc/twinlock/config.toml", shipped);
    test(world);
}

/// 160 bits.
pub(crate) const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// The same in hexadecimal.
pub(crate) const KEY: &str = "3132333435363738393031323334353637383930";

pub(crate) fn google_file(account: &Account) -> PathBuf {
    account.home.join(".google_authenticator")
}

/// Runs Debian's tool, and gives back the app that scanned its picture.
pub(crate) fn google_authenticator(world: &World, account: &Account, options: &[&str]) -> Authenticator {
    let file = google_file(account);
    let tool = ["google-authenticator", "-f", "-q", "-C", "-s", file.to_str().unwrap()];
    let output = Launch::new(tool.iter().chain(options)).run();
    assert_eq!(output.code, Some(0), "{output:?}");
    world.give(&file, account);
    Authenticator::from_base32(fs::read_to_string(&file).unwrap().lines().next().unwrap())
}

/// Writes a file of google-authenticator by hand.
pub(crate) fn write_google(world: &World, account: &Account, content: impl AsRef<[u8]>) {
    let file = google_file(account);
    world.write(&file, content);
    set_mode(&file, 0o400);
    world.give(&file, account);
}

pub(crate) fn scratch_codes(account: &Account) -> Vec<String> {
    let text = fs::read_to_string(google_file(account)).unwrap();
    let eight_digits = |line: &&str| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit());
    text.lines().skip(1).filter(eight_digits).map(String::from).collect()
}

/// What a login of `alice` at the service comes to.
pub(crate) fn login(world: &World, service: &str, answer: &str) -> PamCode {
    Attempt::new(service).user("alice").answer(answer).run(world).code()
}

/// All that would show that a file was touched.
pub(crate) fn trace(file: &Path) -> (u64, i64, i64, u32, Vec<u8>) {
    let found = fs::symlink_metadata(file).unwrap();
    let (inode, mode) = (found.ino(), found.mode());
    (inode, found.mtime(), found.mtime_nsec(), mode, fs::read(file).unwrap())
}

/// Every user of `--json`, after checking that each has exactly the documented fields.
pub(crate) fn outcomes(output: &Output) -> Vec<Value> {
    let Ok(Value::Array(all)) = serde_json::from_str(&output.stdout) else {
        panic!("no JSON array: {output:?}");
    };
    for one in &all {
        let mut names: Vec<_> = one.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        let documented =
            ["authenticators", "dry_run", "not_carried", "reason", "recovery_codes", "result", "user", "warnings"];
        assert_eq!(names, documented);
    }
    all
}

/// Whether anything is stored of anybody.
pub(crate) fn is_stored(user: &str) -> bool {
    Path::new("/var/lib/twinlock/credentials").join(format!("{user}.toml")).exists()
}

/// A refusal: one clear message in two halves, nothing on stdout, and nothing stored.
pub(crate) fn assert_refused(output: &Output, wanted: &str) {
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output:?}");
    let lines: Vec<_> = output.stderr.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("twinlock: ") && lines[1].starts_with("hint: "), "{output:?}");
    assert!(lines[0].contains(wanted), "{wanted}: {output:?}");
    assert!(!is_stored("alice"), "{output:?}");
}
