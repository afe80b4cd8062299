//! `make install` and `make uninstall`, into a folder: what lies where, and what is left.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use twinlock_tests::{Launch, Output, World, in_world};

const ROOT: &str = "/tmp/root";

fn make(world: &World, target: &str) -> Output {
    make_with(world, &[target])
}

fn make_with(world: &World, words: &[&str]) -> Output {
    let repository = world.repository();
    let output = Launch::new([&["make", "--no-print-directory", "-C", repository.to_str().unwrap()], words].concat())
        .environment("CARGO_TARGET_DIR", "/tmp/target")
        .environment("PAMDIR", "/lib/security")
        .environment("DESTDIR", ROOT)
        .run();
    assert_eq!(output.code, Some(0), "{words:?}: {output:?}");
    output
}

/// Runs the test where everything is installed below [`ROOT`].
fn with_installed(test: impl FnOnce(&World) + Send) {
    in_world(|world| {
        // The repository is read-only here, so the manual is written elsewhere.
        fs::create_dir("/tmp/target").unwrap();
        symlink(world.artefacts(), "/tmp/target/release").unwrap();
        make(world, "man");
        make(world, "install");
        test(world);
    });
}

/// All files below a folder, with their modes.
fn files(folder: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            let path = Path::new("/").join(entry.path().strip_prefix(ROOT).unwrap());
            found.push((path, entry.metadata().unwrap().permissions().mode() & 0o7777));
        }
    }
    found
}

fn all_files() -> Vec<(PathBuf, u32)> {
    let mut all = files(Path::new(ROOT));
    all.sort();
    all
}

#[test]
fn every_guide_is_installed_beside_the_readme_as_it_is_here() {
    with_installed(|world| {
        let documents = Path::new(ROOT).join("usr/local/share/doc/twinlock");
        let guides: Vec<_> = fs::read_dir(world.repository().join("docs"))
            .unwrap()
            .map(|entry| Path::new("docs").join(entry.unwrap().file_name()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
            .collect();
        assert!(guides.contains(&"docs/migration.md".into()), "{guides:?}");
        for page in guides.into_iter().chain(["README.md".into(), "SECURITY.md".into()]) {
            let installed =
                fs::read(documents.join(&page)).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
            assert!(installed == fs::read(world.repository().join(&page)).unwrap(), "{}", page.display());
        }
    });
}

#[test]
fn what_is_installed_is_roots_to_write_and_everybodys_to_read() {
    with_installed(|_| {
        let all = all_files();
        for wanted in [
            "/lib/security/pam_twinlock.so",
            "/etc/twinlock/config.toml",
            "/usr/local/lib/systemd/system/twinlock-unseal.service",
            "/usr/local/lib/systemd/system/twinlockd.service",
            "/usr/local/lib/systemd/system/twinlockd.socket",
            "/usr/local/share/man/man8/pam_twinlock.8",
            "/usr/local/share/man/man8/twinlockd.8",
            "/usr/local/share/bash-completion/completions/twinlock",
        ] {
            assert!(all.contains(&(wanted.into(), 0o644)), "{wanted}: {all:?}");
        }
        let runs: Vec<_> = all.iter().filter(|(_, mode)| *mode != 0o644).collect();
        assert_eq!(
            runs,
            [
                &(PathBuf::from("/usr/local/bin/twinlock"), 0o755),
                &(PathBuf::from("/usr/local/sbin/twinlockd"), 0o755),
                &(PathBuf::from("/usr/local/share/twinlock/hooks/remove-leaver"), 0o755),
            ]
        );
    });
}

#[test]
fn uninstall_leaves_the_configuration_and_the_secrets_alone() {
    with_installed(|world| {
        let secret = Path::new(ROOT).join("var/lib/twinlock/credentials/alice.toml");
        world.write(&secret, "secret");
        make(world, "uninstall");
        let left: Vec<_> = all_files().into_iter().map(|(path, _)| path).collect();
        assert_eq!(
            left,
            [Path::new("/etc/twinlock/config.toml"), Path::new("/var/lib/twinlock/credentials/alice.toml")]
        );
    });
}

fn installed(path: &str) -> String {
    fs::read_to_string(format!("{ROOT}{path}")).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_unit_runs_the_broker_where_it_was_installed() {
    with_installed(|world| {
        let unit = |prefix: &str| installed(&format!("{prefix}/lib/systemd/system/twinlockd.service"));
        assert_eq!(unit("/usr/local"), world.shipped("systemd/twinlockd.service"));
        make_with(world, &["install", "PREFIX=/usr"]);
        assert!(unit("/usr").contains("\nExecStart=/usr/sbin/twinlockd\n"), "{}", unit("/usr"));
        assert_eq!(fs::metadata(format!("{ROOT}/usr/sbin/twinlockd")).unwrap().permissions().mode() & 0o7777, 0o755);
        assert!(!unit("/usr").contains("/usr/local"), "{}", unit("/usr"));
    });
}

#[test]
fn the_service_of_the_broker_is_that_of_the_hosts_family_and_never_written_over() {
    let service = "/etc/pam.d/twinlock";
    with_installed(|world| {
        // A link into what is read-only here.
        fs::remove_file("/etc/os-release").unwrap();
        for (release, family) in [
            ("ID=ubuntu\nID_LIKE=debian\n", "debian"),
            ("ID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\n", "rhel"),
            ("ID=fedora\n", "rhel"),
        ] {
            world.write("/etc/os-release", release);
            drop(fs::remove_file(format!("{ROOT}{service}")));
            make(world, "install");
            assert_eq!(installed(service), world.shipped(format!("pam.d/{family}/twinlock")), "{release}");
        }
        world.write(format!("{ROOT}{service}"), "auth required pam_deny.so\n");
        make(world, "install");
        assert_eq!(installed(service), "auth required pam_deny.so\n");
        assert!(make(world, "uninstall").stdout.contains(service));
        assert_eq!(installed(service), "auth required pam_deny.so\n");
        world.write("/etc/os-release", "ID=other\n");
        fs::remove_file(format!("{ROOT}{service}")).unwrap();
        assert!(make(world, "install").stderr.contains(service));
        assert!(!fs::exists(format!("{ROOT}{service}")).unwrap());
    });
}

#[test]
fn what_is_said_after_the_installation_names_the_broker() {
    with_installed(|world| {
        let said = make(world, "install").stdout;
        assert!(said.contains("systemctl enable --now twinlockd.socket"), "{said}");
        assert!(said.contains("/usr/local/sbin/twinlockd --listen"), "{said}");
        // Enabling would have left a link.
        assert!(all_files().iter().all(|(path, _)| !path.starts_with("/etc/systemd")));
    });
}
