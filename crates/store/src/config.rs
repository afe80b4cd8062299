//! The administrator's settings: what may be set, its default and its range. Reading the file is [`crate::files`]'s business.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use toml::de::DeValue;
use twinlock_core::{
    catalogue::{Catalogue, Language, UserText},
    help_desk::HelpDesk,
    policy::{Policy, SecondFactor},
    throttle::Limits,
};

use crate::{
    document::{
        Document, ParseError, ParseErrorKind, Table, boolean, each, integer, line_and_column, printable, span, string,
    },
    format::rule,
    messages, misplaced,
};

/// Where the configuration is, unless the command or the module is told otherwise.
pub const DEFAULT_PATH: &str = "/etc/twinlock/config.toml";

/// All settings. [`Config::default`] is the one table of defaults: `config/config.toml` is checked against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The users who must answer: `[[rule]]`, and `second_factor` for everybody no rule speaks of.
    pub policy: Policy,
    /// What is asked, up to 200 printable characters; empty for the usual text. See [`Config::prompt`].
    pub prompt: String,
    /// Whether the answer is shown while it is typed. A code is worthless once used, and sshd's `password` method, which
    /// would answer with the account password, cannot answer a prompt that echoes.
    pub echo: bool,
    /// Asked of libpam for a refused attempt, which varies it by half; 0s to 10s.
    pub fail_delay: Duration,
    /// The issuer that the app shows; empty for the host's name. Up to 64 characters, no colon.
    pub issuer: String,
    /// What users who are denied are told, the same for everybody: how to get help. Up to 500 printable characters. See
    /// [`Config::help`].
    pub help: String,
    /// The language of the texts for users.
    pub language: Language,
    /// Whether an enrolment inside a login offers a QR code.
    pub qr: Pictures,
    /// Where secrets and state are.
    pub store: StoreSettings,
    /// How guessing is slowed down.
    pub throttle: ThrottleSettings,
    /// What users may do for themselves.
    pub self_service: SelfService,
    /// The users who may help others, by the broker.
    pub help_desk: HelpDesk,
    /// Whether a mail reports every change to its user.
    pub notify: Notify,
}

/// Whether QR codes are drawn inside a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pictures {
    /// On request.
    Auto,
    /// Never: there is the key alone.
    None,
}

impl Pictures {
    fn named(name: &str) -> Result<Self, String> {
        match name {
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::None),
            _ => Err(messages::not_one_of(name, &["auto", "none"])),
        }
    }
}

/// `[self_service]`: what is left to users, by the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a word of `allow`")]
pub struct SelfService {
    /// What must be shown where there is no second factor yet.
    pub first_enrollment: FirstEnrollment,
    /// Enrolling for the first time.
    pub enroll: bool,
    /// A new authenticator in the place of all others.
    pub replace: bool,
    /// A new set of recovery codes.
    pub recovery: bool,
    /// Adding, renaming, suspending, resuming and removing devices.
    pub device: bool,
    /// Removing the second factor, where policy does not require one.
    pub remove: bool,
}

/// What somebody who has no second factor must show to be enrolled by the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstEnrollment {
    /// The account's password, through the PAM service `twinlock`.
    Password,
    /// That the session of the caller has just begun.
    Session,
    /// Nothing is enough.
    Off,
}

/// `[notify]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// Whether users are sent a mail about every change of their second factor.
    pub mail: bool,
    /// What takes it: an absolute path, for root's `PATH` may be that of the user who became root.
    pub sendmail: PathBuf,
}

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// An absolute path without symbolic links; root's, mode 0700.
    pub directory: PathBuf,
    /// Where the site puts the key of sealed secrets; `None` for the key that this host unseals at boot.
    pub key_file: Option<PathBuf>,
}

