//! Where second factors are kept for this process: in the store, or with the broker, where the process is not root's (a
//! screen locker, a web server) and the store is out of its reach. The broker makes the attempt then, for the account of the
//! host's own user alone, and logs it. The broker also sends the mail about an enrolment inside a login.

use std::path::Path;

use twinlock_core::{account::Subject, policy::SecondFactor, ports::Conversation};
use twinlock_login::{
    attempt::{Attempt, Outcome},
    wire::{self, EnrolledInLogin, LoginRequest, NoConversation},
};
use twinlock_store::{
    files::Store,
    host,
    ports::{ReadCredentials as _, StoreError},
};

use crate::{result::Logged, transaction::Transaction};

/// The place that answers for second factors. Chosen once, when the context is loaded.
#[allow(clippy::large_enum_variant, reason = "there is one for each phase")]
pub(crate) enum Backend {
    /// The files of this host.
    Store(Store),
    /// The broker.
    Broker,
}

impl Backend {
    /// The store for root, the broker for everybody else. Where nobody is asked, the broker need not be asked about that.
    pub(crate) fn choose(store: Store, policy: SecondFactor) -> Self {
        if host::is_root() || policy == SecondFactor::Skip { Self::Store(store) } else { Self::Broker }
    }

    /// Whether an attempt of this back end is in the log when it ends.
    pub(crate) const fn logged(&self) -> Logged {
        match self {
            Self::Store(_) => Logged::NotYet,
            Self::Broker => Logged::Elsewhere,
        }
    }

    /// Whether `subject` has no second factor, for a phase that asks nobody. What is in the way of the broker is no answer of
    /// "not enrolled".
    pub(crate) fn is_not_enrolled(&self, subject: &Subject, request: LoginRequest) -> Result<bool, StoreError> {
        match self {
            Self::Store(store) => Ok(store.credentials.read(subject)?.is_none()),
            Self::Broker => {
                let request = LoginRequest { policy: SecondFactor::Optional, prompt: None, ..request };
                Ok(matches!(attempt_by_broker(&request, &mut NoConversation).outcome, Outcome::NotAsked(_)))
            }
        }
    }
}

/// One attempt, made by the broker. Whatever is in its way denies, and has a detail for the log.
pub(crate) fn attempt_by_broker(request: &LoginRequest, conversation: &mut dyn Conversation) -> Attempt {
    wire::attempt(|| wire::connect(Path::new(wire::SOCKET)), request, conversation)
}

/// Asks the broker to mail the user about the enrolment inside this login. Without a broker, only the log tells of it.
pub(crate) fn mail_enrolment(transaction: &Transaction<'_>, user: &str) {
    let (service, rhost) = (transaction.service.clone(), transaction.rhost.clone());
    let enrolled = EnrolledInLogin { user: user.to_owned(), service, rhost };
    // The login has passed and the enrolment is stored; a mail that fails does not change that.
    let _ = enrolled.send(Path::new(wire::SOCKET));
}
