//! The account phase, the guard: sshd runs it for every login, also for one by key alone, which skips the auth phase.
//! Where a second factor is required and none was verified in this transaction, the login ends here.

use pam::constants::PamResultCode;
use twinlock_core::{journal::Reason, policy::SecondFactor, ports::ReadCredentials};

use crate::{arguments::Arguments, authenticate::Scene, ffi::Transaction, returns};

const REMEDY: &str = "this login asked for no second factor: sshd needs `UsePAM yes`, `KbdInteractiveAuthentication yes` and \
    `AuthenticationMethods publickey,keyboard-interactive` for this user (sshd -T -C user=NAME), and /etc/pam.d/sshd the auth \
    line of pam_twinlock.so";

pub(crate) fn run(transaction: &mut Transaction<'_>, arguments: &Arguments) -> PamResultCode {
    let scene = match Scene::set(transaction, arguments) {
        Ok(scene) => scene,
        Err(code) => return code,
    };
    if scene.policy == SecondFactor::Skip {
        return PamResultCode::PAM_IGNORE;
    }
    let Some(subject) = scene.subject else {
        return returns::refuse(transaction, None, Reason::UnknownUser, None);
    };
    if transaction.marked().as_ref() == Some(&subject) {
        return PamResultCode::PAM_SUCCESS;
    }
    let user = Some(subject.name.as_str());
    if scene.policy == SecondFactor::Optional {
        match scene.store.credentials.read(&subject) {
            Ok(None) => return PamResultCode::PAM_IGNORE,
            Ok(Some(_)) => {}
            Err(error) => {
                return returns::refuse(transaction, user, Reason::Store, Some(format!("{error}; {}", error.hint())));
            }
        }
    }
    let code = returns::refuse(transaction, user, Reason::Bypass, Some(REMEDY.into()));
    transaction.warn("This host requires a second factor, but was not set up to ask you for one. Your administrator finds the reason in the log.");
    code
}
