//! What rpm does to a host with the packages: rpm itself, with a database of its own, in a root of Debian. What the packages
//! depend on is not in that database, hence `--nodeps`.

use std::process::Command;

use crate::packages::built::{Folder, both, has, package, packages, repository, target, text};
use crate::packages::root::{Root, in_root};

const MODULE: &str = "/usr/lib64/security/pam_twinlock.so";
const SECRET: &str = "/var/lib/twinlock/credentials/alice.toml";
const STACK: &str = "/etc/pam.d/sshd";

fn install(root: &Root) {
    let files = ["twinlock", "pam_twinlock"].map(|name| root.bring(&package(name, "rpm")));
    root.succeed(&["rpm", "--install", "--nodeps", &files[0], &files[1]]);
}

/// In a root with rpm.
fn in_root_with_rpm(test: impl FnOnce(&Root) + Send) {
    if has("rpmbuild") {
        in_root(test);
    }
}

fn with_installed(test: impl FnOnce(&Root) + Send) {
    in_root_with_rpm(|root| {
        install(root);
        root.succeed(&["twinlock", "store", "init"]);
        root.write(SECRET, "secret");
        test(root);
    });
}

#[test]
fn installing_makes_a_store_for_root_and_switches_nothing_on() {
    in_root_with_rpm(|root| {
        let before = root.what_logins_need();
        install(root);
        assert_eq!(root.what_logins_need(), before);
        assert_eq!(root.mode("/var/lib/twinlock"), 0o700);
        assert!(!root.exists("/var/lib/twinlock/credentials"), "nothing that looks like an empty store");
        assert_eq!(root.mode(MODULE), 0o644);
        assert!(root.succeed(&["twinlock", "--version"]).starts_with("twinlock 0.1.0"));
        assert!(root.read("/etc/pam.d/twinlock").contains("system-auth"));
    });
}

#[test]
fn upgrading_changes_no_login_no_setting_and_no_secret() {
    if !has("rpmbuild") {
        return;
    }
    let folder = Folder::new("later-rpm");
    let built = Command::new("packaging/build-rpm")
        .args([target().as_path(), &folder.0])
        .env("RELEASE", ".2")
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", both(&built));
    with_installed(|root| {
        root.write(STACK, "auth required pam_twinlock.so\n");
        root.write("/etc/twinlock/config.toml", "second_factor = \"enroll\"\n");
        let before = root.what_logins_need();
        let mut files: Vec<_> = packages(&folder.0, "rpm").iter().map(|file| root.bring(file)).collect();
        files.retain(|file| !file.contains("selinux"));
        root.succeed(&["rpm", "--upgrade", "--nodeps", &files[0], &files[1]]);
        assert_eq!(root.succeed(&["rpm", "--query", "--queryformat=%{release}", "pam_twinlock"]), "1.2");
        assert_eq!(root.what_logins_need(), before);
        assert_eq!(root.read("/etc/twinlock/config.toml"), "second_factor = \"enroll\"\n");
        assert!(root.exists(MODULE) && root.exists(SECRET));
    });
}

#[test]
fn neither_package_goes_while_a_stack_names_the_module() {
    with_installed(|root| {
        root.write(STACK, "auth required pam_permit.so\nauth required pam_twinlock.so\n");
        for way in [&["pam_twinlock", "twinlock"][..], &["pam_twinlock"], &["twinlock", "--nodeps"]] {
            let said = root.fail(&[&["rpm", "--erase"], way].concat());
            assert!(said.contains("/etc/pam.d/sshd:2:auth required pam_twinlock.so"), "{way:?}: {said}");
            assert!(said.contains("nobody can log in any more"), "{way:?}: {said}");
            assert!(root.exists(MODULE) && root.exists("/usr/bin/twinlock"), "{way:?}: {said}");
        }
    });
}

#[test]
fn removing_keeps_the_secrets_and_what_was_changed() {
    with_installed(|root| {
        root.write(STACK, "#auth required pam_twinlock.so\n");
        root.write("/etc/twinlock/config.toml", "second_factor = \"enroll\"\n");
        root.succeed(&["rpm", "--erase", "pam_twinlock", "twinlock"]);
        assert!(!root.exists(MODULE) && !root.exists("/usr/sbin/twinlockd"));
        assert_eq!(root.read(SECRET), "secret");
        assert_eq!(root.read("/etc/twinlock/config.toml.rpmsave"), "second_factor = \"enroll\"\n");
    });
}

#[test]
fn the_settings_are_marked_so_that_they_are_kept() {
    if !has("rpmbuild") {
        return;
    }
    let file = package("twinlock", "rpm");
    let configuration = text("rpm", &["--query", "--package", "--configfiles", file.to_str().unwrap()]);
    assert_eq!(configuration, "/etc/pam.d/twinlock\n/etc/twinlock/config.toml\n");
    let flags = text(
        "rpm",
        &["--query", "--package", "--queryformat=[%{filenames} %{fileflags:fflags}\n]", file.to_str().unwrap()],
    );
    for path in configuration.lines() {
        assert!(flags.contains(&format!("{path} cn")), "noreplace: {flags}");
    }
}
