//! `twinlock seal`.

use std::{fmt::Display, path::Path};

use twinlock_core::{
    account::UserName,
    sealed::{KeyId, SealKey},
};
use twinlock_hostcheck::{
    messages::{count, protects},
    seal::{Protection, UNIT},
};
use twinlock_store::{files::HeldForm, seal_mode::SealMode};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Nothing was to be done.
pub(crate) const ON_ALREADY: &str = "nothing to do: all secrets are sealed";

/// Nothing was to be done.
pub(crate) const OFF_ALREADY: &str = "nothing to do: no secrets are sealed";

/// All is in clear again.
pub(crate) const OFF: &str = "all secrets are in clear again, and the key is removed from this host; keep the recovery phrase as long as \
     you keep backups that are sealed";

/// All is sealed.
pub(crate) fn sealed(users: usize, key: KeyId) -> String {
    format!(
        "sealed the secrets of {} with the key {key}\nBackups from before still show them, and so may free blocks of the disk.",
        count(users, "user", "users")
    )
}

/// The recovery phrase, on a terminal.
pub(crate) fn phrase(key: &SealKey) -> String {
    format!(
        "Recovery phrase of the key {}:\n\n    {}\n\nWrite it down and keep it away from this host. If the TPM or the board is replaced, or you \
         restore a backup\non another machine, it is the only way to these secrets.\n\n",
        key.id(),
        *key.phrase()
    )
}

/// Asks for it.
pub(crate) const TYPE_BACK: &str = "Type the phrase, to confirm that you have it: ";

/// It was another one.
pub(crate) const MISTYPED: &str = "That is not the phrase.\n";

/// Asks for it, where it is the key.
pub(crate) const ASK_PHRASE: &str = "Recovery phrase: ";

/// What is written into an escrow file.
pub(crate) fn escrow(key: &SealKey) -> Zeroizing<String> {
    Zeroizing::new(format!("Twinlock recovery phrase of the key {}\n{}\n", key.id(), *key.phrase()))
}

/// The phrase is in the file.
pub(crate) fn escrowed(file: &Path) -> String {
    format!("wrote the recovery phrase to {}; move it off this host", file.display())
}

/// The phrase was not typed back.
pub(crate) fn not_confirmed() -> Failure {
    Failure::refused("the recovery phrase was not confirmed, so nothing is sealed with its key")
        .hint("run the command again: it shows the same phrase")
}

/// Nobody can be shown the phrase.
pub(crate) fn no_terminal() -> Failure {
    Failure::refused("there is no terminal on which to confirm the recovery phrase")
        .hint("write it to a file with --escrow FILE")
}

/// The file cannot be written.
pub(crate) fn no_escrow_file(file: &Path) -> Failure {
    Failure::usage(format!("{} cannot hold the recovery phrase", file.display()))
}

/// There is something else.
pub(crate) fn escrow_exists(file: &Path) -> Failure {
    Failure::refused(format!("{} exists and is not the recovery phrase of this key", file.display()))
        .hint("name another file, or move that one away")
}

/// Nothing was typed.
pub(crate) fn no_phrase() -> Failure {
    Failure::refused("no recovery phrase was given")
}

/// What was typed is no phrase.
pub(crate) fn bad_phrase() -> Failure {
    Failure::refused("that is not a recovery phrase, or there is a mistake in it")
        .hint("it has 14 groups of 4 letters and digits; there is no 0, 1, 8 or 9 in it")
}

/// The phrase of another key.
pub(crate) fn other_phrase(given: KeyId, wanted: KeyId) -> Failure {
    Failure::refused(format!("that is the phrase of the key {given}; this store is sealed with the key {wanted}"))
}

/// The key is this machine's again.
pub(crate) fn recovered(key: KeyId) -> String {
    format!("sealed the key {key} for this machine; logins can open the secrets again")
}

/// One user's are sealed.
pub(crate) fn imported(user: &UserName) -> String {
    format!("sealed the credentials of {user}; the file in clear is gone")
}

/// A verb that needs sealed secrets.
pub(crate) fn not_on(mode: SealMode) -> Failure {
    match mode {
        SealMode::Off => Failure::refused("the secrets of this host are not sealed").hint("run `twinlock seal enable`"),
        SealMode::Sealing(_) => {
            Failure::refused("sealing was interrupted").hint("run `twinlock seal enable`, which finishes it")
        }
        SealMode::Unsealing(_) => Failure::refused("unsealing was interrupted").hint(
            "run `twinlock seal disable`, which finishes it, or `twinlock seal enable`, which seals all secrets again",
        ),
        SealMode::On(_) => Failure::refused("the secrets of this host are sealed"),
    }
}

