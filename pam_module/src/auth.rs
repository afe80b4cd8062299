//! The auth phase: one attempt under the policy that fits, and its result for the account phase.

use pam::constants::PamResultCode;
use twinlock_core::{
    audit::Reason, catalogue::UserText, credentials::Enrolment, decide::Audience, otp::Otp, policy::SecondFactor,
    ports::Clock as _, record::Origin,
};
use twinlock_login::{
    attempt::{Attempt, Login, Outcome, Prompts},
    snapshot::LazySnapshot,
};
use twinlock_store::host::SystemClock;

use crate::{
    arguments::Arguments,
    backend::{self, Backend},
    context::{Context, Help},
    enrolment,
    first_pass::FirstPass,
    messages,
    result::{self, Logged},
    transaction::{AuthResult, Evidence, Transaction},
};

pub(crate) fn run(transaction: &mut Transaction<'_>, arguments: &Arguments) -> PamResultCode {
    #[cfg(feature = "panic-probe")]
    assert!(transaction.service != "twinlock-panic", "the panic that was asked for");

    // First of all: an earlier success in this transaction does not count now.
    transaction.take_pending();
    if transaction.set_auth_result(None).is_err() {
        return result::no_data(transaction);
    }
    if let Err(none) = transaction.user {
        return result::end(transaction, None, &Attempt::ended(Outcome::NoAnswer(none)), Logged::NotYet);
    }
    let context = match Context::load(transaction, arguments) {
        Ok(context) => context,
        Err(code) => return code,
    };
    if arguments.require_key && transaction.first_factors.keys().is_empty() {
        return result::refuse(transaction, context.user(), Reason::Bypass, Some(messages::no_key(context.user())));
    }
    transaction.ask_for_fail_delay(context.config.fail_delay);
    transaction.echo = context.config.echo && !arguments.noecho;
    let before = transaction.user.clone();
    let read = || context.snapshot();
    let forecast = LazySnapshot::new(&read);
    let ended = match enrolment::should_offer(transaction, arguments, (&context, &forecast)) {
        Some(store) => enrolment::enrol_in_login(transaction, &context, store),
        None => Err(attempt(transaction, arguments, (&context, &forecast))),
    };
    let ended = if transaction.user_now() == before { ended } else { Err(user_changed()) };
    let (code, evidence) = match ended {
        Ok(staged) => {
            (result::enrolled(transaction, context.user(), &enrolment::audit_of(&staged)), Evidence::Staged(staged))
        }
        Err(attempt) => {
            let attempt = with_context(attempt, &context, transaction);
            let code = result::end(transaction, context.user(), &attempt, context.backend.logged());
            show_result(transaction, &context, &attempt);
            match attempt.outcome {
                Outcome::Granted(granted) => (code, Evidence::Granted(granted)),
                Outcome::NotAsked(exempt) => (code, Evidence::Exempt(exempt)),
                Outcome::Refused(_) | Outcome::TooSoon(_) | Outcome::NoAnswer(_) => return code,
            }
        }
    };
    let auth_result = context.subject.map(|subject| AuthResult { subject, evidence });
    transaction.set_auth_result(auth_result).map_or_else(|_| result::no_data(transaction), |()| code)
}

