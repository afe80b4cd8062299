//! The account phase, the guard: sshd runs it for every login, also for one by key alone, which skips the auth phase.
//! Where a second factor is required and none was verified in this transaction, the login ends here.

use pam::constants::PamResultCode;
use twinlock_core::{audit::Reason, policy::SecondFactor};

use crate::{
    arguments::Arguments,
    context::Context,
    enrolment, result,
    transaction::{Evidence, Transaction},
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
    let context = match Context::load(transaction, arguments) {
        Ok(context) => context,
        Err(code) => return code,
    };
    let Some(subject) = &context.subject else {
        return if context.policy == SecondFactor::Skip {
            PamResultCode::PAM_IGNORE
        } else {
            result::refuse(transaction, None, Reason::UnknownUser, None)
        };
    };
    let user = context.user();
    if let Some(passed) = transaction.auth_result().filter(|passed| passed.subject == *subject) {
        return match passed.evidence {
            Evidence::Staged(_) => enrolment::hand_over(transaction, &context, subject),
            Evidence::Granted(_) | Evidence::Exempt(_) | Evidence::Stored(_) => match context.policy {
                SecondFactor::Skip => PamResultCode::PAM_IGNORE,
                SecondFactor::Optional | SecondFactor::Required | SecondFactor::Enroll => PamResultCode::PAM_SUCCESS,
            },
        };
    }
    match context.policy {
        SecondFactor::Skip => return PamResultCode::PAM_IGNORE,
        SecondFactor::Optional => match context.backend.is_not_enrolled(subject, context.request(transaction, None)) {
            Ok(true) => return PamResultCode::PAM_IGNORE,
            Ok(false) => {}
            Err(error) => {
                let detail = format!("{error}; {}", error.hint());
                return result::refuse(transaction, user, Reason::Store, Some(detail));
            }
        },
        SecondFactor::Required | SecondFactor::Enroll => {}
    }
    let remedy = if !transaction.service.starts_with("sshd") {
        format!("{OTHERS}{SSHD}")
    } else if context.config.policy.rules.iter().any(|rule| rule.key_types.is_some()) {
        format!("{SSHD}{KEYS}")
    } else {
        SSHD.to_owned()
    };
    let code = result::refuse(transaction, user, Reason::Bypass, Some(remedy));
    transaction.warn("This host requires a second factor, but was not set up to ask you for one. Your administrator finds the reason in the log.");
    code
}
