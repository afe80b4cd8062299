//! An `otpauth://` address, as apps show and scan it (the Key URI format of google-authenticator's wiki).
//!
//! Strict where a mistake would give incorrect codes, tolerant of what is for the app's eyes alone. The address is a secret:
//! no refusal repeats any of it.

use percent_encoding::percent_decode_str;
use twinlock_core::{
    credentials::Label,
    otp::{Algorithm, MovingFactor, Otp},
    secret::Secret,
    text::is_hidden,
};
use zeroize::Zeroizing;

use super::{
    ImportError, ImportErrorKind, Imported, ImportedDevice, Remark, What, counter, number, numbered_label, remark_on,
};

/// The longest address that is read; a QR code holds no more.
pub const LARGEST: usize = 4096;

/// Parameters that change no code.
const APP_ONLY: [&str; 5] = ["image", "icon", "color", "lock", "label"];

/// Parameters that count.
const KNOWN: [&str; 6] = ["secret", "issuer", "algorithm", "digits", "period", "counter"];

/// Reads an address; the end of a line behind it is no part of it.
///
/// # Errors
/// [`ImportError`].
pub fn parse(bytes: &[u8]) -> Result<Imported, ImportError> {
    read(bytes).map_err(ImportErrorKind::nowhere)
}

fn read(bytes: &[u8]) -> Result<Imported, ImportErrorKind> {
    if bytes.len() > LARGEST {
        return Err(ImportErrorKind::TooLarge(LARGEST));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ImportErrorKind::NotText)?.trim_ascii();
    if text.is_empty() {
        return Err(ImportErrorKind::Empty);
    }
    if text.contains('\n') {
        return Err(ImportErrorKind::Lines);
    }
    if text.chars().any(char::is_control) {
        return Err(ImportErrorKind::NotText);
    }
    let (scheme, rest) = text.split_once("://").ok_or(ImportErrorKind::Scheme)?;
    if scheme.eq_ignore_ascii_case("otpauth-migration") {
        return Err(ImportErrorKind::Migration);
    }
    if !scheme.eq_ignore_ascii_case("otpauth") {
        return Err(ImportErrorKind::Scheme);
    }
    let (kind, rest) = rest.split_once('/').ok_or(ImportErrorKind::Scheme)?;
    let counts = match kind.to_ascii_lowercase().as_str() {
        "totp" => false,
        "hotp" => true,
        _ => return Err(ImportErrorKind::Scheme),
    };
    let (name, query) = rest.split_once('?').ok_or(ImportErrorKind::Missing("secret"))?;
    let mut remarks = Vec::new();
    let parameters = UriParameters::parse(query, &mut remarks)?;
    let otp = parameters.otp(counts)?;
    remarks.extend(remark_on(otp.secret(), None));
    let label = label(&decoded(name)?, parameters.value("issuer"), &mut remarks)?;
    let device = ImportedDevice { label, otp, last_step: None, drift: 0 };
    Ok(Imported { devices: vec![device], scratch_codes: Vec::new(), remarks })
}

