//! Something else that listens in the broker's place: the command and the module say so, and say nothing to it.

use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use twinlock_tests::{Account, Attempt, Output, PamCode, SOCKET, World, in_world, is_root_in_earnest, set_mode};

const FOLDER: &str = "/run/twinlock";

/// Runs the test with alice, who asks, and mallory, who would like to be asked. No broker runs.
fn with_mallory(test: impl FnOnce(&Host<'_>) + Send) {
    if !is_root_in_earnest("a server that is not root") {
        return;
    }
    in_world(|world| {
        world.set_up("");
        world.service("lock", "auth required pam_twinlock.so\n");
        let (alice, mallory) = (world.account("alice"), world.account("mallory"));
        world.deploy("alice");
        test(&Host { world, alice, mallory });
    });
}

struct Host<'w> {
    world: &'w World,
    alice: Account,
    mallory: Account,
}

impl Host<'_> {
    fn status(&self) -> Output {
        self.world.twinlock_as(&self.alice, &["status"]).run()
    }

    /// Fails the test unless command and module refuse, with this said.
    fn assert_refused(&self, status: i32, said: &str) {
        for arguments in [&["status"][..], &["verify"], &["enroll"], &["remove", "alice", "--yes"]] {
            let output = self.world.twinlock_as(&self.alice, arguments).run_with_input(b"123456\n");
            assert_eq!((output.code, output.stdout.as_str()), (Some(status), ""), "{arguments:?}: {output:?}");
            assert!(output.stderr.contains(said) && output.stderr.contains("\nhint: "), "{arguments:?}: {output:?}");
        }
        let mark = self.world.log_mark();
        let outcome = Attempt::new("lock").user("alice").answer("123456").as_account(&self.alice).run(self.world);
        assert_eq!(outcome.code(), PamCode::AuthinfoUnavail, "{outcome:?}");
        assert_eq!(outcome.prompts(), Vec::<&str>::new(), "nobody is asked for a code that cannot be verified");
        let entries = self.world.entries_since(mark);
        assert!(entries.len() == 1 && entries[0].text.contains("reason=store"), "{entries:?}");
    }
}

fn make_folder(mode: u32) {
    fs::create_dir(FOLDER).unwrap();
    set_mode(FOLDER, mode);
}

/// Fails the test if a client came, or if it said anything.
fn assert_told_nothing(listener: &UnixListener, came: bool) {
    listener.set_nonblocking(true).unwrap();
    let mut count = 0;
    loop {
        match listener.accept() {
            Ok((mut stream, _)) => {
                stream.set_nonblocking(true).unwrap();
                let mut heard = Vec::new();
                assert_eq!(stream.read_to_end(&mut heard).ok(), Some(0), "{heard:?}");
                count += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                assert_eq!(count > 0, came, "{count}");
                return;
            }
        }
    }
}

#[test]
fn without_a_broker_it_says_what_the_administrator_can_do() {
    with_mallory(|host| {
        let said = "not permitted: only root can do this, because the broker (twinlockd) is not running";
        host.assert_refused(3, said);
        make_folder(0o755);
        host.assert_refused(3, said);
        // Left behind by a broker that was killed.
        drop(UnixListener::bind(SOCKET).unwrap());
        set_mode(SOCKET, 0o666);
        host.assert_refused(3, said);
        assert!(host.status().stderr.contains(
            "hint: ask your administrator to start the broker, with `systemctl enable --now twinlockd.socket`"
        ));
    });
}

#[test]
fn a_folder_that_is_somebody_else_s_is_not_trusted() {
    with_mallory(|host| {
        make_folder(0o755);
        host.world.give(FOLDER, &host.mallory);
        let listener = host.world.listener_of(&host.mallory, Path::new(SOCKET));
        let said = format!("cannot trust /run/twinlock: it belongs to uid {}, not to root", host.mallory.uid);
        host.assert_refused(1, &said);
        assert_told_nothing(&listener, false);
    });
}

