//! Brokers that are none: on the broker's socket, as root or as somebody else, and saying what they should not.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::account::Account;
use crate::broker::{Raw, SOCKET};
use crate::launch::Launch;
use crate::namespace::inside;
use crate::process::Process;
use crate::world::World;

/// What a fake broker does, one after another; then it hangs up.
#[derive(Clone, Debug)]
pub enum Act {
    /// Waits for a message.
    Hear,
    /// Says a message.
    Say(char, Vec<u8>),
    /// Sends bytes, which need be no message.
    Send(Vec<u8>),
    /// Sends such a message byte by byte, for ever.
    Drip(Vec<u8>),
}

/// A broker of root's that follows a script with everybody who comes. Dropped, it ends.
#[derive(Debug)]
pub struct FakeBroker {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl World {
    /// Starts one.
    pub fn fake_broker(&self, acts: &[Act]) -> FakeBroker {
        make_folder();
        drop(fs::remove_file(SOCKET));
        let listener = UnixListener::bind(SOCKET).expect("/run is ours");
        fs::set_permissions(SOCKET, Permissions::from_mode(0o666)).expect("just made");
        let (acts, ended) = (acts.to_vec(), Arc::new(AtomicBool::new(false)));
        let end = Arc::clone(&ended);
        let serve = move || {
            for stream in listener.incoming().flatten() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                play(&acts, &end, &mut Raw::over(stream));
            }
        };
        FakeBroker { ended, thread: Some(thread::spawn(serve)) }
    }

    /// Has this account listen on a socket that root then puts into the broker's place. Everybody is told `granted`.
    pub fn fake_broker_of(&self, account: &Account) -> Process {
        make_folder();
        let folder = Path::new("/run/of-a-stranger");
        DirBuilder::new().create(folder).expect("/run is ours");
        self.give(folder, account);
        let socket = folder.join("socket");
        let listening = Launch::new([inside("pam-driver").as_str(), "--listen", "/run/of-a-stranger/socket"]);
        let process = listening.account(account).start();
        process.wait_for_output("listening\n");
        fs::rename(socket, SOCKET).expect("both are in /run");
        chown(SOCKET, Some(0), Some(0)).expect("it is ours");
        fs::set_permissions(SOCKET, Permissions::from_mode(0o666)).expect("it is ours");
        process
    }
}

impl Drop for FakeBroker {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        drop(UnixStream::connect(SOCKET));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn make_folder() {
    drop(DirBuilder::new().mode(0o755).create("/run/twinlock"));
    fs::set_permissions("/run/twinlock", Permissions::from_mode(0o755)).expect("/run is ours");
}

fn play(acts: &[Act], end: &AtomicBool, guest: &mut Raw) {
    for act in acts {
        match act {
            Act::Hear => drop(guest.hear()),
            Act::Say(kind, content) => guest.say(*kind, content),
            Act::Send(bytes) => guest.send(bytes),
            Act::Drip(bytes) => {
                for byte in bytes.iter().cycle() {
                    if end.load(Ordering::SeqCst) || !guest.try_send(&[*byte]) {
                        return;
                    }
                    thread::sleep(std::time::Duration::from_millis(5));
                }
            }
        }
    }
}
