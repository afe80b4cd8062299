//! Where the broker listens, and where it does not.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;

use serde_json::json;
use twinlock_tests::{Output, Raw, SOCKET, Snapshot, World, in_world, is_root_in_earnest, set_mode};

use crate::messages::{ask, request};

fn with_host(test: impl FnOnce(&World) + Send) {
    if is_root_in_earnest("a broker") {
        in_world(|world| {
            world.set_up("");
            test(world);
        });
    }
}

fn started(world: &World, arguments: &[&str]) -> Output {
    world.broker_launch(arguments).run()
}

/// Fails the test unless it does not start, with this said to the user who started it and to the log, and nothing changed.
fn assert_does_not_start(world: &World, arguments: &[&str], said: &str) {
    let (mark, before) = (world.log_mark(), Snapshot::of("/run/twinlock"));
    let output = started(world, arguments);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output:?}");
    assert!(output.stderr.starts_with("twinlockd: ") && output.stderr.contains(said), "{output:?}");
    let log = world.log_since(mark);
    assert!(log.iter().any(|line| line.tag == "twinlockd" && line.text.contains(said)), "{log:?}");
    assert_eq!(Snapshot::of("/run/twinlock"), before);
}

fn is_served() -> bool {
    ask(Raw::connect(), &request(None, &json!("status"))).json()["status"]["user"] == json!("root")
}

fn folder(mode: u32) {
    fs::create_dir(Path::new(SOCKET).parent().unwrap()).unwrap();
    set_mode("/run/twinlock", mode);
}

#[test]
fn it_makes_its_socket_for_everybody_and_removes_it_when_it_stops() {
    with_host(|world| {
        let broker = world.broker();
        let (folder, socket) = (fs::metadata("/run/twinlock").unwrap(), fs::metadata(SOCKET).unwrap());
        assert_eq!((folder.mode() & 0o7777, folder.uid()), (0o755, 0));
        assert!(socket.file_type().is_socket());
        assert_eq!((socket.mode() & 0o7777, socket.uid()), (0o666, 0));
        assert!(is_served());
        let output = broker.stop();
        assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (Some(0), "", ""));
        assert!(!Path::new(SOCKET).exists());
    });
}

#[test]
fn it_replaces_the_socket_of_one_that_was_killed() {
    with_host(|world| {
        folder(0o755);
        drop(UnixListener::bind(SOCKET).unwrap());
        let _broker = world.broker();
        assert!(is_served());
    });
}

#[test]
fn a_second_one_does_not_start_and_leaves_the_first_alone() {
    with_host(|world| {
        let first = world.broker();
        assert_does_not_start(world, &["--listen"], "another broker is already listening on /run/twinlock/broker.sock");
        assert!(first.is_running() && is_served());
    });
}

#[test]
fn what_is_not_its_own_socket_is_left_alone() {
    with_host(|world| {
        let mallory = world.account("mallory");
        folder(0o755);
        world.write(SOCKET, "precious");
        assert_does_not_start(world, &["--listen"], "cannot use /run/twinlock/broker.sock: it is not a socket");
        fs::remove_file(SOCKET).unwrap();
        fs::create_dir(SOCKET).unwrap();
        assert_does_not_start(world, &["--listen"], "it is not a socket");
        fs::remove_dir(SOCKET).unwrap();
        symlink("/etc/shadow", SOCKET).unwrap();
        assert_does_not_start(world, &["--listen"], "cannot open /run/twinlock/broker.sock: it is a symbolic link");
        fs::remove_file(SOCKET).unwrap();
        symlink("/run/twinlock/elsewhere", SOCKET).unwrap();
        assert_does_not_start(world, &["--listen"], "it is a symbolic link");
        fs::remove_file(SOCKET).unwrap();
        drop(UnixListener::bind(SOCKET).unwrap());
        world.give(SOCKET, &mallory);
        assert_does_not_start(world, &["--listen"], &format!("it belongs to uid {}, not to root", mallory.uid));
    });
}

#[test]
fn it_does_not_listen_in_a_folder_that_others_can_write_in() {
    with_host(|world| {
        let mallory = world.account("mallory");
        for mode in [0o775, 0o757, 0o1777] {
            folder(mode);
            assert_does_not_start(world, &["--listen"], "cannot trust /run/twinlock: its mode is ");
            fs::remove_dir("/run/twinlock").unwrap();
        }
        folder(0o755);
        world.give("/run/twinlock", &mallory);
        assert_does_not_start(world, &["--listen"], "cannot trust /run/twinlock: it belongs to uid ");
        fs::remove_dir("/run/twinlock").unwrap();
        symlink(&mallory.home, "/run/twinlock").unwrap();
        assert_does_not_start(world, &["--listen"], "cannot open /run/twinlock: it is a symbolic link");
        assert_eq!(fs::read_dir(&mallory.home).unwrap().count(), 0);
        let at_home = mallory.home.join("broker.sock");
        assert_does_not_start(world, &["--listen", at_home.to_str().unwrap()], "it belongs to uid ");
        assert_does_not_start(world, &["--listen", "/tmp/broker.sock"], "cannot trust /tmp: its mode is 1777");
        assert_does_not_start(world, &["--listen", "broker.sock"], "--listen needs an absolute path");
    });
}

