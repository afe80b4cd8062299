//! The one joint between what is typed and where it is done: root does it here, everybody else has the broker do it. What
//! is above it does not know which.

use std::path::Path;

use twinlock_core::{
    account::Subject,
    ports::{Conversation, Dialogue, NoAnswer, Offer, Question},
};
use twinlock_login::wire::{self, ConnectError};
use twinlock_service::{
    lifecycle::{Caller, Done, Lifecycle, Request},
    status::Status,
    wire::ask_broker,
};
use twinlock_store::{
    config::DEFAULT_PATH,
    host::{self, Kernel, SystemClock, SystemGroups},
    ports::ReadCredentials as _,
};
use zeroize::Zeroizing;

use crate::{
    context::{self, CommandContext},
    failure::Failure,
    language, layout, messages,
};

/// Where things are done for one user.
pub(crate) enum CommandBackend {
    /// Root works on the store in this process.
    Local(Box<CommandContext>, Subject),
    /// By the broker, for the user who runs the command.
    Broker {
        /// The user as typed. The broker says whether that is the one.
        named: Option<String>,
        /// The same, or the name of the user who runs the command.
        user: String,
    },
}

impl CommandBackend {
    /// The back end for the user of that name, or for the user who runs the command.
    pub(crate) fn choose(config: &Path, typed: Option<&str>) -> Result<Self, Failure> {
        if host::is_root() {
            let context = CommandContext::load(config)?;
            return Ok(Self::Local(Box::new(context), context::account(typed)?));
        }
        if config != Path::new(DEFAULT_PATH) {
            return Err(messages::config_of_a_user());
        }
        let user = match typed {
            Some(typed) => typed.to_owned(),
            None => context::account(None)?.name.to_string(),
        };
        Ok(Self::Broker { named: typed.map(str::to_owned), user })
    }

    /// The same for a user who may be no account any more, if root asks.
    pub(crate) fn choose_for_leaver(config: &Path, typed: Option<&str>) -> Result<Self, Failure> {
        let Some(typed) = typed.filter(|_| host::is_root()) else {
            return Self::choose(config, typed);
        };
        let context = CommandContext::load(config)?;
        let subject = context::account_or_leaver(&context.store, typed)?;
        Ok(Self::Local(Box::new(context), subject))
    }

    /// The account that it is about.
    pub(crate) fn user(&self) -> &str {
        match self {
            Self::Local(_, subject) => subject.name.as_str(),
            Self::Broker { user, .. } => user,
        }
    }

    /// Has it done.
    pub(crate) fn perform(&self, request: &Request, dialogue: &mut dyn Dialogue) -> Result<Done, Failure> {
        Ok(match self {
            Self::Local(context, subject) => {
                if let Request::Enroll(_) = request {
                    layout::prepare(&context.store)?;
                }
                let audit_log = context.audit_log();
                let mut lifecycle = Lifecycle {
                    caller: Caller::Root,
                    config: &context.config,
                    store: &context.store,
                    clock: &SystemClock,
                    randomness: &mut Kernel,
                    groups: &SystemGroups,
                    audit_log: &audit_log,
                };
                let done = lifecycle.perform(subject, request, dialogue)?;
                if let Request::Enroll(_) = request {
                    layout::update(&context.store, &subject.name);
                }
                done
            }
            Self::Broker { named, .. } => {
                let broker = wire::connect(Path::new(wire::SOCKET)).map_err(unreachable)?;
                ask_broker(&broker, (named.as_deref(), language::chosen()), request, dialogue)?
            }
        })
    }

    /// Refuses for root a user who is not enrolled, before anything is done for others. The broker says so itself.
    pub(crate) fn ensure_enrolled(&self) -> Result<(), Failure> {
        match self {
            Self::Local(context, subject) if context.store.credentials.read(subject)?.is_none() => {
                Err(Failure::not_enrolled(subject.name.as_str()))
            }
            Self::Local(..) | Self::Broker { .. } => Ok(()),
        }
    }

    /// How the user stands.
    pub(crate) fn status(&self) -> Result<Status, Failure> {
        let Done::Status(status) = self.perform(&Request::Status, &mut NoDialogue)? else {
            return Err(messages::unexpected_answer());
        };
        Ok(status)
    }

    /// The same, of somebody who must have a second factor.
    pub(crate) fn status_of_enrolled(&self) -> Result<Status, Failure> {
        let status = self.status()?;
        if status.enrolled { Ok(status) } else { Err(Failure::not_enrolled(self.user())) }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is mapped over a Result")]
fn unreachable(error: ConnectError) -> Failure {
    if matches!(error, ConnectError::NoBroker) { messages::no_broker() } else { messages::broker_unreachable(&error) }
}

/// There is nobody to talk with, and nothing to talk about.
struct NoDialogue;

impl Conversation for NoDialogue {
    fn ask(&mut self, _: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        Err(NoAnswer { code: 0 })
    }
}

impl Dialogue for NoDialogue {
    fn tell(&mut self, _: &str) -> Result<(), NoAnswer> {
        Ok(())
    }

    fn show_authenticator(&mut self, _: &Offer) -> Result<(), NoAnswer> {
        Ok(())
    }
}
