//! `twinlockd`, the broker: it has root's rights so that the command and its users need none. It listens on a Unix socket,
//! goes by what the kernel says of who connects and by nothing else, and does for each what [`twinlock_service::lifecycle`]
//! permits.

mod audit;
mod cli;
mod confine;
mod dialogue;
mod freshness;
mod limits;
mod listener;
mod login_uid;
#[allow(unsafe_code, reason = "mallopt(3) is a C function; its one call stands in this file")]
mod memory;
mod messages;
mod pam;
mod password;
mod refusals;
mod server;
mod session;

use std::process::ExitCode;

use clap::Parser;
use cli::BrokerCli;
use nix::sys::{prctl, signal, stat};
use server::Server;
use twinlock_service::syslog;
use twinlock_store::host::{self};

/// As the log names it.
const PROGRAM: &str = "twinlockd";

fn main() -> ExitCode {
    // Secrets stay out of core dumps. Where that fails they are still wiped after use.
    let _ = prctl::set_dumpable(false);
    stat::umask(stat::Mode::from_bits_truncate(0o077));
    let BrokerCli { listen, config, prove, service, key_type } = BrokerCli::parse();
    if let Some(user) = prove {
        return password::prove(&user, &service, key_type);
    }
    match serve(listen.as_deref(), config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            syslog::log(PROGRAM, syslog::SyslogPriority::Notice, &format!("cannot start: {message}"));
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

fn serve(listen: Option<&std::path::Path>, config: std::path::PathBuf) -> Result<(), String> {
    if !host::is_root() {
        return Err(messages::NEEDS_ROOT.into());
    }
    memory::keep_little();
    // Before any thread begins, so that all of them leave the signals to this one.
    let mut stop = signal::SigSet::empty();
    stop.add(signal::Signal::SIGTERM);
    stop.add(signal::Signal::SIGINT);
    stop.thread_block().map_err(|error| messages::start_failed("block signals", &error))?;
    let listener = listener::open(listen)?;
    let (server, store) = Server::new(config)?;
    confine::myself(&store)?;
    let socket = listener.try_clone().map_err(|error| messages::start_failed("share the socket", &error))?;
    server.clone().accept_on_a_thread(socket).map_err(|error| messages::start_failed("start a thread", &error))?;
    stop.wait().map_err(|error| messages::start_failed("wait for a signal", &error))?;
    server.stop();
    if let Some(path) = listen {
        listener::close(path);
    }
    Ok(())
}

fn complain(message: &str) {
    use std::io::Write as _;
    // Nobody is left to be told if stderr is closed.
    let _ = writeln!(std::io::stderr().lock(), "{PROGRAM}: {message}");
}
