//! What users see is in the messages of each crate, and names the user.

use std::path::Path;

use crate::makers::product;

/// Crates that have all their texts in `messages.rs` or `messages/`.
const WITH_MESSAGES: [&str; 4] = ["enroll_cli/src", "crates/core/src", "crates/enrol/src", "crates/login/src"];

/// Files of texts: the help that clap reads, what a login says and what it reports, the reasons of the log, the options of
/// the module.
const TABLES: [&str; 5] = [
    "enroll_cli/src/cli.rs",
    "core/src/catalogue.rs",
    "core/src/news.rs",
    "core/src/audit.rs",
    "core/src/module_arguments.rs",
];

/// Sentences that users never read: what cannot happen, the beginnings of hashes, and a simulation for tests.
const NOT_READ: [&str; 5] = [
    "a short word and a number are a label",
    "twinlock no recovery codes ",
    "HMAC takes keys of any length",
    "twinlock remembered login 1",
    "nobody is disabled here",
];

/// The string literals of a file, as they are written. Reasons of lints are for builders, not for users.
fn literals(code: &str) -> Vec<String> {
    let code = code.lines().filter(|line| !line.contains("reason = \"")).collect::<Vec<_>>().join("\n");
    let code = code.replace("\\\\", "").replace("\\\"", "").replace("'\"'", "");
    code.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether three words of small letters follow each other.
fn is_sentence(literal: &str) -> bool {
    let is_word = |word: &&str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    literal.split(' ').collect::<Vec<_>>().windows(3).any(|words| words.iter().all(is_word))
}

fn is_messages(path: &Path) -> bool {
    path.components().any(|part| ["messages", "messages.rs"].map(AsRef::as_ref).contains(&part.as_os_str()))
}

#[test]
fn sentences_for_users_are_in_the_messages() {
    let (mut read, mut elsewhere) = (0, Vec::new());
    for (path, code) in product() {
        let name = path.to_str().unwrap();
        let is_meant = WITH_MESSAGES.iter().any(|folder| name.contains(folder));
        if is_meant && !is_messages(&path) && !TABLES.iter().any(|table| name.ends_with(table)) {
            read += 1;
            let sentences = literals(&code).into_iter().filter(|text| is_sentence(text));
            let read_by_users = sentences.filter(|text| !NOT_READ.contains(&text.as_str()));
            elsewhere.extend(read_by_users.map(|text| (path.clone(), text)));
        }
    }
    assert!(read > 40 && is_sentence("there is no account"), "{read}");
    assert!(elsewhere.is_empty(), "move these to the crate's messages: {elsewhere:#?}");
}

#[test]
fn commands_in_hints_have_the_user_and_no_placeholder() {
    let mut commands = 0;
    for (path, code) in product().into_iter().filter(|(path, _)| is_messages(path)) {
        for text in literals(&code) {
            for command in text.split('`').skip(1).step_by(2).filter(|command| command.starts_with("twinlock ")) {
                commands += 1;
                let is_placeholder = |word: &str| ["USER", "NAME", "<USER>"].contains(&word);
                assert!(!command.split(' ').any(is_placeholder), "{}: {command}", path.display());
            }
        }
    }
    assert!(commands > 50, "{commands}");
}
