//! Moving in: what users had with another module, read into values and stored like an enrolment.
//!
//! The parsers are pure: bytes and the time in, values out. They read files that others may have made to do harm, so
//! they are strict: what is not understood whole is refused, by line and reason, and never repeated, because it may be
//! a secret. Nothing here opens a file; that and the order of many users are the command's.
//!
//! # Scratch codes
//! google-authenticator's scratch codes have 8 digits, 26.6 bits. At the prompt 8 digits are the code of an app
//! ([`twinlock_core::answer::Answer`]), and a recovery code has 16 symbols; trying the one as the other would double the work
//! and the ways of every wrong answer. So a scratch code is carried over as the recovery code that consists of it
//! *twice*: the paper in the drawer stays good, `12345678` is typed `12345678 12345678`, and neither the prompt, the
//! throttle nor the hash knows that there is anything special.
//!
//! That such a code has fewer bits than our own (80) costs nothing at the door: incorrect recovery codes have a count of
//! their own, which no correct code of an app takes back, and at a hundred of them recovery codes are disabled, so
//! guessing finds one of 5 scratch codes with 100 * 5 / 10^8 = 5e-6, the chance of two guesses at a 6-digit code. NIST
//! SP 800-63B-4 section 3.1.2 allows look-up secrets of 6 digits where they are throttled and hashed with salt. It is
//! less than section 4.2.1.1 wants of recovery codes (64 bits), and less than they deserve if the hashes are stolen,
//! which is why the command names `twinlock recovery new`.

mod error;
pub mod google_authenticator;
pub mod oath;
mod remark;
pub mod uri;

pub use error::{ImportError, ImportErrorKind};
pub use remark::{Remark, What};
use twinlock_core::{
    account::Subject,
    credentials::{AuthenticatorId, Enrolment, Label},
    otp::{MovingFactor, Otp},
    ports::Randomness,
    record::Record,
    recovery::{HashMemory, RecoveryCode},
    secret::Secret,
    time::UnixTime,
};
use twinlock_enrol::enrolment::{self, EnrolError, IfEnrolled, Parameters};
use twinlock_store::ports::{StateStore, WriteCredentials};

/// Everything that one user had. No `Debug`: it holds secrets.
#[derive(Clone)]
pub struct Imported {
    /// At least one, and at most [`Enrolment::MOST_AUTHENTICATORS`].
    pub devices: Vec<ImportedDevice>,
    /// Scratch codes in the spelling of recovery codes (see the module), none twice.
    pub scratch_codes: Vec<RecoveryCode>,
    /// What was left behind, and what should be better.
    pub remarks: Vec<Remark>,
}

/// One app or device that a user had.
#[derive(Clone)]
pub struct ImportedDevice {
    /// What to call it.
    pub label: Label,
    /// How its codes are made; a counter stands where it stood.
    pub otp: Otp,
    /// The last step that was used elsewhere: used codes stay used.
    pub last_step: Option<u64>,
    /// Steps by which its clock is ahead of the host's.
    pub drift: i64,
}

/// An import that can be stored: hashed, and with ids. No `Debug`: it holds secrets.
pub struct PreparedImport {
    /// What the user will hold.
    pub enrolment: Enrolment,
    pasts: Vec<(AuthenticatorId, u64, i64)>,
}

impl Imported {
    /// The label of what is imported without one.
    const LABEL: &str = "imported";
    /// Counters up to here are carried: TOML has signed numbers, and no token was pressed so often.
    const LARGEST_COUNTER: u64 = i64::MAX.unsigned_abs() / 2;

    /// Leaves the scratch codes behind.
    pub fn drop_scratch_codes(&mut self) {
        let count = self.scratch_codes.len();
        if count > 0 {
            self.scratch_codes.clear();
            self.remarks.push(Remark { line: None, what: What::ScratchCodes { count } });
        }
    }