/// `[throttle]`. See [`Limits`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThrottleSettings {
    /// 1 to 10.
    pub free_failures: u32,
    /// 1 to 1000.
    pub budget: u32,
    /// 1s to 1h.
    pub spacing: Duration,
    /// 11 to 100, so that it is above `free_failures` whatever that is: NIST SP 800-63B-4 section 3.2.2 sets the upper end.
    pub disable_after: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            prompt: String::new(),
            echo: true,
            fail_delay: Duration::from_secs(1),
            issuer: String::new(),
            help: String::new(),
            language: Language::default(),
            qr: Pictures::Auto,
            store: StoreSettings::default(),
            throttle: ThrottleSettings::default(),
            self_service: SelfService::default(),
            help_desk: HelpDesk::default(),
            notify: Notify::default(),
        }
    }
}

impl Default for Notify {
    fn default() -> Self {
        // Where every mail server has it (Linux Standard Base).
        Self { mail: false, sendmail: "/usr/sbin/sendmail".into() }
    }
}

impl Default for SelfService {
    fn default() -> Self {
        Self {
            first_enrollment: FirstEnrollment::Password,
            enroll: true,
            replace: true,
            recovery: true,
            device: true,
            remove: true,
        }
    }
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { directory: "/var/lib/twinlock".into(), key_file: None }
    }
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        Self { free_failures: 3, budget: 30, spacing: Duration::from_secs(10), disable_after: 100 }
    }
}

impl Config {
    /// Reads settings; what is not set has its default.
    ///
    /// # Errors
    /// [`ConfigError`] for an unknown key, a value of the wrong kind or out of range, or what is not TOML.
    pub fn parse(text: &[u8]) -> Result<Self, ConfigError> {
        let encoding = |error: std::str::Utf8Error| {
            ConfigError::at(text, error.valid_up_to(), "not UTF-8", ParseErrorKind::Encoding)
        };
        let whole = std::str::from_utf8(text).map_err(encoding)?;
        Self::from_text(whole).map_err(|ParseError { offset, message, kind }| {
            let misplaced = if kind == ParseErrorKind::UnknownKey { misplaced::explain(whole, offset) } else { None };
            ConfigError::at(text, offset, &misplaced.unwrap_or(message), kind)
        })
    }

    /// Reads settings as [`Config::parse`] does, for those who do not say where in the file a rule stands. The comments, which
    /// are most of a configuration, are left out before it is parsed: with them it is half the work of a login.
    ///
    /// # Errors
    /// As for [`Config::parse`].
    pub fn parse_without_places(text: &[u8]) -> Result<Self, ConfigError> {
        let settings = std::str::from_utf8(text).ok().and_then(without_comments);
        match settings.map(|settings| Self::from_text(&settings)) {
            Some(Ok(config)) => Ok(config),
            Some(Err(_)) | None => Self::parse(text),
        }
    }

    fn from_text(text: &str) -> Result<Self, ParseError> {
        let default = Self::default();
        let document = Document::parse(text)?;
        let mut whole = document.table();
        let otherwise = whole.optional("second_factor", |v| SecondFactor::named(string(v)?))?;
        let config = Self {
            prompt: whole.optional("prompt", |v| check_own_prompt(string(v)?))?.unwrap_or(default.prompt),
            echo: whole.optional("echo", boolean)?.unwrap_or(default.echo),
            fail_delay: whole.optional("fail_delay", |v| span(v, "0s", "10s"))?.unwrap_or(default.fail_delay),
            issuer: whole.optional("issuer", |v| check_issuer(string(v)?))?.unwrap_or(default.issuer),
            help: whole.optional("help", |v| check_help(string(v)?))?.unwrap_or(default.help),
            language: whole.optional("language", |v| Language::parse(string(v)?))?.unwrap_or(default.language),
            qr: whole.optional("qr", |v| Pictures::named(string(v)?))?.unwrap_or(default.qr),
            store: StoreSettings::from_table(whole.section("store")?, default.store)?,
            throttle: ThrottleSettings::from_table(whole.section("throttle")?, &default.throttle)?,
            self_service: SelfService::from_table(whole.section("self_service")?, default.self_service)?,
            help_desk: help_desk(whole.section("helpdesk")?)?,
            notify: Notify::from_table(whole.section("notify")?, default.notify)?,
            policy: Policy {
                rules: whole.tables("rule", rule::read)?,
                otherwise: otherwise.unwrap_or(default.policy.otherwise),
            },
        };
        whole.end()?;
        Ok(config)
    }

