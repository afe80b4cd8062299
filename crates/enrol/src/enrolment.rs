//! Enrolment: making a secret and recovery codes, confirming that the app has them, and storing all of it at once.
//!
//! Nothing here talks to anybody: the command and the module show what they must between the steps.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use twinlock_core::{
    account::Subject,
    answer::Answer,
    credentials::{Authenticator, AuthenticatorId, Enrolment, Label},
    devices::DeviceError,
    issued::IssuedCode,
    notice::Change,
    otp::{Algorithm, Match, MovingFactor, Otp, ReplayState, Window},
    ports::Randomness,
    record::{Record, Use},
    recovery::{HashMemory, RecoveryCode, RecoverySet, RecoverySetId},
    secret::Secret,
    time::UnixTime,
};
use twinlock_store::ports::{
    LockedState, ReadCredentials, SealErrorKind, StateStore, StoreError, StoreErrorKind, WriteCredentials,
};
use zeroize::Zeroizing;

pub use crate::error::EnrolError;
use crate::messages;

/// Whether an enrolment may take the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfEnrolled<'a> {
    /// Refuse if there is one.
    Fail,
    /// Replace it. Also the way out of files that cannot be read or are another uid's.
    Replace,
    /// Replace it if it is still the one of this [`Enrolment::identity`].
    ReplaceIf(&'a str),
}

/// How the codes of a new authenticator are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    pub algorithm: Algorithm,
    /// 6 to 8.
    pub digits: u8,
    /// What moves it.
    pub factor: MovingFactor,
}

impl Default for Parameters {
    /// SHA-1, 6 digits, 30 seconds: the only set that every app handles.
    fn default() -> Self {
        let factor = MovingFactor::Time { period: Otp::PERIOD };
        Self { algorithm: Algorithm::Sha1, digits: Otp::DIGITS, factor }
    }
}

impl Parameters {
    /// Which apps get a choice wrong. All of them accept the QR code, and then show codes that are refused.
    #[must_use]
    pub fn doubts(self) -> Vec<&'static str> {
        let mut doubts = Vec::new();
        match self.algorithm {
            Algorithm::Sha1 => {}
            Algorithm::Sha256 => doubts.push(messages::SHA256_DOUBT),
            Algorithm::Sha512 => doubts.push(messages::SHA512_DOUBT),
        }
        if self.digits != Otp::DIGITS {
            doubts.push(messages::DIGITS_DOUBT);
        }
        if matches!(self.factor, MovingFactor::Time { period } if period != Otp::PERIOD) {
            doubts.push(messages::PERIOD_DOUBT);
        }
        doubts
    }
}

/// Makes a secret of 160 random bits.
///
/// # Errors
/// [`EnrolError::Randomness`].
///
/// # Panics
/// Never: the size is fixed.
pub fn new_secret(randomness: &mut dyn Randomness) -> Result<Secret, EnrolError> {
    let mut bytes = Zeroizing::new([0; Secret::NEW]);
    fill(randomness, bytes.as_mut_slice())?;
    Ok(Secret::from_bytes(bytes.as_slice()).expect("20 bytes are a secret"))
}

/// Makes an authenticator with a random id of a secret.
///
/// # Errors
/// [`EnrolError::Randomness`].
pub fn new_authenticator(
    (label, secret): (Label, Secret),
    Parameters { algorithm, digits, factor }: Parameters,
    now: UnixTime,
    randomness: &mut dyn Randomness,
) -> Result<Authenticator, EnrolError> {
    let otp = Otp::new(secret, algorithm, digits, factor).map_err(EnrolError::Parameters)?;
    Ok(Authenticator {
        id: AuthenticatorId::from_random(id_bytes(randomness)?),
        label,
        otp,
        created: Some(now),
        suspended: false,
    })
}

/// Makes a new set of recovery codes. Shown once, by the caller; only hashes are stored.
///
/// # Errors
/// [`EnrolError::Randomness`], [`EnrolError::Recovery`].
pub fn new_recovery_codes(
    now: UnixTime,
    randomness: &mut dyn Randomness,
) -> Result<(Vec<RecoveryCode>, RecoverySet), EnrolError> {
    let mut codes = Vec::with_capacity(usize::from(RecoverySet::NEW));
    for _ in 0..RecoverySet::NEW {
        codes.push(new_recovery_code(randomness)?);
    }
    let set = hash_recovery_codes(&codes, now, randomness, &mut HashMemory::default())?;
    Ok((codes, set))
}