    /// Takes over what is known of the same secrets from logins here: a code that was used stays used, also where an
    /// older file is put in the place of what the user has.
    pub fn remember(&mut self, now_held: &Enrolment, record: &Record) {
        for device in &mut self.devices {
            let known = now_held.authenticators.iter().filter(|one| one.otp.shares_key_with(&device.otp));
            let here = known.filter_map(|one| match (record.replay_state(&one.id).last_step, one.otp.factor()) {
                (None, MovingFactor::Counter { first }) => first.checked_sub(1),
                (last_step, _) => last_step,
            });
            device.last_step = device.last_step.max(here.max());
        }
    }

    /// Gives ids, and hashes the scratch codes: one Argon2 run each, which is where the time of an import goes.
    ///
    /// # Errors
    /// [`EnrolError::Randomness`], [`EnrolError::Recovery`].
    pub fn prepare(
        &self,
        subject: &Subject,
        now: UnixTime,
        randomness: &mut dyn Randomness,
        memory: &mut HashMemory,
    ) -> Result<PreparedImport, EnrolError> {
        let mut authenticators = Vec::with_capacity(self.devices.len());
        let mut pasts = Vec::with_capacity(self.devices.len());
        for ImportedDevice { label, otp, last_step, drift } in &self.devices {
            let parameters = Parameters { algorithm: otp.algorithm(), digits: otp.digits(), factor: otp.factor() };
            let label_and_secret = (label.clone(), otp.secret().clone());
            let authenticator = enrolment::new_authenticator(label_and_secret, parameters, now, randomness)?;
            if let Some(step) = last_step {
                pasts.push((authenticator.id.clone(), *step, *drift));
            }
            authenticators.push(authenticator);
        }
        let recovery = if self.scratch_codes.is_empty() {
            None
        } else {
            Some(enrolment::hash_recovery_codes(&self.scratch_codes, now, randomness, memory)?)
        };
        let (user, uid) = (subject.name.clone(), Some(subject.uid));
        Ok(PreparedImport { enrolment: Enrolment { user, uid, authenticators, recovery }, pasts })
    }
}

impl PreparedImport {
    /// Stores it whole or not at all; used steps are on record before the first login can ask for them.
    ///
    /// # Errors
    /// As for [`enrolment::store_enrolment_with`].
    pub fn store<C: WriteCredentials, S: StateStore>(
        &self,
        stores: (&C, &S),
        subject: &Subject,
        if_enrolled: (IfEnrolled, UnixTime),
    ) -> Result<(), EnrolError> {
        enrolment::store_enrolment_with(stores, subject, &self.enrolment, if_enrolled, |record| {
            self.record_uses(record);
        })
    }

    fn record_uses(&self, record: &mut Record) {
        for (id, step, drift) in &self.pasts {
            let otp = self.enrolment.authenticators.iter().find(|one| one.id == *id).map(|one| &one.otp);
            let seconds = otp.and_then(Otp::period).map_or(0, |period| step.saturating_mul(period.into()));
            record.use_step(id, *step, UnixTime::from_seconds(seconds));
            record.set_drift(id, *drift);
        }
    }
}

/// Fewer bits than RFC 4226 recommends are carried, and said.
fn remark_on(secret: &Secret, line: Option<usize>) -> Option<Remark> {
    let bits = secret.bytes().len().saturating_mul(8);
    (secret.bytes().len() < Secret::NEW).then_some(Remark { line, what: What::ShortSecret { bits } })
}

/// The label that nobody chose, or one of several.
fn numbered_label(number: usize) -> Label {
    Label::numbered(Imported::LABEL, number)
}

/// A number of ASCII digits alone: no sign, no space.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn counter(text: &str) -> Option<u64> {
    number(text).filter(|counter| *counter <= Imported::LARGEST_COUNTER)
}

