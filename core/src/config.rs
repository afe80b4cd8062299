//! The administrator's settings: what may be set, its default and its range. Reading the file is [`crate::store`]'s business.

use std::{fmt, ops::RangeInclusive, path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer, de};

use crate::{policy::SecondFactor, throttle::Limits};

/// Where the configuration is, unless the command or the module is told otherwise.
pub const DEFAULT_PATH: &str = "/etc/twinlock/config.toml";

/// All settings. [`Config::default`] is the one table of defaults: `config/config.toml` is checked against it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// For everybody.
    pub second_factor: SecondFactor,
    /// What is asked, 1 to 200 printable characters.
    #[serde(deserialize_with = "prompt")]
    pub prompt: String,
    /// Whether the answer is shown while it is typed. A code is worthless once used, and sshd's `password` method, which
    /// would answer with the account password, cannot answer a prompt that echoes.
    pub echo: bool,
    /// Asked of libpam for a refused attempt, which varies it by half; 0s to 10s.
    #[serde(deserialize_with = "fail_delay")]
    pub fail_delay: Duration,
    /// Whose code it is, for the app; empty for the host's name. Up to 64 characters, no colon.
    #[serde(deserialize_with = "issuer")]
    pub issuer: String,
    /// Where secrets and state are.
    pub store: Store,
    /// How guessing is slowed down.
    pub throttle: Throttle,
}

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// An absolute path without symbolic links; root's, mode 0700.
    #[serde(deserialize_with = "directory")]
    pub directory: PathBuf,
}

/// `[throttle]`. See [`Limits`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Throttle {
    /// 1 to 10.
    #[serde(deserialize_with = "free_failures")]
    pub free_failures: u32,
    /// 1 to 1000.
    #[serde(deserialize_with = "budget")]
    pub budget: u32,
    /// 1s to 1h.
    #[serde(deserialize_with = "spacing")]
    pub spacing: Duration,
    /// 11 to 100, so that it is above `free_failures` whatever that is: NIST SP 800-63B-4 section 3.2.2 sets the upper end.
    #[serde(deserialize_with = "disable_after")]
    pub disable_after: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            second_factor: SecondFactor::Required,
            prompt: "Verification code: ".into(),
            echo: true,
            fail_delay: Duration::from_secs(1),
            issuer: String::new(),
            store: Store::default(),
            throttle: Throttle::default(),
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self { directory: "/var/lib/twinlock".into() }
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self { free_failures: 3, budget: 30, spacing: Duration::from_secs(10), disable_after: 100 }
    }
}

impl Config {
    /// Reads settings; what is not set has its default.
    ///
    /// # Errors
    /// [`BadConfig`] for an unknown key, a value of the wrong kind or out of range, or what is not TOML.
    pub fn parse(text: &[u8]) -> Result<Self, BadConfig> {
        let whole = std::str::from_utf8(text).map_err(|error| BadConfig::at(text, error.valid_up_to(), "not UTF-8"))?;
        toml::from_str(whole).map_err(|error| BadConfig::at(text, error.span().map_or(0, |span| span.start), error.message()))
    }

    /// The throttle's settings as its rules want them.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        let Throttle { free_failures, budget, spacing, disable_after } = self.throttle;
        Limits { free_failures, budget, spacing, disable_after }
    }
}

/// A configuration that is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadConfig {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in bytes.
    pub column: usize,
    /// The line itself, without control characters.
    pub text: String,
    /// What is wrong with it.
    pub message: String,
}

impl BadConfig {
    fn at(text: &[u8], offset: usize, message: &str) -> Self {
        let (line, column) = line_and_column(text, offset);
        let shown = text.split(|byte| *byte == b'\n').nth(line.saturating_sub(1)).unwrap_or_default();
        let shown = String::from_utf8_lossy(shown).chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let message = message.lines().collect::<Vec<_>>().join(", ");
        Self { line, column, text: shown, message }
    }

    /// The line with a caret under the column.
    #[must_use]
    pub fn picture(&self) -> String {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let indent = " ".repeat(self.column.saturating_sub(1));
        format!("{margin} |\n{number} | {}\n{margin} | {indent}^", self.text)
    }
}

impl fmt::Display for BadConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for BadConfig {}

/// Line and column of a byte, both from 1.
#[must_use]
pub fn line_and_column(text: &[u8], offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.split(|byte| *byte == b'\n').count();
    let column = before.rsplit(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len).saturating_add(1);
    (line, column)
}

fn prompt<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    check_prompt(String::deserialize(from)?).map_err(de::Error::custom)
}

/// Takes 1 to 200 printable characters as a prompt.
///
/// # Errors
/// What a prompt must be.
pub fn check_prompt(text: String) -> Result<String, &'static str> {
    let sound = (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if sound { Ok(text) } else { Err("a prompt has 1 to 200 characters, none a control character") }
}

fn issuer<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    check_issuer(String::deserialize(from)?).map_err(de::Error::custom)
}