/// Makes one code of the form of recovery codes.
///
/// # Errors
/// [`EnrolError::Randomness`].
pub fn new_recovery_code(randomness: &mut dyn Randomness) -> Result<RecoveryCode, EnrolError> {
    let mut bytes = Zeroizing::new([0; RecoveryCode::BYTES]);
    fill(randomness, bytes.as_mut_slice())?;
    Ok(RecoveryCode::from_random(&bytes))
}

/// Makes a set of recovery codes that exist already, under a new salt and a new name; one Argon2 run a code.
///
/// # Errors
/// [`EnrolError::Randomness`], [`EnrolError::Recovery`].
pub fn hash_recovery_codes(
    codes: &[RecoveryCode],
    now: UnixTime,
    randomness: &mut dyn Randomness,
    memory: &mut HashMemory,
) -> Result<RecoverySet, EnrolError> {
    let mut salt = [0; 16];
    fill(randomness, &mut salt)?;
    RecoverySet::hashed_in(memory, RecoverySetId::from_random(id_bytes(randomness)?), now, codes, salt)
        .map_err(EnrolError::Recovery)
}

/// The step of the code that the user typed to show that the app works; `None` if it is not a current code. A token may
/// have been pressed before it came here.
#[must_use]
pub fn confirm(authenticator: &Authenticator, typed: &[u8], now: UnixTime) -> Option<u64> {
    let Answer::Otp(code) = Answer::read(typed) else {
        return None;
    };
    let window = match authenticator.otp.factor() {
        MovingFactor::Time { .. } => Window::Login,
        MovingFactor::Counter { .. } => Window::Resync,
    };
    match authenticator.otp.find(&code, now, ReplayState::default(), window) {
        Match::Fresh(step) => Some(step),
        Match::Replayed | Match::Nothing => None,
    }
}

/// New codes as people are shown them, two a line.
#[must_use]
pub fn listed(codes: &[RecoveryCode]) -> Zeroizing<String> {
    // Room for all of it at once: a growing buffer would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(codes.len().saturating_mul(32)));
    for pair in codes.chunks(2) {
        for code in pair {
            text.push_str("    ");
            text.push_str(&code.formatted());
        }
        text.push('\n');
    }
    text
}

/// Whether one of the codes was typed back, as proof that they were kept.
#[must_use]
pub fn typed_back(codes: &[RecoveryCode], typed: &[u8]) -> bool {
    matches!(Answer::read(typed), Answer::Recovery(typed) if codes.iter().any(|code| code.same_as(&typed)))
}

/// What an authenticator app scans (Key URI format). Defaults are left out, and the secret comes first, so that the QR
/// code stays small and every app reads it.
#[must_use]
pub fn uri(authenticator: &Authenticator, issuer: &str, user: &str) -> Zeroizing<String> {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let (issuer, user) = (utf8_percent_encode(issuer, ESCAPED), utf8_percent_encode(user, ESCAPED));
    let otp = &authenticator.otp;
    // Room for all of it at once: a growing buffer would leave copies of the secret behind.
    let mut text = Zeroizing::new(String::with_capacity(4096));
    // Writing to a String cannot fail.
    let _ =
        write!(text, "otpauth://{}/{issuer}:{user}?secret={}&issuer={issuer}", otp.kind(), *otp.secret().to_base32());
    if otp.algorithm() != Algorithm::Sha1 {
        let _ = write!(text, "&algorithm={}", otp.algorithm().name());
    }
    if otp.digits() != Otp::DIGITS {
        let _ = write!(text, "&digits={}", otp.digits());
    }
    match otp.factor() {
        MovingFactor::Time { period: Otp::PERIOD } => {}
        MovingFactor::Time { period } => {
            let _ = write!(text, "&period={period}");
        }
        MovingFactor::Counter { first } => {
            let _ = write!(text, "&counter={first}");
        }
    }
    text
}