/// The file as text: not empty, not cut short, and without anything that is for no eye.
fn plain_text(file: &[u8], limit: usize) -> Result<&str, ImportError> {
    if file.len() > limit {
        return Err(ImportErrorKind::TooLarge(limit).nowhere());
    }
    if file.is_empty() {
        return Err(ImportErrorKind::Empty.nowhere());
    }
    let line_at = |offset: usize| file.get(..offset).unwrap_or_default().split(|byte| *byte == b'\n').count();
    let text = std::str::from_utf8(file).map_err(|bad| ImportErrorKind::NotText.at(line_at(bad.valid_up_to())))?;
    // A carriage return is part of an end of line or of nothing.
    let odd = text.char_indices().find(|(offset, c)| match c {
        '\t' | '\n' => false,
        '\r' => file.get(offset.saturating_add(1)) != Some(&b'\n'),
        other => other.is_control(),
    });
    if let Some((offset, _)) = odd {
        return Err(ImportErrorKind::NotText.at(line_at(offset)));
    }
    // Files that programs write end with their line. One that does not may have lost the end of a counter.
    if !text.ends_with('\n') {
        return Err(ImportErrorKind::CutShort.at(line_at(file.len())));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use twinlock_core::{account::UserName, credentials::Authenticator, otp::Algorithm};

    use super::*;

    #[test]
    fn what_was_used_here_stays_used() {
        let otp =
            |byte, factor| Otp::new(Secret::from_bytes(&[byte; 20]).unwrap(), Algorithm::Sha1, 6, factor).unwrap();
        let (clock, count) = (MovingFactor::Time { period: 30 }, |first| MovingFactor::Counter { first });
        let held = |id: &str, otp: Otp| Authenticator {
            id: AuthenticatorId::parse(id).unwrap(),
            label: numbered_label(1),
            otp,
            created: None,
            suspended: false,
        };
        let user = UserName::parse(b"alice").unwrap();
        let authenticators = vec![held("a", otp(1, clock)), held("b", otp(2, count(9))), held("c", otp(3, count(0)))];
        let enrolment = Enrolment { user: user.clone(), uid: None, authenticators, recovery: None };
        let mut record = Record::new(&Subject { name: user, uid: 1 });
        record.use_step(&AuthenticatorId::parse("a").unwrap(), 70, UnixTime::default());
        let remembered = |otp: Otp, last_step| {
            let devices = vec![ImportedDevice { label: numbered_label(1), otp, last_step, drift: 0 }];
            let mut imported = Imported { devices, scratch_codes: Vec::new(), remarks: Vec::new() };
            imported.remember(&enrolment, &record);
            imported.devices[0].last_step
        };
        assert_eq!(remembered(otp(1, clock), None), Some(70));
        assert_eq!(remembered(otp(1, clock), Some(71)), Some(71));
        assert_eq!(remembered(otp(1, count(5)), None), None);
        assert_eq!(remembered(otp(2, count(5)), None), Some(8));
        assert_eq!(remembered(otp(3, count(5)), None), None);
        assert_eq!(remembered(otp(4, clock), Some(3)), Some(3));
    }

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        for (text, wanted) in [("0", Some(0)), ("007", Some(7)), ("", None), ("+1", None), ("-1", None), (" 1", None)] {
            assert_eq!(number::<u64>(text), wanted, "{text}");
        }
        assert_eq!(number::<u32>("4294967296"), None);
        assert_eq!(counter(&u64::MAX.to_string()), None);
    }

    #[test]
    fn a_file_is_text_with_whole_lines() {
        let refused = |file: &[u8]| plain_text(file, 16).err();
        assert_eq!(refused(b"a\tb\r\nc\n"), None);
        assert_eq!(refused(b""), Some(ImportErrorKind::Empty.nowhere()));
        assert_eq!(refused(b"a\nb\nc"), Some(ImportErrorKind::CutShort.at(3)));
        assert_eq!(refused(b"a\nb\x1b[31m\n"), Some(ImportErrorKind::NotText.at(2)));
        assert_eq!(refused(b"a\rb\n"), Some(ImportErrorKind::NotText.at(1)));
        assert_eq!(refused(b"a\n\n\xff\n"), Some(ImportErrorKind::NotText.at(3)));
        assert_eq!(refused(b"a\0\n"), Some(ImportErrorKind::NotText.at(1)));
        assert_eq!(refused(&[b'\n'; 17]), Some(ImportErrorKind::TooLarge(16).nowhere()));
    }
}
