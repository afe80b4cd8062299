//! What can be typed: the one definition of verbs, flags and their help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use twinlock_core::{
    config::{DEFAULT_PATH, check_issuer},
    credentials::Label,
};

/// A second factor for the logins of this host: enrol users, see how they stand, help them in again.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXIT)]
pub(crate) struct Cli {
    /// The configuration to use
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_PATH)]
    pub(crate) config: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT: &str = "Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 not permitted, 4 not enrolled.\n\
    USER is the account that runs the command if it is left out.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Give a user an authenticator app and recovery codes
    Enroll(Enroll),
    /// Show how a user stands; never a secret
    Status(Status),
    /// Try a code of a user: it is charged and spent as in a login
    Verify(User),
    /// Recovery codes
    Recovery {
        #[command(subcommand)]
        verb: Recovery,
    },
    /// Forget the wrong answers of users, so that one code is enough again
    Unlock(Users),
    /// Take the second factor of a user away
    Remove(Remove),
    /// Check the configuration and every file of the store
    Check,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Recovery {
    /// Make a new set of recovery codes; the old ones stop working
    New(RecoveryNew),
}

#[derive(Debug, Args)]
pub(crate) struct Enroll {
    /// Whom to enrol
    pub(crate) user: Option<String>,
    /// What to call the app or device
    #[arg(long, default_value = "phone", value_parser = label)]
    pub(crate) label: Label,
    /// Whose code it is, for the app to show [default: `issuer` of the configuration, else the name of the host]
    #[arg(long, value_parser = check_issuer)]
    pub(crate) issuer: Option<String>,
    /// Put it in the place of what the user has now
    #[arg(long)]
    pub(crate) replace: bool,
    /// Store without asking for a code of the app: for provisioning
    #[arg(long)]
    pub(crate) no_confirm: bool,
    /// Print one JSON object: user, authenticator, label, type, uri, `recovery_codes`
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Whose
    pub(crate) user: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct User {
    /// Whose
    pub(crate) user: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RecoveryNew {
    /// Whose
    pub(crate) user: Option<String>,
    /// Store without asking for one of the codes back: for provisioning
    #[arg(long)]
    pub(crate) no_confirm: bool,
    /// Print one JSON object: user, `recovery_codes`
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Users {
    /// Whose
    #[arg(required = true)]
    pub(crate) user: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Whose
    pub(crate) user: String,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

fn label(text: &str) -> Result<Label, &'static str> {
    Label::parse(text).ok_or("a label has 1 to 64 characters, none a control character")
}
