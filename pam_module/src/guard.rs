//! The account phase, the guard: sshd runs it for every login, also for one by key alone, which skips the auth phase.
//! Where a second factor is required and none was verified in this transaction, the login ends here.

use pam::constants::PamResultCode;
use twinlock_core::{
    account::Subject,
    credentials::AuthenticatorId,
    enrol::EnrolError,
    host::{self, SystemClock},
    journal::Reason,
    login::{Attempt, Outcome},
    policy::SecondFactor,
    ports::{Clock as _, ReadCredentials as _},
};

use crate::{
    arguments::Arguments,
    authenticate::Scene,
    broker,
    ffi::{Passed, Transaction},
    returns,
};

const SSHD: &str = "this login asked for no second factor: sshd needs `UsePAM yes`, `KbdInteractiveAuthentication yes` and \
    `AuthenticationMethods publickey,keyboard-interactive` for this user (sshd -T -C user=NAME), and /etc/pam.d/sshd the auth \
    line of pam_twinlock.so";

const KEYS: &str =
    "; rules with key_types need that too: of a login by key alone, sshd shows PAM no key before it is over";

/// For cron, systemd-user, su by root and whatever else has no auth phase, or skips it.
const OTHERS: &str = "this service ran its account phase without the auth line of pam_twinlock.so. The account line is for \
    sshd; take it out of this service's file in /etc/pam.d, and out of files that it includes. If this is sshd by another \
    name: ";

pub(crate) fn run(transaction: &mut Transaction<'_>, arguments: &Arguments) -> PamResultCode {
    let scene = match Scene::set(transaction, arguments) {
        Ok(scene) => scene,
        Err(code) => return code,
    };
    let Some(subject) = &scene.subject else {
        return if scene.policy == SecondFactor::Skip {
            PamResultCode::PAM_IGNORE
        } else {
            returns::refuse(transaction, None, Reason::UnknownUser, None)
        };
    };
    let user = Some(subject.name.as_str());
    if let Some(passed) = transaction.marked().filter(|passed| passed.subject == *subject && passed.grant.lets_pass()) {
        if let Some(staged) = &passed.staged {
            let authenticator = staged.authenticator().map(|authenticator| authenticator.id.clone());
            let stored = staged.store((&scene.store.credentials, &scene.store.states), SystemClock.now());
            return end_of_enrolment(transaction, subject, authenticator, stored);
        }
        return if scene.policy == SecondFactor::Skip { PamResultCode::PAM_IGNORE } else { PamResultCode::PAM_SUCCESS };
    }
    match scene.policy {
        SecondFactor::Skip => return PamResultCode::PAM_IGNORE,
        SecondFactor::Optional if !host::is_root() => {
            if broker::asks_nobody(broker::request(transaction, &scene, None)) {
                return PamResultCode::PAM_IGNORE;
            }
        }
        SecondFactor::Optional => match scene.store.credentials.read(subject) {
            Ok(None) => return PamResultCode::PAM_IGNORE,
            Ok(Some(_)) => {}
            Err(error) => {
                return returns::refuse(transaction, user, Reason::Store, Some(format!("{error}; {}", error.hint())));
            }
        },
        SecondFactor::Required | SecondFactor::Enroll => {}
    }
    let remedy = if !transaction.service.starts_with("sshd") {
        format!("{OTHERS}{SSHD}")
    } else if scene.config.policy.rules.iter().any(|rule| rule.key_types.is_some()) {
        format!("{SSHD}{KEYS}")
    } else {
        SSHD.to_owned()
    };
    let code = returns::refuse(transaction, user, Reason::Bypass, Some(remedy));
    transaction.warn("This host requires a second factor, but was not set up to ask you for one. Your administrator finds the reason in the log.");
    code
}

/// Says how the enrolment inside this login ended, to the log and to the user.
fn end_of_enrolment(
    transaction: &mut Transaction<'_>,
    subject: &Subject,
    authenticator: Option<AuthenticatorId>,
    stored: Result<(), EnrolError>,
) -> PamResultCode {
    let (outcome, detail, said) = match stored {
        Ok(()) => (
            Outcome::Granted { recovery_codes_left: None },
            "the enrolment inside this login was stored".to_owned(),
            "You are enrolled. From the next login on, this host asks for a code of your app.",
        ),
        Err(error @ EnrolError::AlreadyEnrolled) => (
            Outcome::Refused(Reason::NotEnrolled),
            format!("the enrolment inside this login was not stored: {error}, by another login meanwhile"),
            "Another login enrolled this account meanwhile: remove the new entry from your app, and log in with the other one.",
        ),
        // A write that failed may have come after the one that counts.
        Err(error) => (
            Outcome::Refused(Reason::Store),
            format!("the enrolment inside this login may not be stored whole, see `twinlock status`: {error}"),
            "The enrolment could not be finished. Keep the new entry of your app and the recovery codes, which may count already, and tell your administrator.",
        ),
    };
    let attempt = Attempt { method: Some("totp"), authenticator, detail: Some(detail), ..Attempt::passed(outcome) };
    let code = returns::end(transaction, Some(subject.name.as_str()), &attempt);
    if attempt.refused().is_some() {
        transaction.warn(said);
        return code;
    }
    transaction.tell(said);
    // A host may run the account phase again; there is nothing left to store then.
    match transaction.mark(Some(Passed { subject: subject.clone(), grant: attempt.grant, staged: None })) {
        Ok(()) => code,
        Err(_) => returns::no_data(transaction),
    }
}
