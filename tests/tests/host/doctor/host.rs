//! A sound host gives nothing; and what is read of a host: the module, the store, the clock. How each is judged is tried in
//! tables beside the checks, `crates/hostcheck/src/doctor/checks/tests`.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use twinlock_tests::{ForgedState, LoopDisk, STORE, set_mode};

use crate::doctor::planted::{HOSTS, findings, finds, finds_no, first_in_drop_in, on, on_debian, only, stand_in};

#[test]
fn a_sound_host_gives_nothing_above_a_hint() {
    for (family, first) in HOSTS {
        on(family, first, |world| {
            let found = findings(world);
            let worse: Vec<_> = found.iter().filter(|finding| finding.severity != "hint").collect();
            assert!(worse.is_empty(), "{family:?} {first:?}: {worse:#?}");
            // Root has a shell and no second factor, and is not let in by sshd: that is for the administrator to know.
            let hints: Vec<_> = found.iter().map(|finding| finding.id.as_str()).collect();
            assert_eq!(hints, ["root"], "{family:?} {first:?}: {found:#?}");
            // Where root is not to log in and all are enrolled, there is nothing at all.
            world.deploy("root");
            first_in_drop_in(world, "PermitRootLogin no\n");
            assert_eq!(findings(world), []);
            let output = world.twinlock(&["doctor"]);
            assert_eq!(output.parts(), (Some(0), "no findings\n", ""));
        });
    }
}

#[test]
fn a_module_that_libpam_cannot_load_or_others_can_change_is_found() {
    on_debian(|world| {
        let path = world.module_path();
        let sound = fs::read(&path).unwrap();
        let finds = |severity, end: &str| {
            let one = finds(world, "module", severity, path.to_str());
            assert!(one.found.ends_with(end), "{one:#?}");
        };
        set_mode(&path, 0o666);
        finds("open", "others than root can write to it (mode 0666)");
        set_mode(&path, 0o644);
        chown(&path, Some(1001), None).unwrap();
        finds("open", "it belongs to uid 1001");
        let write = |bytes: &[u8]| {
            fs::remove_file(&path).unwrap();
            fs::write(&path, bytes).unwrap();
        };
        let mut foreign = sound.clone();
        foreign[18] ^= 0xff;
        for bytes in [foreign.as_slice(), b"torn"] {
            write(bytes);
            finds("lockout", "is not a library for this machine");
        }
        let name = b"libpam.so.0\0";
        let at = sound.windows(name.len()).position(|window| window == name).expect("it is linked with libpam");
        let mut lacking = sound.clone();
        lacking[at + 4] = b'b';
        write(&lacking);
        finds("lockout", "needs libraries that are missing: libpbm.so.0");
        fs::remove_file(&path).unwrap();
        finds("lockout", "does not exist");
    });
}

#[test]
fn a_store_that_is_not_trusted_not_there_or_full_is_found() {
    on_debian(|world| {
        let is_fault = |place: &str| drop(finds(world, "store", "lockout", Some(place)));
        for (folder, mode) in [("", 0o777), ("/credentials", 0o755), ("/state", 0o710)] {
            let folder = format!("{STORE}{folder}");
            set_mode(&folder, mode);
            is_fault(&folder);
            set_mode(&folder, 0o700);
        }
        let credentials = twinlock_tests::credentials_of("alice");
        world.write_secret(&credentials, "torn");
        is_fault(credentials.to_str().unwrap());
        for folder in [format!("{STORE}/state"), STORE.to_owned()] {
            fs::remove_dir_all(&folder).unwrap();
            let one = only(&findings(world), "store");
            assert_eq!((one.severity.as_str(), one.place.as_deref()), ("lockout", Some(folder.as_str())), "{one:#?}");
        }
        world.make_store();
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
fn whoever_keeps_the_clock_is_asked() {
    on_debian(|world| {
        fs::remove_file("/run/systemd/timesync/synchronized").unwrap();
        finds(world, "clock", "hint", None);
        mount(Some("programs"), "/usr/local/bin", Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).unwrap();
        for (offset, severity) in [("0.000012", None), ("61.2", Some("lockout"))] {
            let line = format!("C0000201,ntp,3,1764000000.1,{offset},0.1,0.1,-1.5,0.0,0.02,0.03,0.001,64.5,Normal");
            world.write_script("/usr/local/bin/chronyc", &format!("#!/bin/sh\necho '{line}'\n"));
            match severity {
                Some(severity) => drop(finds(world, "clock", severity, None)),
                None => finds_no(world, "clock"),
            }
        }
    });
}

/// In a container timedated says that nothing synchronises the clock, and nothing inside it ever will.
#[test]
fn the_clock_of_a_container_is_that_of_its_host() {
    on_debian(|world| {
        fs::remove_file("/run/systemd/timesync/synchronized").unwrap();
        mount(Some("programs"), "/usr/local/bin", Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).unwrap();
        let says = |program: &str, answer: &str| {
            let ours = format!("/usr/local/bin/{program}");
            world.write_script(&ours, &format!("#!/bin/sh\necho '{answer}'\ntest '{answer}' != none\n"));
            let hosts = format!("/usr/bin/{program}");
            if Path::new(&hosts).exists() {
                mount(Some(ours.as_str()), hosts.as_str(), None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
            }
        };
        says("timedatectl", "no");
        says("systemd-detect-virt", "none");
        finds(world, "clock", "warning", None);
        says("systemd-detect-virt", "lxc");
        finds(world, "clock", "hint", None);
        assert!(world.twinlock(&["doctor"]).stdout.contains("this is a container, whose clock is that of its host"));
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
fn labels_are_looked_at_where_selinux_enforces() {
    on_debian(|world| {
        mount(Some("sys"), "/sys/fs", Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).unwrap();
        world.write("/sys/fs/selinux/enforce", "0");
        finds_no(world, "store");
        world.write("/sys/fs/selinux/enforce", "1");
        let one = finds(world, "store", "hint", Some(STORE));
        assert!(one.found.contains("SELinux"), "{one:#?}");
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