    /// How to get help, if there is anything to say: the administrator's text, or during a roll-out a sentence, since
    /// people who missed its last day come back to a closed door.
    #[must_use]
    pub fn help<'a>(&'a self, catalogue: &'a Catalogue) -> Option<&'a str> {
        match self.help.as_str() {
            "" if self.policy.enrolls() => Some(catalogue.get(UserText::DefaultHelp)),
            "" => None,
            text => Some(text),
        }
    }

    /// What is asked first: the administrator's text, or the usual one.
    #[must_use]
    pub fn prompt(&self, catalogue: &Catalogue) -> String {
        if self.prompt.is_empty() { catalogue.prompt(UserText::CodePrompt) } else { self.prompt.clone() }
    }

    /// The throttle's settings as its rules want them.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        let ThrottleSettings { free_failures, budget, spacing, disable_after } = self.throttle;
        Limits { free_failures, budget, spacing, disable_after }
    }
}

/// The text without the lines that have nothing but a comment. `None` if such a line may be part of a string of several lines,
/// or has a character that TOML does not allow in a comment.
fn without_comments(text: &str) -> Option<String> {
    let mut settings = String::new();
    for line in text.split_inclusive('\n') {
        match line.trim_start_matches([' ', '\t']).strip_prefix('#') {
            None => settings.push_str(line),
            Some(comment) => {
                let comment =
                    comment.strip_suffix('\n').map_or(comment, |line| line.strip_suffix('\r').unwrap_or(line));
                if !comment.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..)) {
                    return None;
                }
            }
        }
    }
    let may_have_long_strings = settings.contains("\"\"\"") || settings.contains("'''");
    (!may_have_long_strings).then_some(settings)
}

/// A configuration that is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in bytes.
    pub column: usize,
    /// The line itself, without control characters; `None` where it may not be repeated.
    pub text: Option<String>,
    /// What is wrong with it, in one line without control characters.
    pub message: String,
    /// What kind of error it is.
    pub kind: ParseErrorKind,
}

impl ConfigError {
    pub(crate) fn at(text: &[u8], offset: usize, message: &str, kind: ParseErrorKind) -> Self {
        let (line, column) = line_and_column(text, offset);
        let shown = text.split(|byte| *byte == b'\n').nth(line.saturating_sub(1)).unwrap_or_default();
        let text = String::from_utf8_lossy(shown).chars().take(200).collect::<String>().replace(char::is_control, " ");
        // A message repeats what stands in the file, and may have lines.
        let message = message.lines().collect::<Vec<_>>().join(", ").replace(char::is_control, " ");
        Self { line, column, text: Some(text), message, kind }
    }

    /// The same without anything that the file says.
    #[must_use]
    pub fn without_quotes(self) -> Self {
        let message = messages::without_quotes(self.kind);
        Self { text: None, message, ..self }
    }

    /// The line with a caret under the column; `None` where it may not be repeated.
    #[must_use]
    pub fn picture(&self) -> Option<String> {
        let text = self.text.as_ref()?;
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        // The column counts bytes, and a caret stands under a character.
        let before = text.char_indices().take_while(|(at, _)| at.saturating_add(1) < self.column);
        let indent = " ".repeat(before.count());
        Some(format!("{margin} |\n{number} | {text}\n{margin} | {indent}^"))
    }
}

impl std::error::Error for ConfigError {}

