//! One-time passwords of RFC 4226 and RFC 6238, and the walk over the window of steps that may be right.
//!
//! The HMAC and the truncation are totp-rs's; the walk is ours, because the step that matched must be known and every
//! step must be looked at whatever the first ones said.

use subtle::{Choice, ConditionallySelectable};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{secret::Secret, time::UnixTime};

/// The hash under the HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// HMAC-SHA-1, the only one that every app computes.
    #[default]
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl Algorithm {
    /// As `otpauth://` spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    /// The algorithm of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha512].into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// A code that somebody typed: 6 to 8 ASCII digits. Wiped when dropped; no `Debug`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Code {
    digits: [u8; 8],
    length: usize,
}

impl Code {
    /// Takes exactly 6 to 8 ASCII digits.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if !(6..=8).contains(&text.len()) || !text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut digits = [0; 8];
        digits.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self { digits, length: text.len() })
    }

    fn as_str(&self) -> &str {
        self.digits.get(..self.length).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
    }
}

/// What a window held for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Match {
    /// The code of this step, which is above every step used before.
    Fresh(u64),
    /// The code of a step at or below the last one used.
    Replayed,
    /// No code of the window.
    Nothing,
}

/// A time-based authenticator (RFC 6238 with T0 = 0).
#[derive(Clone)]
pub struct Totp {
    secret: Secret,
    algorithm: Algorithm,
    digits: u8,
    period: u32,
}

/// A number of digits or seconds outside what [`Totp`] allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotpError {
    /// Codes have 6 to 8 digits (RFC 4226 section 5.3 asks for 6 at least; 31 bits give no more than 8 good ones).
    Digits,
    /// Steps last 15 to 120 seconds (NIST SP 800-63B-4 section 3.1.4: at most two minutes).
    Period,
}

impl Totp {
    /// 30 seconds, the default of RFC 6238 section 4.1 and the only period every app handles.
    pub const PERIOD: u32 = 30;
    /// 6 digits, as every app shows.
    pub const DIGITS: u8 = 6;
    /// Steps looked at before and after the current one (RFC 6238 section 5.2: one step for the delay of the network).
    pub const WINDOW: u64 = 1;

    /// An authenticator with the given parameters: `digits` 6 to 8, `period` 15 to 120 seconds.
    ///
    /// # Errors
    /// [`TotpError`].
    pub fn new(secret: Secret, algorithm: Algorithm, digits: u8, period: u32) -> Result<Self, TotpError> {
        Ok(Self { secret, algorithm, digits: Self::check_digits(digits)?, period: Self::check_period(period)? })
    }

    /// Takes 6 to 8 digits.
    ///
    /// # Errors
    /// [`TotpError::Digits`].
    pub fn check_digits(digits: u8) -> Result<u8, TotpError> {
        if (6..=8).contains(&digits) { Ok(digits) } else { Err(TotpError::Digits) }
    }

    /// Takes 15 to 120 seconds.
    ///
    /// # Errors
    /// [`TotpError::Period`].
    pub fn check_period(period: u32) -> Result<u32, TotpError> {
        if (15..=120).contains(&period) { Ok(period) } else { Err(TotpError::Period) }
    }

    /// The step that `now` falls into: periods, not seconds, since the epoch.
    #[must_use]
    pub fn step_at(&self, now: UnixTime) -> u64 {
        now.seconds().checked_div(u64::from(self.period)).unwrap_or(0)
    }

    /// Looks for `code` among the steps around `now`, shifted by `drift` steps, of which those up to `last_used` count
    /// as replayed.
    ///
    /// # Security
    /// Every step is computed and compared, in constant time each, and no step ends the walk early. Where the code
    /// stands for two steps, the later one counts, so that it cannot come back.
    pub fn find(&self, code: &Code, now: UnixTime, drift: i64, last_used: Option<u64>) -> Match {
        let totp = self.engine();
        let current = self.step_at(now).saturating_add_signed(drift);
        let (mut fresh, mut replayed, mut step_found) = (Choice::from(0), Choice::from(0), 0u64);
        for step in current.saturating_sub(Self::WINDOW)..=current.saturating_add(Self::WINDOW) {
            let hit = Choice::from(u8::from(
                totp.check(code.as_str(), step.saturating_mul(u64::from(self.period))).is_some(),
            ));
            let above = Choice::from(u8::from(last_used.is_none_or(|last| step > last)));
            step_found.conditional_assign(&step, hit & above);
            fresh |= hit & above;
            replayed |= hit & !above;
        }
        if bool::from(fresh) {
            Match::Fresh(step_found)
        } else if bool::from(replayed) {
            Match::Replayed
        } else {
            Match::Nothing
        }
    }