/// Stores an enrolment. `confirmed` is the step of the confirming code, which is thereby used.
///
/// # Errors
/// As for [`store_enrolment_with`].
pub fn store<C: WriteCredentials, S: StateStore>(
    stores: (&C, &S),
    subject: &Subject,
    (enrolment, confirmed): (&Enrolment, Option<u64>),
    if_enrolled: IfEnrolled<'_>,
    now: UnixTime,
) -> Result<(), EnrolError> {
    store_enrolment_with(stores, subject, enrolment, (if_enrolled, now), |record| {
        for authenticator in &enrolment.authenticators {
            if let Some(step) = confirmed {
                record.use_step(&authenticator.id, step, now);
            }
        }
    })
}

/// Stores an enrolment with what `note` says of its authenticators' earlier uses.
///
/// The state comes first: should the process die in between, a step is noted of an authenticator that is not there yet,
/// which harms nobody; the other way round a used code could be used again.
///
/// # Errors
/// [`EnrolError::AlreadyEnrolled`], [`EnrolError::Store`].
pub fn store_enrolment_with<C: WriteCredentials, S: StateStore>(
    (credentials, states): (&C, &S),
    subject: &Subject,
    enrolment: &Enrolment,
    (if_enrolled, now): (IfEnrolled<'_>, UnixTime),
    note: impl FnOnce(&mut Record),
) -> Result<(), EnrolError> {
    let mut state = match states.open_or_create(subject) {
        Err(error) if if_enrolled == IfEnrolled::Replace && is_beyond_use(&error) => {
            reset_state((credentials, states), subject, now)?
        }
        state => state?,
    };
    let mut stays_used = Vec::new();
    match credentials.read_ignoring_state(subject) {
        Ok(Some(_)) if if_enrolled == IfEnrolled::Fail => return Err(EnrolError::AlreadyEnrolled),
        Err(error) if if_enrolled != IfEnrolled::Replace || !is_beyond_use(&error) => {
            return Err(error.into());
        }
        Ok(held) if !if_enrolled.allows(held.as_ref()) => {
            // A record that was made just now would be taken for that of an enrolment which was lost.
            if held.is_none() && *state.record() == Record::new(subject) {
                state.remove()?;
            }
            return Err(EnrolError::ChangedMeanwhile);
        }
        Ok(Some(old)) => {
            if state.record().has_stale_entries(&old) {
                credentials.ensure_durable(subject)?;
            }
            let mut tidied = state.record().clone();
            tidied.prune(&old);
            state.change(&tidied)?;
            stays_used = uses_of_the_same_secrets(&old, enrolment, &tidied);
        }
        Ok(None) | Err(_) => {}
    }
    let before = state.record().clone();
    let mut next = Record { remembered: None, issued: Vec::new(), ..before.clone() };
    for used in stays_used {
        next.use_step(&used.id, used.last_step, used.last_used);
        next.set_drift(&used.id, used.drift);
    }
    note(&mut next);
    state.change(&without_notice(&next, &before))?;
    if let Err(error) = credentials.replace(subject, enrolment) {
        // A record that was made for this enrolment goes with it.
        if before == Record::new(subject) && matches!(credentials.read_ignoring_state(subject), Ok(None)) {
            state.remove()?;
        }
        return Err(error.into());
    }
    next.throttle = next.throttle.after_reenrolment();
    next.prune(enrolment);
    next.provisional = false;
    state.change(&next)?;
    Ok(())
}

/// What was used of secrets that a new enrolment has again, under its own ids: a code that was used opens nothing more.
fn uses_of_the_same_secrets(old: &Enrolment, new: &Enrolment, record: &Record) -> Vec<Use> {
    let of = |one: &Authenticator| {
        let twins = old.authenticators.iter().filter(|twin| twin.otp.shares_key_with(&one.otp));
        let last = twins.filter_map(|twin| record.use_of(&twin.id)).max_by_key(|used| used.last_step)?;
        Some(Use { id: one.id.clone(), ..last.clone() })
    };
    new.authenticators.iter().filter_map(of).collect()
}

/// A new record in the place of one that cannot be used. Until the enrolment is replaced or removed, which may fail or
/// never come, the old one holds: nothing of it that may have been used may open anything again.
///
/// # Errors
/// [`StoreError`].
pub fn reset_state<C: ReadCredentials, S: StateStore>(
    (credentials, states): (&C, &S),
    subject: &Subject,
    now: UnixTime,
) -> Result<S::Locked, StoreError> {
    let held = match credentials.read(subject) {
        // They open nothing.
        Err(error) if is_beyond_use(&error) => None,
        held => held?,
    };
    let record = held.map_or_else(|| Record::new(subject), |held| Record::assume_everything_used(subject, &held, now));
    states.reset(subject, &record)
}

/// The record without the news of a change that has not come about yet.
fn without_notice(next: &Record, before: &Record) -> Record {
    Record { notice: before.notice, extra: before.extra.clone(), ..next.clone() }
}

/// Changes an enrolment under its user's lock. What `change` notes in the record is stored before the enrolment, so it
/// must mean nothing to the old one; what the new one has no use for is dropped from the record afterwards.
///
/// # Errors
/// [`EnrolError::NotEnrolled`], [`EnrolError::Store`], and what `change` says.
pub fn update_enrolment<C: WriteCredentials, S: StateStore, T>(
    (credentials, states): (&C, &S),
    subject: &Subject,
    change: impl FnOnce(&mut Enrolment, &mut Record) -> Result<T, EnrolError>,
) -> Result<T, EnrolError> {
    // Before a record is made, which would be taken for that of an enrolment which was lost.
    credentials.read(subject)?.ok_or(EnrolError::NotEnrolled)?;
    let mut state = states.open_or_create(subject)?;
    let mut enrolment = credentials.read_ignoring_state(subject)?.ok_or(EnrolError::NotEnrolled)?;
    if state.record().has_stale_entries(&enrolment) {
        credentials.ensure_durable(subject)?;
    }
    let mut next = Record { remembered: None, ..state.record().clone() };
    next.prune(&enrolment);
    let outcome = change(&mut enrolment, &mut next)?;
    let first = without_notice(&next, state.record());
    if first != *state.record() {
        state.change(&first)?;
    }
    credentials.replace(subject, &enrolment)?;
    next.prune(&enrolment);
    next.provisional = false;
    if next != *state.record() {
        state.change(&next)?;
    }
    Ok(outcome)
}

/// Puts an authenticator beside those that the user has: what [`update_enrolment`] is asked to do.
///
/// # Errors
/// [`DeviceError::TooMany`], [`DeviceError::LooksAlike`].
pub fn add(
    enrolment: &mut Enrolment,
    record: &mut Record,
    (authenticator, confirmed): (Authenticator, Option<u64>),
    now: UnixTime,
) -> Result<(), EnrolError> {
    if enrolment.authenticators.len() >= Enrolment::MOST_AUTHENTICATORS {
        return Err(DeviceError::TooMany.into());
    }
    enrolment.check_label(&authenticator.label, None)?;
    if let Some(step) = confirmed {
        record.use_step(&authenticator.id, step, now);
    }
    enrolment.authenticators.push(authenticator);
    Ok(())
}

/// Puts a new set of recovery codes in the place of the old one, and leaves everything else: what [`update_enrolment`] is asked to do.
pub fn renew_recovery(enrolment: &mut Enrolment, record: &mut Record, set: RecoverySet) {
    enrolment.recovery = Some(set);
    record.throttle.recovery_failures = 0;
}

/// Keeps an issued code in the record of its user. Where there are as many as there may be, the oldest ends.
///
/// # Errors
/// [`EnrolError::ChangedMeanwhile`] if the recovery codes are not those with which it was hashed, [`EnrolError::NotEnrolled`],
/// [`EnrolError::Store`].
pub fn store_issued_code<C: ReadCredentials, S: StateStore>(
    (credentials, states): (&C, &S),
    subject: &Subject,
    issued: IssuedCode,
) -> Result<(), EnrolError> {
    // Before a record is made, which would be taken for that of an enrolment which was lost.
    credentials.read(subject)?.ok_or(EnrolError::NotEnrolled)?;
    let mut state = states.open_or_create(subject)?;
    let enrolment = state.enrolment(subject)?.ok_or(EnrolError::NotEnrolled)?;
    if enrolment.recovery_set_id() != issued.set {
        return Err(EnrolError::ChangedMeanwhile);
    }
    let mut next = Record { provisional: false, ..state.record().clone() };
    next.drop_expired(issued.issued);
    next.note_change(Change::RecoveryIssued, issued.issued);
    next.issue(issued);
    Ok(state.change(&next)?)
}

impl IfEnrolled<'_> {
    /// Whether what is there is what may be replaced.
    fn allows(self, held: Option<&Enrolment>) -> bool {
        match self {
            Self::Fail | Self::Replace => true,
            Self::ReplaceIf(identity) => held.is_some_and(|held| held.identity() == identity),
        }
    }
}

