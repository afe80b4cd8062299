//! What members of the help desk may do for others, and what they must show first: that they are in the group, and a code of
//! their own, so that a session of theirs is not enough.

use twinlock_core::{account::Subject, help_desk::HelpRefusal, ports::Dialogue};
use twinlock_store::{host::accounts::ADMINISTRATORS, ports::ReadCredentials as _};

use super::{Done, Lifecycle, Request, RequestError, RequestErrorKind};
use crate::messages;

impl Lifecycle<'_> {
    /// Does what `helper` wants for `subject`.
    pub(super) fn help(
        &mut self,
        helper: &Subject,
        subject: &Subject,
        request: &Request,
        dialogue: &mut dyn Dialogue,
    ) -> Result<Done, RequestError> {
        self.permit_help(helper, subject)?;
        match request {
            Request::Status => {
                self.audit_log.helped(subject, messages::HELP_STATUS);
                Ok(Done::Status(self.status(subject)?))
            }
            Request::Unlock => {
                self.prove_helper(helper, subject, dialogue)?;
                self.unlock(subject)
            }
            Request::IssueRecovery(seconds) => {
                self.prove_helper(helper, subject, dialogue)?;
                self.issue_recovery(subject, *seconds, helper.uid)
            }
            Request::Enroll(_)
            | Request::RenewRecovery(_)
            | Request::Device(..)
            | Request::Remove
            | Request::Verify
            | Request::Resync
            | Request::Acknowledge => Err(messages::not_for_the_help_desk()),
        }
    }

    /// Asks for a code of the helper's own. Whether they may help is judged again after it: somebody may have been taken out of
    /// the group while they typed.
    fn prove_helper(
        &self,
        helper: &Subject,
        subject: &Subject,
        dialogue: &mut dyn Dialogue,
    ) -> Result<(), RequestError> {
        if self.store.credentials.read(subject)?.is_none() {
            return Err(RequestError::not_enrolled(subject.name.as_str()));
        }
        self.ask_for_code(helper, dialogue)?;
        self.permit_help(helper, subject)
    }

    fn permit_help(&self, helper: &Subject, subject: &Subject) -> Result<(), RequestError> {
        let refusal = self.config.help_desk.refusal((helper, subject), &ADMINISTRATORS, self.groups);
        let refusal = refusal.map_err(|error| RequestError::new(RequestErrorKind::Host, error.to_string()))?;
        if refusal.is_some() {
            self.audit_log.helped(subject, messages::HELP_REFUSED);
        }
        match refusal {
            None => Ok(()),
            Some(HelpRefusal::NotAMember) => Err(messages::not_yours()),
            Some(HelpRefusal::Themselves) => Err(messages::help_for_oneself()),
            Some(HelpRefusal::Protected) => Err(messages::protected_from_the_help_desk(subject.name.as_str())),
        }
    }
}
