//! What can be typed: the one definition of verbs, flags and their help.

#![allow(clippy::doc_markdown, reason = "the comments here are the help, word for word")]

use std::{net::IpAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use twinlock_core::{credentials::Label, issued::IssuedCode, otp::Otp, policy::KeyType, time::UnixTime};
use twinlock_store::config::{DEFAULT_PATH, check_issuer};

use crate::table::Headings;

/// A second factor for the logins of this host: enrol users, show their status, help them log in again.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXIT)]
pub(crate) struct Cli {
    /// The configuration to use
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_PATH)]
    pub(crate) config: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT: &str = "USER is the account that runs the command if it is left out.\n\
    Without root's rights, for the own account, where the administrator has switched the broker on:\n\
    enroll, status, verify, recovery, device, resync, acknowledge, remove. Everything else is for root.\n\
    Members of the help desk, for others: status, unlock, recovery issue.\n\
    Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 not permitted, 4 not enrolled.";

const CHECK_EXIT: &str = "Exit status: 0 no errors, 1 errors, 3 only warnings with --strict. A warning comes about without a\n\
    mistake in a file: a user has left, a day has passed, this host lacks a group or an account.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Give a user an authenticator app and recovery codes
    #[command(alias = "enrol")]
    Enroll(Enroll),
    /// Show the status of a user; never a secret
    Status(StatusArguments),
    /// Try a code of a user: it counts as in a login, and is used up
    Verify(User),
    /// Recovery codes
    Recovery {
        #[command(subcommand)]
        verb: Recovery,
    },
    /// Clear the failures of users, so that one code is enough again
    Unlock(Users),
    /// End the remembered logins of users, so that the next one is asked for a code
    Forget(Users),
    /// Take the second factor of a user away
    Remove(Remove),
    /// Apps and devices of a user
    Device {
        #[command(subcommand)]
        verb: DeviceCommand,
    },
    /// Set a clock or a counter right by two consecutive codes
    Resync(User),
    /// End what logins report about failed attempts and changes; it takes a code of an app that is older than the changes
    Acknowledge(User),
    /// Show all accounts that may log in, also those without a second factor
    List(List),
    /// Report for every account whether it needs a second factor, by which rule, until when, and what it has
    Report(Report),
    /// Print metrics for the text-file collector of Prometheus' node_exporter; no names of users
    Metrics(Metrics),
    /// Take over what users had with another module
    Import {
        #[command(subcommand)]
        from: Import,
    },
    /// Keep the second factor of an account that has another uid or another name now
    Adopt(Adopt),
    /// Make a new record for a user whose state cannot be read; old codes and recovery codes stop working
    Repair(RepairArguments),
    /// The store, where secrets and state are kept
    Store {
        #[command(subcommand)]
        verb: StoreCommand,
    },
    /// Check the configuration, its rules, every file of the store, and where the module stands in PAM files
    #[command(after_help = CHECK_EXIT)]
    Check(Check),
    /// Say which rule decides a login, and what that login will look like
    Explain(Explain),
    /// Switch the second factor on for sshd, on trial, and off again
    Ssh {
        #[command(subcommand)]
        verb: Ssh,
    },
    /// Have sudo ask for the code of the user who runs it, on trial, and undo that
    Sudo {
        #[command(subcommand)]
        verb: Trial,
    },
    /// Have su ask for the code of the account that it changes to, on trial, and undo that
    Su {
        #[command(subcommand)]
        verb: Trial,
    },
    /// In an emergency, let everybody log in without a second factor for a while
    Emergency {
        #[command(subcommand)]
        verb: EmergencyCommand,
    },
    /// Look for what locks people out or lets them in without a code: in sshd, in its PAM files, in the accounts
    Doctor(Doctor),
    /// Log a user in by the real PAM files, outside of sshd, and say what each line of them does
    TestLogin(TestLogin),
    /// Print the completions of a shell
    Completions {
        /// Which
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Recovery {
    /// Make a new set of recovery codes; the old ones stop working
    New(RecoveryNew),
    /// Print one more code, for one login before it expires, beside the recovery codes
    Issue(RecoveryIssue),
    /// Show how many recovery codes are left
    Count(StatusArguments),
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// Show a user's apps and devices; never a secret
    List(StatusArguments),
    /// Give one another label
    #[command(override_usage = "twinlock device rename [OPTIONS] [USER] <DEVICE> <TO>")]
    Rename(Rename),
    /// Switch one off for a while; its codes open nothing
    Suspend(Which),
    /// Switch one on again
    Resume(Which),
    /// Take one away, but not the last one
    Remove(Which),
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Make the folders of the store and the id by which it is known to be the one of this host; what is there stays
    Init(StoreInit),
}

#[derive(Debug, Args)]
pub(crate) struct StoreInit {
    /// Write the id if it is missing in one of its two places: the store that is there now is the right one
    #[arg(long)]
    pub(crate) accept: bool,
    /// Only where a version without ids has made a store: what packages run
    #[arg(long, hide = true, conflicts_with = "accept")]
    pub(crate) upgrade: bool,
}

#[derive(Debug, Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Which {
    /// The account
    pub(crate) user: Option<String>,
    /// Its id, or its label if no other has the same
    pub(crate) device: String,
}

