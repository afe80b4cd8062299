//! `~/.google_authenticator`, as google-authenticator-libpam writes it (its FILEFORMAT, and what version 20191231 of
//! Debian really does).
//!
//! - `HOTP_COUNTER n`: the *next* counter that is accepted; where it is there, `TOTP_AUTH` means nothing.
//! - `DISALLOW_REUSE s...`: steps whose code was used, not times. The step of the code is meant, with any skew in it.
//! - `TIME_SKEW n`: steps by which the app's clock is ahead; the sign is that of our drift.
//! - Codes have 6 digits and SHA-1 under them, always.

use twinlock_core::{
    otp::{Algorithm, MovingFactor, Otp, ReplayState},
    recovery::{RecoveryCode, RecoverySet},
    secret::Secret,
    time::UnixTime,
};
use zeroize::Zeroizing;

use super::{
    ImportError, ImportErrorKind, Imported, ImportedDevice, Remark, What, counter, number, numbered_label, plain_text,
    remark_on,
};

/// The largest file that google-authenticator reads.
pub const LARGEST: usize = 64 * 1024;

/// The most steps of skew that are carried: ten minutes, as far as `twinlock resync` goes with steps of 30 seconds.
const LARGEST_DRIFT: i64 = 20;

/// The largest skew that google-authenticator learns.
const LARGEST_SKEW: i64 = 25 * 60;

/// Half of the largest window that google-authenticator has: no code of a later step was ever accepted.
const LATEST_STEP: u64 = 50;

/// Reads a file. `now` tells which used steps may be true.
///
/// # Errors
/// [`ImportError`].
pub fn parse(file: &[u8], now: UnixTime) -> Result<Imported, ImportError> {
    let text = plain_text(file, LARGEST)?;
    let mut lines = (1..).zip(text.lines());
    let secret = secret(lines.next().map_or("", |(_, line)| line))?;
    let mut options = Options::default();
    let mut scratch_codes: Vec<RecoveryCode> = Vec::new();
    for (at, line) in lines {
        if let Some(option) = line.strip_prefix('"') {
            options.read_option(option.trim(), at)?;
        } else if !line.is_empty() {
            let code = scratch_code(line).ok_or_else(|| ImportErrorKind::Line.at(at))?;
            if !scratch_codes.iter().any(|known| known.same_as(&code)) {
                scratch_codes.push(code);
            }
        }
        if scratch_codes.len() > RecoverySet::LARGEST {
            return Err(ImportErrorKind::ScratchCodes.at(at));
        }
    }
    let mut remarks: Vec<Remark> = remark_on(&secret, Some(1)).into_iter().collect();
    let device = options.device(secret, now, &mut remarks)?;
    remarks.append(&mut options.remarks);
    remarks.sort_by_key(|remark| remark.line);
    Ok(Imported { devices: vec![device], scratch_codes, remarks })
}

/// Spaces and dashes mean nothing, and what is easily mistyped is read as the module reads it.
fn secret(line: &str) -> Result<Secret, ImportError> {
    let mut symbols = Zeroizing::new(String::with_capacity(line.len()));
    symbols.extend(line.chars().filter(|c| !matches!(c, ' ' | '\t' | '-')).map(|c| match c {
        '0' => 'O',
        '1' => 'L',
        '8' => 'B',
        other => other,
    }));
    Secret::from_base32(&symbols).map_err(|bad| ImportErrorKind::Secret(bad).at(1))
}

/// Eight digits, the first of them not 0; carried over as the recovery code that they spell twice.
fn scratch_code(line: &str) -> Option<RecoveryCode> {
    let digits = line.len() == 8 && !line.starts_with('0') && line.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return None;
    }
    let mut twice = Zeroizing::new(String::with_capacity(16));
    twice.push_str(line);
    twice.push_str(line);
    RecoveryCode::parse(twice.as_bytes())
}

