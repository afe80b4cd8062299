//! The catalogues that are installed, against the definitions of the texts.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on panics, and reads the repository"
)]

use std::{collections::BTreeSet, fs, path::PathBuf};

use twinlock_core::{
    catalogue::{Catalogue, Translatable, UserText},
    layout::{WIDTH, cells, wrapped},
};
use twinlock_service::self_service::{SelfServiceText, all_texts};
use twinlock_store::document::Document;
use unicode_width::UnicodeWidthStr;

/// Texts that have one line beside a QR code, with the longest of their values: more would move it out of a terminal of 24
/// lines.
const ONE_LINE: [UserText; 4] =
    [UserText::ScanOrEnterKey, UserText::RedrawKeys, UserText::EnlargeWindow, UserText::AppCodePrompt];

fn catalogues() -> Vec<(String, Catalogue)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../config/locale");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let entries = Document::parse(&text).unwrap().table().strings().unwrap();
        let (number, catalogue) = (entries.len(), Catalogue::from_entries(entries));
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert_eq!(catalogue.flaws(&all_texts()), [], "{name}");
        assert_eq!(number, all_texts().len(), "{name}");
        (name, catalogue)
    };
    files.iter().map(read).collect()
}

#[test]
fn each_language_has_every_text_with_its_values() {
    let names: Vec<_> = catalogues().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["de", "es", "fr", "ja", "pt"]);
    let keys: BTreeSet<_> = all_texts().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys.len(), all_texts().len(), "no key is two texts'");
}

#[test]
fn the_texts_of_each_language_fit_a_terminal() {
    let english = ("en".to_owned(), Catalogue::default());
    for (name, catalogue) in catalogues().into_iter().chain([english]) {
        for text in UserText::ALL {
            let values = ["seconds", "count", "rows", "digits"].map(|value| (value, "99"));
            let dated = [("date", "2027-01-31"), ("time", "2027-01-31T12:00:00Z"), ("user", "alice"), ("kind", "kind")];
            let news = ["ago", "when", "number", "origin", "host", "service"].map(|value| (value, "value"));
            let filled = catalogue.fill(*text, &[&values[..], &dated, &news].concat());
            assert!(!filled.contains(['{', '}']), "{name}: {filled}");
            let shown = wrapped(&format!("{filled} "));
            for line in shown.lines() {
                assert!(line.trim_end().width() <= WIDTH && line.width() == cells(line), "{name}: {line}");
            }
            assert!(!ONE_LINE.contains(text) || shown.lines().count() == 1, "{name}: {shown}");
        }
    }
}

#[test]
fn european_languages_have_a_spelling_in_ascii_for_every_text() {
    fn check<T: Translatable>(name: &str, catalogue: &Catalogue) {
        let ascii = catalogue.in_ascii();
        for text in T::ALL {
            let spelt = ascii.get(*text);
            assert!(spelt.is_ascii(), "{name}: {spelt}");
            let translated = catalogue.get(*text) != text.english();
            assert!(name == "ja" || !translated || spelt != text.english(), "{name}: {}", catalogue.get(*text));
        }
    }
    for (name, catalogue) in catalogues() {
        check::<UserText>(&name, &catalogue);
        check::<SelfServiceText>(&name, &catalogue);
    }
}