#[test]
fn as_somebody_else_than_root_it_does_not_start() {
    with_host(|world| {
        let alice = world.account("alice");
        let launch = world.broker_launch(&["--listen", "/home/alice/broker.sock"]).account(&alice);
        let output = launch.run();
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.starts_with("twinlockd: twinlockd must run as root, started by systemd"), "{output:?}");
        assert_eq!(fs::read_dir(&alice.home).unwrap().count(), 0);
    });
}

#[test]
fn without_a_socket_it_says_where_it_can_come_from() {
    with_host(|world| {
        assert_does_not_start(world, &[], "there is no socket to listen on; start twinlockd.socket, or use --listen");
    });
}

#[test]
fn with_a_configuration_that_is_wrong_it_does_not_start() {
    with_host(|world| {
        world.write(twinlock_tests::CONFIG, "promt = \"x\"\n");
        let output = started(world, &["--listen"]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains("/etc/twinlock/config.toml") && output.stderr.contains("promt"), "{output:?}");
    });
}

#[test]
fn it_serves_on_a_socket_that_is_handed_over() {
    with_host(|world| {
        folder(0o755);
        let broker = world.broker_handed(&UnixListener::bind(SOCKET).unwrap().into(), &[]);
        assert!(is_served());
        assert_eq!(broker.stop().code, Some(0));
        // It is systemd's, which goes on listening for it.
        assert!(Path::new(SOCKET).exists());
    });
}

#[test]
fn what_is_handed_over_is_one_socket_that_listens_or_it_does_not_start() {
    with_host(|world| {
        folder(0o755);
        let listener = || UnixListener::bind_addr(&SocketAddr::from_abstract_name(b"twinlock-tests").unwrap()).unwrap();
        let file = || File::open("/dev/null").unwrap();
        let cases: [(OwnedFd, &[&str], &str); 2] = [
            (listener().into(), &["--listen"], "systemd handed over a socket, so --listen cannot name another one"),
            (file().into(), &[], "systemd handed over something that is not a Unix socket"),
        ];
        for (handed, arguments, said) in cases {
            let output = world.broker_handed(&handed, arguments).finish();
            assert!(output.code == Some(1) && output.stderr.contains(said), "{output:?}");
        }
        assert!(!Path::new(SOCKET).exists());
        // Meant for another process.
        let for_another = ["sh", "-c", "exec 3</dev/null; LISTEN_FDS=1 LISTEN_PID=1 exec \"$@\"", "sh"];
        let output = world.broker_launch(&[]).under(for_another).run();
        assert!(output.code == Some(1) && output.stderr.contains("there is no socket"), "{output:?}");
    });
}

#[test]
fn who_is_served_when_it_is_told_to_stop_is_not_left_hanging() {
    with_host(|world| {
        let broker = world.broker();
        let mut connection = Raw::connect();
        connection.say('R', &request(None, &json!("verify")));
        assert_eq!(connection.hear().map(|frame| frame.kind), Some('Q'));
        let silent = Raw::connect();
        assert_eq!(broker.stop().code, Some(0));
        assert_eq!(crate::messages::hear_out(connection).refusal(), "no code was entered");
        // A client that had no place yet when the broker got the signal is turned away.
        let said = crate::messages::hear_out(silent);
        assert!(said.is_nothing() || said.refusal() == "the broker is busy", "{said:?}");
    });
}

#[test]
fn killed_in_the_middle_of_it_it_leaves_nothing_behind_that_is_in_the_next_one_s_way() {
    with_host(|world| {
        world.account("alice");
        let before = Snapshot::of(twinlock_tests::STORE);
        let broker = world.broker();
        let mut connection = Raw::connect();
        connection.say('R', &request(Some("alice"), &crate::messages::wish("first")));
        assert_eq!(connection.hear().map(|frame| frame.kind), Some('I'));
        broker.kill();
        while connection.hear().is_some() {}
        drop(broker);
        assert_eq!(Snapshot::of(twinlock_tests::STORE), before);
        let _next = world.broker();
        assert!(is_served());
    });
}
