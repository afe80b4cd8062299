//! Somebody who connects to the broker, or listens in its place: any user number, with an account or without.

use std::io::{IoSliceMut, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

use crate::account::Account;
use crate::broker::{Raw, SOCKET};
use crate::launch::Launch;
use crate::namespace::inside;
use crate::process::Process;
use crate::world::World;

/// A process of another user that connects and hands the connections over. Root needs none: see [`Raw::connect`].
#[derive(Debug)]
pub struct Caller {
    uid: u32,
    ours: UnixStream,
    _process: Process,
}

impl World {
    /// Somebody with this user number, who connects to the broker.
    pub fn caller(&self, uid: u32) -> Caller {
        let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
        let account = Account { name: format!("uid{uid}"), uid, home: PathBuf::from("/") };
        let launch = Launch::new([inside("connector").as_str(), SOCKET]).account(&account);
        Caller { uid, ours, _process: launch.start_on(&OwnedFd::from(theirs), None) }
    }

    /// A socket at `path` on which a user listens, who may write there.
    pub fn listener_of(&self, account: &Account, path: &Path) -> UnixListener {
        let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
        let launch = Launch::new([inside("connector").as_ref(), path.as_os_str()]).account(account);
        let caller = Caller { uid: account.uid, ours, _process: launch.start_on(&OwnedFd::from(theirs), None) };
        let made = caller.have_made(b'l');
        made.unwrap_or_else(|| panic!("{} cannot listen on {}", account.name, path.display())).into()
    }
}

impl Caller {
    /// The user number.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// A new connection.
    ///
    /// # Panics
    /// When nobody listens.
    pub fn connect(&self) -> Raw {
        self.try_connect().unwrap_or_else(|| panic!("nobody listens on {SOCKET}"))
    }

    /// A new connection; `None` when nobody listens.
    pub fn try_connect(&self) -> Option<Raw> {
        self.have_made(b'c').map(|made| Raw::over(made.into()))
    }

    fn have_made(&self, what: u8) -> Option<OwnedFd> {
        (&self.ours).write_all(&[what]).expect("the connector runs");
        let mut byte = [0];
        let mut space = nix::cmsg_space!([i32; 1]);
        let mut parts = [IoSliceMut::new(&mut byte)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let message = recvmsg::<()>(self.ours.as_raw_fd(), &mut parts, Some(&mut space), flags).expect("an answer");
        assert_eq!(message.bytes, 1, "the connector of uid {} ended", self.uid);
        let number = message.cmsgs().expect("there is room").find_map(|message| {
            if let ControlMessageOwned::ScmRights(numbers) = message { numbers.first().copied() } else { None }
        })?;
        // SAFETY: the kernel has just made this descriptor for us, and nobody else knows of it.
        Some(unsafe { OwnedFd::from_raw_fd(number) })
    }
}
