//! A connection to the broker, or to who came to it: messages with a time limit each.

use std::{
    io::{self, Read, Write},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd},
        unix::net::UnixStream,
    },
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::socket::{
        AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect as connect_to, getsockopt, send, socket,
        sockopt::PeerCredentials,
    },
};
use twinlock_store::{
    files,
    ports::{StoreError, StoreErrorKind},
};

use super::frame::{Frame, FrameError, Kind};

/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A socket whose other side is known.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
}

/// Why the broker cannot be asked.
#[derive(Debug)]
pub enum ConnectError {
    /// No broker is running: there is no socket, or nobody listens.
    NoBroker,
    /// The socket, or a folder on its way, is not root's.
    NotTrusted(StoreError),
    /// The process that listens is not root's, but of this user number.
    Server(u32),
    /// Something else failed.
    Socket(io::Error),
}

/// Connects to the broker, if its socket and who listens there are root's.
///
/// # Errors
/// [`ConnectError`].
pub fn connect(socket: &Path) -> Result<Connection, ConnectError> {
    connect_within(socket, PATIENCE)
}

/// The same, with how long a connection is waited for.
pub(super) fn connect_within(socket: &Path, patience: Duration) -> Result<Connection, ConnectError> {
    files::check_socket(socket)?;
    let stream = connected(socket, patience).map_err(|error| {
        let nobody = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused);
        if nobody { ConnectError::NoBroker } else { ConnectError::Socket(error) }
    })?;
    match peer(&stream)?.uid {
        0 => Ok(Connection { stream }),
        uid => Err(ConnectError::Server(uid)),
    }
}

/// Connects with an end of time: a broker that was stopped lets its queue fill up.
fn connected(path: &Path, patience: Duration) -> io::Result<UnixStream> {
    let socket = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    // A host that closed its standard streams would read our answers, or write its messages into them.
    let stream = UnixStream::from(files::off_stdio(socket)?);
    stream.set_write_timeout(Some(patience))?;
    match connect_to(stream.as_raw_fd(), &UnixAddr::new(path)?) {
        Ok(()) => Ok(stream),
        Err(Errno::EAGAIN) => Err(io::Error::new(io::ErrorKind::TimedOut, crate::messages::BROKER_QUEUE_FULL)),
        Err(errno) => Err(errno.into()),
    }
}

/// A process on the other side of a socket, as the kernel noted it: who connected, or who began to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    pub uid: u32,
    /// The process id. It may belong to another process by now.
    pub pid: i32,
}

/// The user of the process at the other end.
///
/// # Errors
/// The kernel's.
pub fn peer(stream: &impl AsFd) -> io::Result<Peer> {
    let credentials = getsockopt(stream, PeerCredentials)?;
    Ok(Peer { uid: credentials.uid(), pid: credentials.pid() })
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Connection {
    /// A connection that was accepted.
    #[must_use]
    pub const fn accepted(stream: UnixStream) -> Self {
        Self { stream }
    }

    /// Waits for a message at most so long: for all of it, however slowly its bytes come.
    ///
    /// # Errors
    /// [`FrameError`].
    #[allow(
        clippy::disallowed_methods,
        reason = "the deadline of a read is this adapter's own, by the monotonic clock"
    )]
    pub fn read(&self, patience: Duration) -> Result<Frame, FrameError> {
        Frame::read(&mut Timed { stream: &self.stream, begin: Instant::now(), patience })
    }

    /// Writes a message; a peer that does not read it in time is given up.
    ///
    /// # Errors
    /// [`FrameError`].
    #[allow(clippy::disallowed_methods, reason = "as for `read`")]
    pub fn write(&self, kind: Kind, content: &[u8], patience: Duration) -> Result<(), FrameError> {
        Frame::write(&mut Timed { stream: &self.stream, begin: Instant::now(), patience }, kind, content)
    }
}

/// A stream with one deadline for everything.
struct Timed<'a> {
    stream: &'a UnixStream,
    begin: Instant,
    patience: Duration,
}

impl Timed<'_> {
    fn rest(&self) -> io::Result<Duration> {
        let rest = self.patience.saturating_sub(self.begin.elapsed());
        if rest.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(rest) }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.rest()?))?;
        self.stream.read(buffer)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.rest()?))?;
        // A broker that died must not kill the host of the module by SIGPIPE.
        Ok(send(self.stream.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl From<StoreError> for ConnectError {
    fn from(error: StoreError) -> Self {
        if matches!(error.kind, StoreErrorKind::Missing) { Self::NoBroker } else { Self::NotTrusted(error) }
    }
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self::Socket(error)
    }
}

impl std::error::Error for ConnectError {}
