//! What users read from the command and the broker about their second factor, in mails, and about an import.
//!
//! A [`RequestError`] says what happened to what; its hint says what to do next.

use std::fmt;

use twinlock_core::{
    catalogue::{Catalogue, Phrase, UserText},
    credentials::Enrolment,
    devices::DeviceError,
    layout::wrapped,
    notice::Change,
    ports::NoAnswer,
    recovery::RecoverySet,
    secret::SecretError,
    time::UnixTime,
};
use twinlock_enrol::{dialogue::GivenUp, enrolment::EnrolError};
use twinlock_login::wire::{FrameError, VERSION};
use twinlock_store::ports::StoreError;

use crate::{
    error::{MailError, Owned, RequestError, RequestErrorKind},
    import::{ImportError, ImportErrorKind, Remark, What},
    self_service::SelfServiceText,
};

// Identity and permission.

/// Something that users may do themselves where `[self_service]` allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SelfServiceAction {
    Enrol,
    AddDevice,
    Replace,
    RenewRecoveryCodes,
    ChangeDevice,
    Remove,
}

/// `[self_service]` does not allow it.
pub(crate) fn reserved_for_administrators(action: SelfServiceAction) -> RequestError {
    let text = match action {
        SelfServiceAction::Enrol => SelfServiceText::AdminsEnrol,
        SelfServiceAction::AddDevice => SelfServiceText::AdminsAdd,
        SelfServiceAction::Replace => SelfServiceText::AdminsReplace,
        SelfServiceAction::RenewRecoveryCodes => SelfServiceText::AdminsRenew,
        SelfServiceAction::ChangeDevice => SelfServiceText::AdminsChange,
        SelfServiceAction::Remove => SelfServiceText::AdminsRemove,
    };
    RequestError::with_text(RequestErrorKind::NotPermitted, text).advice(SelfServiceText::AskAdministrator)
}

/// `first_enrollment = "off"`.
pub(crate) fn first_enrolment_off() -> RequestError {
    RequestError::with_text(RequestErrorKind::NotPermitted, SelfServiceText::AdminsEnrolFirst)
        .advice(SelfServiceText::AskAdministrator)
}

/// Storing an authenticator that nobody has confirmed.
pub(crate) fn skipping_confirmation_needs_root() -> RequestError {
    not_permitted("only root can use --no-confirm").hint("run the command without --no-confirm")
}

/// Enrolling with a secret that exists already.
#[must_use]
pub fn given_secret_needs_root() -> RequestError {
    not_permitted("only root can enrol an account with an existing secret")
        .hint("run the command without a secret, and Twinlock makes one")
}

/// A user wants for their own account what only others may do for it.
pub(crate) fn needs_root_or_help_desk() -> RequestError {
    not_permitted("only root and the help desk can do this for your account").hint(ASK_ADMINISTRATOR)
}

// The help desk.

/// In the log: the help desk was shown a status.
pub(crate) const HELP_STATUS: &str = "status";

/// In the log: the help desk was refused something.
pub(crate) const HELP_REFUSED: &str = "refused";

/// A user who is neither root nor of the help desk names another account.
#[must_use]
pub fn not_yours() -> RequestError {
    RequestError::with_text(RequestErrorKind::NotPermitted, SelfServiceText::NotYours)
        .advice(SelfServiceText::WithoutUserName)
}

/// A member of the help desk names their own account.
pub(crate) fn help_for_oneself() -> RequestError {
    not_permitted("the help desk cannot help its own members").hint(ASK_ADMINISTRATOR)
}

/// A code for the account would give the help desk rights that it does not have.
pub(crate) fn protected_from_the_help_desk(user: &str) -> RequestError {
    not_permitted(&format!("the help desk cannot help {user}, who has more rights than a user")).hint(ASK_ADMINISTRATOR)
}

/// The help desk wants something else than to help.
pub(crate) fn not_for_the_help_desk() -> RequestError {
    not_permitted("the help desk can show a status, unlock an account and issue a code").hint(ASK_ADMINISTRATOR)
}

/// An issued code would be valid for too long, or end before it can be typed.
pub(crate) fn issued_for_too_long_or_short() -> RequestError {
    refused("an issued code can be valid for 5 minutes to 7 days")
}