#[test]
fn a_folder_that_others_can_write_in_is_not_trusted() {
    with_mallory(|host| {
        make_folder(0o777);
        let listener = host.world.listener_of(&host.mallory, Path::new(SOCKET));
        chown(SOCKET, Some(0), Some(0)).unwrap();
        for mode in [0o777, 0o1777, 0o775, 0o757] {
            set_mode(FOLDER, mode);
            host.assert_refused(1, "cannot trust /run/twinlock: its mode is ");
        }
        assert_told_nothing(&listener, false);
        set_mode(FOLDER, 0o755);
        set_mode("/run", 0o775);
        host.assert_refused(1, "cannot trust /run: its mode is ");
        assert_told_nothing(&listener, false);
    });
}

#[test]
fn a_folder_that_is_a_link_is_not_followed() {
    with_mallory(|host| {
        let listener = host.world.listener_of(&host.mallory, &host.mallory.home.join("broker.sock"));
        symlink(&host.mallory.home, FOLDER).unwrap();
        host.assert_refused(1, "cannot open /run/twinlock: it is a symbolic link");
        assert_told_nothing(&listener, false);
    });
}

#[test]
fn a_socket_that_is_somebody_else_s_is_not_trusted() {
    with_mallory(|host| {
        make_folder(0o777);
        let listener = host.world.listener_of(&host.mallory, Path::new(SOCKET));
        set_mode(FOLDER, 0o755);
        let said = format!("cannot trust {SOCKET}: it belongs to uid {}, not to root", host.mallory.uid);
        host.assert_refused(1, &said);
        assert_told_nothing(&listener, false);
    });
}

#[test]
fn a_socket_that_is_a_link_is_not_followed() {
    with_mallory(|host| {
        make_folder(0o755);
        let target = host.mallory.home.join("broker.sock");
        let listener = host.world.listener_of(&host.mallory, &target);
        symlink(&target, SOCKET).unwrap();
        host.assert_refused(1, &format!("cannot open {SOCKET}: it is a symbolic link"));
        assert_told_nothing(&listener, false);
    });
}

#[test]
fn what_is_no_socket_is_not_used() {
    with_mallory(|host| {
        make_folder(0o755);
        let said = format!("cannot use {SOCKET}: it is not a socket");
        host.world.write(SOCKET, "");
        host.assert_refused(1, &said);
        fs::remove_file(SOCKET).unwrap();
        fs::create_dir(SOCKET).unwrap();
        host.assert_refused(1, &said);
        fs::remove_dir(SOCKET).unwrap();
        mkfifo(SOCKET, Mode::from_bits_truncate(0o666)).unwrap();
        host.assert_refused(1, &said);
    });
}

#[test]
fn a_server_that_is_not_root_is_told_nothing_whoever_the_socket_belongs_to() {
    with_mallory(|host| {
        make_folder(0o777);
        let listener = host.world.listener_of(&host.mallory, Path::new(SOCKET));
        set_mode(FOLDER, 0o755);
        chown(SOCKET, Some(0), Some(0)).unwrap();
        set_mode(SOCKET, 0o666);
        let said = format!("cannot trust the broker: it runs as uid {} instead of root", host.mallory.uid);
        host.assert_refused(1, &said);
        assert_told_nothing(&listener, true);
    });
}

#[test]
fn not_even_the_user_s_own_server_is_believed() {
    with_mallory(|host| {
        make_folder(0o777);
        // A screen locker runs as the user, who is at its mercy and it at the user's; the answer must still be root's.
        let listener = host.world.listener_of(&host.alice, Path::new(SOCKET));
        set_mode(FOLDER, 0o755);
        host.assert_refused(1, "cannot trust /run/twinlock/broker.sock: it belongs to uid ");
        chown(SOCKET, Some(0), Some(0)).unwrap();
        set_mode(SOCKET, 0o666);
        host.assert_refused(1, "cannot trust the broker: it runs as uid ");
        assert_told_nothing(&listener, true);
    });
}

#[test]
fn a_socket_that_may_not_be_used_says_so() {
    with_mallory(|host| {
        make_folder(0o755);
        let listener = UnixListener::bind(SOCKET).unwrap();
        set_mode(SOCKET, 0o600);
        host.assert_refused(1, "cannot connect to the broker: Permission denied");
        assert_told_nothing(&listener, false);
    });
}
