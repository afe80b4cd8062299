//! A sound host gives nothing; and faults of the host: the module, the store, the clock.

use std::fs;
use std::os::unix::fs::chown;

use nix::mount::{MsFlags, mount};
use twinlock_tests::{Family, ForgedState, LoopDisk, STORE, set_mode};

use crate::doctor::scene::{HOSTS, STACK, change, findings, finds, finds_no, on, on_debian, only, stand_in};

#[test]
fn a_sound_host_gives_nothing_above_a_hint() {
    for (family, first) in HOSTS {
        on(family, first, |world| {
            let findings = findings(world);
            let worse: Vec<_> = findings.iter().filter(|finding| finding.severity != "hint").collect();
            assert!(worse.is_empty(), "{family:?} {first:?}: {worse:#?}");
            // Root has a shell and no second factor, and is not let in by sshd: that is for the administrator to know.
            let hints: Vec<_> = findings.iter().map(|finding| finding.id.as_str()).collect();
            assert_eq!(hints, ["root"], "{family:?} {first:?}: {findings:#?}");
        });
    }
}

#[test]
fn a_host_where_root_is_not_to_log_in_and_all_are_enrolled_gives_nothing_at_all() {
    on_debian(|world| {
        world.deploy("root");
        crate::doctor::scene::first_in_drop_in(world, "PermitRootLogin no\n");
        assert_eq!(findings(world), []);
        let output = world.twinlock(&["doctor"]);
        assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (Some(0), "no findings\n", ""));
    });
}

#[test]
fn a_module_that_is_not_there_is_found() {
    on_debian(|world| {
        let path = world.module_path();
        fs::remove_file(&path).unwrap();
        finds(world, "module", "lockout", path.to_str());
    });
}

#[test]
fn a_module_by_its_whole_path_is_looked_for_there() {
    on_debian(|world| {
        change(world, STACK, "auth       required     pam_twinlock.so", "auth required /opt/pam_twinlock.so");
        finds(world, "module", "lockout", Some("/opt/pam_twinlock.so"));
    });
}

#[test]
fn a_module_that_others_may_write_is_found() {
    on_debian(|world| {
        let path = world.module_path();
        set_mode(&path, 0o666);
        let one = finds(world, "module", "open", path.to_str());
        assert!(one.mend.contains("chmod go-w"), "{one:#?}");
        set_mode(&path, 0o644);
        chown(&path, Some(1001), None).unwrap();
        let one = finds(world, "module", "open", path.to_str());
        assert!(one.found.ends_with("it belongs to uid 1001"), "{one:#?}");
    });
}

#[test]
fn a_module_for_another_machine_is_found() {
    on_debian(|world| {
        let path = world.module_path();
        let mut bytes = fs::read(&path).unwrap();
        bytes[18] ^= 0xff;
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        finds(world, "module", "lockout", path.to_str());
        fs::write(&path, "torn").unwrap();
        finds(world, "module", "lockout", path.to_str());
    });
}

#[test]
fn a_module_that_needs_a_missing_library_is_found() {
    on_debian(|world| {
        let path = world.module_path();
        let mut bytes = fs::read(&path).unwrap();
        let name = b"libpam.so.0\0";
        let at = bytes.windows(name.len()).position(|window| window == name).expect("it is linked with libpam");
        bytes[at + 4] = b'b';
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        let one = finds(world, "module", "lockout", path.to_str());
        assert!(one.found.ends_with("needs libraries that are missing: libpbm.so.0"), "{one:#?}");
    });
}

#[test]
fn a_store_that_is_open_to_others_is_found() {
    on_debian(|world| {
        for (folder, mode) in
            [(STORE.to_owned(), 0o777), (format!("{STORE}/credentials"), 0o755), (format!("{STORE}/state"), 0o710)]
        {
            set_mode(&folder, mode);
            let one = only(&findings(world), "store");
            assert_eq!((one.severity.as_str(), one.place.as_deref()), ("lockout", Some(folder.as_str())), "{one:#?}");
            set_mode(&folder, 0o700);
        }
    });
}

#[test]
fn a_store_that_is_not_there_is_found() {
    on_debian(|world| {
        for folder in [format!("{STORE}/state"), STORE.to_owned()] {
            fs::remove_dir_all(&folder).unwrap();
            let one = only(&findings(world), "store");
            assert_eq!((one.severity.as_str(), one.place.as_deref()), ("lockout", Some(folder.as_str())), "{one:#?}");
        }
    });
}

#[test]
fn credentials_that_cannot_be_read_are_found() {
    on_debian(|world| {
        let path = twinlock_tests::credentials_of("alice");
        world.write_secret(&path, "torn");
        finds(world, "store", "lockout", path.to_str());
    });
}

#[test]
fn a_store_on_a_full_or_read_only_file_system_is_found() {
    on_debian(|world| {
        let mounted = |flags, options: &str| mount(Some("small"), STORE, Some("tmpfs"), flags, Some(options)).unwrap();
        mounted(MsFlags::empty(), "mode=0700,size=4k,nr_inodes=4");
        for folder in ["credentials", "state"] {
            let path = format!("{STORE}/{folder}");
            fs::create_dir(&path).unwrap();
            set_mode(&path, 0o700);
        }
        fs::write(format!("{STORE}/full"), [0; 4096]).unwrap();
        let all = findings(world);
        let space: Vec<_> = all
            .iter()
            .filter(|one| one.id == "store-space")
            .map(|one| (one.severity.as_str(), one.place.as_deref()))
            .collect();
        assert_eq!(space, [("lockout", Some(STORE)); 2], "{all:#?}");
        mounted(MsFlags::MS_RDONLY, "mode=0700");
        let all = findings(world);
        assert!(all.iter().any(|one| one.id == "store" && one.found.contains("read-only")), "{all:#?}");
    });
}

