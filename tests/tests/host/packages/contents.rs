//! What is in the packages, as the tools of the distributions see it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::packages::built::{Folder, both, has, package, packages, repository, run, target, text};

#[test]
fn lintian_has_nothing_to_say() {
    if !has("dh") || !has("lintian") {
        return;
    }
    let mut arguments = vec!["--pedantic", "--display-info", "--fail-on", "error,warning,info,pedantic"];
    // Guesses at English among the bytes of a program; another one with every build.
    arguments.extend(["--suppress-tags", "spelling-error-in-binary"]);
    let all = packages(&target().join("packages"), "deb");
    arguments.extend(all.iter().map(|path| path.to_str().unwrap()));
    let output = run("lintian", &arguments);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.is_empty(), "{}", both(&output));
    assert_eq!(all.len(), 2);
}

#[test]
fn rpmlint_has_nothing_to_say() {
    if !has("rpmbuild") || !has("rpmlint") {
        return;
    }
    let mut arguments = vec!["--strict", "--config", "packaging/rpm/rpmlint.toml"];
    let all = packages(&target().join("packages"), "rpm");
    arguments.extend(all.iter().map(|path| path.to_str().unwrap()));
    let said = text("rpmlint", &arguments);
    assert!(said.contains("3 packages and 0 specfiles checked; 0 errors, 0 warnings"), "{said}");
}

#[test]
fn two_builds_give_the_same_files() {
    for (script, ending, tool) in [("packaging/build-deb", "deb", "dh"), ("packaging/build-rpm", "rpm", "rpmbuild")] {
        if !has(tool) {
            continue;
        }
        let folder = Folder::new(&format!("again-{ending}"));
        text(script, &[target().to_str().unwrap(), folder.text()]);
        let [before, after] = [&target().join("packages"), &folder.0].map(|folder| {
            packages(folder, ending)
                .iter()
                .map(|path| (path.file_name().unwrap().to_owned(), fs::read(path).unwrap()))
                .collect::<Vec<_>>()
        });
        let names = |all: &[(std::ffi::OsString, Vec<u8>)]| all.iter().map(|one| one.0.clone()).collect::<Vec<_>>();
        assert_eq!(names(&before), names(&after));
        for ((name, before), (_, after)) in before.iter().zip(&after) {
            assert!(before == after, "{} differs", name.display());
        }
    }
}

#[test]
fn no_file_names_a_folder_of_the_machine_that_built_it() {
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")));
    let folders = [home.unwrap(), repository().to_str().unwrap().to_owned(), target().to_str().unwrap().to_owned()];
    let built = ["libpam_twinlock.so", "twinlock", "twinlockd"].map(|name| target().join("release").join(name));
    let bills = BILLS.map(|name| target().join("sbom").join(format!("{name}.cdx.json")));
    for path in built.iter().chain(&bills) {
        let content = fs::read(path).unwrap();
        for folder in &folders {
            let found = content.windows(folder.len()).any(|window| window == folder.as_bytes());
            assert!(!found, "{} names {folder}: was it built by `make build`?", path.display());
        }
    }
}

const BILLS: [&str; 3] = ["pam_twinlock", "twinlock", "twinlockd"];