/// Three words, of which the first can be left out: more than clap can say of positions.
#[derive(Debug, Args)]
pub(crate) struct Rename {
    /// The account
    #[arg(value_name = "USER")]
    first: String,
    /// Its id, or its label if no other has the same
    #[arg(value_name = "DEVICE")]
    second: String,
    /// What to call it
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
    /// Only accounts without a second factor
    #[arg(long, conflicts_with = "disabled")]
    pub(crate) without: bool,
    /// Only users whose codes are refused until `twinlock unlock`
    #[arg(long)]
    pub(crate) disabled: bool,
    /// Only members of a group, primary or supplementary
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// Leave the headings out, for scripts
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
    /// Print comma-separated values (RFC 4180), a line for each account
    #[arg(long)]
    pub(crate) csv: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Metrics {
    /// Replace this file at once and whole, readable by everyone, instead of printing
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
    /// From ~/.google_authenticator of google-authenticator-libpam
    GoogleAuthenticator {
        /// Every account that has such a file
        #[arg(long, conflicts_with_all = ["user", "file"])]
        all: bool,
        /// The account [default: the one that runs the command]
        #[arg(long)]
        user: Option<String>,
        /// The file, if it is not in the user's home
        file: Option<PathBuf>,
        /// Leave the scratch codes behind: hashing them is nearly all the time that an import takes
        #[arg(long)]
        no_scratch_codes: bool,
        #[command(flatten)]
        how: ImportHow,
    },
    /// From users.oath of pam_oath
    Oath {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        how: ImportHow,
    },
    /// From an otpauth:// address on stdin
    Uri {
        /// The account
        user: Option<String>,
        #[command(flatten)]
        how: ImportHow,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ImportHow {
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Put it in the place of what a user has now
    #[arg(long)]
    pub(crate) replace: bool,
    /// Print one JSON array: user, result, reason, `dry_run`, authenticators, `recovery_codes`, `not_carried`, warnings
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RepairArguments {
    /// The account [with --layout: every account]
    #[arg(required_unless_present = "layout")]
    pub(crate) user: Option<String>,
    /// Leave the content of records as it is, and rewrite files of an older version: on btrfs, with the flag against
    /// copy-on-write, without which a full disk refuses every login; and enter users into the index by uid, by which a
    /// renamed account is recognised
    #[arg(long)]
    pub(crate) layout: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The account; the name that it had before, if it has another one now
    #[arg(value_name = "USER")]
    pub(crate) user: String,
    /// The name that it has now [default: the same]
    #[arg(value_name = "NEW")]
    pub(crate) new: Option<String>,
}

/// What makes the codes of a new authenticator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Type {
    /// An app: codes by the time (RFC 6238)
    Totp,
    /// A hardware token: codes by the count of presses (RFC 4226)
    Hotp,
}

/// The hash under the codes of a new authenticator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Hash {
    /// Every app computes it
    #[value(name = "SHA1", alias = "sha1")]
    Sha1,
    /// Some apps silently compute SHA1 instead
    #[value(name = "SHA256", alias = "sha256")]
    Sha256,
    /// Few apps know it
    #[value(name = "SHA512", alias = "sha512")]
    Sha512,
}

/// How the picture is drawn on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Qr {
    /// With half blocks unless the locale is another one than UTF-8, in black and white unless NO_COLOR is set
    Auto,
    /// With half blocks, whatever the locale is
    Utf8,
    /// In plain characters without colour, twice as large; for terminals with a light background
    Ascii,
    /// Not at all
    None,
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Enroll {
    /// The account to enrol
    pub(crate) user: Option<String>,
    /// What to call the app or device [default: phone, or phone-2 and so on beside others]
    #[arg(long, value_parser = label)]
    pub(crate) label: Option<Label>,
    /// The issuer, which the app shows [default: `issuer` of the configuration, else the name of the host]
    #[arg(long, value_parser = check_issuer)]
    pub(crate) issuer: Option<String>,
    /// Put it beside what the user has now
    #[arg(long, conflicts_with = "replace")]
    pub(crate) add: bool,
    /// Put it in the place of what the user has now
    #[arg(long)]
    pub(crate) replace: bool,
    /// What makes the codes
    #[arg(long, value_enum, default_value = "totp")]
    pub(crate) r#type: Type,
    /// Digits of a code, 6 to 8; many apps show 6 whatever is said
    #[arg(long, value_name = "N", default_value_t = Otp::DIGITS, value_parser = digits)]
    pub(crate) digits: u8,
    /// Seconds a code lasts, 15 to 120; many apps take 30 whatever is said
    #[arg(long, value_name = "SECONDS", default_value_t = Otp::PERIOD, value_parser = period)]
    pub(crate) period: u32,
    /// The hash under the codes
    #[arg(long, value_enum, default_value = "SHA1")]
    pub(crate) algorithm: Hash,
    /// Where the counter of a hardware token stands
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) counter: u64,
    /// Take the secret from a file, in base32 or as `hex:...`, instead of making one
    #[arg(long, value_name = "FILE", conflicts_with = "secret_stdin")]
    pub(crate) secret_file: Option<PathBuf>,
    /// Take the secret from stdin, in base32 or as `hex:...`, instead of making one
    #[arg(long)]
    pub(crate) secret_stdin: bool,
    /// How to draw the QR code on the terminal
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) qr: Qr,
    /// Write the QR code as a PNG picture, for you alone to read; never over a file that is there
    #[arg(long, value_name = "FILE")]
    pub(crate) png: Option<PathBuf>,
    /// Write the QR code as an SVG picture, the same way
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Store without asking for a code of the app: for provisioning
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
    /// Store without asking for one of the codes back: for provisioning
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
    /// For how long the code is valid, 5m to 7days
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
    /// Every account that may log in, and which of them will be refused
    #[arg(long, conflicts_with = "user")]
    pub(crate) all: bool,
    /// The PAM service; what its file says behind pam_twinlock.so counts
    #[arg(long, default_value = "sshd")]
    pub(crate) service: String,
    /// The address it comes from, as sshd gives it [default: from the host itself]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<String>,
    /// The kind of key that sshd verified before, as `ssh -Q key` spells it [default: none]
    #[arg(long, value_name = "TYPE", value_parser = KeyType::named)]
    pub(crate) key_type: Option<KeyType>,
    /// The day or the time (RFC 3339) [default: now]
    #[arg(long, value_name = "DATE", value_parser = point_in_time)]
    pub(crate) at: Option<UnixTime>,
    /// Print one JSON object, or with --all an array of them: user, service, from, key_type, at, rule (number, name, file,
    /// line, until; null if none fits),
    /// second_factor, remember, doubt, enrolled, outcome (passes, asked, enrolls or refused), key_alone (passes or
    /// refused: what the guard does of a login by key alone; null if the service is not sshd), notes
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ssh {
    /// Show what `enable` would change, as `diff -u` does, and what speaks against it; change nothing
    Plan(SshWhat),
    /// Change sshd's configuration and its PAM file, and undo that unless it is confirmed in time
    Enable(SshEnable),
    /// Keep what `enable` has changed
    Confirm,
    /// Say whether it is off, on trial and until when, or on
    Status(TrialStatusArguments),
    /// Put back what was there before `enable`
    Disable(TrialDisable),
    /// End a trial that nobody has confirmed: what `enable` starts
    #[command(hide = true)]
    Expire(TrialExpire),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Trial {
    /// Show what `enable` would change, as `diff -u` does, and what speaks against it; change nothing
    Plan,
    /// Change the PAM files, and undo that unless it is confirmed in time
    Enable(TrialEnable),
    /// Keep what `enable` has changed
    Confirm,
    /// Say whether it is off, on trial and until when, or on
    Status(TrialStatusArguments),
    /// Put back what was there before `enable`
    Disable(TrialDisable),
    /// End a trial that nobody has confirmed: what `enable` starts
    #[command(hide = true)]
    Expire(TrialExpire),
}

/// What sshd and PAM ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum SshMode {
    /// A key, then a code: recommended
    #[default]
    #[value(name = "key+code")]
    KeyAndCode,
    /// A password, then a code: for users who have no keys
    #[value(name = "password+code")]
    PasswordAndCode,
}

/// What `plan` and `enable` are about.
#[derive(Debug, Args)]
pub(crate) struct SshWhat {
    /// What is asked for
    #[arg(long, value_enum, default_value = "key+code")]
    pub(crate) mode: SshMode,
    /// Let users who are not enrolled enrol at their next login, until the end of this day in UTC: adds a rule to
    /// /etc/twinlock/config.toml, and gives a login five minutes. After that day, users who are not enrolled are denied
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
    /// Undo everything after this span, 1s to 1day, unless `confirm` comes before
    #[arg(long, value_name = "SPAN", default_value = "5m", value_parser = up_to_a_day)]
    pub(crate) r#try: Duration,
    /// Keep it at once, without a trial: for configuration management that has tried it elsewhere
    #[arg(long, conflicts_with = "try")]
    pub(crate) keep: bool,
    /// Although nobody with administrator rights is enrolled
    #[arg(long)]
    pub(crate) without_enrolled_admin: bool,
    /// Although no administrator could get in, or become root, if codes fail
    #[arg(long)]
    pub(crate) without_break_glass: bool,
    /// Although accounts that get in today are not enrolled and will be denied
    #[arg(long)]
    pub(crate) deny_unenrolled: bool,
    /// Although `twinlock doctor` finds that somebody would be locked out, or let in
    #[arg(long)]
    pub(crate) despite_lockouts: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EmergencyCommand {
    /// Ask nobody for a second factor, in no service and whatever the rules say, until the time is over or the host restarts
    Off {
        /// For how long, 1s to 1day
        #[arg(long = "for", value_name = "SPAN", default_value = "1h", value_parser = up_to_a_day)]
        span: Duration,
    },
    /// End it now
    On,
    /// Say whether second factors are off, and until when
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
    /// Although the files were changed since: that is lost
    #[arg(long)]
    pub(crate) discard_changes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TrialExpire {
    /// Which trial
    pub(crate) id: String,
    /// Seconds to wait before
    #[arg(long, default_value_t = 0)]
    pub(crate) after: u64,
    /// Before sshd starts, which waits for this
    #[arg(long)]
    pub(crate) at_boot: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Only what concerns this account
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// Only logins from this address [default: from outside, and from where sshd's Match lines speak of]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<IpAddr>,
    /// Print one JSON array: id, severity (lockout, open, warning or hint), found, place, why, mend. The exit status is 1 if
    /// anything above a hint was found
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Check only this configuration and its rules: for `validate` of configuration management
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
    /// As if sshd had verified a key of this kind before, as `ssh -Q key` spells it [default: none]
    #[arg(long, value_name = "TYPE", value_parser = KeyType::named)]
    pub(crate) key_type: Option<KeyType>,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The account
    pub(crate) user: String,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

pub(crate) fn label(text: &str) -> Result<Label, &'static str> {
    Label::parse(text).ok_or(Label::RULE)
}

fn up_to_a_day(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text).map_err(|bad| bad.to_string())?;
    let known = Duration::from_secs(1)..=Duration::from_hours(24);
    if known.contains(&span) { Ok(span) } else { Err("it lasts from one second to one day".into()) }
}

/// The beginning of a day in UTC.
fn day(text: &str) -> Result<UnixTime, String> {
    UnixTime::parse(&format!("{text}T00:00:00Z")).map_err(|_| "a day such as 2027-01-31 is wanted".into())
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
