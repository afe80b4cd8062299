//! The recovery phrase, without which a host whose TPM is gone has lost its secrets: shown and typed back, or written to a file.

use std::path::Path;

use twinlock_core::sealed::SealKey;
use twinlock_store::files::{read_private, write_private};
use zeroize::Zeroizing;

use crate::{failure::Failure, messages::seal as messages, output::print_note, terminal::Terminal};

/// How often the phrase may be mistyped.
const TRIES: usize = 5;
/// Larger than a file of ours.
const LARGEST: u64 = 4096;

/// Hands the phrase over. Only when somebody has it may anything depend on the key.
pub(super) fn hand_over(key: &SealKey, escrow: Option<&Path>) -> Result<(), Failure> {
    match escrow {
        Some(file) => write(key, file),
        None => confirm(key),
    }
}

fn confirm(key: &SealKey) -> Result<(), Failure> {
    let mut terminal = Terminal::open().ok_or_else(messages::no_terminal)?;
    terminal.show(&messages::phrase(key))?;
    for _ in 0..TRIES {
        let Some(typed) = terminal.ask(messages::TYPE_BACK)? else { break };
        let again = std::str::from_utf8(&typed).ok().and_then(SealKey::from_phrase);
        if again.is_some_and(|again| again.bytes() == key.bytes()) {
            return Ok(());
        }
        terminal.show(messages::MISTYPED)?;
    }
    Err(messages::not_confirmed())
}

/// Writes it whole. A file that is there already is replaced only if it is one of ours for this very key, or what is left of one.
fn write(key: &SealKey, file: &Path) -> Result<(), Failure> {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let (Some(folder), Some(name)) = (file.parent(), file.file_name().and_then(|name| name.to_str())) else {
        return Err(messages::no_escrow_file(&file));
    };
    let text = messages::escrow(key);
    if file.symlink_metadata().is_ok() {
        let found = read_private(&file, LARGEST)?;
        if !text.as_bytes().starts_with(&found) {
            return Err(messages::escrow_exists(&file));
        }
    }
    write_private(folder, name, text.as_bytes())?;
    print_note(&messages::escrowed(&file));
    Ok(())
}

/// Asks for the phrase.
pub(super) fn ask() -> Result<SealKey, Failure> {
    let typed = Terminal::or_stdin()?.ask_hidden(messages::ASK_PHRASE)?.ok_or_else(messages::no_phrase)?;
    let text: Zeroizing<Vec<u8>> = typed;
    std::str::from_utf8(&text).ok().and_then(SealKey::from_phrase).ok_or_else(messages::bad_phrase)
}
