//! Enrolling inside a login: what is asked, of whom, and what may be stored.

use twinlock_core::{
    audit::Reason,
    otp::{Otp, ReplayState},
    ports::{Clock, Conversation, NoAnswer, Question},
    secret::Secret,
};
use twinlock_enrol::onboarding::{Onboarding, Staged};
use twinlock_login::attempt::Attempt;
use twinlock_store::{host::Kernel, ports::ReadCredentials};
use zeroize::Zeroizing;

use crate::{
    given::{Host, NOON, StoppedClock, subject},
    memory::Memory,
};

/// Somebody with an app, who does as the prompts say; wrongly the first time where `clumsy`.
#[derive(Default)]
struct Person {
    app: Option<Otp>,
    asked: Vec<String>,
    clumsy: bool,
}

impl Conversation for Person {
    fn ask(&mut self, question: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        let prompt = question.prompt();
        self.asked.push(prompt.to_owned());
        if let Some((_, rest)) = prompt.split_once("by hand:\n  ") {
            let key = rest.split("  (").next().unwrap().replace(' ', "");
            let factor = twinlock_core::otp::MovingFactor::Time { period: 30 };
            let secret = Secret::from_base32(&key).unwrap();
            self.app = Some(Otp::new(secret, twinlock_core::otp::Algorithm::Sha1, 6, factor).unwrap());
        }
        let answer = if std::mem::take(&mut self.clumsy) {
            "oops".to_owned()
        } else if prompt.ends_with("Enter the code that the app shows now: ") {
            let otp = self.app.as_ref().unwrap();
            otp.code(otp.step_at(clock().now(), ReplayState::default()))
        } else {
            let codes: Vec<_> = self.asked.iter().flat_map(|shown| shown.split_whitespace()).collect();
            codes.into_iter().find(|word| word.len() == 19 && word.matches('-').count() == 3).unwrap().to_owned()
        };
        Ok(Zeroizing::new(answer.into_bytes()))
    }
}

fn clock() -> StoppedClock {
    let host = Host::with_alice();
    host.set_clock(NOON);
    host.clock
}

fn run(user: Option<&str>, typed: &str, person: &mut Person) -> Result<Box<Staged>, Attempt> {
    let (clock, store) = (clock(), Memory::default());
    let mut onboarding = Onboarding { clock: &clock, randomness: &mut Kernel, states: &store, issuer: "web01" };
    onboarding.run(user.map(subject).as_ref(), typed, person)
}

/// The prompts without what is random in them.
fn shape(asked: &[String]) -> Vec<String> {
    let plain = |word: &str| {
        let random = word.contains(['█', '▀', '▄'])
            || word.len() == 19 && word.contains('-')
            || word.len() == 4 && word.to_uppercase() == word;
        if random { "?".to_owned() } else { word.to_owned() }
    };
    asked.iter().map(|prompt| prompt.split_whitespace().map(plain).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn nothing_is_stored_before_it_is_asked_to_be() {
    let (store, clock) = (Memory::default(), clock());
    let mut person = Person::default();
    let staged = run(Some("alice"), "alice", &mut person).unwrap_or_else(|attempt| panic!("{attempt:?}"));
    assert!(store.read(&subject("alice")).unwrap().is_none());
    staged.store((&store, &store), clock.now()).unwrap();
    let enrolment = store.read(&subject("alice")).unwrap().unwrap();
    assert_eq!((enrolment.authenticators.len(), enrolment.recovery.unwrap().ids().count()), (1, 10));
    assert!(staged.store((&store, &store), clock.now()).is_err(), "a second time");
}

#[test]
fn nobody_is_asked_the_same_and_refused_in_the_end() {
    let (mut alice, mut nobody) = (Person::default(), Person::default());
    assert!(run(Some("alice"), "alice", &mut alice).is_ok());
    let refused = run(None, "alice", &mut nobody).err().unwrap();
    assert_eq!(refused.refused(), Some(Reason::UnknownUser));
    let lines = |person: &Person| person.asked.iter().map(|prompt| prompt.lines().count()).collect::<Vec<_>>();
    assert_eq!((shape(&alice.asked).len(), lines(&alice)), (2, lines(&nobody)));
    let words = |person: &Person| shape(&person.asked).iter().map(|text| text.replace("? ", "")).collect::<Vec<_>>();
    assert_eq!(words(&alice), words(&nobody));
}

#[test]
fn a_name_that_was_typed_cannot_write_on_the_terminal() {
    let mut nobody = Person::default();
    assert!(run(None, "\u{1b}[2Jal\nice", &mut nobody).is_err());
    assert!(nobody.asked[0].contains("[2Jalice") && !nobody.asked[0].contains('\u{1b}'));
}

#[test]
fn a_slip_is_asked_again() {
    let mut person = Person { clumsy: true, ..Person::default() };
    assert!(run(Some("alice"), "alice", &mut person).is_ok());
    assert!(person.asked.len() == 3 && person.asked[1].contains("That code does not match."), "{:?}", person.asked);
}
