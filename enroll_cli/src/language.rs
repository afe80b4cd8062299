//! The language of the user who runs the command, by the locale.

use std::{env, sync::LazyLock};

use twinlock_core::catalogue::{Catalogue, Language};
use twinlock_store::files::load_catalogue;

/// The locale of messages, as setlocale(3) finds it.
#[allow(clippy::disallowed_methods, reason = "the command's own terminal: not the module, not set-user-ID")]
fn locale() -> Option<String> {
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set)
}

/// The language of the locale; `None` if it has none.
pub(crate) fn chosen() -> Option<&'static Language> {
    static CHOSEN: LazyLock<Option<Language>> = LazyLock::new(|| Language::of_locale(&locale()?));
    CHOSEN.as_ref()
}

/// Its texts, in ASCII where the locale has nothing else; in English where there is no catalogue.
pub(crate) fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
        let read = chosen().and_then(|language| load_catalogue(language).ok());
        let (catalogue, _) = read.unwrap_or_default();
        let is_unicode = locale().is_some_and(|locale| locale.to_ascii_lowercase().contains("utf"));
        if is_unicode { catalogue } else { catalogue.in_ascii() }
    });
    &CATALOGUE
}
