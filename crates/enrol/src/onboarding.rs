//! Enrolling inside a login: the picture, a code of the app, the recovery codes, one of them back.
//! What comes of it is staged, and stored only where the whole login has passed: see [`crate::pending`].
//!
//! Everything is said in the text of a prompt: messages of other kinds come late, cut or not at all, depending on the client.

use std::fmt::Write as _;

use twinlock_core::{
    account::Subject,
    answer::Answer,
    credentials::{Authenticator, Enrolment, Label},
    journal::Reason,
    notice::Notice,
    ports::{Clock, Conversation, Question, Randomness},
    recovery::RecoveryCode,
    time::UnixTime,
};
use twinlock_login::attempt::{Attempt, Outcome};
use twinlock_store::ports::{Hashing, StateStore, WriteCredentials};
use zeroize::Zeroizing;

use crate::{
    enrolment::{self, EnrolError, IfEnrolled, Parameters},
    qr::{self, Palette},
};

/// How often a wrong answer is asked again.
const TRIES: usize = 3;
/// How often the picture is drawn another way.
const REDRAWS: usize = 6;
/// Light modules around the picture: with 1, picture and text fit a terminal of 80x24.
const QUIET: u8 = 1;
/// Longest address whose picture is that small (version 5).
const SMALL: usize = 106;

/// An enrolment that waits for the end of the login. No `Debug`: it holds a secret.
pub struct Staged {
    pub(crate) subject: Subject,
    pub(crate) enrolment: Enrolment,
    pub(crate) confirmed: u64,
}

impl Staged {
    /// What is enrolled.
    #[must_use]
    pub fn authenticator(&self) -> Option<&Authenticator> {
        self.enrolment.authenticators.first()
    }

    /// Stores it, with the confirming code used up. The next logins tell of it: who enrolled may not have been the owner.
    ///
    /// # Errors
    /// [`EnrolError::AlreadyEnrolled`] if another login was faster; [`EnrolError::Store`], after which it may count all the
    /// same: its last write comes when the enrolment is on the disk.
    pub fn store<C: WriteCredentials, S: StateStore>(
        &self,
        stores: (&C, &S),
        now: UnixTime,
    ) -> Result<Stored, EnrolError> {
        enrolment::store_enrolment_with(stores, &self.subject, &self.enrolment, (IfEnrolled::Fail, now), |record| {
            for authenticator in &self.enrolment.authenticators {
                record.use_step(&authenticator.id, self.confirmed, now);
            }
            record.notice = Some(Notice::of_enrolment_in_login(now));
        })?;
        Ok(Stored(()))
    }
}

/// The evidence that an enrolment inside a login was stored: [`Staged::store`] alone makes it.
#[derive(Debug)]
pub struct Stored(());

/// Enrols somebody who is asked for it.
pub struct Onboarding<'a, S> {
    /// Read after every answer.
    pub clock: &'a dyn Clock,
    /// For the secret and the recovery codes.
    pub randomness: &'a mut dyn Randomness,
    /// For its permit to hash.
    pub states: &'a S,
    /// Whose codes they are, as the app shows it.
    pub issuer: &'a str,
}

impl<S: StateStore> Onboarding<'_, S> {
    /// Asks everything there is to ask. `None` is nobody, who called himself `typed`: he is shown the same, and nothing
    /// comes of it.
    ///
    /// # Errors
    /// How the attempt ended instead.
    pub fn run(
        &mut self,
        subject: Option<&Subject>,
        typed: &str,
        conversation: &mut dyn Conversation,
    ) -> Result<Box<Staged>, Attempt> {
        let label = Label::parse("login").ok_or_else(|| ended(Reason::Internal, "the label is none"))?;
        let secret = enrolment::new_secret(self.randomness).map_err(|error| failed(&error))?;
        let now = self.clock.now();
        let authenticator = enrolment::new_authenticator((label, secret), Parameters::default(), now, self.randomness)
            .map_err(|error| failed(&error))?;
        let account: String = typed.chars().filter(|c| !c.is_control()).take(64).collect();
        let account = subject.map_or(account.as_str(), |subject| subject.name.as_str());
        let confirmed = self.confirm(&authenticator, account, conversation)?;
        let (codes, set) = {
            let _permit = self.states.hash_permit(Hashing::NewCodes).map_err(Attempt::from)?;
            enrolment::new_recovery_codes(now, self.randomness).map_err(|error| failed(&error))?
        };
        hand_over(&codes, conversation)?;
        let Some(subject) = subject else {
            return Err(Attempt::refused_for(Reason::UnknownUser));
        };
        let enrolment = Enrolment {
            user: subject.name.clone(),
            uid: Some(subject.uid),
            authenticators: vec![authenticator],
            recovery: Some(set),
        };
        Ok(Box::new(Staged { subject: subject.clone(), enrolment, confirmed }))
    }

    /// Shows the secret until a code of it comes back.
    fn confirm(
        &self,
        authenticator: &Authenticator,
        account: &str,
        conversation: &mut dyn Conversation,
    ) -> Result<u64, Attempt> {
        let uri = address(authenticator, self.issuer, account);
        let (mut ascii, mut inverse) = (false, false);
        let mut prompt = introduction(authenticator, &uri, (self.issuer, account), ascii, inverse);
        let (mut wrong, mut redrawn) = (0usize, 0usize);
        while wrong < TRIES && redrawn <= REDRAWS {
            let typed = ask(conversation, &prompt)?;
            match typed.as_slice() {
                b"a" | b"A" => ascii = !ascii,
                b"i" | b"I" => inverse = !inverse,
                typed => {
                    if let Some(step) = enrolment::confirm(authenticator, typed, self.clock.now()) {
                        return Ok(step);
                    }
                    wrong = wrong.saturating_add(1);
                    prompt = Zeroizing::new(format!(
                        "\nThat is not the code that the app shows now. Is the clock of the phone right (automatic time),\n\
                         and is it the entry \"{}: {account}\" that was just made?\nCode that the app shows: ",
                        self.issuer
                    ));
                    continue;
                }
            }
            redrawn = redrawn.saturating_add(1);
            prompt = introduction(authenticator, &uri, (self.issuer, account), ascii, inverse);
        }
        Err(ended(Reason::NotEnrolled, "the enrolment inside the login was given up: no code of the app was given"))
    }
}

