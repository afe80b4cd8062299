//! Where the host is not root's (a screen locker, a web server), the store is out of reach: the broker makes the attempt,
//! for the account of the host's own user alone, and writes it down. The broker also sends the mail about an enrolment inside a login.

use std::path::Path;

use twinlock_core::{policy::SecondFactor, ports::Conversation};
use twinlock_login::{
    attempt::{Attempt, Outcome},
    wire::{self, EnrolledInLogin, LoginRequest, NoConversation},
};

use crate::{authenticate::Scene, ffi::Transaction};

/// What the broker is told of this login; without a prompt, it only says whether anybody is asked.
pub(crate) fn request(transaction: &Transaction<'_>, scene: &Scene, prompt: Option<&str>) -> LoginRequest {
    LoginRequest {
        user: scene.subject.as_ref().map(|subject| subject.name.to_string()).unwrap_or_default(),
        policy: scene.policy,
        service: transaction.service.clone(),
        rhost: transaction.rhost.clone(),
        prompt: prompt.map(str::to_owned),
    }
}

/// One attempt, made by the broker. Whatever is in its way denies, and has a detail for the log.
pub(crate) fn attempt(request: &LoginRequest, conversation: &mut dyn Conversation) -> Attempt {
    wire::attempt(|| wire::connect(Path::new(wire::SOCKET)), request, conversation)
}

/// Whether policy asks nobody, as the broker sees it: under `optional`, whoever is not enrolled.
pub(crate) fn asks_nobody(request: LoginRequest) -> bool {
    let request = LoginRequest { policy: SecondFactor::Optional, ..request };
    matches!(attempt(&request, &mut NoConversation).outcome, Outcome::NotAsked(_))
}

/// Asks the broker to mail the user about the enrolment inside this login. Without a broker, only the log tells of it.
pub(crate) fn mail_enrolment(transaction: &Transaction<'_>, user: &str) {
    let (service, rhost) = (transaction.service.clone(), transaction.rhost.clone());
    let enrolled = EnrolledInLogin { user: user.to_owned(), service, rhost };
    // The login has passed and the enrolment is stored; a mail that fails changes neither.
    let _ = enrolled.send(Path::new(wire::SOCKET));
}
