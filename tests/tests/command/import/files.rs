//! Files that users made to do harm, or that are broken: one message, nothing stored, nothing shown.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use twinlock_tests::{Output, World, set_mode};

use crate::import::given::{SECRET, assert_refused, google_file, in_sshd_world, in_world, is_stored, write_google};

const IMPORT: [&str; 4] = ["import", "google-authenticator", "--user", "alice"];

/// Imports alice alone and, to the same effect, with everybody.
fn import(world: &World) -> Output {
    let all = world.twinlock(&["import", "google-authenticator", "--all"]);
    assert_eq!(all.code, Some(1), "{all:?}");
    assert!(all.stdout.starts_with("alice: FAILED: "), "{all:?}");
    assert!(all.stderr.contains("1 of 1 user was not imported"), "{all:?}");
    world.twinlock(&IMPORT)
}

#[test]
fn a_link_is_not_followed() {
    in_world(|world| {
        let alice = world.account("alice");
        let target = alice.home.join("real");
        for (to, content) in
            [("/etc/shadow", None), (target.to_str().unwrap(), Some(format!("{SECRET}\n\" TOTP_AUTH\n")))]
        {
            if let Some(content) = content {
                write_google(world, &alice, content);
                fs::rename(google_file(&alice), &target).unwrap();
            }
            symlink(to, google_file(&alice)).unwrap();
            assert_refused(&import(world), "/home/alice/.google_authenticator: it is a symbolic link");
            fs::remove_file(google_file(&alice)).unwrap();
        }
    });
}

#[test]
fn a_link_on_the_way_to_a_named_file_is_not_followed() {
    in_world(|world| {
        let alice = world.account("alice");
        world.account("bob");
        world.write("/etc/secrets/alice", format!("{SECRET}\n\" TOTP_AUTH\n"));
        set_mode("/etc/secrets/alice", 0o600);
        symlink("/etc/secrets", alice.home.join("way")).unwrap();
        let output = world.twinlock(&[&IMPORT[..], &["/home/alice/way/alice"]].concat());
        assert_refused(&output, "cannot open /home/alice/way: it is a symbolic link");
        assert_refused(&world.twinlock(&[&IMPORT[..], &["/etc/secrets"]].concat()), "not a regular file");
        assert_refused(&world.twinlock(&[&IMPORT[..], &["/etc/none"]].concat()), "No such file");
        assert_eq!(world.twinlock(&[&IMPORT[..], &["/etc/secrets/alice"]].concat()).code, Some(0));
    });
}

#[test]
fn what_is_no_regular_file_is_not_waited_for() {
    in_world(|world| {
        let alice = world.account("alice");
        let file = google_file(&alice);
        mkfifo(&file, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        assert_refused(&import(world), "it is not a regular file");
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert_refused(&import(world), "it is not a regular file");
        fs::remove_dir(&file).unwrap();
        drop(UnixListener::bind(&file).unwrap());
        assert_refused(&import(world), "it is not a regular file");
    });
}

#[test]
fn a_file_that_others_may_read_or_write_is_refused_with_what_to_do() {
    in_world(|world| {
        let alice = world.account("alice");
        write_google(world, &alice, format!("{SECRET}\n\" TOTP_AUTH\n"));
        for mode in [0o644, 0o640, 0o602, 0o604] {
            set_mode(google_file(&alice), mode);
            let output = import(world);
            assert_refused(&output, &format!("its mode is {mode:04o}, so other users can read or write it"));
            assert!(output.stderr.contains("chmod go-rwx /home/alice/.google_authenticator"), "{output:?}");
        }
    });
}

#[test]
fn a_file_of_somebody_else_is_refused() {
    in_sshd_world(|world| {
        let alice = world.account("alice");
        let bob = world.account("bob");
        write_google(world, &alice, format!("{SECRET}\n\" TOTP_AUTH\n"));
        world.give(google_file(&alice), &bob);
        assert_refused(&import(world), "its owner is uid 1002 instead of 1001");
        fs::write("/root/hash", "root:$6$salt$HASH:20000:0:99999:7:::\n").unwrap();
        set_mode("/root/hash", 0o600);
        // A hard link to a file of root's is root's file; nothing of it is shown.
        fs::copy("/root/hash", google_file(&alice)).unwrap();
        std::os::unix::fs::chown(google_file(&alice), Some(0), Some(0)).unwrap();
        set_mode(google_file(&alice), 0o600);
        let output = import(world);
        assert_refused(&output, "line 1: the secret is not base32");
        assert!(!output.stderr.contains("HASH"));
    });
}

#[test]
fn broken_content_is_refused_by_line_and_never_repeated() {
    in_world(|world| {
        let alice = world.account("alice");
        let with = |rest: &str| format!("{SECRET}\n{rest}").into_bytes();
        for (content, wanted) in [
            (Vec::new(), "the input is empty"),
            (vec![b'A'; 64 * 1024 + 1], "larger than 65536 bytes"),
            (vec![b'A'; 64 * 1024], "the last line has no end"),
            (with(&"\n".repeat(60_000)), "TOTP_AUTH and HOTP_COUNTER are both missing"),
            (with("\" TOTP_AUTH\n1234"), "line 3: the last line has no end"),
            (with("\" TOTP_AUTH\n\" TOTP_AUTH\n"), "line 3: TOTP_AUTH occurs twice"),
            (with("\" TOTP_AUTH\nPASSWORD\n"), "line 3: the line is neither an option nor a scratch code"),
            (with("\" TOTP_AUTH\n\x1b]0;PASSWORD\x07\n"), "line 3: it is not plain text"),
            (b"\xff\xfeG\0E\0Z\0".to_vec(), "line 1: it is not plain text"),
            (with("\" HOTP_COUNTER 99999999999999999999\n"), "line 2: the value of HOTP_COUNTER is not valid"),
            (b"GEZDGNBVGY3TQOJQ\n\" TOTP_AUTH\n".to_vec(), "line 1: the secret has 80 bits; at least 128 are required"),
            (format!("{}\n\" TOTP_AUTH\n", SECRET.repeat(100)).into(), "line 1: the secret has more than 128 bytes"),
        ] {
            write_google(world, &alice, &content);
            let output = import(world);
            assert_refused(&output, wanted);
            let nothing = ["PASSWORD", "GEZDGNBV", "\x1b", "99999"];
            assert!(nothing.iter().all(|text| !output.stderr.contains(text)), "{output:?}");
        }
        write_google(world, &alice, b"GEZDGNBVGY3TQOJQ\n\" TOTP_AUTH\n");
        let all = world.twinlock(&["import", "google-authenticator", "--all"]);
        let told = "alice: FAILED: line 1: the secret has 80 bits; at least 128 are required; enrol this user again: \
                    `twinlock enroll alice`\n";
        assert_eq!(all.stdout, told);
        assert!(!is_stored("alice"));
    });
}
