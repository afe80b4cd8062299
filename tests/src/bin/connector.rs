//! Connects and listens as the user who runs it, and hands the sockets over: `connector PATH`. For each byte on standard input,
//! which is a Unix socket, one byte comes back: for `c` a connection, for `l` a socket that listens, or `-` for nothing. The
//! kernel notes whose they are when they are made, so the test can then say anything on them in that name.

#![allow(clippy::expect_used, reason = "a harness that cannot go on panics: that is how a test fails")]

use std::env;
use std::io::{IoSlice, Read, stdin};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

fn main() {
    let path = env::args_os().nth(1).expect("usage: connector PATH");
    let test = UnixStream::from(stdin().as_fd().try_clone_to_owned().expect("standard input is open"));
    let mut wanted = [0];
    while matches!((&test).read(&mut wanted), Ok(1)) {
        let made: Option<OwnedFd> = match wanted {
            [b'c'] => UnixStream::connect(&path).ok().map(Into::into),
            _ => UnixListener::bind(&path).ok().map(Into::into),
        };
        let numbers: Vec<_> = made.iter().map(AsRawFd::as_raw_fd).collect();
        let (answer, rights) = match numbers.as_slice() {
            [] => (b"-", vec![]),
            some => (b"+", vec![ControlMessage::ScmRights(some)]),
        };
        sendmsg::<()>(test.as_raw_fd(), &[IoSlice::new(answer)], &rights, MsgFlags::empty(), None).expect("it listens");
    }
}
