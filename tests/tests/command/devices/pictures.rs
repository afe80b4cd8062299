//! The QR code as a file, read by zbar.

use std::{fs, os::unix::fs::PermissionsExt};

use twinlock_tests::{Snapshot, Terminal, tool};

use crate::devices::verbs::{done, refused, with_account};

#[test]
fn a_png_holds_the_address_and_is_its_owners_alone() {
    with_account(|world| {
        let output = done(world, &["enroll", "alice", "--no-confirm", "--png", "/root/alice.png"]);
        let uri = output.stdout.lines().next().unwrap();
        let read = tool(&["zbarimg", "--quiet", "--raw", "/root/alice.png"]);
        assert_eq!(
            (read.stdout.trim(), fs::metadata("/root/alice.png").unwrap().permissions().mode() & 0o777),
            (uri, 0o600),
            "{read:?}"
        );
    });
}

#[test]
fn an_svg_is_its_owners_alone() {
    with_account(|world| {
        done(world, &["enroll", "alice", "--no-confirm", "--svg", "/root/alice.svg"]);
        assert!(fs::read_to_string("/root/alice.svg").unwrap().contains("<svg"));
        assert_eq!(fs::metadata("/root/alice.svg").unwrap().permissions().mode() & 0o777, 0o600);
    });
}

#[test]
fn a_picture_is_never_written_over_a_file_and_then_nobody_is_enrolled() {
    with_account(|world| {
        world.write("/root/there.png", "mine");
        let store = Snapshot::of("/var/lib/twinlock");
        refused(
            world,
            &["enroll", "alice", "--no-confirm", "--png", "/root/there.png"],
            1,
            "hint: name a file that does not exist yet",
        );
        refused(
            world,
            &["enroll", "alice", "--no-confirm", "--svg", "/no/such/folder.svg"],
            1,
            "cannot write the QR code to /no/such/folder.svg",
        );
        refused(
            world,
            &["enroll", "alice", "--no-confirm", "--png", "/root/new.png", "--svg", "/root/there.png"],
            1,
            "does not exist yet",
        );
        assert_eq!(fs::read("/root/there.png").unwrap(), b"mine");
        assert!(!fs::exists("/root/new.png").unwrap(), "a picture of an enrolment that did not come about");
        assert_eq!(Snapshot::of("/var/lib/twinlock"), store);
    });
}

#[test]
fn a_picture_of_an_enrolment_that_was_given_up_goes_with_it() {
    with_account(|world| {
        let launch = world.twinlock_launch(&["enroll", "alice", "--png", "/root/alice.png", "--qr", "none"]);
        let mut terminal = Terminal::start(launch);
        let shown = terminal.expect("Enter the code that the app shows now: ");
        assert!(!shown.contains('▀') && shown.contains("Key "), "{shown}");
        assert!(fs::exists("/root/alice.png").unwrap());
        terminal.send(b"\x04");
        assert_eq!(terminal.finish().code, Some(1));
        assert!(!fs::exists("/root/alice.png").unwrap());
    });
}