/// Where the value of a setting outside of all tables stands, in bytes; `None` if the text does not set it.
#[must_use]
pub fn place_of(text: &[u8], key: &str) -> Option<usize> {
    Document::parse(std::str::from_utf8(text).ok()?).ok()?.table().place_of(key)
}

impl StoreSettings {
    fn from_table(mut table: Table<'_>, default: Self) -> Result<Self, ParseError> {
        let store = Self {
            directory: table.optional("directory", absolute)?.unwrap_or(default.directory),
            key_file: table.optional("key_file", path_or_none)?.flatten(),
        };
        table.end()?;
        Ok(store)
    }
}

/// A path; none for the empty text.
fn path_or_none(value: &DeValue<'_>) -> Result<Option<PathBuf>, String> {
    if string(value)?.is_empty() { Ok(None) } else { absolute(value).map(Some) }
}

impl SelfService {
    fn from_table(mut table: Table<'_>, default: Self) -> Result<Self, ParseError> {
        let first_enrollment = table
            .optional("first_enrollment", |v| FirstEnrollment::named(string(v)?))?
            .unwrap_or(default.first_enrollment);
        let allowed = table.optional("allow", |v| each(v, allowed))?;
        table.end()?;
        let Some(words) = allowed else {
            return Ok(Self { first_enrollment, ..default });
        };
        let [enroll, replace, recovery, device, remove] = ALLOWED.map(|word| words.contains(&word));
        Ok(Self { first_enrollment, enroll, replace, recovery, device, remove })
    }
}

/// The words of `allow`, in the order of [`SelfService`].
const ALLOWED: [&str; 5] = ["enroll", "replace", "recovery", "device", "remove"];

