//! `twinlock store init`: the ids of the store, made once, and never silently over a store that is missing.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use twinlock_tests::{
    Attempt, BESIDE, CONFIG, Launch, PamCode, STORE, Snapshot, World, credentials_of, in_world, set_mode,
};

const INSIDE: &str = "/var/lib/twinlock/store-id";

/// A host as the packages leave it: a folder for the store, and nothing in it.
fn fresh(test: impl FnOnce(&World) + Send) {
    in_world(|world| {
        world.write(CONFIG, "second_factor = \"optional\"\nfail_delay = \"0s\"\n");
        world.service("svc", "auth required pam_twinlock.so\nauth required pam_permit.so\n");
        for user in ["alice", "bob"] {
            world.account(user);
        }
        fs::create_dir(STORE).unwrap();
        set_mode(STORE, 0o700);
        test(world);
    });
}

fn init(world: &World, options: &[&str], code: i32, said: &str) {
    let output = world.twinlock(&[&["store", "init"], options].concat());
    assert_eq!((output.code, output.stdout.as_str()), (Some(code), ""), "{output:?}");
    assert!(output.stderr.contains(said), "{said} in {output:?}");
}

fn id(path: &str) -> String {
    fs::read_to_string(path).unwrap()
}

fn passes(user: &str, world: &World) -> bool {
    Attempt::new("svc").user(user).answer("000000").run(world).code() == PamCode::Success
}

#[test]
fn it_makes_both_ids_once_and_then_changes_nothing() {
    fresh(|world| {
        let before = world.twinlock(&["check"]);
        assert!(before.code == Some(1) && before.stderr.contains("twinlock store init"), "{before:?}");
        init(world, &[], 0, "is now the store of this host");
        assert_eq!(id(INSIDE), id(BESIDE));
        assert!(id(BESIDE).len() == 33 && id(BESIDE).trim_end().bytes().all(|byte| byte.is_ascii_hexdigit()));
        let mode = |path: &str| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!([INSIDE, BESIDE].map(mode), [0o600, 0o644]);
        let after = (Snapshot::of(STORE), Snapshot::of("/etc/twinlock"));
        init(world, &[], 0, "nothing was changed");
        init(world, &["--accept"], 0, "nothing was changed");
        assert_eq!((Snapshot::of(STORE), Snapshot::of("/etc/twinlock")), after);
        let check = world.twinlock(&["check"]);
        assert_eq!(check.code, Some(0), "{check:?}");
        assert!(passes("alice", world));
    });
}

#[test]
fn two_at_once_make_one_id() {
    fresh(|world| {
        let runs = [(); 6].map(|()| world.twinlock_launch(&["store", "init"]).start());
        for run in runs {
            assert_eq!(run.finish().code, Some(0));
        }
        assert_eq!(id(INSIDE), id(BESIDE));
    });
}

#[test]
fn the_first_enrolment_makes_the_store() {
    fresh(|world| {
        assert!(!passes("alice", world), "before, nobody counts as not enrolled");
        world.enrol("alice");
        assert_eq!(id(INSIDE), id(BESIDE));
        assert!(!passes("alice", world) && passes("bob", world));
    });
}

#[test]
fn an_id_that_is_missing_on_one_side_is_written_only_where_it_is_accepted() {
    for (missing, told) in [(INSIDE, "had no store-id"), (BESIDE, "this host had no store-id")] {
        fresh(|world| {
            init(world, &[], 0, "is now the store");
            let one = id(BESIDE);
            fs::remove_file(missing).unwrap();
            let before = (Snapshot::of(STORE), Snapshot::of("/etc/twinlock"));
            for verb in [&["store", "init"][..], &["enroll", "alice", "--no-confirm"]] {
                let output = world.twinlock(verb);
                assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{verb:?}: {output:?}");
                for said in [INSIDE, BESIDE, "twinlock store init --accept"] {
                    assert!(output.stderr.contains(said), "{said} in {}", output.stderr);
                }
            }
            assert!(!passes("alice", world));
            assert_eq!((Snapshot::of(STORE), Snapshot::of("/etc/twinlock")), before);
            init(world, &["--accept"], 0, told);
            assert_eq!((id(INSIDE), id(BESIDE)), (one.clone(), one));
            assert!(passes("alice", world));
        });
    }
}

