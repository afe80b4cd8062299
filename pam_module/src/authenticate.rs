//! The auth phase: who, under which policy, one attempt, its mark for the account phase.

use std::time::Duration;

use pam::constants::PamResultCode;
use twinlock_core::{
    account::{Subject, UserName},
    credentials::Enrolment,
    journal::Reason,
    otp::Otp,
    policy::{Facts, FirstFactors, Rule, SecondFactor, Source},
    ports::{Clock as _, Randomness as _},
    record::Origin,
    remember::Client,
};
use twinlock_enrol::onboarding::{Onboarding, Staged};
use twinlock_login::attempt::{Attempt, AuditEntry, Login, Outcome};
use twinlock_store::{
    config::Config,
    files::{self, Store},
    host::{self, Kernel, SystemClock, SystemGroups},
    ports::ReadCredentials as _,
};

use crate::{
    arguments::Arguments,
    broker,
    ffi::{Evidence, Loudness, Passed, Transaction},
    returns,
    stacked::Stacked,
};

/// What both phases begin with.
pub(crate) struct Scene {
    pub(crate) config: Config,
    pub(crate) policy: SecondFactor,
    pub(crate) store: Store,
    /// `None` if there is no such account.
    pub(crate) subject: Option<Subject>,
    /// For how long the rule that decides remembers a login.
    remember: Option<Duration>,
    /// The rule that decides.
    rule: Option<String>,
    source: Source,
}

impl Scene {
    /// Reads the configuration, looks the user up and asks the policy; the refusal if that cannot be done.
    pub(crate) fn set(transaction: &mut Transaction<'_>, arguments: &Arguments) -> Result<Self, PamResultCode> {
        let config = files::load_config(&arguments.config).map_err(|fault| {
            returns::refuse(transaction, None, Reason::Config, Some(format!("{fault}; {}", fault.hint())))
        })?;
        let name = transaction.user.as_ref().ok().and_then(|user| UserName::parse(user).ok());
        let subject = name.map_or(Ok(None), |name| host::account(&name)).map_err(|error| {
            let detail = format!("cannot ask the passwd database: {error}");
            returns::refuse(transaction, None, Reason::Internal, Some(detail))
        })?;
        let source = Source::from_rhost(transaction.rhost.as_deref());
        let facts = Facts {
            service: &transaction.service.to_ascii_lowercase(),
            user: subject.as_ref().map(|subject| &subject.name),
            source: &source,
            first_factors: &transaction.first_factors,
            now: SystemClock.now(),
        };
        let decision = config.policy.decide(&facts, &SystemGroups).map_err(|undecided| {
            let user = subject.as_ref().map(|subject| subject.name.as_str());
            returns::refuse(transaction, user, Reason::Internal, Some(undecided.to_string()))
        })?;
        let policy = if arguments.nullok { decision.second_factor.nullok() } else { decision.second_factor };
        if arguments.debug {
            let known = if subject.is_some() { "known" } else { "unknown" };
            let rule = decision.rule.map_or("-", Rule::title);
            let doubt = decision.doubt.map_or_else(|| "-".into(), |doubt| doubt.to_string());
            let line = format!(
                "debug: config={} second_factor={} rule=\"{rule}\" doubt=\"{doubt}\" user is {known}",
                arguments.config.display(),
                policy.name()
            );
            transaction.log(Loudness::Debug, &line);
        }
        let (remember, rule) = (decision.remember, decision.rule.map(|rule| rule.title().to_owned()));
        let store = Store::at(&config.store.directory, &arguments.config);
        Ok(Self { config, policy, store, subject, remember, rule, source })
    }

    /// Who is recognised, where the rule remembers logins: somebody who proved a key, from an address.
    fn client<'k>(&self, first_factors: &'k FirstFactors) -> Option<Client<'k>> {
        let (span, network) = (self.remember?, self.source.neighbourhood()?);
        let key = first_factors.keys().first()?;
        let mut fresh = [0; 16];
        Kernel.fill(&mut fresh).ok()?;
        Some(Client { key, network, span, fresh })
    }

    /// How many digits the codes of the user have, for telling them from a password that stands before them.
    fn code_lengths(&self) -> Vec<usize> {
        let enrolment = self.subject.as_ref().and_then(|subject| self.store.credentials.read(subject).ok()?);
        let lengths: Vec<usize> =
            enrolment.iter().flat_map(Enrolment::active).map(|one| usize::from(one.otp.digits())).collect();
        if lengths.is_empty() { vec![usize::from(Otp::DIGITS)] } else { lengths }
    }

    /// Whether this login is one to enrol in: policy says so, and a first factor can have been given. A store that cannot
    /// be read is not an answer of "not enrolled"; the usual attempt then says what is broken.
    fn invites(&self, transaction: &Transaction<'_>) -> bool {
        let not_enrolled = |subject: &Subject| matches!(self.store.credentials.read(subject), Ok(None));
        self.policy == SecondFactor::Enroll
            && host::is_root()
            && (transaction.first_factors.any() || transaction.password().is_some())
            && self.subject.as_ref().is_none_or(not_enrolled)
    }
}

