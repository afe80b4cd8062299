//! The keys of sshd and its clients: made once a test binary, then written into each world.

use std::collections::HashMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Mutex, PoisonError};

use crate::launch::Launch;
use crate::namespace::inside;
use crate::world::World;

/// OpenSSH's own security key in software, which its tests use: Debian's package openssh-tests, RHEL has none.
pub(crate) const SECURITY_KEY: &str = "/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so";

/// A key pair as ssh-keygen writes it.
#[derive(Clone, Debug)]
struct KeyPair {
    private: String,
    public: String,
}

static MADE: Mutex<Option<HashMap<String, KeyPair>>> = Mutex::new(None);

/// The path of a private key in this world; the public one is beside it, as `.pub`.
///
/// `name` tells keys of one type apart; `key_type` is what `ssh-keygen -t` takes.
pub(crate) fn key(world: &World, name: &str, key_type: &str) -> String {
    let path = inside(&format!("keys/{name}-{key_type}"));
    // Held to the end: two threads that need the same new key make it once.
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if fs::exists(&path).unwrap_or(false) {
        return path;
    }
    let known = made.get_or_insert_default().entry(format!("{name}-{key_type}")).or_insert_with(|| {
        world.write("/tmp/keygen/.here", "");
        let command = ["ssh-keygen", "-q", "-t", key_type, "-N", "", "-C", name, "-f", "/tmp/keygen/key"];
        let on_a_token = ["-w", SECURITY_KEY].into_iter().filter(|_| key_type.ends_with("-sk"));
        let launch = Launch::new(command.into_iter().chain(on_a_token));
        let output = launch.environment("SSH_SK_PROVIDER", SECURITY_KEY).run();
        assert_eq!(output.code, Some(0), "ssh-keygen failed: {output:?}");
        let read = |path: &str| fs::read_to_string(path).expect("ssh-keygen wrote it");
        let pair = KeyPair { private: read("/tmp/keygen/key"), public: read("/tmp/keygen/key.pub") };
        fs::remove_dir_all("/tmp/keygen").expect("/tmp is ours");
        pair
    });
    world.write(format!("{path}.pub"), &known.public);
    world.write(&path, &known.private);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("just written");
    path
}

/// The public half of a key, as `TYPE BASE64 COMMENT`.
pub(crate) fn public(path: &str) -> String {
    fs::read_to_string(format!("{path}.pub")).expect("written with the private half")
}

/// Has an authority sign the key at `path` for `user`; the authority's public key.
pub(crate) fn certify(world: &World, path: &str, user: &str) -> String {
    let authority = key(world, "authority", "ed25519");
    let output =
        Launch::new(["ssh-keygen", "-q", "-s", &authority, "-I", "test", "-n", user, &format!("{path}.pub")]).run();
    assert_eq!(output.code, Some(0), "ssh-keygen failed: {output:?}");
    public(&authority)
}

/// A key that sshd has verified, as `SSH_AUTH_INFO_0` has it.
pub const VERIFIED_KEY: &str =
    "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH\n";
