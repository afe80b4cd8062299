//! Hosts with a policy, and somebody who enrols inside a login.

use twinlock_tests::{
    Authenticator, Codes, Family, FirstFactor, LogEntry, Login, Session, Sshd, World, recovery_codes_in,
};

/// The prompt of everybody.
pub(crate) const PROMPT: &str = "Verification code: ";
/// The end of the prompt with the picture.
pub(crate) const CODE: &str = "Enter the code that the app shows now: ";
/// The end of the prompt with the recovery codes.
pub(crate) const BACK: &str = "Enter one of these codes to confirm that you saved them: ";

/// A Debian host as shipped, with alice, who is not enrolled, under this configuration. It holds nothing back after a
/// refusal, to save time.
pub(crate) fn host<'w>(world: &'w World, first: FirstFactor, config: &str) -> Sshd<'w> {
    let sshd = world.ship(Family::Debian, first);
    configure(world, config);
    world.account("alice");
    sshd
}

/// Sets the configuration.
pub(crate) fn configure(world: &World, config: &str) {
    world.write("/etc/twinlock/config.toml", format!("fail_delay = \"0s\"\n{config}"));
}

/// Our lines about the attempts of a login.
pub(crate) fn ours(login: &Login) -> Vec<LogEntry> {
    let ours =
        login.server_log.iter().filter(|line| line.text.starts_with("pam_twinlock(") && line.text.contains("result="));
    ours.map(|line| LogEntry::parse(line).unwrap()).collect()
}

/// What a line says to the administrator.
pub(crate) fn detail(entry: &LogEntry) -> String {
    entry.detail.clone().unwrap_or_default()
}

/// Whether a login was asked for a code. A token's own question, to be touched, is not that.
pub(crate) fn was_asked(login: &Login) -> bool {
    login.prompts.iter().any(|prompt| prompt == PROMPT)
}

/// `result/reason` of each of our lines.
pub(crate) fn ends(login: &Login) -> Vec<String> {
    ours(login).iter().map(|entry| format!("{}/{}", entry.value("result"), entry.value("reason"))).collect()
}

/// What was handed over inside a login.
pub(crate) struct HandedOver {
    /// Those of the app that are valid after the confirming one.
    pub(crate) codes: Codes,
    pub(crate) confirming_code: String,
    pub(crate) recovery_codes: Vec<String>,
}

/// The key that was shown last, in whatever language, as the app has it.
pub(crate) fn app_of(shown: &str) -> Authenticator {
    let is_group = |word: &&str| word.len() == 4 && word.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'));
    let keys = shown.lines().rev().map(|line| line.split_whitespace().take_while(is_group).collect::<Vec<_>>());
    Authenticator::from_base32(&keys.into_iter().find(|groups| groups.len() == 8).unwrap().concat())
}

/// Answers everything an enrolment inside the login asks, but for the last answer, which is given back.
pub(crate) fn enrol_but_for_the_last_answer(session: &mut Session<'_>) -> HandedOver {
    let app = app_of(&session.expect(CODE));
    let mut codes = app.codes();
    let confirming_code = codes.next();
    session.send_line(&confirming_code);
    let recovery_codes = recovery_codes_in(&session.expect(BACK));
    assert_eq!(recovery_codes.len(), 10);
    HandedOver { codes, confirming_code, recovery_codes }
}

/// Answers everything.
pub(crate) fn enrol(session: &mut Session<'_>) -> HandedOver {
    let handed_over = enrol_but_for_the_last_answer(session);
    session.send_line(&handed_over.recovery_codes[3]);
    handed_over
}

/// Whether alice is enrolled, as `twinlock status` says.
pub(crate) fn alice_is_enrolled(world: &World) -> bool {
    world.twinlock(&["status", "alice"]).code == Some(0)
}

/// A day, as TOML writes it, so many days from today in UTC.
pub(crate) fn day(from_today: i64) -> String {
    let output = twinlock_tests::Launch::new(["date", "-u", "-d", &format!("{from_today} days"), "+%F"]).run();
    output.stdout.trim().to_owned()
}