pub(crate) fn run(transaction: &mut Transaction<'_>, arguments: &Arguments) -> PamResultCode {
    #[cfg(feature = "panic-probe")]
    assert!(transaction.service != "twinlock-panic", "the panic that was asked for");

    // First of all: whoever passed before in this transaction has not passed now.
    transaction.take_pending();
    if transaction.mark(None).is_err() {
        return returns::no_data(transaction);
    }
    if let Err(none) = transaction.user {
        return returns::end(transaction, None, &Attempt::ended(Outcome::NoAnswer(none)));
    }
    let scene = match Scene::set(transaction, arguments) {
        Ok(scene) => scene,
        Err(code) => return code,
    };
    if arguments.require_key && transaction.first_factors.keys().is_empty() {
        let user = scene.subject.as_ref().map(|subject| subject.name.as_str());
        return returns::refuse(transaction, user, Reason::Bypass, Some(NO_KEY.into()));
    }
    transaction.ask_for_fail_delay(scene.config.fail_delay);
    transaction.echo = scene.config.echo && !arguments.noecho;
    let before = transaction.user.clone();
    let ended = if !arguments.use_first_pass && scene.invites(transaction) {
        invite(transaction, &scene)
    } else {
        Err(ask(transaction, arguments, &scene))
    };
    let ended = if transaction.user_now() == before { ended } else { Err(user_changed()) };
    let user = scene.subject.as_ref().map(|subject| subject.name.as_str());
    let (code, evidence) = match ended {
        Ok(staged) => (returns::enrolled(transaction, user, &audit_of(&staged)), Evidence::Staged(staged)),
        Err(attempt) => {
            let attempt = explained(attempt, &scene, transaction);
            let code = returns::end(transaction, user, &attempt);
            speak(transaction, scene.config.help(), &attempt);
            match attempt.outcome {
                Outcome::Granted(granted) => (code, Evidence::Granted(granted)),
                Outcome::NotAsked(exempt) => (code, Evidence::Exempt(exempt)),
                Outcome::Refused(_) | Outcome::TooSoon(_) | Outcome::NoAnswer(_) => return code,
            }
        }
    };
    let mark = scene.subject.map(|subject| Passed { subject, evidence });
    transaction.mark(mark).map_or_else(|_| returns::no_data(transaction), |()| code)
}

const NO_KEY: &str = "nobody was asked, because sshd has verified no key before: sshd needs \
    `AuthenticationMethods publickey,keyboard-interactive` for this user (sshd -T -C user=NAME)";

/// One attempt; a second one where a code that came with the password of an earlier module was none of now.
fn ask(transaction: &mut Transaction<'_>, arguments: &Arguments, scene: &Scene) -> Attempt {
    let first_factors = transaction.first_factors.clone();
    let from = transaction.rhost.as_deref().and_then(Origin::from_text);
    let prompt = match (&arguments.prompt, arguments.forward_pass) {
        (Some(prompt), _) => prompt,
        (None, true) => FORWARD_PROMPT,
        (None, false) => &scene.config.prompt,
    };
    let login = Login {
        credentials: &scene.store.credentials,
        states: &scene.store.states,
        clock: &SystemClock,
        limits: scene.config.limits(),
        prompt,
        from: from.as_ref(),
        network: scene.source.neighbourhood(),
        // Where the password is asked for together with the code, it must be asked for.
        client: if arguments.forward_pass { None } else { scene.client(&first_factors) },
    };
    let subject = scene.subject.as_ref();
    // Where nobody is asked, nobody need be asked about that either.
    let by_broker = !host::is_root() && scene.policy != SecondFactor::Skip;
    let request = by_broker.then(|| broker::request(transaction, scene, Some(prompt)));
    let make = |stacked: &mut Stacked<'_, '_>| match &request {
        None => login.attempt(subject, scene.policy, stacked),
        Some(request) => broker::attempt(request, stacked),
    };
    let lengths = if arguments.stacked() { scene.code_lengths() } else { Vec::new() };
    let mut stacked = Stacked::new(transaction, arguments, lengths);
    let attempt = make(&mut stacked);
    let attempt = if by_broker { attempt } else { stacked.noted(attempt) };
    if !stacked.may_ask_after(&attempt.outcome) {
        return attempt;
    }
    returns::end(stacked.transaction(), subject.map(|subject| subject.name.as_str()), &attempt);
    make(&mut stacked)
}

