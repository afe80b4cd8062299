//! `users.oath`, the file of `pam_oath` (its README, and what liboath 2.6.7 really does): a line a device,
//! `TYPE USER PIN KEY [COUNTER [OTP [TIME]]]`.
//!
//! After a login liboath writes the counter of the code that was *used*, and the code; before the first one COUNTER is
//! where the token starts. With `HOTP/T30` and `/T60` COUNTER means nothing, and the used code is known by itself alone:
//! its step is looked for around now. TIME is in a zone that the file does not name, and is not needed.

use std::collections::BTreeMap;

use twinlock_core::{
    account::UserName,
    credentials::Enrolment,
    otp::{Algorithm, MovingFactor, Otp, ReplayState},
    secret::Secret,
    time::UnixTime,
};
use zeroize::Zeroizing;

use super::{
    ImportError, ImportErrorKind, Imported, ImportedDevice, Remark, What, counter, numbered_label, plain_text,
    remark_on,
};

/// The largest file that is read: some hundred thousand lines.
pub const LARGEST: usize = 16 * 1024 * 1024;

/// How far from now the last code of an app is looked for: five minutes and more, as far as windows in use go. What is
/// older cannot come again, whatever it was.
const REACH: u64 = 30;

/// What the file says of each user, sorted by name. What is wrong with the lines of one user concerns nobody else.
pub type Users = BTreeMap<UserName, Result<Imported, ImportError>>;

/// Reads a file. `now` tells which step the last code of an app belongs to.
///
/// # Errors
/// [`ImportError`], where it cannot be said which user a line concerns.
pub fn parse(file: &[u8], now: UnixTime) -> Result<Users, ImportError> {
    let mut users = Users::new();
    for (at, line) in (1..).zip(plain_text(file, LARGEST)?.lines()) {
        let mut fields = line.split_ascii_whitespace();
        let Some(kind) = fields.next().filter(|kind| !kind.starts_with('#')) else {
            continue;
        };
        let user = fields.next().ok_or_else(|| ImportErrorKind::Fields.at(at))?;
        let user = UserName::parse(user.as_bytes()).map_err(|_| ImportErrorKind::UserName.at(at))?;
        let nothing = || Ok(Imported { devices: Vec::new(), scratch_codes: Vec::new(), remarks: Vec::new() });
        let entry = users.entry(user).or_insert_with(nothing);
        if let Ok(imported) = entry
            && let Err(reason) = read_line(imported, kind, fields, at, now)
        {
            *entry = Err(reason.at(at));
        }
    }
    if users.is_empty() { Err(ImportErrorKind::Empty.nowhere()) } else { Ok(users) }
}

fn read_line<'a>(
    imported: &mut Imported,
    kind: &str,
    mut fields: impl Iterator<Item = &'a str>,
    line: usize,
    now: UnixTime,
) -> Result<(), ImportErrorKind> {
    let (period, digits) = token_type(kind).ok_or(ImportErrorKind::TokenType)?;
    let (Some(pin), Some(key)) = (fields.next(), fields.next()) else {
        return Err(ImportErrorKind::Fields);
    };
    let counter = fields.next().map_or(Some(0), counter).ok_or(ImportErrorKind::Value("COUNTER"))?;
    let (last_code, _time) = (fields.next(), fields.next());
    if fields.next().is_some() {
        return Err(ImportErrorKind::Fields);
    }
    if imported.devices.len() >= Enrolment::MOST_AUTHENTICATORS {
        return Err(ImportErrorKind::Devices);
    }
    let secret =
        Secret::from_bytes(&bytes(key).ok_or(ImportErrorKind::Hexadecimal)?).map_err(ImportErrorKind::Secret)?;
    imported.remarks.extend(remark_on(&secret, Some(line)));
    // `-` is no PIN, and `+` one that another module asks for.
    if !matches!(pin, "-" | "+") {
        imported.remarks.push(Remark { line: Some(line), what: What::Pin });
    }
    let factor = period.map_or(MovingFactor::Counter { first: counter }, |period| MovingFactor::Time { period });
    let mut otp = Otp::new(secret, Algorithm::Sha1, digits, factor).map_err(ImportErrorKind::Otp)?;
    let mut last_step = None;
    if let Some(last_code) = last_code {
        match otp.factor() {
            MovingFactor::Time { .. } => last_step = step_of(&otp, last_code, now),
            MovingFactor::Counter { .. } if otp.code(counter) == last_code => {
                let factor = MovingFactor::Counter { first: counter.saturating_add(1) };
                otp = Otp::new(otp.secret().clone(), Algorithm::Sha1, digits, factor).map_err(ImportErrorKind::Otp)?;
            }
            // Written by something else, which moves the counter on by itself.
            MovingFactor::Counter { .. } => {}
        }
    }
    let label = numbered_label(imported.devices.len().saturating_add(1));
    imported.devices.push(ImportedDevice { label, otp, last_step, drift: 0 });
    Ok(())
}

