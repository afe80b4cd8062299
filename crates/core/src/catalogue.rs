//! The texts that users read in their language: each has a key, and its English is compiled in. A [`Catalogue`] holds
//! those of another language, which the store reads from a file. What a catalogue lacks is said in English.
//!
//! Here are the texts of a login; those of self-service, which the module does not link, are in the crate `service`.

use std::{fmt, mem};

use crate::layout::ascii;

/// A text that users read.
pub trait Translatable: Copy + 'static {
    /// All of its kind, in the order of the catalogues.
    const ALL: &'static [Self];

    /// The key in a catalogue.
    fn key(self) -> &'static str;

    /// The English text. `{name}` stands for a value.
    fn english(self) -> &'static str;
}

/// Defines an enum of texts: one line a text, so that name, key and English cannot get apart. A function would need three lists.
#[macro_export]
macro_rules! texts {
    ($(#[$about:meta])* $kind:ident: $($name:ident, $key:literal, $english:literal;)*) => {
        $(#[$about])*
        ///
        /// Each has its English as its description.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $kind {
            $(#[doc = $english] $name,)*
        }

        impl $crate::catalogue::Translatable for $kind {
            const ALL: &'static [Self] = &[$(Self::$name,)*];

            fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            fn english(self) -> &'static str {
                match self { $(Self::$name => $english,)* }
            }
        }
    };
}

texts! {
    /// A text of a login, of an enrolment, or of a mail.
    UserText:
    CodePrompt, "code-prompt", "Verification code:";
    PasswordAndCodePrompt, "password-and-code-prompt", "Password & verification code:";
    NextCodePrompt, "next-code-prompt", "Wait for the next code and enter it:";
    IdentityCodePrompt, "identity-code-prompt", "To confirm your identity, enter a code from your app or a recovery code:";
    IdentityPassword, "identity-password", "To confirm your identity, enter your account password for this host.";
    CodeUsed, "code-used", "That code has already been used. Enter the next one.";
    TooSoonOne, "too-soon-1", "Too many incorrect codes. Try again in 1 second.";
    TooSoon, "too-soon", "Too many incorrect codes. Try again in {seconds} seconds.";
    RecoveryCodesNone, "recovery-codes-left-0", "That was your last recovery code. Make new ones now with `twinlock recovery new`, or ask your administrator.";
    RecoveryCodesOne, "recovery-codes-left-1", "Only 1 recovery code is left. Make new ones soon with `twinlock recovery new`, or ask your administrator.";
    RecoveryCodesFew, "recovery-codes-left-few", "Only {count} recovery codes are left. Make new ones soon with `twinlock recovery new`, or ask your administrator.";
    RecoveryCodesLeft, "recovery-codes-left", "{count} recovery codes are left.";
    NoCodeAsked, "no-code-asked", "This host requires a second factor, but it is not configured to ask you for one. Tell your administrator; the log of the host has the reason.";
    DefaultHelp, "default-help", "No code? Ask the administrator of this host to enrol you.";
    SecondFactorsOff, "second-factors-off", "Second factors are off on this host until {time}.";
    Invitation, "invitation", "This host asks for a code from an authenticator app, and your account has no app yet. Set it up now; that takes about three minutes.";
    InvitationUntil, "invitation-until", "You can do so yourself until {date}. After that day, only the administrator can.";
    EnterKey, "enter-key", "Open an authenticator app on your phone and enter this key by hand:";
    PressEnter, "press-enter", "For a QR code to scan instead, press Enter.";
    ScanOrEnterKey, "scan-or-enter-key", "Scan this QR code with an authenticator app, or enter this key by hand:";
    RedrawKeys, "redraw-keys", "Cannot scan it? Answer a (plain characters), i (inverted) or k (key only).";
    EnlargeWindow, "enlarge-window", "It needs {rows} lines: enlarge the window, and press Enter to draw it again.";
    NewSecondFactor, "new-second-factor", "Setting up a second factor for {user}.";
    AboutApps, "about-apps", "Each login will then ask for a code that changes every {seconds} seconds. An authenticator app on your phone shows it: any app for TOTP codes will do.";
    AboutTokens, "about-tokens", "Each login will then ask for a code that changes with each use. A hardware token shows it, or an authenticator app for HOTP codes.";
    ScanQrCode, "scan-qr-code", "Scan the QR code below, or enter by hand the key that is shown under it ({kind}, {digits} digits).";
    EnterShownKey, "enter-shown-key", "Enter this key by hand ({kind}, {digits} digits).";
    TimeBased, "time-based", "time-based";
    CounterBased, "counter-based", "counter-based";
    Address, "address", "Address";
    Account, "account", "Account";
    Key, "key", "Key";
    AppCodePrompt, "app-code-prompt", "Enter the code that the app shows now:";
    TokenCodePrompt, "token-code-prompt", "Press the button of the token and enter the code that it shows:";
    AppCodeMismatch, "app-code-mismatch", "That code does not match. Check that your phone sets its time automatically (this host's clock says {time}) and that you opened the new entry. Then enter the next code.";
    TokenCodeMismatch, "token-code-mismatch", "That code does not match: it is not among the token's next hundred codes. Check that you use the new token, and that --counter is its count of button presses.";
    RecoveryCodes, "recovery-codes", "These are your recovery codes. Each one replaces a code from the app once, for example when you do not have your phone. Write them down or print them now, and keep them apart from the phone. They are not shown again.";
    SavedCodePrompt, "saved-code-prompt", "Enter one of these codes to confirm that you saved them:";
    NotAShownCode, "not-a-shown-code", "That is not one of the codes above.";
    EnrolmentWaits, "enrolment-waits", "Your second factor will be saved when this login is complete.";
    Enrolled, "enrolled", "You are enrolled. From the next login on, this host asks for a code from your app.";
    EnrolmentNotSaved, "enrolment-not-saved", "Your second factor could not be saved. Delete the new entry from your app, and tell your administrator.";
    EnrolledElsewhere, "enrolled-elsewhere", "Another login has enrolled this account in the meantime. Delete the new entry from your app, and log in with the other one.";
    FailedCodesOne, "failed-codes-1", "1 incorrect code was entered since your last login, {ago}.";
    FailedCodesOneFrom, "failed-codes-1-from", "1 incorrect code was entered since your last login, {ago} from {origin}.";
    FailedCodes, "failed-codes", "{count} incorrect codes were entered since your last login, the last {ago}.";
    FailedCodesFrom, "failed-codes-from", "{count} incorrect codes were entered since your last login, the last {ago} from {origin}.";
    OtherChangesOne, "other-changes-1", "1 other change was made.";
    OtherChanges, "other-changes", "{count} other changes were made.";
    NotYou, "not-you", "Was that not you? Tell your administrator.";
    JustNow, "just-now", "just now";
    MinutesAgoOne, "minutes-ago-1", "1 minute ago";
    MinutesAgo, "minutes-ago", "{number} minutes ago";
    HoursAgoOne, "hours-ago-1", "1 hour ago";
    HoursAgo, "hours-ago", "{number} hours ago";
    DaysAgoOne, "days-ago-1", "1 day ago";
    DaysAgo, "days-ago", "{number} days ago";
    OnTime, "on-time", "on {time}";
    ChangeEnrolled, "change-enrolled", "A second factor was set up {when}.";
    ChangeDeviceAdded, "change-device-added", "An app or device was added {when}.";
    ChangeReplaced, "change-replaced", "The second factor was replaced by a new one {when}.";
    ChangeRecoveryRenewed, "change-recovery-codes-renewed", "The recovery codes were renewed {when}.";
    ChangeRecoveryIssued, "change-recovery-code-issued", "A one-time code was issued for the account {when}.";
    ChangeDeviceRenamed, "change-device-renamed", "An app or device was renamed {when}.";
    ChangeDeviceSuspended, "change-device-suspended", "An app or device was suspended {when}.";
    ChangeDeviceResumed, "change-device-resumed", "An app or device was resumed {when}.";
    ChangeDeviceRemoved, "change-device-removed", "An app or device was removed {when}.";
    ChangeRemoved, "change-removed", "The second factor was removed {when}.";
    ChangeResynced, "change-resynced", "The clock or counter of an app or device was corrected {when}.";
    ChangeUnlocked, "change-unlocked", "The failed attempts were cleared {when}.";
    ChangeAcknowledged, "change-acknowledged", "The notices about your second factor were dismissed {when}.";
    MailSubject, "mail-subject", "Your second factor on {host} was changed";
    MailLogin, "mail-login", "This was inside a login with {service}.";
    MailLoginFrom, "mail-login-from", "This was inside a login with {service} from {origin}.";
    MailAccount, "mail-account", "Account: {user} on {host}.";
    MailAdvice, "mail-advice", "If this was you, there is nothing to do. If it was not you, tell the administrator of {host} immediately.";
    EnrolmentUnfinished, "enrolment-unfinished", "Your second factor may have been saved only in part. Keep the new entry in your app and the recovery codes, because they may already be valid, and tell your administrator.";
}

/// The language of the texts for users: the name of a catalogue, or the path of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language(String);

impl Default for Language {
    /// English.
    fn default() -> Self {
        Self("en".to_owned())
    }
}

impl Language {
    /// Reads a name such as `de` or `pt_BR`, or an absolute path.
    ///
    /// # Errors
    /// What a language must be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let letters = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
            lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
        };
        let (language, region) = text.split_once('_').unwrap_or((text, "XX"));
        let is_name = letters(language, 2..=3) && letters(region, 2..=2);
        let is_path =
            text.starts_with('/') && !text.contains(char::is_control) && !text.split('/').any(|part| part == "..");
        if is_name || is_path { Ok(Self(text.to_owned())) } else { Err(crate::messages::not_a_language(text)) }
    }

    /// The language of a locale (`de_DE.UTF-8`); `None` for those without one (`C`, `POSIX`).
    #[must_use]
    pub fn of_locale(locale: &str) -> Option<Self> {
        let language = locale.split(['_', '.', '@']).next()?;
        Self::parse(language).ok().filter(|language| !language.is_file())
    }

    /// English, which needs no catalogue.
    #[must_use]
    pub fn is_english(&self) -> bool {
        self.0 == "en" || self.0.starts_with("en_")
    }

    /// Whether it is the path of a catalogue.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.0.starts_with('/')
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The texts of one language, each behind its key. A list: a login looks up a few, and a map would make the module larger.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    texts: Vec<(String, String)>,
}