/// A user who needs a second factor wants to remove it.
pub(crate) fn second_factor_required() -> RequestError {
    RequestError::with_text(RequestErrorKind::NotPermitted, SelfServiceText::SecondFactorRequired)
        .advice(SelfServiceText::ReplaceInstead)
}

/// A code that may be that of an intruder who made the changes.
pub(crate) fn proof_is_too_new() -> RequestError {
    RequestError::with_text(RequestErrorKind::NotPermitted, SelfServiceText::ProofTooNew)
        .advice(SelfServiceText::OlderProof)
}

fn not_permitted(why: &str) -> RequestError {
    RequestError::new(RequestErrorKind::NotPermitted, format!("not permitted: {why}"))
}

const ASK_ADMINISTRATOR: &str = "ask your administrator";

// Errors of a change.

/// The account has no second factor.
pub(crate) fn not_enrolled(user: &str) -> RequestError {
    RequestError::with_text(RequestErrorKind::NotEnrolled, for_user(user, SelfServiceText::NotEnrolled))
        .advice(for_user(user, SelfServiceText::EnrolFirst))
}

/// A question of the dialogue was not answered, or not correctly.
pub(crate) fn not_confirmed() -> RequestError {
    refusal(SelfServiceText::NotConfirmed).advice(SelfServiceText::AtHand)
}

/// The store of this host cannot be used.
pub(crate) fn store_error(error: &StoreError) -> RequestError {
    RequestError::new(RequestErrorKind::Host, error.to_string()).hint(error.hint())
}

/// An enrolment of `user` that failed.
pub(crate) fn enrol_error(error: &EnrolError, user: &str) -> RequestError {
    match error {
        EnrolError::Store(error) => store_error(error),
        EnrolError::AlreadyEnrolled => {
            refusal(for_user(user, SelfServiceText::AlreadyEnrolled)).advice(SelfServiceText::AddOrReplace)
        }
        EnrolError::NotEnrolled => not_enrolled(user),
        EnrolError::ChangedMeanwhile => refusal(for_user(user, SelfServiceText::ChangedMeanwhile))
            .advice(for_user(user, SelfServiceText::SeeStatus)),
        EnrolError::Device(error) => device_error(error, user),
        EnrolError::Parameters(error) => refused(error.to_string()),
        EnrolError::Randomness(_) | EnrolError::Recovery(_) => {
            RequestError::new(RequestErrorKind::Host, error.to_string())
        }
    }
}

fn device_error(error: &DeviceError, user: &str) -> RequestError {
    let (text, advice) = match error {
        DeviceError::NoSuch => (SelfServiceText::NoSuchDevice, SelfServiceText::ListDevices),
        DeviceError::SeveralSuch => (SelfServiceText::SeveralDevices, SelfServiceText::UseId),
        DeviceError::LooksAlike => (SelfServiceText::LabelTaken, SelfServiceText::OtherLabel),
        DeviceError::Last => (SelfServiceText::LastDevice, SelfServiceText::RemoveAltogether),
        DeviceError::TooMany => (SelfServiceText::TooManyDevices, SelfServiceText::RemoveDeviceFirst),
    };
    refusal(for_user(user, text).with("count", Enrolment::MOST_AUTHENTICATORS)).advice(for_user(user, advice))
}

fn refused(message: impl Into<String>) -> RequestError {
    RequestError::new(RequestErrorKind::Refused, message)
}

/// A refusal that users read in their language.
fn refusal(phrase: impl Into<Phrase<SelfServiceText>>) -> RequestError {
    RequestError::with_text(RequestErrorKind::Refused, phrase)
}

/// A text with the name of the user.
fn for_user(user: &str, text: SelfServiceText) -> Phrase<SelfServiceText> {
    Phrase::from(text).with("user", user)
}

// Codes that were not accepted.

/// Too soon after the last failure.
pub(crate) fn too_soon(seconds: u64) -> RequestError {
    let text = if seconds == 1 { SelfServiceText::NotCheckedOne } else { SelfServiceText::NotChecked };
    refusal(Phrase::from(text).with("seconds", seconds))
}

/// Standard input ended, or the user left.
pub(crate) fn no_code() -> RequestError {
    refusal(SelfServiceText::NoCode).advice(SelfServiceText::EnterCode)
}

