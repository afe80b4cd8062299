//! What can be typed: the one definition of verbs, flags and their help.

#![allow(clippy::doc_markdown, reason = "the comments here are the help, word for word")]

use std::{net::IpAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use twinlock_core::{credentials::Label, issued::IssuedCode, otp::Otp, policy::KeyType, time::UnixTime};
use twinlock_store::config::{DEFAULT_PATH, check_issuer};

use crate::table::Headings;

/// Manage the second factor for logins to this host: enrol users, show their status, and restore their access.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXIT)]
pub(crate) struct Cli {
    /// The configuration file to use
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_PATH)]
    pub(crate) config: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT: &str = "If USER is omitted, it is the account that runs the command.\n\
    Where the broker (twinlockd.socket) is enabled, users can run these for their own account:\n\
    enroll, status, verify, recovery, device, resync, acknowledge, remove.\n\
    Members of the help desk can run these for other users: status, unlock, recovery issue.\n\
    All other commands require root.\n\
    Exit status: 0 success, 1 refused or failed, 2 usage error, 3 not permitted, 4 not enrolled.";

const CHECK_EXIT: &str = "Exit status: 0 no errors, 1 errors, 3 only warnings with --strict. A warning needs no\n\
    mistake in a file: a user has left, a date has passed, a group or an account does not exist on this host.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Set up an authenticator app and recovery codes for a user
    #[command(alias = "enrol")]
    Enroll(Enroll),
    /// Show a user's status; never shows secrets
    Status(StatusArguments),
    /// Check a user's code as a login would: an incorrect code counts as a failure, a correct one is used up
    Verify(User),
    /// Replace, issue and count recovery codes
    Recovery {
        #[command(subcommand)]
        verb: Recovery,
    },
    /// Clear users' failures, so that their codes are accepted again and one code is enough
    Unlock(Users),
    /// Forget users' remembered logins, so that their next login needs a code
    Forget(Users),
    /// Remove a user's second factor
    Remove(Remove),
    /// Manage a user's apps and devices
    Device {
        #[command(subcommand)]
        verb: DeviceCommand,
    },
    /// Correct the clock offset of an app, or the counter of a token, with two consecutive codes
    Resync(User),
    /// Dismiss what logins report about failed attempts and changes; requires a code of an app that is older than they are
    Acknowledge(User),
    /// List all accounts that can log in, with and without a second factor
    List(List),
    /// Report which accounts need a second factor, by which rule, and which of them have one
    Report(Report),
    /// Print metrics for the textfile collector of Prometheus' node_exporter; without user names
    Metrics(Metrics),
    /// Announce to users who are not enrolled that they will need a code, and until when they can enrol
    Announce(Announce),
    /// Import users' second factors from another PAM module
    Import {
        #[command(subcommand)]
        from: Import,
    },
    /// Keep a user's second factor after the account's name or uid has changed
    Adopt(Adopt),
    /// Replace a user's unreadable state with a new one; earlier codes and all recovery codes stop working
    Repair(RepairArguments),
    /// Create the store, which keeps secrets and state
    Store {
        #[command(subcommand)]
        verb: StoreCommand,
    },
    /// Check the configuration, its rules, every file of the store, and the module's lines in PAM files
    #[command(after_help = CHECK_EXIT)]
    Check(Check),
    /// Explain which rule decides a login, and how that login will proceed
    Explain(Explain),
    /// Enable the second factor for sshd, first on trial, and disable it again
    Ssh {
        #[command(subcommand)]
        verb: Ssh,
    },
    /// Make sudo ask for the code of the user who runs it, first on trial, and disable that again
    Sudo {
        #[command(subcommand)]
        verb: Trial,
    },
    /// Make su ask for the code of the target account, first on trial, and disable that again
    Su {
        #[command(subcommand)]
        verb: Trial,
    },
    /// Seal the store's secrets, so that a copy of the disk does not show them, and manage the key
    Seal {
        #[command(subcommand)]
        verb: Seal,
    },
    /// In an emergency, turn second factors off for everyone for a limited time
    Emergency {
        #[command(subcommand)]
        verb: EmergencyCommand,
    },
    /// Find what would lock users out or let them in without a code, in sshd's configuration, PAM files and accounts
    Doctor(Doctor),
    /// Run a login through this host's PAM files, outside of sshd, and show what each line does
    TestLogin(TestLogin),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Recovery {
    /// Generate new recovery codes; the old ones stop working
    New(RecoveryNew),
    /// Issue an extra code that is valid for one login until it expires; recovery codes stay valid
    Issue(RecoveryIssue),
    /// Show how many recovery codes are left
    Count(StatusArguments),
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// List a user's apps and devices; never shows secrets
    List(StatusArguments),
    /// Change the label of an app or device
    #[command(override_usage = "twinlock device rename [OPTIONS] [USER] <DEVICE> <TO>")]
    Rename(Rename),
    /// Suspend an app or device: its codes are refused until it is resumed
    Suspend(Which),
    /// Resume a suspended app or device
    Resume(Which),
    /// Remove an app or device, but not the last one
    Remove(Which),
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Create the store's folders, and the id that ties the store to this host; existing files are kept
    Init(StoreInit),
}