#[test]
fn a_bill_of_materials_names_every_crate_in_the_version_that_is_locked() {
    let lock = fs::read_to_string(repository().join("Cargo.lock")).unwrap();
    let value = |line: &str| line.split('"').nth(1).map(str::to_owned);
    let locked: BTreeSet<_> = lock
        .split("[[package]]")
        .filter_map(|part| {
            let field = |key: &str| part.lines().find(|line| line.starts_with(key)).and_then(value);
            Some((field("name = ")?, field("version = ")?))
        })
        .collect();
    for (bill, wanted) in BILLS.into_iter().zip(["pam-bindings", "clap", "landlock"]) {
        let path = target().join("sbom").join(format!("{bill}.cdx.json"));
        let document: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!((&document["bomFormat"], &document["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let named = document["components"].as_array().unwrap();
        let named: BTreeSet<_> = named.iter().map(|crate_| (text(&crate_["name"]), text(&crate_["version"]))).collect();
        assert!(named.is_subset(&locked), "{bill}: {:?}", named.difference(&locked));
        for name in ["argon2", "totp-rs", "zeroize", wanted] {
            assert!(named.iter().any(|(found, _)| found == name), "{bill} lacks {name}");
            let notices = fs::read_to_string(path.with_extension("").with_extension("licences")).unwrap();
            assert!(notices.contains(&format!("==== {name}-")), "{bill}: no notice of {name}");
        }
    }
}

#[test]
fn packages_have_the_version_of_the_programs() {
    let read = |path: &str| fs::read_to_string(repository().join(path)).unwrap();
    let manifest = read("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = ")).unwrap().trim_matches('"');
    assert!(read("packaging/debian/changelog").starts_with(&format!("twinlock ({version}-1)")));
    let spec = read("packaging/rpm/twinlock.spec");
    assert!(spec.lines().any(|line| line.starts_with("Version:") && line.ends_with(&format!(" {version}"))));
    assert!(spec.contains(&format!(" - {version}-1\n")), "the changelog of the spec");
}

#[test]
fn each_file_lies_where_its_distribution_looks() {
    if !has("dh") || !has("rpmbuild") {
        return;
    }
    let deb = ["libpam-twinlock", "twinlock"].map(|name| {
        let package = package(name, "deb");
        text("dpkg-deb", &["--contents", package.to_str().unwrap()])
    });
    let rpm = ["pam_twinlock", "twinlock", "twinlock-selinux"].map(|name| {
        let package = package(name, "rpm");
        text("rpm", &["--query", "--package", "--list", package.to_str().unwrap()])
    });
    let places: [(&str, &[&str]); 5] = [
        (
            &deb[0],
            &[
                "-linux-gnu/security/pam_twinlock.so",
                "/usr/share/pam-configs/twinlock",
                "/usr/share/twinlock/pam.d/debian/sshd.key-and-code",
                "/usr/share/twinlock/sshd_config.d/key-and-code/00-twinlock.conf",
                "/usr/share/man/man8/pam_twinlock.8.gz",
                "/usr/share/doc/libpam-twinlock/pam_twinlock.cdx.json",
            ],
        ),
        (
            &deb[1],
            &[
                "/usr/bin/twinlock",
                "/usr/sbin/twinlockd",
                "./usr/lib/systemd/system/twinlockd.socket",
                "./usr/lib/systemd/system/twinlock-unseal.service",
                "./usr/lib/systemd/system/twinlockd.service",
                "/usr/lib/tmpfiles.d/twinlock.conf",
                "/usr/share/man/man1/twinlock.1.gz",
                "/usr/share/man/man5/twinlock.toml.5.gz",
                "/usr/share/man/man8/twinlockd.8.gz",
                "/usr/share/bash-completion/completions/twinlock",
                "/usr/share/zsh/vendor-completions/_twinlock",
                "/usr/share/fish/vendor_completions.d/twinlock.fish",
                "/usr/share/twinlock/fail2ban/filter.d/twinlock.conf",
                "/usr/share/doc/twinlock/docs/install.md",
            ],
        ),
        (
            &rpm[0],
            &[
                "/usr/lib64/security/pam_twinlock.so",
                "/usr/share/twinlock/pam.d/rhel/sshd.key-and-code",
                "/usr/share/licenses/pam_twinlock/LICENSE-MIT",
                "/usr/share/doc/pam_twinlock/pam_twinlock.cdx.json",
            ],
        ),
        (
            &rpm[1],
            &[
                "/usr/bin/twinlock",
                "/usr/sbin/twinlockd",
                "/usr/lib/systemd/system/twinlockd.socket",
                "/usr/lib/tmpfiles.d/twinlock.conf",
                "/usr/share/zsh/site-functions/_twinlock",
                "/usr/share/doc/twinlock/docs/install.md",
                "/var/lib/twinlock",
            ],
        ),
        (&rpm[2], &["/usr/share/twinlock/selinux/twinlock.cil"]),
    ];
    for (list, wanted) in places {
        for path in wanted {
            assert!(list.lines().any(|line| line.ends_with(path)), "{path}:\n{list}");
        }
    }
}

#[test]
fn what_the_package_names_lies_where_the_package_puts_it() {
    if !has("dh") {
        return;
    }
    let folder = Folder::new("units");
    text("dpkg-deb", &["--extract", package("twinlock", "deb").to_str().unwrap(), folder.text()]);
    let unit = fs::read_to_string(folder.0.join("usr/lib/systemd/system/twinlockd.service")).unwrap();
    let program = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    assert_eq!(program, "/usr/sbin/twinlockd");
    assert!(folder.0.join(Path::new(program).strip_prefix("/").unwrap()).is_file());
    text("gunzip", &["--recursive", folder.0.join("usr/share/man").to_str().unwrap()]);
    // Nor is there a page or an example that sends people where nothing lies.
    let pages =
        ["install.md", "roll-out.md", "self-service.md"].map(|page| format!("usr/share/doc/twinlock/docs/{page}"));
    let places = ["usr/lib", "etc", "usr/share/twinlock", "usr/share/man"].into_iter();
    for place in places.chain(pages.iter().map(String::as_str)) {
        let found = run("grep", &["-rh", "/usr/local/", folder.0.join(place).to_str().unwrap()]);
        // What an administrator makes there: Debian's deluser looks for its hook nowhere else.
        let made_there = ["/usr/local/sbin/deluser.local", "PATH=$PATH:/usr/local/bin:"];
        let astray: Vec<_> = both(&found)
            .lines()
            .filter(|line| !made_there.iter().any(|known| line.contains(known)))
            .map(str::to_owned)
            .collect();
        assert_eq!(astray, Vec::<String>::new(), "{place}");
    }
}