/// A code that is correct at another time: the two clocks differ by so many seconds.
pub(crate) fn code_of_another_time(offset: i64, user: &str) -> RequestError {
    let text = if offset.unsigned_abs() == 1 { SelfServiceText::OtherTimeOne } else { SelfServiceText::OtherTime };
    refusal(Phrase::from(text).with("seconds", format_args!("{offset:+}")))
        .advice(for_user(user, SelfServiceText::SetClock))
}

/// Neither a current code nor a recovery code.
pub(crate) fn incorrect_code(owned: Owned, user: &str) -> RequestError {
    let (text, advice) = match owned {
        Owned::Phones => (SelfServiceText::IncorrectCode, SelfServiceText::AutomaticTime),
        Owned::Tokens => (SelfServiceText::IncorrectTokenCode, SelfServiceText::PressedOften),
        Owned::Both => (SelfServiceText::IncorrectAnyCode, SelfServiceText::TimeOrPressed),
    };
    refusal(text).advice(for_user(user, advice))
}

/// A code that was accepted before.
pub(crate) fn used_code(owned: Owned) -> RequestError {
    refusal(SelfServiceText::UsedCode).advice(match owned {
        Owned::Phones => SelfServiceText::WaitForNext,
        Owned::Tokens => SelfServiceText::PressForNext,
        Owned::Both => SelfServiceText::WaitOrPress,
    })
}

/// Two codes were required and are not consecutive.
pub(crate) fn not_consecutive(user: &str) -> RequestError {
    refusal(SelfServiceText::NotConsecutive).advice(for_user(user, SelfServiceText::TwoConsecutive))
}

/// The two codes of a resync do not match.
pub(crate) fn resync_mismatch(owned: Owned) -> RequestError {
    let (text, advice) = match owned {
        Owned::Phones => (SelfServiceText::ResyncApp, SelfServiceText::ResyncAppHint),
        Owned::Tokens => (SelfServiceText::ResyncToken, SelfServiceText::ResyncTokenHint),
        Owned::Both => (SelfServiceText::ResyncAny, SelfServiceText::ResyncAnyHint),
    };
    refusal(text).advice(advice)
}

/// An answer that has not the form of a code.
pub(crate) fn not_a_code() -> RequestError {
    refusal(SelfServiceText::NotACode).advice(SelfServiceText::NotCounted)
}

/// Too many consecutive failures.
pub(crate) fn disabled(user: &str) -> RequestError {
    refusal(for_user(user, SelfServiceText::CodesDisabled)).advice(for_user(user, SelfServiceText::RootUnlocks))
}

/// The host is not in order; `detail` is what the log says.
pub(crate) fn not_verified(detail: String) -> RequestError {
    RequestError::new(RequestErrorKind::Host, "the code could not be verified").hint(detail)
}

// The broker's protocol.

/// A request that this broker cannot read.
pub(crate) fn request_not_understood(error: &str) -> RequestError {
    refused(format!("the broker does not understand the request: {error}")).hint(SAME_VERSION)
}

/// A request in another version of the protocol.
pub(crate) fn other_protocol(version: u8) -> RequestError {
    refused(format!("the broker uses version {VERSION} of the protocol, and the command version {version}"))
        .hint(SAME_VERSION)
}

const SAME_VERSION: &str = "restart twinlockd after an upgrade: it must have the version of the command";

/// The connection ended before the broker's last message.
pub(crate) fn broker_failed(error: &FrameError) -> RequestError {
    refused(format!("the broker did not finish the request: {error}"))
        .hint("see `twinlock status` for whether anything was changed, and the log of this host for the cause")
}

impl fmt::Display for RequestError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

// Mails.

/// A change, for a mail about it.
pub(crate) struct MailedChange<'a> {
    pub(crate) user: &'a str,
    pub(crate) change: Change,
    pub(crate) at: UnixTime,
    /// The service of the login in which it was made, and where that came from.
    pub(crate) login: Option<(&'a str, Option<&'a str>)>,
}

