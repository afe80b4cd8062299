//! Connects as whoever runs it, and hands the connections over: `connector SOCKET`. For each byte on standard input, which
//! is a Unix socket, one byte comes back: `+` with the connection, or `-` where nobody listens. The kernel notes whose
//! connection it is when it is made, so the test can then say anything on it in that name.

#![allow(clippy::expect_used, reason = "a harness that cannot go on panics: that is how a test fails")]

use std::env;
use std::io::{IoSlice, Read, stdin};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

fn main() {
    let socket = env::args_os().nth(1).expect("usage: connector SOCKET");
    let test = UnixStream::from(stdin().as_fd().try_clone_to_owned().expect("standard input is open"));
    let mut wanted = [0];
    while matches!((&test).read(&mut wanted), Ok(1)) {
        let connection = UnixStream::connect(&socket);
        let descriptors: Vec<_> = connection.iter().map(AsRawFd::as_raw_fd).collect();
        let (answer, rights) = match descriptors.as_slice() {
            [] => (b"-", vec![]),
            some => (b"+", vec![ControlMessage::ScmRights(some)]),
        };
        sendmsg::<()>(test.as_raw_fd(), &[IoSlice::new(answer)], &rights, MsgFlags::empty(), None).expect("it listens");
    }
}