#[derive(Debug, Args)]
pub(crate) struct StoreInit {
    /// Accept the present store as this host's: write the id where one of its two copies is missing
    #[arg(long)]
    pub(crate) accept: bool,
    /// Only if a version without ids created the store; run by the packages
    #[arg(long, hide = true, conflicts_with = "accept")]
    pub(crate) upgrade: bool,
}

#[derive(Debug, Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Which {
    /// The account
    pub(crate) user: Option<String>,
    /// The device's id, or its label if that is unique
    pub(crate) device: String,
}

/// Three words, of which the first can be left out: more than clap can say of positions.
#[derive(Debug, Args)]
pub(crate) struct Rename {
    /// The account
    #[arg(value_name = "USER")]
    first: String,
    /// The device's id, or its label if that is unique
    #[arg(value_name = "DEVICE")]
    second: String,
    /// The new label
    #[arg(value_name = "TO")]
    third: Option<String>,
}

impl Rename {
    /// The device, and its new label as typed.
    pub(crate) fn into_parts(self) -> (Which, String) {
        match self.third {
            Some(to) => (Which { user: Some(self.first), device: self.second }, to),
            None => (Which { user: None, device: self.first }, self.second),
        }
    }
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct List {
    /// List only accounts without a second factor
    #[arg(long, conflicts_with = "disabled")]
    pub(crate) without: bool,
    /// List only users whose codes are refused until `twinlock unlock`
    #[arg(long)]
    pub(crate) disabled: bool,
    /// List only members of this group, primary or supplementary
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// Omit the headings, for scripts
    #[arg(long)]
    no_headings: bool,
    /// Print one JSON array: user, uid, enrolled, authenticators, `last_used`, `last_from`, `recovery_codes_left`,
    /// throttle, error
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// Print one JSON object: host, time, version, config, totals, notes, accounts
    #[arg(long, conflicts_with = "csv")]
    pub(crate) json: bool,
    /// Print comma-separated values (RFC 4180), one line per account
    #[arg(long)]
    pub(crate) csv: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Announce {
    /// The last day on which users can enrol, such as 2027-01-31. Defaults to that of the rule by which each user enrols
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub(crate) until: Option<UnixTime>,
    /// Send it to each user by mail instead of printing it
    #[arg(long)]
    pub(crate) mail: bool,
    /// Do nothing unless the last day is 14, 3 or 1 days away; for a timer that runs once a day
    #[arg(long)]
    pub(crate) remind: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Metrics {
    /// Write to this file instead of stdout; it is replaced atomically and is readable by everyone
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

impl List {
    pub(crate) fn headings(&self) -> Headings {
        if self.no_headings { Headings::No } else { Headings::Yes }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// Import ~/.google_authenticator files of google-authenticator-libpam
    GoogleAuthenticator {
        /// Import every account that has such a file
        #[arg(long, conflicts_with_all = ["user", "file"])]
        all: bool,
        /// The account to import [default: the one that runs the command]
        #[arg(long)]
        user: Option<String>,
        /// The file, if it is not in the user's home
        file: Option<PathBuf>,
        /// Do not import scratch codes; hashing them takes most of the time of an import
        #[arg(long)]
        no_scratch_codes: bool,
        #[command(flatten)]
        how: ImportHow,
    },
    /// Import a users.oath file of pam_oath
    Oath {
        /// The users.oath file
        file: PathBuf,
        #[command(flatten)]
        how: ImportHow,
    },
    /// Import an otpauth:// URI from stdin
    Uri {
        /// The account
        user: Option<String>,
        #[command(flatten)]
        how: ImportHow,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ImportHow {
    /// Show what would be imported, without importing it
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Replace the second factor that a user already has
    #[arg(long)]
    pub(crate) replace: bool,
    /// Print one JSON array: user, result, reason, `dry_run`, authenticators, `recovery_codes`, `not_carried`, warnings
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RepairArguments {
    /// The account [with --layout: all accounts]
    #[arg(required_unless_present = "layout")]
    pub(crate) user: Option<String>,
    /// Keep the contents of state files, and upgrade files that an older version wrote: rewrite them without
    /// copy-on-write on btrfs, where a full disk would otherwise deny every login, and index users by uid, so that
    /// renamed accounts are recognised
    #[arg(long)]
    pub(crate) layout: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The account, by its former name if it was renamed
    #[arg(value_name = "USER")]
    pub(crate) user: String,
    /// The account's present name [default: unchanged]
    #[arg(value_name = "NEW")]
    pub(crate) new: Option<String>,
}

/// The algorithm that a new authenticator generates codes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Type {
    /// Time-based codes, as apps generate them (RFC 6238)
    Totp,
    /// Counter-based codes, as hardware tokens generate them (RFC 4226)
    Hotp,
}

/// The HMAC hash function of a new authenticator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Hash {
    /// Supported by every app
    #[value(name = "SHA1", alias = "sha1")]
    Sha1,
    /// Some apps silently use SHA1 instead
    #[value(name = "SHA256", alias = "sha256")]
    Sha256,
    /// Supported by few apps
    #[value(name = "SHA512", alias = "sha512")]
    Sha512,
}

/// How the QR code is drawn on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Qr {
    /// Half blocks, or plain characters if the locale is not UTF-8; black on white unless NO_COLOR is set
    Auto,
    /// Half blocks in any locale
    Utf8,
    /// Plain characters without colour, twice as large; for terminals with a light background
    Ascii,
    /// No QR code
    None,
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Enroll {
    /// The account to enrol
    pub(crate) user: Option<String>,
    /// A label for the app or device [default: phone, or phone-2 and so on if that is taken]
    #[arg(long, value_parser = label)]
    pub(crate) label: Option<Label>,
    /// The issuer that the app displays [default: `issuer` in the configuration, or else the host name]
    #[arg(long, value_parser = check_issuer)]
    pub(crate) issuer: Option<String>,
    /// Add it to the apps and devices that the user already has
    #[arg(long, conflicts_with = "replace")]
    pub(crate) add: bool,
    /// Replace the second factor that the user already has
    #[arg(long)]
    pub(crate) replace: bool,
    /// How codes are generated
    #[arg(long, value_enum, default_value = "totp")]
    pub(crate) r#type: Type,
    /// Number of digits in a code, 6 to 8; many apps always show 6
    #[arg(long, value_name = "N", default_value_t = Otp::DIGITS, value_parser = digits)]
    pub(crate) digits: u8,
    /// Length of a time step in seconds, 15 to 120; many apps always use 30
    #[arg(long, value_name = "SECONDS", default_value_t = Otp::PERIOD, value_parser = period)]
    pub(crate) period: u32,
    /// The HMAC hash function
    #[arg(long, value_enum, default_value = "SHA1")]
    pub(crate) algorithm: Hash,
    /// The present counter value of a hardware token
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) counter: u64,
    /// Read the secret from a file, in base32 or as `hex:...`, instead of generating one
    #[arg(long, value_name = "FILE", conflicts_with = "secret_stdin")]
    pub(crate) secret_file: Option<PathBuf>,
    /// Read the secret from stdin, in base32 or as `hex:...`, instead of generating one
    #[arg(long)]
    pub(crate) secret_stdin: bool,
    /// How to draw the QR code on the terminal
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) qr: Qr,
    /// Write the QR code to a new PNG file that only you can read; an existing file is never overwritten
    #[arg(long, value_name = "FILE")]
    pub(crate) png: Option<PathBuf>,
    /// Write the QR code to a new SVG file, in the same way
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Store without asking for a code from the app; for provisioning
    #[arg(long)]
    pub(crate) no_confirm: bool,
    /// Print one JSON object: user, authenticator, label, type, uri, recovery_codes
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The account
    pub(crate) user: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct User {
    /// The account
    pub(crate) user: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RecoveryNew {
    /// The account
    pub(crate) user: Option<String>,
    /// Store without asking for one of the new codes; for provisioning
    #[arg(long)]
    pub(crate) no_confirm: bool,
    /// Print one JSON object: user, recovery_codes
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RecoveryIssue {
    /// The account
    pub(crate) user: String,
    /// How long the code is valid, 5m to 7days
    #[arg(long, value_name = "SPAN", default_value = "4h", value_parser = validity)]
    pub(crate) valid: Duration,
    /// Print one JSON object: user, code, expires
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Users {
    /// The accounts
    #[arg(required = true)]
    pub(crate) user: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The account that logs in, existing or not
    #[arg(required_unless_present = "all")]
    pub(crate) user: Option<String>,
    /// Explain the login of every account that can log in, and show which logins will be denied
    #[arg(long, conflicts_with = "user")]
    pub(crate) all: bool,
    /// The PAM service; the options of pam_twinlock.so in its file are respected
    #[arg(long, default_value = "sshd")]
    pub(crate) service: String,
    /// The address that the user logs in from, as sshd reports it [default: the host itself]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<String>,
    /// The type of the key that sshd has verified, as `ssh -Q key` spells it [default: none]
    #[arg(long, value_name = "TYPE", value_parser = KeyType::named)]
    pub(crate) key_type: Option<KeyType>,
    /// The day or the time of the login (RFC 3339) [default: now]
    #[arg(long, value_name = "DATE", value_parser = point_in_time)]
    pub(crate) at: Option<UnixTime>,
    /// Print one JSON object, or with --all an array of them: user, service, from, key_type, at, rule (number, name, file,
    /// line, until; null if none matches),
    /// second_factor, remember, doubt, enrolled, outcome (passes, asked, enrolls or refused), key_alone (passes or
    /// refused: the account guard's verdict on a login by key alone; null if the service is not sshd), notes
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ssh {
    /// Show what `enable` would change, as a diff, and what would prevent it; change nothing
    Plan(SshWhat),
    /// Change sshd's configuration and its PAM file, and restore both unless the trial is confirmed in time
    Enable(SshEnable),
    /// Keep the changes of `enable`
    Confirm,
    /// Show whether it is off, on, or on trial and until when
    Status(TrialStatusArguments),
    /// Restore the configuration from before `enable`
    Disable(TrialDisable),
    /// End an unconfirmed trial; started by `enable`
    #[command(hide = true)]
    Expire(TrialExpire),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Trial {
    /// Show what `enable` would change, as a diff, and what would prevent it; change nothing
    Plan,
    /// Change the PAM files, and restore them unless the trial is confirmed in time
    Enable(TrialEnable),
    /// Keep the changes of `enable`
    Confirm,
    /// Show whether it is off, on, or on trial and until when
    Status(TrialStatusArguments),
    /// Restore the configuration from before `enable`
    Disable(TrialDisable),
    /// End an unconfirmed trial; started by `enable`
    #[command(hide = true)]
    Expire(TrialExpire),
}

/// What sshd and PAM ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum SshMode {
    /// A key, then a code; recommended
    #[default]
    #[value(name = "key+code")]
    KeyAndCode,
    /// A password, then a code; for users who have no keys
    #[value(name = "password+code")]
    PasswordAndCode,
}

/// What `plan` and `enable` are about.
#[derive(Debug, Args)]
pub(crate) struct SshWhat {
    /// What a login requires
    #[arg(long, value_enum, default_value = "key+code")]
    pub(crate) mode: SshMode,
    /// Let users who are not enrolled enrol at their next login, until the end of this day in UTC. This adds a rule to
    /// /etc/twinlock/config.toml and sets sshd's LoginGraceTime to five minutes. After that day, users who are not
    /// enrolled are denied
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub(crate) enroll_until: Option<UnixTime>,
}

#[derive(Debug, Args)]
pub(crate) struct SshEnable {
    #[command(flatten)]
    pub(crate) what: SshWhat,
    #[command(flatten)]
    pub(crate) trial: TrialEnable,
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct TrialEnable {
    /// Length of the trial, 1s to 1day; without `confirm`, everything is restored when it ends
    #[arg(long, value_name = "SPAN", default_value = "5m", value_parser = up_to_a_day)]
    pub(crate) r#try: Duration,
    /// Enable permanently, without a trial; for configuration management that was tested elsewhere
    #[arg(long, conflicts_with = "try")]
    pub(crate) keep: bool,
    /// Proceed although no administrator is enrolled
    #[arg(long)]
    pub(crate) without_enrolled_admin: bool,
    /// Proceed although no administrator could log in or become root if codes failed
    #[arg(long)]
    pub(crate) without_break_glass: bool,
    /// Proceed although accounts that can log in now are not enrolled and will be denied
    #[arg(long)]
    pub(crate) deny_unenrolled: bool,
    /// Proceed although `twinlock doctor` finds that users would be locked out, or let in without a code
    #[arg(long)]
    pub(crate) despite_lockouts: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Seal {
    /// Show whether secrets are sealed, what protects the key, and whose secrets are not sealed
    Status,
    /// Seal all secrets with a new key; run again, it finishes what was interrupted
    Enable(Escrow),
    /// Seal credentials that configuration management put into the store in clear
    Import(Users),
    /// Seal all secrets with another key; run again, it finishes what was interrupted
    Rotate(Escrow),
    /// Seal the key for this machine again with the recovery phrase, which is read from the terminal or stdin
    Recover,
    /// Put all secrets in clear again, and remove the key
    Disable,
    /// Unseal the keys into memory, as twinlock-unseal.service does at boot
    #[command(hide = true)]
    Load,
}

#[derive(Debug, Args)]
pub(crate) struct Escrow {
    /// Write the recovery phrase to this file instead of having it typed back; move the file off this host
    #[arg(long, value_name = "FILE")]
    pub(crate) escrow: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EmergencyCommand {
    /// Turn second factors off in every service, whatever the rules say, until the time has passed or the host restarts
    Off {
        /// How long second factors stay off, 1s to 1day
        #[arg(long = "for", value_name = "SPAN", default_value = "1h", value_parser = up_to_a_day)]
        span: Duration,
    },
    /// Turn second factors on again now
    On,
    /// Show whether second factors are turned off, and until when
    Status,
}

#[derive(Debug, Args)]
pub(crate) struct TrialStatusArguments {
    /// Print one JSON object: service, state (off, changing, trial or on), mode (null if it is not sshd's), until (the end of
    /// the trial, else null)
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TrialDisable {
    /// Restore the files even if they were changed since `enable`; those changes are lost
    #[arg(long)]
    pub(crate) discard_changes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TrialExpire {
    /// The id of the trial
    pub(crate) id: String,
    /// Seconds to wait before it ends
    #[arg(long, default_value_t = 0)]
    pub(crate) after: u64,
    /// Run at boot, before sshd starts
    #[arg(long)]
    pub(crate) at_boot: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Show only what concerns this account
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// Consider only logins from this address [default: an outside address, and those in sshd's Match lines]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<IpAddr>,
    /// Print one JSON array: id, severity (lockout, open, warning or hint), found, place, why, mend. The exit status is 1 if
    /// anything above a hint was found
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Check only this configuration file and its rules, as `validate` of configuration management does
    #[arg(long, value_name = "FILE")]
    pub(crate) config_only: Option<PathBuf>,
    /// Exit with status 3 if there are only warnings
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print one JSON array: grade (error or warning), found, hint
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TestLogin {
    /// The account that logs in
    pub(crate) user: String,
    /// The PAM service
    #[arg(long, default_value = "sshd")]
    pub(crate) service: String,
    /// Assume that sshd has verified a key of this type, as `ssh -Q key` spells it [default: none]
    #[arg(long, value_name = "TYPE", value_parser = KeyType::named)]
    pub(crate) key_type: Option<KeyType>,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The account
    pub(crate) user: String,
    /// Do not ask for confirmation
    #[arg(long)]
    pub(crate) yes: bool,
}

pub(crate) fn label(text: &str) -> Result<Label, &'static str> {
    Label::parse(text).ok_or(Label::RULE)
}

fn up_to_a_day(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text).map_err(|bad| bad.to_string())?;
    let known = Duration::from_secs(1)..=Duration::from_hours(24);
    if known.contains(&span) { Ok(span) } else { Err("the length must be between one second and one day".into()) }
}

/// The beginning of a day in UTC.
pub(crate) fn day(text: &str) -> Result<UnixTime, String> {
    UnixTime::parse(&format!("{text}T00:00:00Z")).map_err(|_| "use a day such as 2027-01-31".into())
}

fn validity(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text).map_err(|bad| bad.to_string())?;
    if IssuedCode::SPAN.contains(&span) {
        Ok(span)
    } else {
        Err("an issued code is valid for 5 minutes to 7 days".into())
    }
}

/// A day (its noon, so that no time zone makes another of it) or a time.
fn point_in_time(text: &str) -> Result<UnixTime, String> {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T12:00:00Z") };
    UnixTime::parse(&whole).map_err(|_| "use a day such as 2027-01-31 or a time such as 2027-01-31T18:00:00Z".into())
}

fn digits(text: &str) -> Result<u8, String> {
    let digits = text.parse().map_err(|_| "not a number")?;
    Otp::check_digits(digits).map_err(|bad| bad.to_string())
}

fn period(text: &str) -> Result<u32, String> {
    let period = text.parse().map_err(|_| "not a number")?;
    Otp::check_period(period).map_err(|bad| bad.to_string())
}