    /// The code of one step (RFC 4226 section 5.3, with the counter of RFC 6238 section 4.2).
    ///
    /// ```
    /// use twinlock_core::{otp::{Algorithm, Totp}, secret::Secret};
    /// // RFC 6238 appendix B: the time 59 falls into step 1.
    /// let secret = Secret::from_bytes(b"12345678901234567890").unwrap();
    /// let totp = Totp::new(secret, Algorithm::Sha1, 8, 30).unwrap();
    /// assert_eq!(totp.code(1), "94287082");
    /// ```
    #[must_use]
    pub fn code(&self, step: u64) -> String {
        self.engine().generate(step.saturating_mul(u64::from(self.period))).to_string()
    }

    /// The key.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The hash.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How many digits a code has, 6 to 8.
    #[must_use]
    pub const fn digits(&self) -> u8 {
        self.digits
    }

    /// Seconds a step lasts, 15 to 120.
    #[must_use]
    pub const fn period(&self) -> u32 {
        self.period
    }

    /// totp-rs with skew 0: one step a question.
    fn engine(&self) -> totp_rs::Totp {
        totp_rs::Builder::new()
            .with_algorithm(match self.algorithm {
                Algorithm::Sha1 => totp_rs::Algorithm::SHA1,
                Algorithm::Sha256 => totp_rs::Algorithm::SHA256,
                Algorithm::Sha512 => totp_rs::Algorithm::SHA512,
            })
            .with_digits(self.digits)
            .with_skew(0)
            .with_step_duration(u64::from(self.period))
            .with_secret(totp_rs::Secret::new(self.secret.bytes().into()))
            .build_noncompliant() // Compliance is proven by our own constructor.
    }
}

impl std::fmt::Display for TotpError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Digits => write!(out, "codes have 6 to 8 digits"),
            Self::Period => write!(out, "steps last 15 to 120 seconds"),
        }
    }
}

impl std::error::Error for TotpError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn totp(secret: &[u8], algorithm: Algorithm, digits: u8) -> Totp {
        Totp::new(Secret::from_bytes(secret).unwrap(), algorithm, digits, 30).unwrap()
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    fn code(text: &str) -> Code {
        Code::parse(text.as_bytes()).unwrap()
    }

    const SHA1: &[u8] = b"12345678901234567890";

    #[test]
    fn the_vectors_of_rfc_4226_appendix_d() {
        let hotp = totp(SHA1, Algorithm::Sha1, 6);
        let wanted =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (counter, code) in (0..).zip(wanted) {
            assert_eq!(hotp.code(counter), code, "counter {counter}");
        }
    }

    /// With secrets of 20, 32 and 64 bytes, as the code of appendix A has them (erratum 2866 of the text).
    #[test]
    fn the_vectors_of_rfc_6238_appendix_b() {
        let sha256 = b"12345678901234567890123456789012";
        let sha512 = b"1234567890123456789012345678901234567890123456789012345678901234";
        for (time, codes) in [
            (59, ["94287082", "46119246", "90693936"]),
            (1_111_111_109, ["07081804", "68084774", "25091201"]),
            (1_111_111_111, ["14050471", "67062674", "99943326"]),
            (1_234_567_890, ["89005924", "91819424", "93441116"]),
            (2_000_000_000, ["69279037", "90698825", "38618901"]),
            (20_000_000_000, ["65353130", "77737706", "47863826"]),
        ] {
            let secrets: [(&[u8], Algorithm); 3] =
                [(SHA1, Algorithm::Sha1), (sha256, Algorithm::Sha256), (sha512, Algorithm::Sha512)];
            for ((secret, algorithm), wanted) in secrets.into_iter().zip(codes) {
                for (digits, shown) in [(8, wanted), (7, &wanted[1..]), (6, &wanted[2..])] {
                    let totp = totp(secret, algorithm, digits);
                    assert_eq!(totp.code(totp.step_at(at(time))), shown, "{time} {algorithm:?} {digits}");
                    assert_eq!(totp.find(&code(shown), at(time), 0, None), Match::Fresh(time / 30));
                }
            }
        }
    }

