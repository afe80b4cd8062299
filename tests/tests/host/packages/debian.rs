//! What dpkg does to a host with the packages.

use std::fs;

use twinlock_tests::set_mode;

use crate::packages::built::{Folder, both, has, package, text};
use crate::packages::root::{Root, in_root};

#[cfg(target_arch = "x86_64")]
const MODULE: &str = "/usr/lib/x86_64-linux-gnu/security/pam_twinlock.so";
#[cfg(target_arch = "aarch64")]
const MODULE: &str = "/usr/lib/aarch64-linux-gnu/security/pam_twinlock.so";
const STORE: &str = "/var/lib/twinlock";
const IDS: [&str; 2] = ["/etc/twinlock/store-id", "/var/lib/twinlock/store-id"];
const SECRET: &str = "/var/lib/twinlock/credentials/alice.toml";

fn install(root: &Root) -> String {
    let module = root.bring(&package("libpam-twinlock", "deb"));
    let command = root.bring(&package("twinlock", "deb"));
    root.succeed(&["dpkg", "--install", &command, &module])
}

/// In a root of Debian.
fn in_debian(test: impl FnOnce(&Root) + Send) {
    if has("dh") {
        in_root(test);
    }
}

/// With the packages installed and somebody enrolled.
fn with_installed(test: impl FnOnce(&Root) + Send) {
    in_debian(|root| {
        install(root);
        root.succeed(&["twinlock", "store", "init"]);
        root.write(SECRET, "secret");
        test(root);
    });
}

/// Adds our line to a stack, as an administrator does.
fn hook(root: &Root, service: &str) {
    let stack = format!("/etc/pam.d/{service}");
    let text = if root.exists(&stack) { root.read(&stack) } else { String::new() };
    root.write(&stack, &format!("{text}auth required pam_twinlock.so\n"));
}

/// The same package as a later version: nothing but the number differs.
fn later(root: &Root, name: &str) -> String {
    let folder =
        Folder::new(&format!("later-{name}-{}", root.path("").parent().unwrap().file_name().unwrap().display()));
    let tree = folder.0.join(format!("{name}_0.1.1-1"));
    let tree_text = tree.to_str().unwrap();
    text("dpkg-deb", &["--raw-extract", package(name, "deb").to_str().unwrap(), tree_text]);
    let control = tree.join("DEBIAN/control");
    let changed = fs::read_to_string(&control).unwrap().replace("0.1.0-1", "0.1.1-1");
    fs::write(control, changed).unwrap();
    let built = folder.0.join(format!("{name}_0.1.1-1.deb"));
    text("dpkg-deb", &["--build", "-Znone", tree_text, built.to_str().unwrap()]);
    root.bring(&built)
}

/// As on a host that systemd runs. What the scripts have it do is written to `/asked`.
fn run_by_systemd(root: &Root) {
    root.write("/run/systemd/system/.here", "");
    root.write("/usr/bin/deb-systemd-invoke", "#!/bin/sh\necho \"$*\" >>/asked\n");
    set_mode(root.path("/usr/bin/deb-systemd-invoke"), 0o755);
}