/// The parameters that count, decoded.
struct UriParameters(Vec<(&'static str, Zeroizing<String>)>);

impl UriParameters {
    fn parse(query: &str, remarks: &mut Vec<Remark>) -> Result<Self, ImportErrorKind> {
        let mut all = Self(Vec::new());
        for (number, pair) in (1..).zip(query.split('&')) {
            let (name, value) =
                pair.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or(ImportErrorKind::Parameter(number))?;
            let value = decoded(value)?;
            let known = |names: &[&'static str]| names.iter().find(|known| **known == name).copied();
            if let Some(name) = known(&KNOWN) {
                if all.value(name).is_some() {
                    return Err(ImportErrorKind::Twice(name));
                }
                all.0.push((name, value));
            } else {
                let what = known(&APP_ONLY).map_or(What::UnknownParameter(number), What::AppOnly);
                remarks.push(Remark { line: None, what });
            }
        }
        Ok(all)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    fn otp(&self, counts: bool) -> Result<Otp, ImportErrorKind> {
        let secret = self.value("secret").ok_or(ImportErrorKind::Missing("secret"))?;
        let secret = Secret::from_base32(secret).map_err(ImportErrorKind::Secret)?;
        let algorithm =
            self.value("algorithm").map_or(Some(Algorithm::Sha1), |name| Algorithm::named(&name.to_ascii_uppercase()));
        let algorithm = algorithm.ok_or(ImportErrorKind::Value("algorithm"))?;
        let digits = self.value("digits").map_or(Some(Otp::DIGITS), number).ok_or(ImportErrorKind::Value("digits"))?;
        let factor = if counts {
            let first = self.value("counter").ok_or(ImportErrorKind::Missing("counter"))?;
            MovingFactor::Counter { first: counter(first).ok_or(ImportErrorKind::Value("counter"))? }
        } else {
            let period = self.value("period").map_or(Some(Otp::PERIOD), number);
            MovingFactor::Time { period: period.ok_or(ImportErrorKind::Value("period"))? }
        };
        Otp::new(secret, algorithm, digits, factor).map_err(ImportErrorKind::Otp)
    }
}

fn decoded(text: &str) -> Result<Zeroizing<String>, ImportErrorKind> {
    let mut parts = text.split('%');
    parts.next();
    let sound = |part: &str| part.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    if !parts.all(sound) {
        return Err(ImportErrorKind::PercentEncoding);
    }
    let text = percent_decode_str(text).decode_utf8().map_err(|_| ImportErrorKind::PercentEncoding)?;
    Ok(Zeroizing::new(text.into_owned()))
}

/// What people call it. Characters that are not seen, or that turn others around, are for nobody's terminal.
fn label(name: &str, issuer: Option<&str>, remarks: &mut Vec<Remark>) -> Result<Label, ImportErrorKind> {
    if name.chars().any(char::is_control) {
        return Err(ImportErrorKind::Label);
    }
    let seen = |text: &str| text.chars().filter(|c| !is_hidden(*c)).collect::<String>().trim().to_owned();
    let whole = Some(seen(name)).filter(|name| !name.is_empty()).or_else(|| issuer.map(seen)).unwrap_or_default();
    let cut: String = whole.chars().take(Label::LONGEST).collect();
    if cut.len() < whole.len() {
        remarks.push(Remark { line: None, what: What::LabelCut });
    }
    Ok(Label::parse(&cut).unwrap_or_else(|| numbered_label(1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use twinlock_core::{otp::OtpError, secret::SecretError};

    use super::*;

    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn read(uri: &str) -> Imported {
        parse(uri.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}: {uri}"))
    }

    fn refused(uri: &str) -> ImportErrorKind {
        parse(uri.as_bytes()).err().unwrap_or_else(|| panic!("taken: {uri}")).reason
    }

    fn shape(uri: &str) -> (MovingFactor, u8, Algorithm, String) {
        let device = &read(uri).devices[0];
        assert_eq!(device.otp.secret().bytes(), b"12345678901234567890");
        (device.otp.factor(), device.otp.digits(), device.otp.algorithm(), device.label.as_str().to_owned())
    }

    #[test]
    fn everything_that_changes_a_code_is_carried() {
        let time = |period| MovingFactor::Time { period };
        for (uri, wanted) in [
            (format!("otpauth://totp/H:alice?secret={SECRET}&issuer=H"), (time(30), 6, Algorithm::Sha1, "H:alice")),
            (
                format!(
                    "OTPAUTH://TOTP/H%3A%20al%69ce?secret={}%3D&algorithm=sha256&digits=8&period=60\n",
                    SECRET.to_lowercase()
                ),
                (time(60), 8, Algorithm::Sha256, "H: alice"),
            ),
            (
                format!("otpauth://hotp/B%C3%BCro?counter=7&secret={SECRET}&algorithm=SHA512&period=1\r\n"),
                (MovingFactor::Counter { first: 7 }, 6, Algorithm::Sha512, "Büro"),
            ),
            (
                format!("otpauth://totp/?secret={SECRET}&issuer=Example%20Ltd"),
                (time(30), 6, Algorithm::Sha1, "Example Ltd"),
            ),
            (format!("otpauth://totp/%20?secret={SECRET}"), (time(30), 6, Algorithm::Sha1, "imported")),
            (format!("otpauth://totp/a%E2%80%AEb%EF%BB%BFc?secret={SECRET}"), (time(30), 6, Algorithm::Sha1, "abc")),
        ] {
            let (factor, digits, algorithm, label) = wanted;
            assert_eq!(shape(&uri), (factor, digits, algorithm, label.to_owned()), "{uri}");
        }
    }

    #[test]
    fn what_is_not_carried_is_said() {
        let long = "x".repeat(1000);
        let imported = read(&format!("otpauth://totp/{long}?image=http%3A%2F%2Fx&secret={}&foo=bar", "A".repeat(26)));
        let remarks: Vec<_> = imported.remarks.iter().map(|remark| &remark.what).collect();
        assert_eq!(
            remarks,
            [&What::AppOnly("image"), &What::UnknownParameter(3), &What::ShortSecret { bits: 128 }, &What::LabelCut]
        );
        assert_eq!(imported.devices[0].label.as_str(), "x".repeat(64));
    }

    #[test]
    fn everything_else_is_refused() {
        let totp = |rest: &str| format!("otpauth://totp/a?secret={SECRET}{rest}");
        for (uri, reason) in [
            (String::new(), ImportErrorKind::Empty),
            ("\n".into(), ImportErrorKind::Empty),
            ("https://example.com".into(), ImportErrorKind::Scheme),
            (SECRET.into(), ImportErrorKind::Scheme),
            (format!("otpauth://steam/a?secret={SECRET}"), ImportErrorKind::Scheme),
            (format!("otpauth://totp?secret={SECRET}"), ImportErrorKind::Scheme),
            ("otpauth-migration://offline?data=AAAA".into(), ImportErrorKind::Migration),
            ("otpauth://totp/a".into(), ImportErrorKind::Missing("secret")),
            ("otpauth://totp/a?issuer=b".into(), ImportErrorKind::Missing("secret")),
            (format!("otpauth://hotp/a?secret={SECRET}"), ImportErrorKind::Missing("counter")),
            (totp(&format!("&secret={SECRET}")), ImportErrorKind::Twice("secret")),
            (totp("&digits=6&digits=8"), ImportErrorKind::Twice("digits")),
            (totp("&digits=5"), ImportErrorKind::Otp(OtpError::Digits)),
            (totp("&digits=%2B6"), ImportErrorKind::Value("digits")),
            (totp("&period=0"), ImportErrorKind::Otp(OtpError::Period)),
            (totp("&period=x"), ImportErrorKind::Value("period")),
            (totp("&algorithm=MD5"), ImportErrorKind::Value("algorithm")),
            (totp("&"), ImportErrorKind::Parameter(2)),
            (totp("&=x"), ImportErrorKind::Parameter(2)),
            (totp("&issuer=%"), ImportErrorKind::PercentEncoding),
            (totp("&issuer=%4"), ImportErrorKind::PercentEncoding),
            (totp("&issuer=%zz"), ImportErrorKind::PercentEncoding),
            (totp("&issuer=%FF"), ImportErrorKind::PercentEncoding),
            (format!("otpauth://totp/a%1B%5B31m?secret={SECRET}"), ImportErrorKind::Label),
            (format!("otpauth://totp/a%0Ab?secret={SECRET}"), ImportErrorKind::Label),
            (format!("otpauth://totp/a\u{7f}?secret={SECRET}"), ImportErrorKind::NotText),
            ("otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ".into(), ImportErrorKind::Secret(SecretError::TooShort(80))),
            ("otpauth://totp/a?secret=GEZD%20GNBV".into(), ImportErrorKind::Secret(SecretError::Encoding)),
            (format!("{0}\n{0}\n", totp("")), ImportErrorKind::Lines),
            (totp(&format!("&issuer={}", "x".repeat(10_000))), ImportErrorKind::TooLarge(LARGEST)),
        ] {
            assert_eq!(refused(&uri), reason, "{uri}");
        }
        assert_eq!(parse(b"\xff\xfe").err(), Some(ImportErrorKind::NotText.nowhere()));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_address_panics_and_no_refusal_repeats_it(kind in "(totp|hotp)", label in "[ -~é\u{202e}]{0,80}", query in "([a-z]{1,9}=[ -~]{0,40}&){0,4}") {
            if let Err(refusal) = parse(format!("otpauth://{kind}/{label}?secret={SECRET}&{query}counter=1").as_bytes()) {
                prop_assert!(!refusal.to_string().contains(SECRET));
            }
        }
    }
}
