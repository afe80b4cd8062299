//! Enrolling inside a login: what is asked, of whom, and what may be stored.

use twinlock_core::{
    audit::Reason,
    catalogue::Catalogue,
    layout::{WIDTH, cells},
    otp::{Otp, ReplayState},
    ports::{Clock, Conversation, NoAnswer, Question},
    secret::Secret,
    time::UnixTime,
};
use twinlock_enrol::{
    offered::Offered,
    onboarding::{Invitation, Onboarding, Staged},
};
use twinlock_login::attempt::Attempt;
use twinlock_store::{config::Pictures, host::Kernel, ports::ReadCredentials};
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
    /// What is answered first, one after the other.
    wishes: Vec<&'static str>,
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
        let answer = if !self.wishes.is_empty() {
            self.wishes.remove(0).to_owned()
        } else if std::mem::take(&mut self.clumsy) {
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
    run_with(Pictures::Auto, user, typed, person)
}

fn run_with(pictures: Pictures, user: Option<&str>, typed: &str, person: &mut Person) -> Result<Box<Staged>, Attempt> {
    let (clock, store) = (clock(), Memory::default());
    let invitation = Invitation { until: Some(UnixTime::from_seconds(NOON)), help: "Room 12.", pictures };
    let mut onboarding = Onboarding {
        clock: &clock,
        randomness: &mut Kernel,
        states: &store,
        issuer: "web01",
        catalogue: Catalogue::ENGLISH,
        invitation,
    };
    onboarding.run((user.map(subject).as_ref(), Offered::new(&mut Kernel).unwrap()), typed, person)
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

/// What a prompt shows: nothing but the key, a QR code in blocks or one in plain characters.
fn shows(prompt: &str) -> &'static str {
    match (prompt.contains('█'), prompt.contains("##########")) {
        (false, false) => "key",
        (true, false) => "blocks",
        (false, true) => "ascii",
        (true, true) => "both",
    }
}

#[test]
fn the_key_comes_first_and_the_qr_code_as_it_is_asked_for() {
    let wishes = vec!["", "a", "", "i", "k", "K", "i", "a"];
    let mut person = Person { wishes, ..Person::default() };
    assert!(run(Some("alice"), "alice", &mut person).is_ok());
    let shown: Vec<_> = person.asked.iter().map(|prompt| shows(prompt)).collect();
    let wanted = ["key", "blocks", "ascii", "ascii", "ascii", "key", "key", "blocks", "ascii", "key"];
    assert_eq!(shown, wanted, "{:?}", person.asked);
    let first = &person.asked[0];
    for text in
        ["This host asks for a code", "until 2027-01-15. After", "\nRoom 12.\n", "(web01: alice)", "press Enter."]
    {
        assert!(first.contains(text), "{first}");
    }
    assert_ne!(person.asked[2], person.asked[4], "light and dark");
    assert!(person.asked[2].contains("It needs 4") && person.asked[1].contains("k (key only)"), "{:?}", person.asked);
    // In 80 columns and 24 rows, with two cells that plink puts before each line. The line of the client's own may scroll away.
    for prompt in person.asked.iter().filter(|prompt| shows(prompt) != "ascii") {
        let lines: Vec<_> = prompt.trim_start_matches('\n').lines().collect();
        assert!(lines.len() <= 24 && lines.iter().all(|line| cells(line) <= WIDTH), "{prompt}");
    }
}

#[test]
fn where_qr_codes_are_off_there_is_none_and_enter_is_no_code() {
    let mut person = Person { wishes: vec!["", "a"], ..Person::default() };
    assert!(run_with(Pictures::None, Some("alice"), "alice", &mut person).is_ok());
    assert!(
        person.asked.iter().all(|prompt| shows(prompt) == "key" && !prompt.contains("QR code")),
        "{:?}",
        person.asked
    );
    assert!(person.asked[1].contains("That code does not match.") && person.asked.len() == 4, "{:?}", person.asked);
}

#[test]
fn somebody_who_answers_with_nothing_is_given_up() {
    let mut person = Person { wishes: vec![""; 100], ..Person::default() };
    let refused = run(Some("alice"), "alice", &mut person).err().unwrap();
    assert_eq!((refused.refused(), person.asked.len()), (Some(Reason::NotEnrolled), 13), "eight drawings, five tries");
}

#[test]
fn a_slip_is_asked_again() {
    let mut person = Person { clumsy: true, ..Person::default() };
    assert!(run(Some("alice"), "alice", &mut person).is_ok());
    assert!(person.asked.len() == 3 && person.asked[1].contains("That code does not match."), "{:?}", person.asked);
}
