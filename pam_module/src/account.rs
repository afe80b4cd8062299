//! The account phase, the guard: sshd runs it for every login, also for one by key alone, which skips the auth phase.
//! Where a second factor is required and none was verified in this transaction, the login ends here.

use pam::constants::PamResultCode;
use twinlock_core::{audit::Reason, catalogue::UserText, policy::SecondFactor};

use crate::{
    arguments::Arguments,
    context::Context,
    enrolment,
    messages::{self, Unverified},
    result,
    transaction::{Evidence, Transaction},
};

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
        SecondFactor::Skip => return exempt(transaction, &context),
        SecondFactor::Optional => match context.backend.is_not_enrolled(subject, context.request(transaction, None)) {
            Ok(true) => return exempt(transaction, &context),
            Ok(false) => {}
            Err(error) => {
                let detail = format!("{error}; {}", error.hint());
                return result::refuse(transaction, user, error.reason(), Some(detail));
            }
        },
        SecondFactor::Required | SecondFactor::Enroll => {}
    }
    let unverified = if !transaction.service.starts_with("sshd") {
        Unverified::OtherService
    } else if context.config.policy.rules.iter().any(|rule| rule.key_types.is_some()) {
        Unverified::SshdWithKeyTypes
    } else {
        Unverified::Sshd
    };
    let code = result::refuse(transaction, user, Reason::Bypass, Some(messages::bypass(user, unverified)));
    let text = context.information(transaction).get(UserText::NoCodeAsked).to_owned();
    transaction.warn(&text);
    code
}

/// A login that no auth phase has seen, such as one by key alone. What exempts it is logged here, once.
fn exempt(transaction: &mut Transaction<'_>, context: &Context) -> PamResultCode {
    let exemption = context.exemption();
    if exemption.detail.is_some() {
        result::exempted(transaction, context.user(), &exemption);
    }
    PamResultCode::PAM_IGNORE
}
