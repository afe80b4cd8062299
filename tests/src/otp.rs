//! An authenticator app for the tests, written from the RFCs and apart from twinlock-core, which it checks.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// The hash under the code (RFC 6238 section 1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA-1, what every app knows
    Sha1,
    /// HMAC-SHA-256
    Sha256,
    /// HMAC-SHA-512
    Sha512,
}

/// What an authenticator app keeps of one account.
///
/// ```
/// use twinlock_tests::Authenticator;
///
/// let app = Authenticator::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
/// assert_eq!(app.code_at(0), "755224"); // RFC 4226, appendix D
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticator {
    /// The secret itself.
    pub secret: Vec<u8>,
    /// The hash.
    pub algorithm: Algorithm,
    /// How long a code is: 6 to 8.
    pub digits: u32,
    /// How long a step is, in seconds. For `hotp` without meaning.
    pub period: u64,
}

impl Authenticator {
    /// SHA1, 6 digits, 30 seconds, with this secret in base32 without padding.
    pub fn from_base32(secret: &str) -> Self {
        let secret = BASE32_NOPAD.decode(secret.as_bytes()).expect("a secret in base32");
        Self { secret, algorithm: Algorithm::Sha1, digits: 6, period: 30 }
    }

    /// Scans an `otpauth://` URI, as strictly as the strictest app.
    pub fn from_uri(uri: &str) -> Self {
        let rest = uri.strip_prefix("otpauth://totp/").or_else(|| uri.strip_prefix("otpauth://hotp/"));
        let (_, query) = rest.and_then(|rest| rest.split_once('?')).unwrap_or_else(|| panic!("no otpauth URI: {uri}"));
        let value = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        let plain = Self::from_base32(value("secret").unwrap_or_else(|| panic!("no secret in {uri}")));
        Self {
            algorithm: match value("algorithm") {
                None | Some("SHA1") => Algorithm::Sha1,
                Some("SHA256") => Algorithm::Sha256,
                Some("SHA512") => Algorithm::Sha512,
                Some(other) => panic!("no app knows {other}"),
            },
            digits: value("digits").map_or(6, |digits| digits.parse().expect("a number of digits")),
            period: value("period").map_or(30, |period| period.parse().expect("a number of seconds")),
            ..plain
        }
    }

    /// The code of a step or counter (RFC 4226 section 5.3).
    pub fn code_at(&self, step: u64) -> String {
        fn digest<M: Mac + KeyInit>(secret: &[u8], step: u64) -> Vec<u8> {
            let mut mac = <M as KeyInit>::new_from_slice(secret).expect("HMAC takes keys of any length");
            mac.update(&step.to_be_bytes());
            mac.finalize().into_bytes().to_vec()
        }
        let digest = match self.algorithm {
            Algorithm::Sha1 => digest::<Hmac<Sha1>>(&self.secret, step),
            Algorithm::Sha256 => digest::<Hmac<Sha256>>(&self.secret, step),
            Algorithm::Sha512 => digest::<Hmac<Sha512>>(&self.secret, step),
        };
        let offset = usize::from(digest[digest.len() - 1] & 0xf);
        let word = u32::from_be_bytes(digest[offset..offset + 4].try_into().expect("four bytes")) & 0x7fff_ffff;
        let width = self.digits as usize;
        format!("{:0width$}", u64::from(word) % 10_u64.pow(self.digits))
    }

    /// The step of the clock now.
    pub fn now_step(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() / self.period
    }

    /// A code of the right length that is wrong now and for the next minutes: of no step anywhere near. Its digits turn up
    /// nowhere by chance, as zeros do.
    pub fn wrong_code(&self) -> String {
        let now = self.now_step();
        let near: Vec<_> = (now.saturating_sub(10)..now + 10).map(|step| self.code_at(step)).collect();
        let numbers = (71_937_193..).map(|number: u64| number % 10_u64.pow(self.digits));
        let width = self.digits as usize;
        numbers.map(|number| format!("{number:0width$}")).find(|code| !near.contains(code)).expect("20 codes of many")
    }

    /// Codes that are sure to be valid, see [`Codes`].
    pub fn codes(&self) -> Codes {
        Codes { authenticator: self.clone(), last_step: None }
    }
}

/// Valid codes, each of a later step than the one before.
///
/// The first is of the current step, the second of the next one. Both are within now-1..=now+1 for at least one whole
/// period after they were given out, whatever the clock does meanwhile: the step that is `now` may become `now-1`, and
/// `now+1` may become `now`. So no test flakes at a step's boundary. A third, asked for in the same step, would be
/// outside: it is given out only when the clock has come on, after up to one period. Few tests need it.
#[derive(Clone, Debug)]
pub struct Codes {
    authenticator: Authenticator,
    last_step: Option<u64>,
}

impl Codes {
    /// The next code.
    #[allow(clippy::should_implement_trait, reason = "it has no end and may wait, which nobody expects of an iterator")]
    pub fn next(&mut self) -> String {
        let step = self.next_step();
        self.authenticator.code_at(step)
    }

    /// The step of the next code, for tests that look at the state.
    pub fn next_step(&mut self) -> u64 {
        let now = self.authenticator.now_step();
        let step = self.last_step.map_or(now, |last| now.max(last + 1));
        while step > self.authenticator.now_step() + 1 {
            thread::sleep(Duration::from_millis(100));
        }
        self.last_step = Some(step);
        step
    }
}

#[test]
fn the_codes_of_rfc_6238_appendix_b_come_out() {
    let app = |algorithm, secret: &[u8]| Authenticator { secret: secret.to_vec(), algorithm, digits: 8, period: 30 };
    let digits = b"1234567890123456789012345678901234567890123456789012345678901234";
    let codes = [
        app(Algorithm::Sha1, &digits[..20]).code_at(59 / 30),
        app(Algorithm::Sha256, &digits[..32]).code_at(59 / 30),
        app(Algorithm::Sha512, &digits[..64]).code_at(59 / 30),
    ];
    assert_eq!(codes, ["94287082", "46119246", "90693936"]);
}

#[test]
fn a_uri_is_scanned() {
    let app =
        Authenticator::from_uri("otpauth://totp/H:a?secret=GEZDGNBV&issuer=H&algorithm=SHA512&digits=8&period=60");
    let expected = Authenticator { secret: b"12345".to_vec(), algorithm: Algorithm::Sha512, digits: 8, period: 60 };
    assert_eq!(app, expected);
}