impl MailedChange<'_> {
    /// The subject of the mail, and its body.
    pub(crate) fn texts(&self, host: &str, catalogue: &Catalogue) -> (String, String) {
        let values = [("user", self.user), ("host", host)];
        let when = catalogue.fill(UserText::OnTime, &[("time", &self.at.to_string())]);
        let what = catalogue.fill(self.change.text(), &[("when", &when)]);
        let login = self.login.map(|(service, origin)| {
            let text = if origin.is_some() { UserText::MailLoginFrom } else { UserText::MailLogin };
            catalogue.fill(text, &[("service", service), ("origin", origin.unwrap_or_default())])
        });
        let [account, advice] = [UserText::MailAccount, UserText::MailAdvice].map(|text| catalogue.fill(text, &values));
        let about = [what].into_iter().chain(login).chain([account]).collect::<Vec<_>>().join(" ");
        (catalogue.fill(UserText::MailSubject, &values), format!("{}\n\n{}\n", wrapped(&about), wrapped(&advice)))
    }
}

impl fmt::Display for MailError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => write!(out, "the account has no valid mail address: {error}"),
            Self::Message(error) => write!(out, "cannot compose the mail: {error}"),
            Self::Run(error) => write!(out, "cannot run sendmail: {error}"),
            Self::Refused(status) => write!(out, "sendmail did not accept the mail: {status}"),
            Self::TooLong(patience) => {
                write!(out, "sendmail was stopped because it took longer than {} seconds", patience.as_secs())
            }
        }
    }
}

// Imports.

impl ImportError {
    /// What to do next. `user` is whose second factor it is, where that is known.
    #[must_use]
    pub fn hint(&self, user: Option<&str>) -> String {
        let enroll = user.map_or_else(|| "`twinlock enroll`".to_owned(), |user| format!("`twinlock enroll {user}`"));
        match self.reason {
            ImportErrorKind::Empty
            | ImportErrorKind::TooLarge(_)
            | ImportErrorKind::NotText
            | ImportErrorKind::Line
            | ImportErrorKind::NoFactor => {
                format!("check that this is the right file; otherwise {enroll} sets up a new second factor")
            }
            ImportErrorKind::CutShort => "if the file is complete, add a newline to its last line".into(),
            ImportErrorKind::Secret(SecretError::TooShort(_) | SecretError::TooLong) => {
                format!("enrol this user again: {enroll}")
            }
            ImportErrorKind::Otp(_) => {
                format!("Twinlock does not support such codes: {enroll} sets up a new second factor")
            }
            ImportErrorKind::Secret(SecretError::Encoding)
            | ImportErrorKind::Hexadecimal
            | ImportErrorKind::Value(_)
            | ImportErrorKind::Twice(_)
            | ImportErrorKind::Missing(_)
            | ImportErrorKind::ScratchCodes
            | ImportErrorKind::Devices
            | ImportErrorKind::Fields
            | ImportErrorKind::TokenType
            | ImportErrorKind::UserName => format!("fix the line; otherwise {enroll} sets up a new second factor"),
            ImportErrorKind::Scheme
            | ImportErrorKind::Lines
            | ImportErrorKind::PercentEncoding
            | ImportErrorKind::Parameter(_)
            | ImportErrorKind::Label => {
                "the address has the form otpauth://totp/LABEL?secret=BASE32&issuer=..., on one line".into()
            }
            ImportErrorKind::Migration => {
                format!("export a single entry as otpauth://; otherwise {enroll} sets up a new second factor")
            }
        }
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(out, "line {line}: ")?;
        }
        self.reason.fmt(out)
    }
}

impl fmt::Display for ImportErrorKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(out, "the input is empty"),
            Self::TooLarge(limit) => write!(out, "the input is larger than {limit} bytes"),
            Self::NotText => write!(out, "it is not plain text"),
            Self::CutShort => write!(out, "the last line has no end, so the file may be cut short"),
            Self::Secret(bad) => bad.fmt(out),
            Self::Hexadecimal => write!(out, "the secret is not hexadecimal"),
            Self::Otp(bad) => bad.fmt(out),
            Self::Value(name) => write!(out, "the value of {name} is not valid"),
            Self::Twice(name) => write!(out, "{name} occurs twice"),
            Self::Missing(name) => write!(out, "{name} is missing"),
            Self::Line => write!(out, "the line is neither an option nor a scratch code of 8 digits"),
            Self::NoFactor => {
                write!(
                    out,
                    "TOTP_AUTH and HOTP_COUNTER are both missing, so google-authenticator accepted no code either"
                )
            }
            Self::ScratchCodes => write!(out, "there are more than {} scratch codes", RecoverySet::LARGEST),
            Self::Devices => write!(out, "there are more than {} devices of one user", Enrolment::MOST_AUTHENTICATORS),
            Self::Fields => {
                write!(out, "the fields of a line are TYPE USER PIN KEY, then at most COUNTER, OTP and TIME")
            }
            Self::TokenType => {
                write!(out, "the type must be HOTP, HOTP/E, HOTP/T30 or HOTP/T60, and may end in /6, /7 or /8")
            }
            Self::UserName => write!(out, "the user name is not valid"),
            Self::Scheme => write!(out, "it is not an otpauth://totp/ or otpauth://hotp/ address"),
            Self::Migration => write!(out, "it is an app's export of several entries, not an otpauth:// address"),
            Self::Lines => write!(out, "it has more than one line"),
            Self::PercentEncoding => write!(out, "its percent-encoding is not valid"),
            Self::Parameter(number) => write!(out, "parameter {number} has no name or no value"),
            Self::Label => write!(out, "its label contains control characters"),
        }
    }
}