/// The options of a file that decide anything, with the lines they stand on.
#[derive(Default)]
struct Options<'a> {
    time_based: Option<usize>,
    counter: Option<(usize, &'a str)>,
    step_size: Option<(usize, &'a str)>,
    skew: Option<(usize, &'a str)>,
    used: Option<(usize, &'a str)>,
    seen: Vec<&'static str>,
    remarks: Vec<Remark>,
}

impl<'a> Options<'a> {
    fn read_option(&mut self, option: &'a str, line: usize) -> Result<(), ImportError> {
        let (name, value) = option.split_once([' ', '\t']).unwrap_or((option, ""));
        let value = (line, value.trim());
        let left_behind = |what| Some(Remark { line: Some(line), what });
        let (name, remark) = match name {
            "TOTP_AUTH" => {
                self.time_based = Some(line);
                ("TOTP_AUTH", None)
            }
            "HOTP_COUNTER" => {
                self.counter.get_or_insert(value);
                ("HOTP_COUNTER", None)
            }
            "STEP_SIZE" => {
                self.step_size.get_or_insert(value);
                ("STEP_SIZE", None)
            }
            "TIME_SKEW" => {
                self.skew.get_or_insert(value);
                ("TIME_SKEW", None)
            }
            "DISALLOW_REUSE" => {
                self.used.get_or_insert(value);
                ("DISALLOW_REUSE", None)
            }
            "WINDOW_SIZE" => ("WINDOW_SIZE", left_behind(What::Window)),
            "RATE_LIMIT" => ("RATE_LIMIT", left_behind(What::RateLimit)),
            // Empty once a skew was learnt.
            "RESETTING_TIME_SKEW" if value.1.is_empty() => ("RESETTING_TIME_SKEW", None),
            "RESETTING_TIME_SKEW" => ("RESETTING_TIME_SKEW", left_behind(What::SkewLearning)),
            _ => {
                let grace = name.strip_prefix("LAST").and_then(number::<u8>).is_some();
                self.remarks.extend(left_behind(if grace { What::Grace } else { What::UnknownOption }));
                return Ok(());
            }
        };
        if self.seen.contains(&name) {
            return Err(ImportErrorKind::Twice(name).at(line));
        }
        self.seen.push(name);
        self.remarks.extend(remark);
        Ok(())
    }

    fn device(&self, secret: Secret, now: UnixTime, remarks: &mut Vec<Remark>) -> Result<ImportedDevice, ImportError> {
        let label = numbered_label(1);
        if let Some((line, value)) = self.counter {
            let wrong = || ImportErrorKind::Value("HOTP_COUNTER").at(line);
            let first = counter(value).filter(|first| *first >= 1).ok_or_else(wrong)?;
            let otp = Otp::new(secret, Algorithm::Sha1, Otp::DIGITS, MovingFactor::Counter { first });
            let otp = otp.map_err(|bad| ImportErrorKind::Otp(bad).at(line))?;
            return Ok(ImportedDevice { label, otp, last_step: None, drift: 0 });
        }
        if self.time_based.is_none() {
            return Err(ImportErrorKind::NoFactor.nowhere());
        }
        let (line, period) = match self.step_size {
            None => (1, Otp::PERIOD),
            Some((line, value)) => (line, number(value).ok_or_else(|| ImportErrorKind::Value("STEP_SIZE").at(line))?),
        };
        let otp = Otp::new(secret, Algorithm::Sha1, Otp::DIGITS, MovingFactor::Time { period });
        let otp = otp.map_err(|bad| ImportErrorKind::Otp(bad).at(line))?;
        let skew = self.skew()?;
        let drift = if skew.abs() <= LARGEST_DRIFT { skew } else { 0 };
        if drift != skew {
            remarks.push(Remark { line: self.skew.map(|(line, _)| line), what: What::TimeSkew });
        }
        let centre = otp.step_at(now, ReplayState::default()).saturating_add_signed(skew);
        let last_step = match self.last_step(centre, remarks)? {
            // A drift is kept with a last step. Where none is known, all that is older than the window counts as used.
            None if drift != 0 => Some(centre.saturating_sub(2)),
            known => known,
        };
        Ok(ImportedDevice { label, otp, last_step, drift })
    }

    fn skew(&self) -> Result<i64, ImportError> {
        let Some((line, value)) = self.skew else {
            return Ok(0);
        };
        let (sign, digits) = value.strip_prefix('-').map_or((1, value), |digits| (-1, digits));
        let steps = number::<i64>(digits).filter(|steps| *steps <= LARGEST_SKEW);
        steps.and_then(|steps| steps.checked_mul(sign)).ok_or_else(|| ImportErrorKind::Value("TIME_SKEW").at(line))
    }

    /// The latest step that was used. Those that cannot have been are left behind, as google-authenticator forgets
    /// them too; kept, they would lock the user out until their time comes.
    fn last_step(&self, centre: u64, remarks: &mut Vec<Remark>) -> Result<Option<u64>, ImportError> {
        let Some((line, value)) = self.used else {
            return Ok(None);
        };
        let latest = centre.saturating_add(LATEST_STEP);
        let mut last = None;
        for step in value.split_ascii_whitespace() {
            let step = number::<u64>(step).ok_or_else(|| ImportErrorKind::Value("DISALLOW_REUSE").at(line))?;
            if step <= latest {
                last = last.max(Some(step));
            } else if !remarks.iter().any(|remark| remark.what == What::FutureStep) {
                remarks.push(Remark { line: Some(line), what: What::FutureStep });
            }
        }
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use twinlock_core::{answer::Answer, otp::OtpError, secret::SecretError};

    use super::*;

    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    const NOW: UnixTime = UnixTime::from_seconds(30_000_000);
    const STEP: u64 = 1_000_000;

    fn file(rest: &str) -> String {
        format!("{SECRET}\n{rest}")
    }

    fn read(text: &str) -> Imported {
        parse(text.as_bytes(), NOW).unwrap_or_else(|refusal| panic!("{refusal}: {text}"))
    }

    fn refused(text: &str) -> ImportError {
        parse(text.as_bytes(), NOW).err().unwrap_or_else(|| panic!("taken: {text}"))
    }

    fn device(rest: &str) -> (MovingFactor, Option<u64>, i64) {
        let imported = read(&file(rest));
        let device = &imported.devices[0];
        assert_eq!(device.otp.secret().bytes(), b"12345678901234567890");
        assert_eq!((device.otp.digits(), device.otp.algorithm()), (6, Algorithm::Sha1));
        assert_eq!((device.label.as_str(), imported.devices.len()), ("imported", 1));
        (device.otp.factor(), device.last_step, device.drift)
    }

    fn words(rest: &str) -> Vec<&'static str> {
        read(&file(rest)).remarks.iter().map(|remark| remark.what.word()).collect()
    }

    #[test]
    fn what_moves_it_and_what_was_used_is_carried() {
        let time = |period| MovingFactor::Time { period };
        for (rest, wanted) in [
            ("\" TOTP_AUTH\n", (time(30), None, 0)),
            ("\" STEP_SIZE 60\n\" TOTP_AUTH\n", (time(60), None, 0)),
            ("\" DISALLOW_REUSE\n\" TOTP_AUTH\n", (time(30), None, 0)),
            ("\" DISALLOW_REUSE 999998 1000001 999999\n\" TOTP_AUTH\n", (time(30), Some(STEP + 1), 0)),
            ("\" TIME_SKEW -20\n\" DISALLOW_REUSE 999980\n\" TOTP_AUTH\n", (time(30), Some(STEP - 20), -20)),
            ("\" TIME_SKEW 20\n\" TOTP_AUTH\n", (time(30), Some(STEP + 18), 20)),
            ("\" TIME_SKEW 21\n\" TOTP_AUTH\n", (time(30), None, 0)),
            ("\" DISALLOW_REUSE 5 1000050 1000051\n\" TOTP_AUTH\n", (time(30), Some(STEP + 50), 0)),
            ("\" HOTP_COUNTER 1\n", (MovingFactor::Counter { first: 1 }, None, 0)),
            ("\" TOTP_AUTH\n\" HOTP_COUNTER 77\n", (MovingFactor::Counter { first: 77 }, None, 0)),
        ] {
            assert_eq!(device(rest), wanted, "{rest}");
        }
    }

    #[test]
    fn what_is_left_behind_is_said_by_line() {
        let rest = "\" RATE_LIMIT 3 30 1763966000\n\" WINDOW_SIZE 17\n\" TOTP_AUTH\n\" LAST0 192.0.2.7 1763966000\n\
                    \" RESETTING_TIME_SKEW 58798866+7\n\" TIME_SKEW 1500\n\" DISALLOW_REUSE 9999999 8888888\n\" FOO_BAR x\n";
        let imported = read(&file(rest));
        let lines: Vec<_> = imported.remarks.iter().map(|remark| (remark.line.unwrap(), remark.what.word())).collect();
        assert_eq!(
            lines,
            [
                (2, "RATE_LIMIT"),
                (3, "WINDOW_SIZE"),
                (5, "LASTn"),
                (6, "RESETTING_TIME_SKEW"),
                (7, "TIME_SKEW"),
                (8, "DISALLOW_REUSE in the future"),
                (9, "unknown option")
            ]
        );
        assert_eq!(words("\" TOTP_AUTH\n\" RESETTING_TIME_SKEW \n"), [""; 0]);
    }

    #[test]
    fn the_128_bits_that_the_tool_makes_are_carried_and_said() {
        let imported =
            read("7TIWSJW33DYQINQ6LIDHW6ZEQA\n\" RATE_LIMIT 3 30\n\" WINDOW_SIZE 3\n\" TOTP_AUTH\n90936369\n");
        assert_eq!(imported.devices[0].otp.secret().bytes().len(), 16);
        assert_eq!(imported.remarks[0], Remark { line: Some(1), what: What::ShortSecret { bits: 128 } });
    }

    #[test]
    fn a_secret_is_read_as_the_module_reads_it() {
        for spelling in ["gezd gnbv gy3t qojq-gezd-gnbv-gy3t-qojq", "GEZDGNBVGY3TQ0JQGEZDGNBVGY3TQOJQ"] {
            let imported = read(&format!("{spelling}\r\n\" TOTP_AUTH\r\n"));
            assert_eq!(imported.devices[0].otp.secret().bytes(), b"12345678901234567890");
        }
    }

    #[test]
    fn a_scratch_code_is_the_recovery_code_that_it_spells_twice() {
        let imported = read(&file("\" TOTP_AUTH\n12345678\n87654321\n12345678\n\n"));
        let shown: Vec<_> = imported.scratch_codes.iter().map(|code| code.formatted().to_string()).collect();
        assert_eq!(shown, ["1234-5678-1234-5678", "8765-4321-8765-4321"]);
        for typed in ["1234567812345678", "12345678 12345678", "1234-5678-1234-5678"] {
            let Answer::Recovery(typed) = Answer::read(typed.as_bytes()) else { panic!("{typed}") };
            assert!(typed.same_as(&imported.scratch_codes[0]));
        }
    }

    #[test]
    fn what_is_not_understood_whole_is_refused() {
        let many = (10_000_000..10_000_033).map(|code| code.to_string()).collect::<Vec<_>>().join("\n");
        for (text, wanted) in [
            (String::new(), ImportErrorKind::Empty.nowhere()),
            ("\n".into(), ImportErrorKind::Secret(SecretError::TooShort(0)).at(1)),
            ("GEZDGNBVGY3TQOJQ\n\" TOTP_AUTH\n".into(), ImportErrorKind::Secret(SecretError::TooShort(80)).at(1)),
            ("root:x:0:0\n".into(), ImportErrorKind::Secret(SecretError::Encoding).at(1)),
            (file("\" WINDOW_SIZE 3\n"), ImportErrorKind::NoFactor.nowhere()),
            (file("\" TOTP_AUTH\n\" TOTP_AUTH\n"), ImportErrorKind::Twice("TOTP_AUTH").at(3)),
            (
                file("\" TOTP_AUTH\n\" DISALLOW_REUSE 1\n\" DISALLOW_REUSE 2\n"),
                ImportErrorKind::Twice("DISALLOW_REUSE").at(4),
            ),
            (file("\" WINDOW_SIZE 3\n\" WINDOW_SIZE 3\n"), ImportErrorKind::Twice("WINDOW_SIZE").at(3)),
            (file("\" HOTP_COUNTER 0\n"), ImportErrorKind::Value("HOTP_COUNTER").at(2)),
            (file("\" HOTP_COUNTER -1\n"), ImportErrorKind::Value("HOTP_COUNTER").at(2)),
            (file("\" HOTP_COUNTER 99999999999999999999\n"), ImportErrorKind::Value("HOTP_COUNTER").at(2)),
            (file("\" TOTP_AUTH\n\" HOTP_COUNTER\n"), ImportErrorKind::Value("HOTP_COUNTER").at(3)),
            (file("\" STEP_SIZE 14\n\" TOTP_AUTH\n"), ImportErrorKind::Otp(OtpError::Period).at(2)),
            (file("\" STEP_SIZE 121\n\" TOTP_AUTH\n"), ImportErrorKind::Otp(OtpError::Period).at(2)),
            (file("\" STEP_SIZE thirty\n\" TOTP_AUTH\n"), ImportErrorKind::Value("STEP_SIZE").at(2)),
            (file("\" TIME_SKEW 1501\n\" TOTP_AUTH\n"), ImportErrorKind::Value("TIME_SKEW").at(2)),
            (file("\" TIME_SKEW --1\n\" TOTP_AUTH\n"), ImportErrorKind::Value("TIME_SKEW").at(2)),
            (file("\" DISALLOW_REUSE 1 x\n\" TOTP_AUTH\n"), ImportErrorKind::Value("DISALLOW_REUSE").at(2)),
            (file("\" TOTP_AUTH\n1234567\n"), ImportErrorKind::Line.at(3)),
            (file("\" TOTP_AUTH\n01234567\n"), ImportErrorKind::Line.at(3)),
            (file("\" TOTP_AUTH\n123456789\n"), ImportErrorKind::Line.at(3)),
            (file("TOTP_AUTH\n"), ImportErrorKind::Line.at(2)),
            (file("\" TOTP_AUTH\n12345678"), ImportErrorKind::CutShort.at(3)),
            (file(&format!("\" TOTP_AUTH\n{many}\n")), ImportErrorKind::ScratchCodes.at(35)),
            (file(&"\n".repeat(LARGEST)), ImportErrorKind::TooLarge(LARGEST).nowhere()),
        ] {
            assert_eq!(refused(&text), wanted, "{text}");
        }
    }

    /// What a file cut short still gives is what a shorter file would: the same secret and counter, and never less used.
    #[test]
    fn cut_at_every_byte_it_is_refused_or_means_the_same() {
        for whole in [
            file("\" RATE_LIMIT 3 30 1763966000\n\" DISALLOW_REUSE 999998 1000001\n\" TOTP_AUTH\n12345678\n87654321\n"),
            file("\" WINDOW_SIZE 3\n\" HOTP_COUNTER 1234\n12345678\n"),
        ] {
            let wanted = read(&whole);
            for length in 0..whole.len() {
                if let Ok(cut) = parse(&whole.as_bytes()[..length], NOW) {
                    assert_eq!(cut.devices[0].otp.secret().bytes(), wanted.devices[0].otp.secret().bytes());
                    assert_eq!(cut.devices[0].otp.factor(), wanted.devices[0].otp.factor());
                    assert_eq!(cut.devices[0].last_step, wanted.devices[0].last_step);
                    assert!(cut.scratch_codes.len() <= wanted.scratch_codes.len());
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), now in any::<u64>()) {
            let _ = parse(&bytes, UnixTime::from_seconds(now));
        }

        #[test]
        fn no_options_panic_and_no_refusal_repeats_them(
            name in "(TOTP_AUTH|HOTP_COUNTER|STEP_SIZE|TIME_SKEW|DISALLOW_REUSE|WINDOW_SIZE|LAST[0-9]|[A-Z_]{1,8})",
            value in "[ -~]{0,40}", now in any::<u64>()
        ) {
            let text = file(&format!("\" TOTP_AUTH\n\" {name} {value}\n"));
            if let Err(refusal) = parse(text.as_bytes(), UnixTime::from_seconds(now)) {
                prop_assert!(value.trim().len() < 6 || !refusal.to_string().contains(value.trim()));
            }
        }
    }
}
