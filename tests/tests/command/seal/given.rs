//! A host whose site provides the key, and one that seals its own.

use std::fs;
use std::path::{Path, PathBuf};

use twinlock_tests::{BESIDE, Output, STORE, Setup, User, World, set_mode};

pub(super) const KEY: &str = "/etc/twinlock-key";
pub(super) const SITE: &str = "[store]\nkey_file = \"/etc/twinlock-key\"\n";
pub(super) const PHRASE: &str = "/root/phrase";
pub(super) const KEYS: &str = "/run/twinlock-key";
pub(super) const BLOBS: &str = "/etc/credstore.encrypted";

/// Runs the test with alice enrolled in clear, where the site has put a key.
pub(super) fn with_site_key(test: impl FnOnce(&User<'_>) + Send) {
    Setup::new().config(SITE).enrolled(|alice| {
        alice.world.write_secret(KEY, [7; 32]);
        test(alice);
    });
}

/// The same where all secrets are sealed.
pub(super) fn with_sealed(test: impl FnOnce(&User<'_>) + Send) {
    with_site_key(|alice| {
        done(alice.world, &["enable", "--escrow", PHRASE]);
        test(alice);
    });
}

/// Runs the test where the host seals the key of its own: with systemd-creds(1) and the key of the host, and with a
/// systemctl(1) that runs what the unit runs.
pub(super) fn with_machine(test: impl FnOnce(&User<'_>) + Send) {
    Setup::new().enrolled(|alice| {
        furnish(alice.world);
        test(alice);
    });
}

pub(super) fn furnish(world: &World) {
    for folder in ["/run/systemd/system", "/var/lib/systemd", BLOBS] {
        fs::create_dir_all(folder).unwrap();
    }
    set_mode(BLOBS, 0o700);
    // The host key belongs to a machine.
    world.write("/etc/machine-id", "5eed5eed5eed5eed5eed5eed5eed5eed\n");
    let systemctl = "#!/bin/sh\necho \"$*\" >>/run/asked\n[ \"$1\" != restart ] || exec twinlock seal load\n";
    world.write_script("/run/harness/bin/systemctl", systemctl);
}

/// Runs `twinlock seal`, which succeeds.
pub(super) fn done(world: &World, arguments: &[&str]) -> Output {
    let output = world.twinlock(&[&["seal"], arguments].concat());
    assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
    output
}

pub(super) fn sealed_file(user: &str) -> PathBuf {
    Path::new(STORE).join(format!("credentials/{user}.sealed"))
}

/// The second line of the id beside the configuration, without the key: the mode.
pub(super) fn mode() -> String {
    let text = fs::read_to_string(BESIDE).unwrap();
    let line = text.lines().nth(1).unwrap_or_default();
    line.trim_start_matches("sealed = \"").split(' ').next().unwrap_or_default().to_owned()
}

/// Puts the host into this mode, whatever its files are.
pub(super) fn force_mode(world: &World, mode_word: &str) {
    let text = fs::read_to_string(BESIDE).unwrap();
    world.write(BESIDE, text.replace(&format!("\"{} ", mode()), &format!("\"{mode_word} ")));
}