impl What {
    /// A keyword for it, for tables of many users.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::ShortSecret { .. } => "short secret",
            Self::Window => "WINDOW_SIZE",
            Self::RateLimit => "RATE_LIMIT",
            Self::Grace => "LASTn",
            Self::SkewLearning => "RESETTING_TIME_SKEW",
            Self::TimeSkew => "TIME_SKEW",
            Self::FutureStep => "DISALLOW_REUSE in the future",
            Self::UnknownOption => "unknown option",
            Self::ScratchCodes { .. } => "scratch codes",
            Self::Pin => "PIN",
            Self::AppOnly(name) => name,
            Self::UnknownParameter(_) => "unknown parameter",
            Self::LabelCut => "long label",
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(out, "line {line}: ")?;
        }
        self.what.fmt(out)
    }
}

impl fmt::Display for What {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortSecret { bits } => write!(
                out,
                "the secret has {bits} bits instead of the 160 that RFC 4226 recommends: use \
                 `twinlock enroll --replace` when convenient"
            ),
            Self::Window => {
                write!(
                    out,
                    "WINDOW_SIZE: Twinlock always accepts one time step before and after, or five presses ahead"
                )
            }
            Self::RateLimit => write!(out, "RATE_LIMIT: Twinlock has its own throttle, which counts failures only"),
            Self::Grace => write!(out, "LASTn: Twinlock asks for a code at every login, from whatever address"),
            Self::SkewLearning => {
                write!(out, "RESETTING_TIME_SKEW: Twinlock never adjusts a clock by itself; use `twinlock resync`")
            }
            Self::TimeSkew => write!(
                out,
                "TIME_SKEW: the clock is too far off: set it, or use `twinlock resync` where that is not possible"
            ),
            Self::FutureStep => {
                write!(
                    out,
                    "DISALLOW_REUSE contains a time step of the future: the clock of this host may have been wrong"
                )
            }
            Self::UnknownOption => write!(out, "an option that google-authenticator does not document"),
            Self::ScratchCodes { count: 1 } => write!(out, "1 scratch code, because of --no-scratch-codes"),
            Self::ScratchCodes { count } => write!(out, "{count} scratch codes, because of --no-scratch-codes"),
            Self::Pin => write!(out, "the PIN: let pam_unix or another module ask for a password"),
            Self::AppOnly(name) => write!(out, "{name}: only the app uses it"),
            Self::UnknownParameter(number) => write!(out, "parameter {number} is unknown"),
            Self::LabelCut => write!(out, "the label was shortened to 64 characters"),
        }
    }
}

// Errors of others as those of a request.

impl RequestError {
    /// The user has no second factor.
    #[must_use]
    pub fn not_enrolled(user: &str) -> Self {
        not_enrolled(user)
    }
}

impl From<StoreError> for RequestError {
    fn from(error: StoreError) -> Self {
        store_error(&error)
    }
}

impl From<NoAnswer> for RequestError {
    fn from(_: NoAnswer) -> Self {
        not_confirmed()
    }
}

impl From<GivenUp> for RequestError {
    fn from(given_up: GivenUp) -> Self {
        match given_up {
            GivenUp::NoAnswer(none) => none.into(),
            GivenUp::NoCode | GivenUp::NoRecoveryCode => NoAnswer { code: 0 }.into(),
        }
    }
}