#[test]
fn ids_that_differ_or_are_none_are_never_written_over() {
    for other in ["00000000000000000000000000000000\n", "", "an id\n"] {
        fresh(|world| {
            init(world, &[], 0, "is now the store");
            world.write_secret(INSIDE, other);
            let said = if other.len() == 33 { "differ" } else { "it is not 32 hexadecimal digits" };
            for options in [&[][..], &["--accept"]] {
                init(world, options, 1, said);
            }
            assert!(!passes("alice", world));
            assert_eq!(id(INSIDE), other);
        });
    }
}

#[test]
fn no_store_is_made_beneath_a_file_system_that_is_not_mounted() {
    let fstab = ("/etc/fstab", "/dev/mapper/secrets /var/lib/twinlock ext4 nofail 0 2\n");
    let above = ("/etc/fstab", "# \nsrv:/var /var/lib nfs noauto 0 0\n");
    let unit = ("/etc/systemd/system/var-lib-twinlock.mount", "[Mount]\nWhat=/dev/sdb\nWhere=/var/lib/twinlock\n");
    for (path, text) in [fstab, above, unit] {
        fresh(|world| {
            world.write(path, text);
            for verb in [&["store", "init"][..], &["enroll", "alice", "--no-confirm"]] {
                let output = world.twinlock(verb);
                assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{verb:?}: {output:?}");
                assert!(output.stderr.contains("nothing is mounted at /var/lib"), "{output:?}");
            }
            assert_eq!(fs::read_dir(STORE).unwrap().count(), 0);
            let at = if text.contains("/var/lib/twinlock") { STORE } else { "/var/lib" };
            if at == STORE {
                let mount = Launch::new(["mount", "-t", "tmpfs", "-o", "mode=0700", "store", STORE]).run();
                assert_eq!(mount.code, Some(0), "{mount:?}");
                init(world, &[], 0, "is now the store");
            } else {
                init(world, &["--accept"], 0, "is now the store");
            }
        });
    }
}

#[test]
fn an_upgrade_gives_a_store_of_0_1_0_its_id_and_a_fresh_host_none() {
    fresh(|world| {
        init(world, &["--upgrade"], 0, "");
        assert_eq!(fs::read_dir(STORE).unwrap().count(), 0, "nothing was installed before");
        for folder in ["credentials", "state"] {
            let path = format!("{STORE}/{folder}");
            fs::create_dir(&path).unwrap();
            set_mode(path, 0o700);
        }
        let alice = world.deploy("alice");
        assert!(!passes("bob", world), "not known to be the store of this host");
        init(world, &["--upgrade"], 0, "is now the store");
        assert!(passes("bob", world));
        let login = Attempt::new("svc").user("alice").answer(alice.codes().next()).run(world);
        assert_eq!(login.code(), PamCode::Success);
        fs::remove_file(INSIDE).unwrap();
        init(world, &["--upgrade"], 0, "");
        assert!(!fs::exists(INSIDE).unwrap(), "a store that is missing is not made by an upgrade");
    });
}

#[test]
fn deployed_credentials_work_before_it_and_enrolment_after_it() {
    fresh(|world| {
        for folder in ["credentials", "state"] {
            let path = format!("{STORE}/{folder}");
            fs::create_dir(&path).unwrap();
            set_mode(path, 0o700);
        }
        let alice = world.deploy("alice");
        let login = Attempt::new("svc").user("alice").answer(alice.codes().next()).run(world);
        assert_eq!(login.code(), PamCode::Success, "{:#?}", world.log());
        init(world, &[], 0, "is now the store");
        assert!(credentials_of("alice").exists() && passes("bob", world));
    });
}

#[test]
fn a_configuration_that_is_tried_from_another_folder_is_one_of_this_host() {
    fresh(|world| {
        init(world, &[], 0, "is now the store");
        let config = "/root/config.toml";
        world.write(config, "");
        let check = world.twinlock(&["--config", config, "check"]);
        assert_eq!(check.code, Some(0), "{check:?}");
        assert!(!fs::exists("/root/store-id").unwrap());
    });
}