/// A user's are in clear although all are sealed.
pub(crate) fn put_there(user: &UserName) -> Failure {
    Failure::refused(format!("the credentials of {user} are in clear, and logins refuse them"))
        .hint(format!("if you put the file there, run `twinlock seal import {user}`; otherwise remove it"))
}

/// A user's appeared meanwhile.
pub(crate) fn not_sealed(user: &UserName) -> Failure {
    Failure::refused(format!("the credentials of {user} are not sealed yet")).hint("run the command again")
}

/// A user's could not be opened.
pub(crate) fn still_sealed(user: &UserName) -> Failure {
    Failure::refused(format!("the credentials of {user} are still sealed")).hint("run the command again")
}

/// The site provides the key, and there is none.
pub(crate) fn no_site_key(path: &Path) -> Failure {
    Failure::refused(format!("{} does not exist, which `key_file` in [store] names", path.display()))
        .hint(format!("`(umask 077; head -c 32 /dev/urandom >{})` makes a key", path.display()))
}

/// The site's key is the site's.
pub(crate) fn rotate_by_site() -> Failure {
    Failure::refused("this host's key is the file that `key_file` in [store] names, which holds one key")
        .hint("run `twinlock seal disable`, replace the file, then run `twinlock seal enable`")
}

/// The same.
pub(crate) fn recover_by_site(path: &Path) -> Failure {
    Failure::refused(format!("this host's key is the file {}, as `key_file` in [store] says", path.display()))
        .hint("restore that file")
}

/// There is nothing that would load the key.
pub(crate) fn no_systemd() -> Failure {
    Failure::refused("systemd does not run this host, so nothing would unseal the key when it boots")
        .hint("set `key_file` in [store] to a file that the site provides: see the guide sealing.md")
}

/// The key was not loaded.
pub(crate) fn unit_failed() -> Failure {
    Failure::refused(format!("{UNIT} failed, so nothing was sealed"))
        .hint(format!("`journalctl -b -u {UNIT}` says why"))
}

/// What was loaded is not what was sealed.
pub(crate) fn key_not_read_back() -> Failure {
    Failure::refused("the key that logins find is not the one that was sealed")
}

/// The kernel gives no randomness.
pub(crate) fn no_randomness(error: &impl Display) -> Failure {
    Failure::refused(format!("cannot make a key: {error}"))
}

// `seal status`.

/// What is in force.
pub(crate) fn mode(mode: SealMode) -> String {
    match mode {
        SealMode::Off => "secrets are not sealed\n".into(),
        SealMode::On(_) => "secrets are sealed\n".into(),
        SealMode::Sealing(_) => "secrets are being sealed; `twinlock seal enable` finishes it\n".into(),
        SealMode::Unsealing(_) => "secrets are being put in clear; `twinlock seal disable` finishes it\n".into(),
    }
}

/// Logins find the key.
pub(crate) fn key_is_there(key: KeyId) -> String {
    format!("key {key}: loaded\n")
}

/// They do not.
pub(crate) fn key_is_missing(error: &twinlock_store::ports::StoreError) -> String {
    format!(
        "key: NOT LOADED, so enrolled users cannot log in: {error}\n  `systemctl restart {UNIT}` tries again, and `journalctl -b -u {UNIT}` \
         says what failed;\n  if the TPM or the board was replaced, run `twinlock seal recover` with the recovery phrase\n"
    )
}

/// What the blob protects from.
pub(crate) fn protection(protection: Protection) -> String {
    format!("protection: {}\n", protects(protection))
}

/// There is no blob.
pub(crate) fn no_blob(error: &impl Display) -> String {
    format!("protection: the key is not sealed for this machine, and will be gone after a restart: {error}\n")
}

/// The next boot does not load it.
pub(crate) const UNIT_NOT_ENABLED: &str = "warning: twinlock-unseal.service is not enabled, so the key will be gone after a restart\n  run `systemctl enable twinlock-unseal.service`\n";

/// How many there are.
pub(crate) fn held(forms: &[HeldForm]) -> String {
    let sealed = forms.iter().filter(|form| form.sealed.is_some()).count();
    format!("{} of {} sealed\n", sealed, count(forms.len(), "user", "users"))
}

/// A user with two files.
pub(crate) fn in_both_forms(user: &UserName) -> String {
    format!("  {user}: sealed, and also in clear\n")
}

/// A user with one in clear.
pub(crate) fn in_clear(user: &UserName) -> String {
    format!("  {user}: in clear\n")
}

/// A user with an older key.
pub(crate) fn with_another_key(user: &UserName, key: KeyId) -> String {
    format!("  {user}: sealed with the key {key}\n")
}