/// Period, if time moves it, and digits.
fn token_type(text: &str) -> Option<(Option<u32>, u8)> {
    let mut parts = text.split('/');
    if parts.next() != Some("HOTP") {
        return None;
    }
    let period = match parts.next() {
        None | Some("E") => None,
        Some("T30") => Some(30),
        Some("T60") => Some(60),
        Some(_) => return None,
    };
    let digits = match parts.next() {
        None | Some("6") => 6,
        Some("7") => 7,
        Some("8") => 8,
        Some(_) => return None,
    };
    parts.next().is_none().then_some((period, digits))
}

fn step_of(otp: &Otp, code: &str, now: UnixTime) -> Option<u64> {
    let centre = otp.step_at(now, ReplayState::default());
    let around = centre.saturating_sub(REACH)..=centre.saturating_add(REACH);
    around.rev().find(|step| otp.code(*step) == code)
}

fn bytes(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    for pair in text.as_bytes().chunks(2) {
        let [high, low] = pair else {
            return None;
        };
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let byte = digit(*high)?.checked_mul(16)?.checked_add(digit(*low)?)?;
        bytes.push(u8::try_from(byte).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use twinlock_core::secret::SecretError;

    use super::*;

    const KEY: &str = "3132333435363738393031323334353637383930";
    const NOW: UnixTime = UnixTime::from_seconds(30_000_000);

    fn read(text: &str) -> Users {
        parse(text.as_bytes(), NOW).unwrap_or_else(|refusal| panic!("{refusal}: {text}"))
    }

    fn user(name: &str) -> UserName {
        UserName::parse(name.as_bytes()).unwrap()
    }

    fn device(line: &str) -> (MovingFactor, u8, Option<u64>) {
        let users = read(&format!("{line}\n"));
        let imported = users[&user("alice")].clone().unwrap_or_else(|refusal| panic!("{refusal}: {line}"));
        let device = &imported.devices[0];
        assert_eq!(device.otp.secret().bytes(), b"12345678901234567890");
        (device.otp.factor(), device.otp.digits(), device.last_step)
    }

    fn refused(line: &str) -> ImportErrorKind {
        match parse(format!("{line}\n").as_bytes(), NOW) {
            Err(refusal) => refusal.reason,
            Ok(users) => users[&user("alice")].clone().err().unwrap_or_else(|| panic!("taken: {line}")).reason,
        }
    }

    #[test]
    fn types_counters_and_used_codes_are_carried() {
        let count = |first| MovingFactor::Counter { first };
        let time = |period| MovingFactor::Time { period };
        let otp = |digits, period| {
            Otp::new(Secret::from_bytes(b"12345678901234567890").unwrap(), Algorithm::Sha1, digits, time(period))
                .unwrap()
        };
        let used = otp(6, 30).code(1_000_001);
        let old = otp(6, 30).code(900_000);
        let used_8 = otp(8, 60).code(499_999);
        for (line, wanted) in [
            (format!("HOTP alice - {KEY}"), (count(0), 6, None)),
            (format!("HOTP/E/8\talice\t-\t{KEY}\t7"), (count(7), 8, None)),
            (format!("HOTP alice - {KEY} 0 755224 2026-11-24T06:53:00L"), (count(1), 6, None)),
            (format!("HOTP alice - {KEY} 5 254676 2026-11-24T06:53:00L"), (count(6), 6, None)),
            (format!("HOTP alice - {KEY} 6 254676 2026-11-24T06:53:00L"), (count(6), 6, None)),
            (format!("HOTP/T30 alice + {}", KEY.to_uppercase()), (time(30), 6, None)),
            (format!("  HOTP/T60/7   alice - {KEY}"), (time(60), 7, None)),
            (format!("HOTP/T30 alice - {KEY} 3 {used} 2026-11-24T06:53:00L"), (time(30), 6, Some(1_000_001))),
            (format!("HOTP/T30 alice - {KEY} 3 {old} 2026-11-24T06:53:00L"), (time(30), 6, None)),
            (format!("HOTP/T60/8 alice - {KEY} 0 {used_8} 2026-11-24T06:53:00L"), (time(60), 8, Some(499_999))),
        ] {
            assert_eq!(device(&line), wanted, "{line}");
        }
    }

    #[test]
    fn several_lines_of_a_user_are_several_devices() {
        let users = read(&format!(
            "# both of them\n\nHOTP alice - {KEY}\nHOTP/T30 bob - {KEY}\nHOTP/T30 alice 1234 {KEY}\nHOTP alice + {}\n",
            "31".repeat(16)
        ));
        let alice = users[&user("alice")].clone().ok().unwrap();
        let labels: Vec<_> = alice.devices.iter().map(|device| device.label.as_str()).collect();
        assert_eq!(labels, ["imported", "imported-2", "imported-3"]);
        let remarks: Vec<_> = alice.remarks.iter().map(|remark| (remark.line.unwrap(), remark.what.word())).collect();
        assert_eq!(remarks, [(5, "PIN"), (6, "short secret")]);
        assert_eq!(users[&user("bob")].as_ref().ok().unwrap().devices.len(), 1);
    }

    #[test]
    fn a_wrong_line_refuses_its_user_alone() {
        let users = read(&format!("HOTP alice - {KEY}\nHOTP bob - 31\nHOTP carol - {KEY}\nHOTP alice - 31\n"));
        let refusals: Vec<_> =
            users.values().map(|user| user.as_ref().err().and_then(|refusal| refusal.line)).collect();
        assert_eq!(refusals, [Some(4), Some(2), None]);
    }

    #[test]
    fn wrong_values_are_refused() {
        for (line, reason) in [
            (format!("HOTP alice - {KEY}0"), ImportErrorKind::Hexadecimal),
            (format!("HOTP alice - {KEY}zz"), ImportErrorKind::Hexadecimal),
            ("HOTP alice - 00".into(), ImportErrorKind::Secret(SecretError::TooShort(8))),
            (format!("HOTP alice - {}", "00".repeat(200)), ImportErrorKind::Secret(SecretError::TooLong)),
            ("HOTP alice -".into(), ImportErrorKind::Fields),
            ("HOTP".into(), ImportErrorKind::Fields),
            (format!("HOTP alice - {KEY} 1 2 3 4"), ImportErrorKind::Fields),
            (format!("HOTP alice - {KEY} x"), ImportErrorKind::Value("COUNTER")),
            (format!("HOTP alice - {KEY} 18446744073709551615"), ImportErrorKind::Value("COUNTER")),
            (format!("TOTP alice - {KEY}"), ImportErrorKind::TokenType),
            (format!("HOTP/6 alice - {KEY}"), ImportErrorKind::TokenType),
            (format!("HOTP/T30/9 alice - {KEY}"), ImportErrorKind::TokenType),
            (format!("HOTP/T30/6/6 alice - {KEY}"), ImportErrorKind::TokenType),
            (format!("HOTP a/b - {KEY}"), ImportErrorKind::UserName),
            ("# nobody".into(), ImportErrorKind::Empty),
            ([&*format!("HOTP alice - {KEY}"); 17].join("\n"), ImportErrorKind::Devices),
        ] {
            assert_eq!(refused(&line), reason, "{line}");
        }
        assert_eq!(parse(format!("HOTP alice - {KEY}").as_bytes(), NOW).err(), Some(ImportErrorKind::CutShort.at(1)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), now in any::<u64>()) {
            let _ = parse(&bytes, UnixTime::from_seconds(now));
        }

        #[test]
        fn no_line_panics(line in "HOTP(/(E|T30|T60|[0-9A-Z]{1,3}))?(/[0-9])? [a-z]{1,4} [-+a-z0-9]{1,4} [0-9a-f]{0,80}( [0-9]{0,21}( [0-9]{6,8}( [ -~]{0,30})?)?)?", now in any::<u64>()) {
            let _ = parse(format!("{line}\n").as_bytes(), UnixTime::from_seconds(now));
        }
    }
}
