//! Guessing, and what a module keeps of it.

use std::fs;
use std::path::PathBuf;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use twinlock_tests::{Attempt, Authenticator, CONFIG, PamCode, credentials_of};

use crate::contender::{Contender, Scene};
use crate::row::Finding;

/// Wrong answers in a row that are checked: what Twinlock allows by default, and google-authenticator in half a minute.
pub(crate) const ALLOWED: usize = 3;

/// The reasons for which Twinlock refuses an answer that it has checked.
const CHECKED: [&str; 3] = ["wrong-code", "replayed", "step-up"];

/// What a module keeps of alice, to be put back.
#[derive(PartialEq, Eq)]
pub(crate) struct Kept(Option<Vec<u8>>);

impl Contender {
    /// As [`Contender::scene`], for rows about the count of wrong answers.
    pub(crate) fn scene_that_counts(self, attack: impl FnOnce(&Scene<'_>) -> Finding + Send) -> Finding {
        if self == Self::Oath { Finding::Unfit("no count of guesses: see O03") } else { self.scene(attack) }
    }
}

impl Scene<'_> {
    /// A login of alice's with an incorrect code.
    pub(crate) fn guess(&self) -> Attempt {
        self.attempt().answer(self.app.wrong_code())
    }

    /// Whether one correct code lets alice in, which it does not while she is throttled.
    pub(crate) fn is_open(&self) -> bool {
        self.answer(self.codes().next()) == PamCode::Success
    }

    /// How many of so many guesses since a mark would have opened, had they been right. `pam_oath` refuses none unseen,
    /// and logs none; google-authenticator refuses every login that finds its file changed meanwhile.
    pub(crate) fn checked(&self, mark: usize, guesses: usize) -> usize {
        match self.contender {
            Contender::Twinlock => {
                let entries = self.world.entries_since(mark);
                entries.iter().filter(|entry| CHECKED.contains(&entry.value("reason"))).count()
            }
            Contender::GoogleAuthenticator => {
                let lines = self.world.log_since(mark);
                let number = |what: &str| lines.iter().filter(|line| line.text.contains(what)).count();
                number("Invalid verification code").saturating_sub(number("Failed to update secret file"))
            }
            Contender::Oath => guesses,
        }
    }

    /// What is kept of her now.
    pub(crate) fn keep(&self) -> Kept {
        Kept(fs::read(self.state()).ok())
    }

    /// Puts it back.
    pub(crate) fn put_back(&self, kept: &Kept) {
        match &kept.0 {
            Some(content) => self.world.write_secret(self.state(), content),
            None => drop(fs::remove_file(self.state())),
        }
    }

    /// The files that a login of hers reads, the one with the secret first.
    pub(crate) fn files_read(&self) -> Vec<PathBuf> {
        match self.contender {
            Contender::Twinlock => vec![credentials_of("alice"), self.state(), CONFIG.into()],
            Contender::GoogleAuthenticator | Contender::Oath => vec![self.state()],
        }
    }

    /// Enrols another account, with a secret of its own.
    pub(crate) fn enrol(&self, name: &str) -> Authenticator {
        let app = self.world.app_of(name);
        match self.contender {
            Contender::Twinlock => drop(self.world.deploy(name)),
            Contender::GoogleAuthenticator => {
                self.world.write_secret(self.state().with_file_name(name), self.google_record(&app.secret, &[]));
            }
            Contender::Oath => {
                let before = fs::read_to_string(self.state()).unwrap();
                let line = format!("HOTP/T30/6 {name} - {}\n", HEXLOWER.encode(&app.secret));
                self.world.write_secret(self.state(), before + &line);
            }
        }
        app
    }

    /// A file of google-authenticator with this secret, these recovery codes, and the options of alice's.
    pub(crate) fn google_record(&self, secret: &[u8], codes: &[String]) -> String {
        let own = fs::read_to_string(self.state()).unwrap();
        let options = own.lines().filter(|line| line.starts_with('"')).map(str::to_owned);
        let lines = [BASE32_NOPAD.encode(secret)].into_iter().chain(options).chain(codes.iter().cloned());
        lines.map(|line| line + "\n").collect()
    }
}

/// The finding when a correct code after so many guesses is accepted, or not.
pub(crate) fn after_guesses(guesses: usize, open: bool) -> Finding {
    twinlock_tests::tally("security", "guesses", guesses as u64);
    Finding::of(!open, format!("after {guesses} guesses the next is{} checked", if open { "" } else { " not" }))
}