/// An entry of a catalogue that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogueFlaw {
    /// There is no such text.
    UnknownKey(String),
    /// The text is not there.
    Missing(&'static str),
    /// It is empty, begins or ends with a space, or contains a control character.
    NotPlain(&'static str),
    /// Its values are not those of the English text.
    Placeholders(&'static str),
}

impl Catalogue {
    /// What everybody reads who has no other language.
    pub const ENGLISH: &Self = &Self { texts: Vec::new() };

    /// The catalogue of these entries.
    #[must_use]
    pub fn from_entries(entries: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { texts: entries.into_iter().collect() }
    }

    /// What of it is not used, where `texts` are all that there are: key and English of each.
    #[must_use]
    pub fn flaws(&self, texts: &[(&'static str, &'static str)]) -> Vec<CatalogueFlaw> {
        let flaw = |&(key, english)| match self.value(key) {
            None => Some(CatalogueFlaw::Missing(key)),
            Some(value) if !is_plain(value) => Some(CatalogueFlaw::NotPlain(key)),
            Some(value) => (!fits(value, english)).then_some(CatalogueFlaw::Placeholders(key)),
        };
        let keys = self.texts.iter().map(|(key, _)| key);
        let unknown = keys.filter(|key| !texts.iter().any(|(known, _)| known == key));
        unknown.cloned().map(CatalogueFlaw::UnknownKey).chain(texts.iter().filter_map(flaw)).collect()
    }

    /// The same texts for clients that show nothing but ASCII: spelt so, or in English where the language has no such
    /// spelling.
    #[must_use]
    pub fn in_ascii(&self) -> Self {
        let spelt = self.texts.iter().filter_map(|(key, text)| Some((key.clone(), ascii(text)?)));
        Self { texts: spelt.collect() }
    }

    /// A text as it is written, with `{name}` for its values.
    #[must_use]
    pub fn get(&self, text: impl Translatable) -> &str {
        self.get_by(text.key(), text.english())
    }

    #[inline(never)]
    fn get_by(&self, key: &str, english: &'static str) -> &str {
        self.value(key).filter(|value| fits(value, english)).unwrap_or(english)
    }

    fn value(&self, key: &str) -> Option<&str> {
        self.texts.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// A text with its values.
    #[must_use]
    pub fn fill(&self, text: impl Translatable, values: &[(&str, &str)]) -> String {
        fill(self.get(text), values)
    }

    /// A prompt: a text and a space.
    #[must_use]
    pub fn prompt(&self, text: impl Translatable) -> String {
        format!("{} ", self.get(text))
    }
}

/// Key and English of each text of a kind.
#[must_use]
pub fn definitions<T: Translatable>() -> Vec<(&'static str, &'static str)> {
    T::ALL.iter().map(|text| (text.key(), text.english())).collect()
}

/// A text with its values, in no language yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase<T> {
    text: T,
    values: Vec<(&'static str, String)>,
}

impl<T: Translatable> Phrase<T> {
    /// The same with a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.values.push((name, value.to_string()));
        self
    }

    /// In a language.
    #[must_use]
    pub fn in_language(&self, catalogue: &Catalogue) -> String {
        let values: Vec<_> = self.values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        catalogue.fill(self.text, &values)
    }
}

impl<T> From<T> for Phrase<T> {
    fn from(text: T) -> Self {
        Self { text, values: Vec::new() }
    }
}

fn is_plain(value: &str) -> bool {
    !value.is_empty() && value.trim() == value && !value.contains(char::is_control)
}

/// Whether it can stand in the place of the English text.
fn fits(value: &str, english: &str) -> bool {
    is_plain(value) && placeholders(value) == placeholders(english)
}

#[inline(never)]
fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    for piece in pieces(text) {
        filled.push_str(match piece {
            Piece::Plain(plain) => plain,
            Piece::Value(name) => values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value),
        });
    }
    filled
}

