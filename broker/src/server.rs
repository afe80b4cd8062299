//! Accepts connections, each on a thread of its own.

use std::{
    io,
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::Arc,
    thread,
    time::Duration,
};

use twinlock_login::wire::{Connection, Kind, peer};
use twinlock_service::{
    syslog::{self, SyslogPriority},
    wire::content,
};
use twinlock_store::{
    files::load_config,
    host::{self},
};

use crate::{
    PROGRAM,
    limits::ConnectionLimiter,
    messages,
    refusals::Refusals,
    session::{Session, Shared},
};

/// Stack of a thread, in bytes. Hashing works on the heap.
const STACK: usize = 512 * 1024;
/// How long a stop waits for what is being written.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves connections by the configuration in one file, which is read anew for each request.
#[derive(Clone)]
pub(crate) struct Server(Arc<Shared>);

impl Server {
    /// A server, and the folder where second factors are kept.
    pub(crate) fn new(config: PathBuf) -> Result<(Self, PathBuf), String> {
        let settings = load_config(&config).map_err(|fault| format!("{fault}; {}", fault.hint()))?;
        let shared = Shared { config, limiter: ConnectionLimiter::default(), refusals: Refusals::default() };
        Ok((Self(Arc::new(shared)), settings.store.directory))
    }

    /// Serves connections until the process ends.
    pub(crate) fn accept_on_a_thread(self, listener: UnixListener) -> io::Result<()> {
        thread::Builder::new().name("accept".into()).spawn(move || {
            for stream in listener.incoming() {
                match stream {
                    Ok(stream) => self.serve(stream),
                    // Out of descriptors, say: somebody has to leave first.
                    Err(_) => thread::sleep(Duration::from_millis(50)),
                }
            }
        })?;
        Ok(())
    }

    fn serve(&self, stream: UnixStream) {
        let shared = Arc::clone(&self.0);
        let Ok(peer) = peer(&stream) else { return };
        let session = move || {
            let Some(permit) = shared.limiter.acquire(peer.uid, &stream, has_account) else {
                return reject_busy(stream);
            };
            Session { shared: &shared, peer, holder: permit.holder, connection: &Connection::accepted(stream) }.run();
            drop(permit);
        };
        if let Err(error) = thread::Builder::new().stack_size(STACK).spawn(session) {
            syslog::log(PROGRAM, SyslogPriority::Notice, &messages::start_failed("start a thread", &error));
        }
    }

    /// Lets nobody in any more, and waits until what was being written is written.
    pub(crate) fn stop(&self) {
        self.0.limiter.close(PATIENCE);
        self.0.refusals.close();
    }
}

/// Whether the user number is that of an account. One that cannot be looked up now is none.
fn has_account(uid: u32) -> bool {
    matches!(host::account_of(uid), Ok(Some(_)))
}

/// Says that there is no place.
fn reject_busy(stream: UnixStream) {
    let refusal = messages::busy();
    if let Ok(refusal) = content(&refusal) {
        // A client that does not read gets no reason.
        let _ = Connection::accepted(stream).write(Kind::Refused, &refusal, Duration::from_secs(1));
    }
}