fn status(root: &Root, package: &str) -> String {
    let output = root.run(&["dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${Version}", package]);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn installing_makes_a_store_for_root_and_switches_nothing_on() {
    in_debian(|root| {
        let before = root.what_logins_need();
        let said = install(root);
        assert_eq!(root.what_logins_need(), before, "{said}");
        assert_eq!(root.mode(STORE), 0o700);
        assert_eq!(fs::read_dir(root.path(STORE)).unwrap().count(), 0, "nothing that looks like an empty store");
        assert_eq!(root.mode(MODULE), 0o644);
        assert!(!root.read("/etc/pam.d/common-auth").contains("twinlock"));
        assert!(root.succeed(&["twinlock", "--version"]).starts_with("twinlock 0.1.0"));
        root.succeed(&["twinlock", "store", "init"]);
        let list = root.run(&["twinlock", "list", "--json"]);
        assert!(list.status.success(), "{}", both(&list));
    });
}

#[test]
fn upgrading_changes_no_login_no_setting_and_no_secret() {
    with_installed(|root| {
        hook(root, "sshd");
        hook(root, "common-auth");
        root.write("/etc/ssh/sshd_config.d/00-twinlock.conf", "UsePAM yes\n");
        root.write("/etc/twinlock/config.toml", "second_factor = \"enroll\"\n");
        root.write("/etc/pam.d/twinlock", "auth required pam_deny.so\n");
        let before = root.what_logins_need();
        let [command, module] = ["twinlock", "libpam-twinlock"].map(|name| later(root, name));
        root.succeed(&["dpkg", "--install", &command, &module]);
        assert_eq!(status(root, "libpam-twinlock"), "ii  0.1.1-1");
        assert_eq!(root.what_logins_need(), before);
        assert_eq!(root.read("/etc/twinlock/config.toml"), "second_factor = \"enroll\"\n");
        assert_eq!(root.read("/etc/pam.d/twinlock"), "auth required pam_deny.so\n");
        assert_eq!(root.read(SECRET), "secret");
        assert!(root.exists(MODULE));
    });
}

#[test]
fn upgrading_gives_a_store_of_0_1_0_its_id_unless_its_file_system_is_missing() {
    for (fstab, given) in [("", true), ("/dev/sdz1 /var/lib/twinlock ext4 nofail 0 2\n", false)] {
        with_installed(|root| {
            for id in IDS {
                fs::remove_file(root.path(id)).unwrap();
            }
            fs::remove_file(root.path(SECRET)).unwrap();
            root.write("/etc/fstab", fstab);
            let [command, module] = ["twinlock", "libpam-twinlock"].map(|name| later(root, name));
            let said = root.succeed(&["dpkg", "--install", &command, &module]);
            assert_eq!(IDS.map(|id| root.exists(id)), [given; 2], "{said}");
            assert_eq!(said.contains("the store was given no id"), !given, "{said}");
            assert_eq!(root.run(&["twinlock", "list"]).status.success(), given);
        });
    }
}

#[test]
fn neither_package_goes_while_a_stack_names_the_module() {
    with_installed(|root| {
        hook(root, "sshd");
        let before = root.what_logins_need();
        let ways: [&[&str]; 4] = [
            &["dpkg", "--remove", "libpam-twinlock", "twinlock"],
            &["dpkg", "--purge", "libpam-twinlock", "twinlock"],
            // As apt calls it.
            &["dpkg", "--force-depends", "--remove", "libpam-twinlock", "twinlock"],
            &["dpkg", "--force-depends", "--remove", "twinlock"],
        ];
        for way in ways {
            let said = root.fail(way);
            assert!(said.contains("/etc/pam.d/sshd:"), "{way:?}: {said}");
            assert!(said.contains("nobody can log in any more"), "{way:?}: {said}");
            assert!(root.exists(MODULE) && root.exists("/usr/bin/twinlock") && root.exists(SECRET), "{way:?}: {said}");
            assert_eq!(root.what_logins_need(), before, "{way:?}");
        }
    });
}

#[test]
fn removing_stops_the_broker_and_neither_a_refusal_nor_an_upgrade_does() {
    with_installed(|root| {
        run_by_systemd(root);
        let sshd = root.read("/etc/pam.d/sshd");
        hook(root, "sshd");
        root.fail(&["dpkg", "--force-depends", "--purge", "libpam-twinlock", "twinlock"]);
        assert!(!root.exists("/asked"), "{}", root.read("/asked"));
        let [command, module] = ["twinlock", "libpam-twinlock"].map(|name| later(root, name));
        root.succeed(&["dpkg", "--install", &command, &module]);
        assert_eq!(root.read("/asked"), "restart twinlockd.service\n");
        root.write("/etc/pam.d/sshd", &sshd);
        root.succeed(&["dpkg", "--purge", "libpam-twinlock", "twinlock"]);
        let stopped = "stop twinlockd.socket\nstop twinlockd.service\n";
        assert_eq!(root.read("/asked"), format!("restart twinlockd.service\n{stopped}"));
    });
}

#[test]
fn a_new_store_gets_its_labels_where_the_host_has_them() {
    in_debian(|root| {
        for program in ["restorecon", "semodule", "selinuxenabled"] {
            let path = format!("/usr/sbin/{program}");
            root.write(&path, format!("#!/bin/sh\necho \"{program} $*\" >>/asked\n").as_str());
            set_mode(root.path(&path), 0o755);
        }
        install(root);
        assert_eq!(
            root.read("/asked"),
            "selinuxenabled \nsemodule -X 200 -i /usr/share/twinlock/selinux/twinlock.cil\nrestorecon -R /var/lib/twinlock\n"
        );
        assert!(root.exists("/usr/share/twinlock/selinux/twinlock.cil"));
    });
}

#[test]
fn a_commented_line_keeps_nothing() {
    with_installed(|root| {
        root.write("/etc/pam.d/sshd", "#auth required pam_twinlock.so\nauth required pam_permit.so\n");
        root.succeed(&["dpkg", "--remove", "libpam-twinlock", "twinlock"]);
        assert!(!root.exists(MODULE));
    });
}

#[test]
fn the_profile_asks_in_common_auth_alone_and_goes_as_it_came() {
    with_installed(|root| {
        let before = root.what_logins_need();
        root.succeed(&["pam-auth-update", "--enable", "twinlock"]);
        let common = root.read("/etc/pam.d/common-auth");
        let lines: Vec<_> = common.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).collect();
        let ours = lines.iter().position(|line| line.contains("pam_twinlock")).unwrap_or_else(|| panic!("{common}"));
        let words: Vec<_> = lines[ours].split_whitespace().collect();
        assert_eq!(words, ["auth", "required", "pam_twinlock.so"]);
        let password = lines.iter().position(|line| line.contains("pam_unix")).unwrap();
        assert!(password < ours, "the password comes first: {common}");
        for other in ["account", "session", "password"] {
            assert!(!root.read(&format!("/etc/pam.d/common-{other}")).contains("twinlock"), "{other}");
        }

        let said = root.fail(&["dpkg", "--remove", "libpam-twinlock"]);
        assert!(
            said.contains("/etc/pam.d/common-auth:") && said.contains("pam-auth-update --disable twinlock"),
            "{said}"
        );
        root.succeed(&["pam-auth-update", "--disable", "twinlock"]);
        root.succeed(&["dpkg", "--remove", "libpam-twinlock"]);
        assert_eq!(root.what_logins_need(), before);
        assert!(!root.exists(MODULE));
    });
}