/// What is asked where password and code come in one answer; google-authenticator's words.
const FORWARD_PROMPT: &str = "Password & verification code: ";

/// Enrols somebody inside the login. What comes of it waits for the end of the login: see `enrolment`.
fn invite(transaction: &mut Transaction<'_>, scene: &Scene) -> Result<Box<Staged>, Attempt> {
    // The picture is part of a prompt that echoes: clients show no other whole.
    transaction.echo = true;
    let issuer = host::issuer(&scene.config.issuer);
    let mut onboarding =
        Onboarding { clock: &SystemClock, randomness: &mut Kernel, states: &scene.store.states, issuer: &issuer };
    let typed = transaction.user.clone().unwrap_or_default();
    onboarding.run(scene.subject.as_ref(), &String::from_utf8_lossy(&typed), transaction)
}

/// What the log says of an enrolment that waits.
fn audit_of(staged: &Staged) -> AuditEntry {
    AuditEntry {
        method: Some("totp"),
        authenticator: staged.authenticator().map(|authenticator| authenticator.id.clone()),
        detail: Some(STAGED.into()),
        ..AuditEntry::default()
    }
}

const STAGED: &str = "enrolled inside the login; it is stored when the whole login has passed: if no line says that it was \
    stored, the login ended before, this service has no account line of pam_twinlock.so, or it does not call pam_setcred";

/// A code was given for one user; nobody else may have the good of it.
fn user_changed() -> Attempt {
    Attempt::refused_for(Reason::Internal).with_detail("PAM_USER was changed while the code was asked for")
}

/// sshd's `password` method answers no prompt that echoes: what was broken is then its configuration.
fn explained(mut attempt: Attempt, scene: &Scene, transaction: &Transaction<'_>) -> Attempt {
    match attempt.outcome {
        Outcome::NotAsked(_) => {
            if let Some(rule) = &scene.rule {
                attempt.audit.detail = Some(format!("not asked, by the rule: {rule}"));
            }
        }
        // What the broker attempted is in the log already.
        Outcome::Granted(_) | Outcome::Refused(_) | Outcome::TooSoon(_) | Outcome::NoAnswer(_) if !host::is_root() => {}
        Outcome::Refused(Reason::NotEnrolled) if scene.policy == SecondFactor::Enroll => {
            attempt.audit.detail.get_or_insert_with(|| NOT_OFFERED.into());
        }
        Outcome::NoAnswer(_) if transaction.service.starts_with("sshd") => {
            attempt.audit.detail = Some(NOT_ANSWERED.into());
        }
        Outcome::Granted(_) | Outcome::Refused(_) | Outcome::TooSoon(_) | Outcome::NoAnswer(_) => {}
    }
    attempt
}

const NOT_OFFERED: &str = "no enrolment was offered, because no first factor came before: neither a method in SSH_AUTH_INFO_0 \
    nor a password in this stack";
const NOT_ANSWERED: &str = "the prompt was not answered: sshd asked through its password method (set PasswordAuthentication \
    no), or the client left";

/// What the user is told, after the verdict is on the disk and in the log.
fn speak(transaction: &mut Transaction<'_>, help: Option<&str>, attempt: &Attempt) {
    match &attempt.outcome {
        Outcome::Granted(granted) => {
            if let Some(notice) = granted.notice() {
                transaction.warn(&notice.describe());
            }
            match granted.recovery_codes_left() {
                None => {}
                Some(0) => transaction.warn("That was your LAST recovery code. Make new ones now: `twinlock recovery new`, or ask your administrator."),
                Some(left @ 1..=3) => {
                    let codes = if left == 1 { "code is" } else { "codes are" };
                    transaction.warn(&format!("ONLY {left} recovery {codes} left. Make new ones soon: `twinlock recovery new`, or ask your administrator."));
                }
                Some(left) => transaction.tell(&format!("{left} recovery codes are left.")),
            }
        }
        Outcome::TooSoon(rest) => {
            transaction.warn(&format!("Too many wrong codes. Try again in {} seconds.", rest.as_secs().max(1)));
        }
        // The same whatever the reason was: it must not tell who is enrolled.
        Outcome::Refused(_) => {
            if let Some(help) = help {
                transaction.warn(help);
            }
        }
        Outcome::NotAsked(_) | Outcome::NoAnswer(_) => {}
    }
}