    #[test]
    fn the_window_is_one_step_before_and_one_after_to_the_second() {
        let totp = totp(SHA1, Algorithm::Sha1, 6);
        let shown = totp.code(1000);
        for (time, found) in [
            (29_969, Match::Nothing),
            (29_970, Match::Fresh(1000)),
            (30_000, Match::Fresh(1000)),
            (30_029, Match::Fresh(1000)),
            (30_059, Match::Fresh(1000)),
            (30_060, Match::Nothing),
        ] {
            assert_eq!(totp.find(&code(&shown), at(time), 0, None), found, "{time}");
        }
    }

    #[test]
    fn a_step_at_or_below_the_last_one_used_is_replayed() {
        let totp = totp(SHA1, Algorithm::Sha1, 6);
        let now = at(30_000);
        for (step, last, found) in [
            (1000, Some(999), Match::Fresh(1000)),
            (1000, Some(1000), Match::Replayed),
            (999, Some(1000), Match::Replayed),
            (1001, Some(1000), Match::Fresh(1001)),
            (1001, Some(u64::MAX), Match::Replayed),
            (1002, Some(1000), Match::Nothing),
        ] {
            assert_eq!(totp.find(&code(&totp.code(step)), now, 0, last), found, "{step} after {last:?}");
        }
    }

    #[test]
    fn drift_moves_the_window() {
        let totp = totp(SHA1, Algorithm::Sha1, 6);
        let ahead = code(&totp.code(1006));
        assert_eq!(totp.find(&ahead, at(30_000), 0, None), Match::Nothing);
        assert_eq!(totp.find(&ahead, at(30_000), 6, None), Match::Fresh(1006));
    }

    #[test]
    fn a_code_of_another_length_is_no_match() {
        let totp = totp(SHA1, Algorithm::Sha1, 6);
        let shown = totp.code(1000);
        assert_eq!(totp.find(&code(&format!("0{shown}")), at(30_000), 0, None), Match::Nothing);
        assert_eq!(totp.find(&code(&format!("{shown}0")), at(30_000), 0, None), Match::Nothing);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let secret = || Secret::from_bytes(SHA1).unwrap();
        for digits in [0, 5, 9, 255] {
            assert_eq!(Totp::new(secret(), Algorithm::Sha1, digits, 30).err(), Some(TotpError::Digits));
        }
        for period in [0, 14, 121, u32::MAX] {
            assert_eq!(Totp::new(secret(), Algorithm::Sha1, 6, period).err(), Some(TotpError::Period));
        }
    }

    proptest! {
        #[test]
        fn what_is_found_is_fresh_and_in_the_window(
            now in any::<u64>(), drift in any::<i64>(), last in proptest::option::of(any::<u64>()), shown in "[0-9]{6}"
        ) {
            let totp = totp(SHA1, Algorithm::Sha1, 6);
            if let Match::Fresh(step) = totp.find(&code(&shown), at(now), drift, last) {
                let centre = totp.step_at(at(now)).saturating_add_signed(drift);
                prop_assert!(centre.abs_diff(step) <= 1);
                prop_assert!(last.is_none_or(|last| step > last));
                prop_assert_eq!(totp.code(step), shown);
            }
        }

        #[test]
        fn every_code_of_the_window_is_found(now in 30u64..4_000_000_000, offset in 0u64..3) {
            let totp = totp(SHA1, Algorithm::Sha1, 8);
            let step = now / 30 + offset - 1;
            // Of two steps with the same code the later one counts; with 8 digits that hardly happens.
            prop_assert!(matches!(totp.find(&code(&totp.code(step)), at(now), 0, None), Match::Fresh(found) if found >= step));
        }
    }
}
