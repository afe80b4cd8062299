//! The language of the user who runs the command, by the locale.

use std::{env, sync::LazyLock};

use twinlock_core::catalogue::{Catalogue, Language, Phrase};
use twinlock_service::self_service::SelfServiceText;
use twinlock_store::files::load_catalogue;

/// The locale of messages, as setlocale(3) finds it.
#[allow(clippy::disallowed_methods, reason = "the command's own terminal: not the module, not set-user-ID")]
fn locale() -> Option<String> {
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set)
}

/// The language of the locale, and English where the terminal may not show its letters; `None` if the locale has none.
pub(crate) fn chosen() -> Option<&'static Language> {
    static CHOSEN: LazyLock<Option<Language>> = LazyLock::new(|| {
        let locale = locale()?;
        let language = Language::of_locale(&locale)?;
        Some(if locale.to_ascii_lowercase().contains("utf") { language } else { Language::default() })
    });
    CHOSEN.as_ref()
}

/// Its texts; in English where there is no catalogue.
pub(crate) fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> =
        LazyLock::new(|| chosen().and_then(|language| load_catalogue(language).ok()).unwrap_or_default());
    &CATALOGUE
}

/// A text of self-service, in the language of the locale.
pub(crate) fn say(phrase: impl Into<Phrase<SelfServiceText>>) -> String {
    phrase.into().in_language(catalogue())
}

/// The same with the name of the user.
pub(crate) fn say_of(user: &str, text: SelfServiceText) -> String {
    say(Phrase::from(text).with("user", user))
}
