//! Canaries: what must be found nowhere, in every spelling in which it could be written. One list for all tests that look
//! for leaks.

use std::collections::BTreeMap;

use data_encoding::{BASE32, BASE32_NOPAD, BASE64, BASE64URL, HEXLOWER, HEXUPPER};
use memchr::memmem;

use crate::otp::Authenticator;

/// Secrets, codes and passwords with all their spellings.
///
/// ```
/// use twinlock_tests::Canaries;
///
/// let mut canaries = Canaries::default();
/// canaries.recovery_code("ABCD-EFGH-JKMN-PQRS");
/// assert_eq!(canaries.found_in(b"used abcdefghjkmnpqrs"), Some("a recovery code: abcdefghjkmnpqrs".to_owned()));
/// assert_eq!(canaries.found_in(b"used a recovery code"), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Canaries(BTreeMap<Vec<u8>, &'static str>);

impl Canaries {
    /// The shared key of an authenticator: raw and as the key of its HMAC (RFC 2104), in hexadecimal, base32 and base64, as
    /// a list of numbers.
    pub fn secret(&mut self, secret: &[u8]) {
        self.bytes("a secret", secret);
        for pad in [0x36, 0x5c] {
            self.put("a secret in the pad of an HMAC", secret.iter().map(|byte| byte ^ pad).collect::<Vec<_>>());
        }
        for base32 in [BASE32.encode(secret), BASE32_NOPAD.encode(secret)] {
            for spelling in [base32.to_lowercase(), base32] {
                for between in [" ", "-"] {
                    self.put("a secret", in_fours(&spelling, between));
                }
                self.put("a secret", spelling);
            }
        }
    }

    /// The address that an app scans, and the secret in it.
    pub fn uri(&mut self, uri: &str) {
        self.text("an otpauth address", uri);
        self.secret(&Authenticator::from_uri(uri).secret);
    }

    /// A code. Take long ones: six digits turn up by chance.
    pub fn code(&mut self, code: &str) {
        self.text("a code", code);
    }

    /// A recovery code as it is shown, with dashes.
    pub fn recovery_code(&mut self, code: &str) {
        for spelling in [code.to_owned(), code.replace('-', ""), code.replace('-', " ")] {
            self.text("a recovery code", &spelling);
        }
    }

    /// A password, or anything else that was typed.
    pub fn password(&mut self, password: &str) {
        self.text("a password", password);
    }

    /// The first spelling that is in there, and what it is.
    pub fn found_in(&self, place: &[u8]) -> Option<String> {
        let found = self.0.iter().find(|(spelling, _)| memmem::find(place, spelling).is_some());
        found.map(|(spelling, what)| format!("{what}: {}", String::from_utf8_lossy(spelling)))
    }

    /// Everywhere a spelling is in there: what it is, and at which byte.
    pub fn places_in(&self, place: &[u8]) -> Vec<(&'static str, usize)> {
        let all = self.0.iter().flat_map(|(spelling, what)| memmem::find_iter(place, spelling).map(|at| (*what, at)));
        all.collect()
    }

    /// # Panics
    /// When a spelling is in there.
    pub fn assert_not_in(&self, name: &str, place: impl AsRef<[u8]>) {
        assert!(!self.0.is_empty(), "nothing to look for");
        let place = place.as_ref();
        if let Some(found) = self.found_in(place) {
            panic!("T-LEAK: {name} has {found}\n{}", String::from_utf8_lossy(&place[..place.len().min(20_000)]));
        }
    }

    /// How many spellings are looked for.
    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }

    fn text(&mut self, what: &'static str, text: &str) {
        for spelling in [text.to_lowercase(), text.to_uppercase(), text.to_owned()] {
            self.bytes(what, spelling.as_bytes());
            let escaped = spelling.bytes().map(|byte| match byte {
                byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            });
            let escaped: String = escaped.collect();
            self.put(what, escaped.to_lowercase());
            self.put(what, escaped);
        }
    }

    fn bytes(&mut self, what: &'static str, bytes: &[u8]) {
        let spaced: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let listed = format!("{bytes:?}");
        self.put(what, bytes);
        for spelling in [HEXLOWER.encode(bytes), HEXUPPER.encode(bytes), spaced.join(" "), spaced.join(", ")] {
            self.put(what, spelling);
        }
        for spelling in [BASE64.encode(bytes), BASE64URL.encode(bytes)] {
            self.put(what, spelling.trim_end_matches('='));
        }
        self.put(what, listed.trim_matches(['[', ']']));
    }

    fn put(&mut self, what: &'static str, spelling: impl AsRef<[u8]>) {
        let spelling = spelling.as_ref();
        assert!(spelling.len() >= 6, "too short to be told from what is there by chance: {spelling:?}");
        self.0.insert(spelling.to_vec(), what);
    }
}

fn in_fours(symbols: &str, between: &str) -> String {
    symbols.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(between)
}

#[test]
fn a_secret_is_found_in_every_spelling() {
    let mut canaries = Canaries::default();
    canaries.uri("otpauth://totp/H:a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=H");
    for spelling in [
        "12345678901234567890",
        "3132333435363738393031323334353637383930",
        "31 32 33 34 35 36 37 38 39 30 31 32 33 34 35 36 37 38 39 30",
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
        "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
        "gezd-gnbv-gy3t-qojq-gezd-gnbv-gy3t-qojq",
        "Secret([49, 50, 51, 52, 53, 54, 55, 56, 57, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 48])",
        "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=",
        "otpauth%3A%2F%2Ftotp%2FH%3Aa%3Fsecret%3DGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ%26issuer%3DH",
    ] {
        assert!(canaries.found_in(format!("x{spelling}x").as_bytes()).is_some(), "{spelling}");
    }
    assert_eq!(canaries.found_in(b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ"), None);
}