fn allowed(value: &DeValue<'_>) -> Result<&'static str, String> {
    let word = string(value)?;
    let known = ALLOWED.into_iter().find(|known| *known == word);
    known.ok_or_else(|| messages::not_one_of(word, &ALLOWED))
}

impl FirstEnrollment {
    fn named(name: &str) -> Result<Self, String> {
        match name {
            "password" => Ok(Self::Password),
            "session" => Ok(Self::Session),
            "off" => Ok(Self::Off),
            _ => Err(messages::not_one_of(name, &["password", "session", "off"])),
        }
    }
}

fn help_desk(mut table: Table<'_>) -> Result<HelpDesk, ParseError> {
    let group = table.optional("group", |v| string(v).map(str::to_owned))?.unwrap_or_default();
    let protected_groups = table.optional("protected_groups", |v| each(v, group_name))?.unwrap_or_default();
    table.end()?;
    Ok(HelpDesk { group, protected_groups })
}

fn group_name(value: &DeValue<'_>) -> Result<String, String> {
    match string(value)? {
        "" => Err("a group has a name".into()),
        name => Ok(name.to_owned()),
    }
}

impl Notify {
    fn from_table(mut table: Table<'_>, default: Self) -> Result<Self, ParseError> {
        let mail = table.optional("mail", boolean)?.unwrap_or(default.mail);
        let sendmail = table.optional("sendmail", absolute)?.unwrap_or(default.sendmail);
        table.end()?;
        Ok(Self { mail, sendmail })
    }
}

impl ThrottleSettings {
    fn from_table(mut table: Table<'_>, default: &Self) -> Result<Self, ParseError> {
        let throttle = Self {
            free_failures: table.optional("free_failures", |v| number(v, &(1..=10)))?.unwrap_or(default.free_failures),
            budget: table.optional("budget", |v| number(v, &(1..=1000)))?.unwrap_or(default.budget),
            spacing: table.optional("spacing", |v| span(v, "1s", "1h"))?.unwrap_or(default.spacing),
            disable_after: table
                .optional("disable_after", |v| number(v, &(11..=100)))?
                .unwrap_or(default.disable_after),
        };
        table.end()?;
        Ok(throttle)
    }
}

/// Takes 1 to 200 printable characters as a prompt.
///
/// # Errors
/// What a prompt must be.
pub fn check_prompt(text: &str) -> Result<String, String> {
    printable(text, 1..=200, messages::PROMPT_RULE)
}

/// Takes up to 64 printable characters without a colon as an issuer: `otpauth://` has no way to write one.
///
/// # Errors
/// What an issuer must be.
pub fn check_issuer(text: &str) -> Result<String, String> {
    const RULE: &str = messages::ISSUER_RULE;
    if text.contains(':') { Err(RULE.into()) } else { printable(text, 0..=64, RULE) }
}

fn check_own_prompt(text: &str) -> Result<String, String> {
    printable(text, 0..=200, messages::OWN_PROMPT_RULE)
}

fn check_help(text: &str) -> Result<String, String> {
    printable(text, 0..=500, messages::HELP_RULE)
}

fn absolute(value: &DeValue<'_>) -> Result<PathBuf, String> {
    let path = PathBuf::from(string(value)?);
    let sound = path.is_absolute() && !path.components().any(|part| part == std::path::Component::ParentDir);
    if sound { Ok(path) } else { Err(messages::PATH_RULE.into()) }
}

fn number(value: &DeValue<'_>, range: &RangeInclusive<u32>) -> Result<u32, String> {
    let number: i64 = integer(value)?;
    let fits = u32::try_from(number).ok().filter(|number| range.contains(number));
    fits.ok_or_else(|| messages::not_in_range(number, *range.start(), *range.end()))
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
    fn comments_are_left_out_where_they_are_surely_comments() {
        for (text, settings) in [
            ("# a\n\necho = true # b\n\t # c\td é\r\n[[rule]]\n#", Some("\necho = true # b\n[[rule]]\n")),
            ("users = [\n  # a\n  \"#b\",\n]\n# c\"\"\"\n", Some("users = [\n  \"#b\",\n]\n")),
            ("help = \"\"\"\\\n# a\"\"\"\n", None),
            ("help = '''\n# a\n'''\n", None),
            ("# \u{1b}\n", None),
            ("# a\rb\n", None),
            ("# a\r", None),
        ] {
            assert_eq!(without_comments(text).as_deref(), settings, "{text:?}");
        }
    }

    #[test]
    fn without_places_the_same_is_read_and_the_same_refused() {
        let rule = "# a rule\n[[rule]]\nusers = [\n# a user\n\"alice\"]\nsecond_factor = \"skip\"\n";
        let mut moved = Config::parse(rule.as_bytes()).unwrap();
        moved.policy.rules[0].offset = 0;
        assert_eq!(Config::parse_without_places(rule.as_bytes()), Ok(moved));
        let text = "help = \"\"\"\\\n# here\"\"\"";
        assert_eq!(Config::parse_without_places(text.as_bytes()).unwrap().help, "# here");
        for text in ["# a\nechoo = true\n", "echo = true\n# \u{7f}\n", "# a\nbudget = 1", "# a\nhelp = \"a\n# b\""] {
            let refused = Config::parse_without_places(text.as_bytes());
            assert!(refused.is_err() && refused == Config::parse(text.as_bytes()), "{text:?}: {refused:?}");
        }
    }

    #[test]
    fn each_mistake_names_its_place_and_what_would_be_right() {
        for (text, error) in [
            ("second_factor = \"requird\"", "1:17: `requird` is not one of `required`, `enroll`, `optional`, `skip`"),
            ("\nsecond_facter = \"skip\"", "2:1: unknown key `second_facter`; known keys: `second_factor`, `prompt`"),
            ("[throttle]\nbudgett = 1", "2:1: unknown key `budgett`; known keys: `free_failures`, `budget`"),
            ("echo = \"yes\"", "1:8: this must be true or false, but is a TOML string"),
            ("prompt = \"a\\u001b\"", "1:10: a prompt has up to 200 characters"),
            ("language = \"german\"", "1:12: `german` is not a language"),
            ("qr = \"off\"", "1:6: `off` is not one of `auto`, `none`"),
            ("issuer = \"a:b\"", "1:10: an issuer has up to 64 characters, no colon"),
            ("fail_delay = \"11s\"", "1:14: `11s` is not a time span from 0s to 10s"),
            ("fail_delay = 1", "1:14: this must be a string, but is a TOML integer"),
            ("[store]\ndirectory = \"var\"", "2:13: it must be an absolute path"),
            ("[store]\ndirectory = \"/a/../b\"", "2:13: it must be an absolute path"),
            ("[notify]\nsendmail = \"sendmail\"", "2:12: it must be an absolute path"),
            ("[throttle]\nfree_failures = 0", "2:17: 0 is not from 1 to 10"),
            ("[throttle]\nfree_failures = 11", "2:17: "),
            ("[throttle]\nbudget = 0", "2:10: "),
            ("[throttle]\nbudget = 1001", "2:10: "),
            ("[throttle]\nbudget = -1", "2:10: "),
            ("[throttle]\nspacing = \"0s\"", "2:11: "),
            ("[throttle]\nspacing = \"2h\"", "2:11: "),
            ("[throttle]\nspacing = \"\"", "2:11: "),
            ("[throttle]\ndisable_after = 0", "2:17: "),
            ("[throttle]\ndisable_after = 101", "2:17: "),
            ("echo = true\necho = true", "2:1: duplicate key"),
            ("= 1", "1:1: "),
            ("echo = true\n\u{0}", "2:2: key with no value, expected `=`"),
        ] {
            let told = refusal(text);
            assert!(told.starts_with(error), "{text:?}: {told}");
        }
        assert!(Config::parse(b"# \xff").unwrap_err().to_string().starts_with("1:3: not UTF-8"));
    }

    #[test]
    fn nothing_of_the_file_reaches_a_terminal_as_more_than_text() {
        let error = Config::parse(b"second_factor = \"\\u001b[31m\\n\\u0007\"\n").unwrap_err();
        assert_eq!(error.message, "` [31m,  ` is not one of `required`, `enroll`, `optional`, `skip`");
        assert!(!error.picture().unwrap().contains(|c: char| c.is_control() && c != '\n'));
    }

    #[test]
    fn the_picture_has_its_caret_under_the_mistake() {
        let error = Config::parse(b"echo = true\nprompt = 7\n").unwrap_err();
        assert_eq!(error.picture().unwrap(), "  |\n2 | prompt = 7\n  |          ^");
        let error = Config::parse("issuer = \"Büro für Gäste\" x".as_bytes()).unwrap_err();
        assert_eq!(error.picture().unwrap(), "  |\n1 | issuer = \"Büro für Gäste\" x\n  |                           ^");
        let long = format!("prompt = \"{}\"", "x".repeat(60_000));
        assert!(Config::parse(long.as_bytes()).unwrap_err().picture().unwrap().len() < 1_000);
        let far = format!("prompt = \"{}\" x", "x".repeat(60_000));
        assert!(Config::parse(far.as_bytes()).unwrap_err().picture().unwrap().len() < 1_000);
    }

    #[test]
    fn a_setting_is_found_where_it_stands_and_not_where_a_rule_has_it() {
        let text = b"echo = true\nsecond_factor = \"skip\"\n[[rule]]\nsecond_factor = \"required\"\n";
        assert_eq!(place_of(text, "second_factor"), Some(28));
        assert_eq!(line_and_column(text, 28), (2, 17));
        assert_eq!(place_of(b"[[rule]]\nsecond_factor = \"required\"\n", "second_factor"), None);
        assert_eq!(place_of(b"= 1", "second_factor"), None);
    }

    #[test]
    fn deep_nesting_is_an_error_not_an_overflow() {
        for text in ["[".repeat(60_000), format!("a = {}", "[".repeat(60_000)), "a.".repeat(30_000)] {
            assert!(Config::parse(text.as_bytes()).is_err());
        }
    }
}