#[test]
fn a_clock_of_which_nobody_knows_is_a_hint() {
    on_debian(|world| {
        fs::remove_file("/run/systemd/timesync/synchronized").unwrap();
        finds(world, "clock", "hint", None);
    });
}

#[test]
fn a_clock_that_nothing_keeps_or_that_is_off_is_found() {
    on_debian(|world| {
        fs::remove_file("/run/systemd/timesync/synchronized").unwrap();
        mount(Some("programs"), "/usr/local/bin", Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).unwrap();
        for (offset, status, severity) in [
            ("0.000012", "Normal", None),
            ("-20.5", "Normal", Some("warning")),
            ("0.1", "Not synchronised", Some("warning")),
            ("61.2", "Normal", Some("lockout")),
        ] {
            let line = format!("C0000201,ntp,3,1764000000.1,{offset},0.1,0.1,-1.5,0.0,0.02,0.03,0.001,64.5,{status}");
            world.write_script("/usr/local/bin/chronyc", &format!("#!/bin/sh\necho '{line}'\n"));
            match severity {
                Some(severity) => drop(finds(world, "clock", severity, None)),
                None => finds_no(world, "clock"),
            }
        }
    });
}

#[test]
fn a_store_on_btrfs_without_the_flag_against_copy_on_write_is_found() {
    on_debian(|world| {
        LoopDisk::lay_over_var_lib();
        let one = finds(world, "store", "warning", Some(STORE));
        assert_eq!(one.found, "the store is on btrfs without the no-copy-on-write flag");
        assert!(one.mend.contains("twinlock repair --layout"), "{one:#?}");
        assert_eq!(world.twinlock(&["repair", "--layout"]).code, Some(0));
        finds_no(world, "store");
        // A record that was made elsewhere, as a restore makes it.
        let (made, state) = (format!("{STORE}/alice"), twinlock_tests::state_of("alice"));
        ForgedState::of(&world.account("alice")).write(world);
        fs::copy(&state, &made).unwrap();
        fs::rename(&made, &state).unwrap();
        let one = finds(world, "store", "warning", Some(STORE));
        assert_eq!(one.found, "1 record on btrfs lacks the no-copy-on-write flag: alice");
        assert_eq!(world.twinlock(&["repair", "--layout", "alice"]).code, Some(0));
        finds_no(world, "store");
    });
}

#[test]
fn selinux_is_a_hint_where_it_enforces() {
    on_debian(|world| {
        mount(Some("sys"), "/sys/fs", Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).unwrap();
        world.write("/sys/fs/selinux/enforce", "0");
        finds_no(world, "store");
        world.write("/sys/fs/selinux/enforce", "1");
        let one = finds(world, "store", "hint", Some(STORE));
        assert!(one.found.contains("SELinux"), "{one:#?}");
    });
}

#[test]
fn a_label_that_login_programs_may_not_use_is_a_lockout() {
    on_debian(|world| {
        mount(Some("sys"), "/sys/fs", Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).unwrap();
        world.write("/sys/fs/selinux/enforce", "1");
        let label = |kind: &str| format!("system_u:object_r:{kind}:s0");
        // One line a path, as stat(1) does it: the store, and what is in it.
        let script =
            "shift 2; for path; do case $path in */credentials/*) cat /tmp/record;; *) cat /tmp/store;; esac; done";
        stand_in(world, "/usr/bin/stat", script);
        world.write("/tmp/store", label("var_auth_t") + "\n");
        world.write("/tmp/record", label("var_auth_t") + "\n");
        finds_no(world, "store");
        world.write("/tmp/record", label("var_lib_t") + "\n");
        let one = finds(world, "store", "lockout", Some("/var/lib/twinlock/credentials/alice.toml"));
        assert!(one.found.contains("var_lib_t") && one.mend.contains("restorecon -Rv"), "{one:#?}");
    });
}

#[test]
fn a_host_without_the_broker_is_not_told_of_it_and_one_whose_socket_is_not_there_is() {
    on_debian(|world| {
        finds_no(world, "broker");
        world.write("/etc/systemd/system/twinlockd.socket", "");
        assert_eq!(only(&findings(world), "broker").severity, "hint");
        world.write("/run/twinlock/broker.sock", "no socket");
        let one = only(&findings(world), "broker");
        assert_eq!((one.severity.as_str(), one.place.as_deref()), ("hint", Some("/run/twinlock/broker.sock")));
    });
}

#[test]
fn the_guide_for_rhel_with_a_substack_is_sound() {
    on(Family::Rhel, twinlock_tests::FirstFactor::Password, |world| {
        change(world, STACK, "\n#auth       substack     password-auth", "\nauth       substack     password-auth");
        for line in [
            "auth       required                        pam_env",
            "auth       [success=2",
            "-auth",
            "auth       requisite",
        ] {
            change(world, STACK, &format!("\n{line}"), &format!("\n#{line}"));
        }
        let worse: Vec<_> = findings(world).into_iter().filter(|one| one.severity != "hint").collect();
        assert_eq!(worse, []);
    });
}