/// Takes up to 64 printable characters without a colon as an issuer: `otpauth://` has no way to write one.
///
/// # Errors
/// What an issuer must be.
pub fn check_issuer(text: String) -> Result<String, &'static str> {
    let sound = text.chars().count() <= 64 && !text.chars().any(|c| c.is_control() || c == ':');
    if sound { Ok(text) } else { Err("an issuer has up to 64 characters, no colon and no control character") }
}

fn directory<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    let path = PathBuf::deserialize(from)?;
    let sound = path.is_absolute() && !path.components().any(|part| part == std::path::Component::ParentDir);
    if sound { Ok(path) } else { Err(de::Error::custom("the directory must be an absolute path without `..`")) }
}

fn fail_delay<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    span(from, Duration::ZERO..=Duration::from_secs(10), "a span from 0s to 10s, such as \"1s\"")
}

fn spacing<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    span(from, Duration::from_secs(1)..=Duration::from_secs(3600), "a span from 1s to 1h, such as \"10s\"")
}

fn free_failures<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    number(from, 1..=10, "a number from 1 to 10")
}

fn budget<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    number(from, 1..=1000, "a number from 1 to 1000")
}

fn disable_after<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    number(from, 11..=100, "a number from 11 to 100; there is no unlimited (NIST SP 800-63B-4 section 3.2.2)")
}

fn number<'de, D: Deserializer<'de>>(from: D, range: RangeInclusive<u32>, expected: &'static str) -> Result<u32, D::Error> {
    let number = i64::deserialize(from)?;
    u32::try_from(number)
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| de::Error::invalid_value(de::Unexpected::Signed(number), &expected))
}

fn span<'de, D: Deserializer<'de>>(from: D, range: RangeInclusive<Duration>, expected: &'static str) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    humantime::parse_duration(&text)
        .ok()
        .filter(|span| range.contains(span))
        .ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&text), &expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Config::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_file_means_the_defaults() {
        assert_eq!(Config::parse(b"").unwrap(), Config::default());
    }

    #[test]
    fn each_mistake_names_its_place_and_what_would_be_right() {
        for (text, error) in [
            ("second_factor = \"requird\"", "1:17: unknown variant `requird`, expected one of `required`, `optional`, `skip`"),
            ("\nsecond_facter = \"skip\"", "2:1: unknown field `second_facter`, expected one of"),
            ("[throttle]\nbudgett = 1", "2:1: unknown field `budgett`, expected one of"),
            ("echo = \"yes\"", "1:8: invalid type: string \"yes\", expected a boolean"),
            ("prompt = \"\"", "1:10: a prompt has 1 to 200 characters"),
            ("prompt = \"a\\u001b\"", "1:10: a prompt has 1 to 200 characters"),
            ("issuer = \"a:b\"", "1:10: an issuer has up to 64 characters, no colon"),
            ("fail_delay = \"11s\"", "1:14: invalid value: string \"11s\", expected a span from 0s to 10s"),
            ("fail_delay = 1", "1:14: invalid type: integer `1`, expected a string"),
            ("[store]\ndirectory = \"var\"", "2:13: the directory must be an absolute path"),
            ("[store]\ndirectory = \"/a/../b\"", "2:13: the directory must be an absolute path"),
            ("[throttle]\nfree_failures = 0", "2:17: invalid value: integer `0`, expected a number from 1 to 10"),
            ("[throttle]\nfree_failures = 11", "2:17: invalid value"),
            ("[throttle]\nbudget = 0", "2:10: invalid value"),
            ("[throttle]\nbudget = 1001", "2:10: invalid value"),
            ("[throttle]\nbudget = -1", "2:10: invalid value"),
            ("[throttle]\nspacing = \"0s\"", "2:11: invalid value"),
            ("[throttle]\nspacing = \"2h\"", "2:11: invalid value"),
            ("[throttle]\nspacing = \"\"", "2:11: invalid value"),
            ("[throttle]\ndisable_after = 0", "2:17: invalid value"),
            ("[throttle]\ndisable_after = 101", "2:17: invalid value"),
            ("echo = true\necho = true", "2:1: duplicate key"),
            ("= 1", "1:1: "),
        ] {
            let told = refusal(text);
            assert!(told.starts_with(error), "{text:?}: {told}");
        }
        assert_eq!(refusal("echo = true\n\u{0}"), refusal("echo = true\n\u{0}"));
        assert!(Config::parse(b"# \xff").unwrap_err().to_string().starts_with("1:3: not UTF-8"));
    }

    #[test]
    fn the_picture_has_its_caret_under_the_mistake() {
        let error = Config::parse(b"echo = true\nprompt = 7\n").unwrap_err();
        assert_eq!(error.picture(), "  |\n2 | prompt = 7\n  |          ^");
    }

    #[test]
    fn deep_nesting_is_an_error_not_an_overflow() {
        for text in ["[".repeat(60_000), format!("a = {}", "[".repeat(60_000)), "a.".repeat(30_000)] {
            assert!(Config::parse(text.as_bytes()).is_err());
        }
    }
}