/// Shows the recovery codes until one of them comes back.
fn hand_over(codes: &[RecoveryCode], conversation: &mut dyn Conversation) -> Result<(), Attempt> {
    // Room for all of it at once: a growing buffer would leave copies behind.
    let mut prompt = Zeroizing::new(String::with_capacity(1024));
    prompt.push_str(
        "\nThe app is confirmed. These recovery codes open one login each, when the phone is not at hand.\n\
         Write them down, and keep them apart from the phone: they are not shown again.\n\n",
    );
    prompt.push_str(&enrolment::listed(codes));
    prompt.push_str("\nType one of them, to show that you have them: ");
    for _ in 0..TRIES {
        let typed = ask(conversation, &prompt)?;
        if enrolment::typed_back(codes, &typed) {
            return Ok(());
        }
        prompt = Zeroizing::new("\nThat is none of them. Type one of the recovery codes above: ".to_owned());
    }
    Err(ended(Reason::NotEnrolled, "the enrolment inside the login was given up: no recovery code was typed back"))
}

/// One answer; what sshd sends for somebody who may not log in ends it.
fn ask(conversation: &mut dyn Conversation, prompt: &str) -> Result<Zeroizing<Vec<u8>>, Attempt> {
    let typed = conversation.ask(Question::Text(prompt)).map_err(|none| Attempt::ended(Outcome::NoAnswer(none)))?;
    if let Answer::Blocked = Answer::read(&typed) {
        return Err(Attempt::blocked());
    }
    Ok(typed)
}

/// The address for the app. Where its picture would not fit a terminal, the issuer stands in the label alone.
fn address(authenticator: &Authenticator, issuer: &str, account: &str) -> Zeroizing<String> {
    let whole = enrolment::uri(authenticator, issuer, account);
    match whole.rsplit_once("&issuer=") {
        Some((short, _)) if whole.len() > SMALL => Zeroizing::new(short.to_owned()),
        Some(_) | None => whole,
    }
}

/// The picture first, so that the text is next to the cursor when the top has scrolled away.
fn introduction(
    authenticator: &Authenticator,
    uri: &str,
    (issuer, account): (&str, &str),
    ascii: bool,
    inverse: bool,
) -> Zeroizing<String> {
    let palette = match (ascii, inverse) {
        (false, false) => Palette::Plain,
        (false, true) => Palette::PlainInverse,
        (true, false) => Palette::AsciiInverse,
        (true, true) => Palette::Ascii,
    };
    let mut prompt = Zeroizing::new(String::with_capacity(64 * 1024));
    // sshd's client puts "(user@host) " before it.
    prompt.push('\n');
    if let Some(picture) = qr::draw(uri, palette, QUIET) {
        prompt.push_str(&picture);
    }
    prompt.push_str("Scan this with an authenticator app, or enter its key by hand:\n  ");
    prompt.push_str(&authenticator.otp.secret().in_groups());
    // Writing to a String cannot fail.
    let _ = write!(
        prompt,
        "  ({issuer}: {account})\nIs the picture broken? Answer a for plain characters, i for the inverse.\n\
         Code that the app shows: "
    );
    prompt
}

fn ended(reason: Reason, detail: &str) -> Attempt {
    Attempt::refused_for(reason).with_detail(detail)
}

fn failed(error: &EnrolError) -> Attempt {
    ended(Reason::Internal, &format!("cannot enrol: {error}"))
}
