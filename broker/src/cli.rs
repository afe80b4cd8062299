//! What can be typed.

use std::path::PathBuf;

use clap::Parser;
use twinlock_core::policy::KeyType;
use twinlock_login::wire::SOCKET;
use twinlock_store::config::DEFAULT_PATH;

/// The broker of Twinlock: lets users enrol themselves and manage their second factor, without a
/// set-user-ID program
#[derive(Debug, Parser)]
#[command(name = "twinlockd", version)]
pub(crate) struct BrokerCli {
    /// Listen on this socket, where no systemd hands one over. The command looks for it at /run/twinlock/broker.sock
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = SOCKET)]
    pub(crate) listen: Option<PathBuf>,
    /// The configuration to use; it is read anew for each request
    #[arg(long, value_name = "FILE", default_value = DEFAULT_PATH)]
    pub(crate) config: PathBuf,
    /// Ask for the password of an account, over stdin: what the broker starts for itself
    #[arg(long, value_name = "USER", hide = true, conflicts_with = "listen")]
    pub(crate) prove: Option<String>,
    /// By this PAM service: what `twinlock test-login` starts
    #[arg(long, value_name = "SERVICE", hide = true, requires = "prove", default_value = "twinlock")]
    pub(crate) service: String,
    /// As if sshd had verified a key of this kind before
    #[arg(long, value_name = "TYPE", hide = true, requires = "prove", value_parser = KeyType::named)]
    pub(crate) key_type: Option<KeyType>,
}