#[test]
fn the_secrets_survive_removal_and_a_purge_that_nobody_confirms() {
    with_installed(|root| {
        root.succeed(&["dpkg", "--remove", "libpam-twinlock", "twinlock"]);
        assert!(root.exists(SECRET) && root.exists("/etc/twinlock/config.toml"));
        let said = root.succeed(&["dpkg", "--purge", "libpam-twinlock", "twinlock"]);
        assert!(said.contains("the second factors in /var/lib/twinlock were kept"), "{said}");
        assert_eq!(root.read(SECRET), "secret");
        assert!(!root.exists("/etc/twinlock/config.toml") && !root.exists("/etc/pam.d/twinlock"));

        assert_eq!(IDS.map(|id| root.exists(id)), [false; 2]);

        // A later installation finds everybody enrolled.
        install(root);
        assert_eq!(IDS.map(|id| root.exists(id)), [true; 2]);
        assert_eq!((root.read(SECRET).as_str(), root.mode("/var/lib/twinlock")), ("secret", 0o700));
    });
}

#[test]
fn a_purge_asks_and_does_what_it_is_told() {
    for (answer, kept) in [("no\n", true), ("yes\n", false)] {
        with_installed(|root| {
            root.succeed(&["dpkg", "--remove", "libpam-twinlock", "twinlock"]);
            let purge = root.run_answering(answer, &["dpkg", "--purge", "twinlock"]);
            let said = both(&purge);
            assert!(purge.status.success(), "{said}");
            assert!(said.contains("Delete the second factors of all users?"), "{said}");
            assert_eq!(root.exists(SECRET), kept, "{answer:?}: {said}");
        });
    }
}

#[test]
fn a_purge_takes_a_preseeded_answer_and_asks_anew_next_time() {
    with_installed(|root| {
        let answer = "twinlock twinlock/purge-secrets boolean true\n";
        let preseeded = root.run_reading(answer, &["debconf-set-selections"]);
        assert!(preseeded.status.success(), "{}", both(&preseeded));
        root.succeed(&["dpkg", "--purge", "libpam-twinlock", "twinlock"]);
        assert!(!root.exists("/var/lib/twinlock"));

        install(root);
        root.write(SECRET, "secret");
        root.succeed(&["dpkg", "--purge", "libpam-twinlock", "twinlock"]);
        assert!(root.exists(SECRET), "an answer holds once");
    });
}

#[test]
fn no_secret_is_deleted_while_another_copy_of_the_module_needs_it() {
    with_installed(|root| {
        root.succeed(&["dpkg", "--remove", "libpam-twinlock", "twinlock"]);
        hook(root, "sshd");
        let purge = root.run_answering("yes\n", &["dpkg", "--purge", "twinlock"]);
        assert!(purge.status.success() && root.exists(SECRET), "{}", both(&purge));
    });
}

#[test]
fn a_purge_without_secrets_leaves_nothing() {
    in_debian(|root| {
        install(root);
        root.succeed(&["twinlock", "store", "init"]);
        root.succeed(&["dpkg", "--purge", "libpam-twinlock", "twinlock"]);
        for left in ["/var/lib/twinlock", "/etc/twinlock", "/etc/pam.d/twinlock", "/usr/share/twinlock", MODULE] {
            assert!(!root.exists(left), "{left}");
        }
    });
}

#[test]
fn what_is_in_the_packages_is_roots_and_dpkg_knows_the_settings() {
    if !has("dh") {
        return;
    }
    for name in ["libpam-twinlock", "twinlock"] {
        let listed = text("dpkg-deb", &["--contents", package(name, "deb").to_str().unwrap()]);
        for line in listed.lines() {
            let mut words = line.split_whitespace();
            let (mode, owner, path) = (words.next().unwrap(), words.next().unwrap(), words.nth(3).unwrap());
            assert_eq!(owner, "root/root", "{line}");
            let runs = ["./usr/bin/twinlock", "./usr/sbin/twinlockd", "./usr/share/twinlock/hooks/remove-leaver"]
                .contains(&path);
            let wanted = if path.ends_with('/') || runs { "rwxr-xr-x" } else { "rw-r--r--" };
            assert_eq!(&mode[1..], wanted, "{line}");
        }
    }
    let conffiles = text("dpkg-deb", &["--info", package("twinlock", "deb").to_str().unwrap(), "conffiles"]);
    assert_eq!(conffiles, "/etc/pam.d/twinlock\n/etc/twinlock/config.toml\n");
}