fn is_beyond_use(error: &StoreError) -> bool {
    matches!(
        error.kind,
        StoreErrorKind::Torn
            | StoreErrorKind::NewerVersion
            | StoreErrorKind::OtherUid { .. }
            | StoreErrorKind::OtherUser
            | StoreErrorKind::OtherName { .. }
            | StoreErrorKind::Credentials(_)
            | StoreErrorKind::TooLarge(_)
            | StoreErrorKind::Sealed(
                SealErrorKind::NotOpened(_) | SealErrorKind::InClear(_) | SealErrorKind::NotInForce(_)
            )
    )
}

/// The random bytes of a new id.
fn id_bytes(randomness: &mut dyn Randomness) -> Result<[u8; 6], EnrolError> {
    let mut bytes = [0; 6];
    fill(randomness, &mut bytes)?;
    Ok(bytes)
}

fn fill(randomness: &mut dyn Randomness, bytes: &mut [u8]) -> Result<(), EnrolError> {
    randomness.fill(bytes).map_err(EnrolError::Randomness)
}

impl From<DeviceError> for EnrolError {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

impl From<StoreError> for EnrolError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl std::error::Error for EnrolError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Randomness(error) => Some(error),
            Self::Parameters(error) => Some(error),
            Self::Recovery(error) => Some(error),
            Self::Device(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::AlreadyEnrolled | Self::NotEnrolled | Self::ChangedMeanwhile => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    struct Counting(u8);

    impl Randomness for Counting {
        fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
            for byte in bytes {
                *byte = self.0;
                self.0 = self.0.wrapping_add(1);
            }
            Ok(())
        }
    }