/// One attempt; a second one where a code that came with the password of an earlier module was not a current one.
fn attempt(
    transaction: &mut Transaction<'_>,
    arguments: &Arguments,
    (context, forecast): (&Context, &LazySnapshot<'_>),
) -> Attempt {
    let first_factors = transaction.first_factors.clone();
    let from = transaction.rhost.as_deref().and_then(Origin::from_text);
    let catalogue = context.catalogue();
    let prompt = match (&arguments.prompt, arguments.forward_pass) {
        (Some(prompt), _) => prompt.clone(),
        (None, true) => catalogue.prompt(UserText::PasswordAndCodePrompt),
        (None, false) => context.config.prompt(catalogue),
    };
    let prompt = match context.help(transaction) {
        Help::InPrompt(help) => messages::prompt_with_help(&help, &prompt),
        Help::AfterRefusal(_) | Help::None => prompt,
    };
    let prompts = Prompts::beginning_with(prompt, catalogue);
    // Where the password is asked for together with the code, it must be asked for.
    let client = if arguments.forward_pass { None } else { context.client(&first_factors) };
    let request = context.request(transaction, Some(&prompts.first));
    let make = |conversation: &mut FirstPass<'_, '_>| match &context.backend {
        Backend::Broker => backend::attempt_by_broker(&request, conversation),
        Backend::Store(store) => {
            let login = Login {
                credentials: &store.credentials,
                states: &store.states,
                clock: &SystemClock,
                limits: context.config.limits(),
                prompts: &prompts,
                from: from.as_ref(),
                network: context.source.neighbourhood(),
                client,
                audience: Audience::User,
                forecast: Some(forecast),
            };
            login.attempt(context.subject.as_ref(), context.policy, conversation)
        }
    };
    let lengths = if arguments.wants_first_pass() { code_lengths(forecast) } else { Vec::new() };
    let mut conversation = FirstPass::new(transaction, arguments, lengths);
    let attempt = make(&mut conversation);
    let logged = context.backend.logged();
    let attempt = match logged {
        Logged::NotYet => conversation.with_origin(attempt),
        Logged::Elsewhere => attempt,
    };
    if !conversation.may_ask_after(&attempt.outcome) {
        return attempt;
    }
    result::log_attempt(conversation.transaction(), context.user(), &attempt, logged);
    make(&mut conversation)
}

/// How many digits the codes of the user have, for telling them from a password that stands before them.
fn code_lengths(forecast: &LazySnapshot<'_>) -> Vec<usize> {
    let enrolment = forecast.snapshot().and_then(|snapshot| snapshot.enrolment.as_ref());
    let active = enrolment.into_iter().flat_map(Enrolment::active);
    let lengths: Vec<usize> = active.map(|authenticator| usize::from(authenticator.otp.digits())).collect();
    if lengths.is_empty() { vec![usize::from(Otp::DIGITS)] } else { lengths }
}

/// A code was given for one user; nobody else may have the good of it.
fn user_changed() -> Attempt {
    Attempt::refused_for(Reason::Internal).with_detail(messages::USER_CHANGED)
}

/// sshd's `password` method answers no prompt that echoes: what was broken is then its configuration.
fn with_context(mut attempt: Attempt, context: &Context, transaction: &Transaction<'_>) -> Attempt {
    let in_log = context.backend.logged() == Logged::Elsewhere;
    match attempt.outcome {
        Outcome::NotAsked(_) => {
            let exemption = context.exemption();
            attempt.audit.detail = exemption.detail.or(attempt.audit.detail);
            attempt.audit.emergency = exemption.emergency;
        }
        Outcome::Granted(_) | Outcome::Refused(_) | Outcome::TooSoon(_) | Outcome::NoAnswer(_) if in_log => {}
        Outcome::Refused(Reason::NotEnrolled) if context.policy == SecondFactor::Enroll => {
            attempt.audit.detail.get_or_insert_with(|| messages::NOT_OFFERED.into());
        }
        Outcome::NoAnswer(_) if transaction.service.starts_with("sshd") => {
            attempt.audit.detail = Some(messages::NOT_ANSWERED.into());
        }
        Outcome::Granted(_) | Outcome::Refused(_) | Outcome::TooSoon(_) | Outcome::NoAnswer(_) => {}
    }
    attempt
}

/// What the user is told, after the verdict is on the disk and in the log.
fn show_result(transaction: &mut Transaction<'_>, context: &Context, attempt: &Attempt) {
    let catalogue = context.information(transaction);
    match &attempt.outcome {
        Outcome::Granted(granted) => {
            if let Some(news) = granted.news() {
                transaction.warn(&news.describe(SystemClock.now(), &catalogue));
            }
            match granted.recovery_codes_left() {
                None => {}
                Some(left @ 0..=3) => transaction.warn(&messages::recovery_codes_left(&catalogue, left)),
                Some(left) => transaction.tell(&messages::recovery_codes_left(&catalogue, left)),
            }
        }
        Outcome::TooSoon(rest) => {
            transaction.warn(&messages::too_soon(&catalogue, rest.as_secs().max(1)));
        }
        // Only somebody who has the code sees this.
        Outcome::Refused(Reason::Replayed) => transaction.warn(catalogue.get(UserText::CodeUsed)),
        // The same whatever the reason was: it must not tell who is enrolled.
        Outcome::Refused(_) => {
            if let Help::AfterRefusal(help) = context.help(transaction) {
                transaction.warn(&help);
            }
        }
        Outcome::NotAsked(_) => {
            if let Some(emergency) = context.emergency {
                transaction.tell(&messages::second_factors_off(&catalogue, emergency.end(SystemClock.now())));
            }
        }
        Outcome::NoAnswer(_) => {}
    }
}