/// A part of a text.
enum Piece<'t> {
    Plain(&'t str),
    /// The name between braces.
    Value(&'t str),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            rest = after;
            return Some(Piece::Value(name));
        }
        // A brace that none closes is a character like any other.
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == '{').map_or(rest.len(), |(at, _)| at);
        let (plain, after) = mem::take(&mut rest).split_at_checked(end)?;
        rest = after;
        Some(Piece::Plain(plain))
    })
}

fn placeholders(text: &str) -> Vec<&str> {
    let mut names: Vec<_> = pieces(text)
        .filter_map(|piece| match piece {
            Piece::Value(name) => Some(name),
            Piece::Plain(_) => None,
        })
        .collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &[(&str, &str)]) -> (Catalogue, Vec<CatalogueFlaw>) {
        let catalogue =
            Catalogue::from_entries(entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let flaws = catalogue.flaws(&definitions::<UserText>());
        (catalogue, flaws.into_iter().filter(|flaw| !matches!(flaw, CatalogueFlaw::Missing(_))).collect())
    }

    #[test]
    fn keys_are_unique_and_english_texts_are_plain() {
        let mut keys: Vec<_> = UserText::ALL.iter().map(|text| text.key()).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), UserText::ALL.len());
        let english = UserText::ALL.iter().map(|text| (text.key().to_owned(), text.english().to_owned()));
        assert_eq!(Catalogue::from_entries(english).flaws(&definitions::<UserText>()), []);
        assert!(UserText::ALL.iter().all(|text| text.english().is_ascii()));
    }

    #[test]
    fn what_a_catalogue_lacks_is_said_in_english() {
        let (german, flaws) = of(&[("too-soon", "Warten Sie {seconds} Sekunden.")]);
        assert_eq!(flaws, []);
        assert_eq!(german.fill(UserText::TooSoon, &[("seconds", "7")]), "Warten Sie 7 Sekunden.");
        assert_eq!(german.get(UserText::CodeUsed), UserText::CodeUsed.english());
        assert_eq!(Catalogue::ENGLISH.prompt(UserText::CodePrompt), "Verification code: ");
        let flaws = Catalogue::ENGLISH.flaws(&definitions::<UserText>());
        assert_eq!(flaws.len(), UserText::ALL.len(), "each is missing");
    }

    #[test]
    fn an_entry_with_other_values_or_control_characters_is_not_used() {
        use CatalogueFlaw::{NotPlain, Placeholders, UnknownKey};
        for (entry, flaw) in [
            (("too-soon", "{sekunden}"), Placeholders("too-soon")),
            (("too-soon", "ohne"), Placeholders("too-soon")),
            (("too-soon", "{seconds} {seconds}"), Placeholders("too-soon")),
            (("code-used", "{seconds}"), Placeholders("code-used")),
            (("code-used", ""), NotPlain("code-used")),
            (("code-used", " a"), NotPlain("code-used")),
            (("code-used", "a\u{1b}[2J"), NotPlain("code-used")),
            (("code-usedd", "a"), UnknownKey("code-usedd".into())),
        ] {
            let (catalogue, flaws) = of(&[entry]);
            assert_eq!(flaws, [flaw]);
            assert_eq!(catalogue.get(UserText::TooSoon), UserText::TooSoon.english());
            assert_eq!(catalogue.get(UserText::CodeUsed), UserText::CodeUsed.english());
        }
    }

    #[test]
    fn a_language_is_a_name_or_a_path_and_a_locale_has_one() {
        for good in ["en", "de", "pt_BR", "fil", "/etc/twinlock/de.toml"] {
            assert!(Language::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "d", "german", "de.toml", "../de", "/etc/../de.toml", "de_", "de_DE.UTF-8", "d\u{e9}", "/a\n"] {
            assert!(Language::parse(bad).is_err(), "{bad}");
        }
        for (locale, language) in [
            ("de_DE.UTF-8", Some("de")),
            ("pt_BR", Some("pt")),
            ("ja", Some("ja")),
            ("C", None),
            ("C.UTF-8", None),
            ("POSIX", None),
            ("/etc", None),
        ] {
            assert_eq!(Language::of_locale(locale).as_ref().map(Language::as_str), language, "{locale}");
        }
    }

    #[test]
    fn a_catalogue_in_ascii_spells_what_it_can_and_is_english_else() {
        let (catalogue, _) = of(&[("code-used", "Schon ben\u{fc}tzt."), ("enrolled", "\u{767b}\u{9332}")]);
        let ascii = catalogue.in_ascii();
        assert_eq!(
            (ascii.get(UserText::CodeUsed), ascii.get(UserText::Enrolled)),
            ("Schon benuetzt.", UserText::Enrolled.english())
        );
    }

    #[test]
    fn a_value_is_never_read_as_a_placeholder() {
        let (catalogue, _) = of(&[("invitation-until", "{ {date} }")]);
        assert_eq!(
            catalogue.fill(UserText::InvitationUntil, &[("date", "{date}")]),
            UserText::InvitationUntil.english()
        );
        let (catalogue, _) = of(&[("invitation-until", "a {date} b{")]);
        assert_eq!(catalogue.fill(UserText::InvitationUntil, &[("date", "{date}")]), "a {date} b{");
    }
}