    struct Broken;

    impl Randomness for Broken {
        fn fill(&mut self, _: &mut [u8]) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    fn phone() -> Authenticator {
        let (label, mut random) = (Label::parse("phone").unwrap(), Counting(0));
        let secret = new_secret(&mut random).unwrap();
        new_authenticator((label, secret), Parameters::default(), UnixTime::default(), &mut random).unwrap()
    }

    #[test]
    fn the_uri_is_percent_encoded_and_leaves_the_defaults_out() {
        let secret = "AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT";
        for (issuer, user, label) in [
            ("web01.example.com", "alice", "web01.example.com:alice"),
            ("Example Ltd", "al:ice@x", "Example%20Ltd:al%3Aice%40x"),
            ("Büro", "DOM\\al", "B%C3%BCro:DOM%5Cal"),
        ] {
            let name = label.split(':').next().unwrap();
            assert_eq!(
                uri(&phone(), issuer, user).as_str(),
                format!("otpauth://totp/{label}?secret={secret}&issuer={name}")
            );
        }
    }

    #[test]
    fn a_code_of_now_confirms_and_gives_its_step() {
        let phone = phone();
        let now = UnixTime::from_seconds(1_795_492_800);
        let step = phone.otp.step_at(now, ReplayState::default());
        assert_eq!(confirm(&phone, phone.otp.code(step).as_bytes(), now), Some(step));
        assert_eq!(confirm(&phone, phone.otp.code(step + 5).as_bytes(), now), None);
        assert_eq!(confirm(&phone, b"", now), None);
    }

    #[test]
    fn without_randomness_nothing_is_made() {
        assert!(matches!(new_secret(&mut Broken), Err(EnrolError::Randomness(_))));
        assert!(matches!(new_recovery_codes(UnixTime::default(), &mut Broken), Err(EnrolError::Randomness(_))));
    }

    #[test]
    fn a_new_set_has_ten_different_codes() {
        let (codes, set) = new_recovery_codes(UnixTime::default(), &mut Counting(0)).unwrap();
        let mut shown: Vec<String> = codes.iter().map(|code| code.formatted().to_string()).collect();
        shown.sort_unstable();
        shown.dedup();
        assert_eq!((shown.len(), set.ids().count()), (10, 10));
    }
}
