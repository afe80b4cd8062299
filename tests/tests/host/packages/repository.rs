//! What `packaging/repository` writes, as apt and rpm see it on a host that trusts the key.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::packages::built::{Folder, both, has, package, repository, target};

/// A signing key, and the repositories signed with it.
struct Signed {
    folder: Folder,
    fingerprint: String,
}

impl Signed {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        fs::create_dir(folder.0.join("gpg")).unwrap();
        let mut signed = Self { folder, fingerprint: String::new() };
        signed.run(&["chmod", "0700", "gpg"]);
        let words =
            ["gpg", "--batch", "--passphrase=", "--quick-generate-key", "Test <test@localhost>", "rsa2048", "sign"];
        signed.run(&words);
        let keys = signed.run(&["gpg", "--list-keys", "--with-colons"]);
        let line = keys.lines().find_map(|line| line.strip_prefix("fpr:")).unwrap();
        line.trim_matches(':').clone_into(&mut signed.fingerprint);
        let packages = target().join("packages");
        let script = repository().join("packaging/repository");
        signed.run(&[script.to_str().unwrap(), packages.to_str().unwrap(), "out"]);
        signed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    /// Runs a program in the folder.
    fn output(&self, words: &[&str]) -> Output {
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .current_dir(&self.folder.0)
            .env("LC_ALL", "C.UTF-8")
            .env("GNUPGHOME", self.path("gpg"));
        command.env("TWINLOCK_SIGNING_KEY", &self.fingerprint);
        command.output().unwrap_or_else(|error| panic!("{words:?}: {error}: run `make deps`"))
    }

    /// What it writes; it must succeed.
    fn run(&self, words: &[&str]) -> String {
        let output = self.output(words);
        assert!(output.status.success(), "{words:?}: {}", both(&output));
        both(&output)
    }

    /// apt-get as a host has it that trusts `key` and knows no other repository.
    fn apt(&self, key: &Path, words: &[&str]) -> Output {
        let apt = self.path("apt");
        for folder in ["lists/partial", "cache/archives/partial", "parts"] {
            fs::create_dir_all(apt.join(folder)).unwrap();
        }
        let line = format!("deb [signed-by={}] file:{} stable main\n", key.display(), self.path("out/apt").display());
        fs::write(apt.join("sources.list"), line).unwrap();
        fs::write(apt.join("status"), "").unwrap();
        let at = |option: &str, name: &str| format!("-o{option}={}", apt.join(name).display());
        let places = [
            at("Dir::Etc::SourceList", "sources.list"),
            at("Dir::Etc::SourceParts", "parts"),
            at("Dir::State::Lists", "lists"),
            at("Dir::State::Status", "status"),
            at("Dir::Cache", "cache"),
            "-oAPT::Sandbox::User=root".to_owned(),
        ];
        let mut all = vec!["apt-get", "-oAPT::Update::Error-Mode=any"];
        all.extend(places.iter().map(String::as_str));
        all.extend(words);
        self.output(&all)
    }
}

impl Drop for Signed {
    fn drop(&mut self) {
        self.output(&["gpgconf", "--kill", "all"]);
    }
}

/// Replaces a word of a file by another of the same length.
fn change(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn apt_installs_what_was_built_and_only_with_the_key() {
    if !has("apt-ftparchive") {
        return;
    }
    let signed = Signed::new("apt-repository");
    let key = signed.path("out/twinlock.asc");
    let update = signed.apt(&key, &["update"]);
    assert!(update.status.success(), "{}", both(&update));
    let download = signed.apt(&key, &["download", "libpam-twinlock", "twinlock"]);
    assert!(download.status.success(), "{}", both(&download));
    for name in ["libpam-twinlock", "twinlock"] {
        let built = package(name, "deb");
        let downloaded = signed.path(built.file_name().unwrap().to_str().unwrap());
        assert!(fs::read(&built).unwrap() == fs::read(downloaded).unwrap(), "{name} is not the package that was built");
    }

    let stranger = signed.path("stranger.asc");
    signed.run(&["gpg", "--batch", "--passphrase=", "--quick-generate-key", "Stranger", "rsa2048", "sign"]);
    signed.run(&["gpg", "--armor", "--output", "stranger.asc", "--export", "Stranger"]);
    let refused = both(&signed.apt(&stranger, &["update"]));
    assert!(refused.contains("NO_PUBKEY"), "{refused}");
    change(&signed.path("out/apt/dists/stable/InRelease"), "Origin: Twinlock", "Origin: Twinlocx");
    let refused = both(&signed.apt(&key, &["update"]));
    assert!(refused.contains("BADSIG"), "{refused}");
}

#[test]
fn rpm_packages_and_indexes_carry_the_signature() {
    if !has("rpmsign") || !has("createrepo_c") {
        return;
    }
    let signed = Signed::new("rpm-repository");
    signed.run(&["rpm", "--dbpath", signed.path("db").to_str().unwrap(), "--import", "out/twinlock.asc"]);
    let file = package("pam_twinlock", "rpm");
    let file = signed.path("out/rpm").join(file.file_name().unwrap());
    let check = ["rpm", "--dbpath", signed.path("db").to_str().unwrap(), "--checksig", file.to_str().unwrap()]
        .map(str::to_owned);
    let check: Vec<_> = check.iter().map(String::as_str).collect();
    assert!(signed.run(&check).contains("digests signatures OK"));
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    assert!(!signed.output(&check).status.success(), "a changed package passes");

    let verify = |name: &str| signed.output(&["gpg", "--verify", &format!("out/{name}.asc"), &format!("out/{name}")]);
    for name in ["rpm/repodata/repomd.xml", "SHA256SUMS"] {
        assert!(verify(name).status.success(), "{name}: {}", both(&verify(name)));
    }
    let sums = signed.output(&["sh", "-c", "cd out && sha256sum --check --quiet SHA256SUMS"]);
    let failed = String::from_utf8_lossy(&sums.stdout).into_owned();
    assert_eq!(failed.lines().count(), 1, "the changed package alone: {failed}");
    assert!(failed.contains("pam_twinlock"), "{failed}");
}

/// A repository is written whole or not at all, and never over another.
#[test]
fn without_the_key_or_over_another_folder_nothing_is_written() {
    if !has("apt-ftparchive") || !has("createrepo_c") {
        return;
    }
    let mut signed = Signed::new("no-repository");
    let script = repository().join("packaging/repository").display().to_string();
    let packages = target().join("packages").display().to_string();
    let again = both(&signed.output(&[&script, &packages, "out"]));
    assert!(again.contains("exists: name a new folder"), "{again}");
    signed.fingerprint = "0".repeat(40);
    let before = fs::read_dir(&signed.folder.0).unwrap().count();
    let unknown = signed.output(&[&script, &packages, "other"]);
    assert!(!unknown.status.success() && both(&unknown).contains("gpg has no key 0000"), "{}", both(&unknown));
    assert_eq!(fs::read_dir(&signed.folder.0).unwrap().count(), before, "something was left");
}
