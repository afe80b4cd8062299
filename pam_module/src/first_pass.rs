//! A code that comes together with a password, for clients that can ask only once: `try_first_pass`, `use_first_pass`,
//! `forward_pass`, as users of google-authenticator know them. Only where the PAM file asks for it, and the log says so.

use twinlock_core::{
    answer::{Answer, is_meant_as_code, split},
    audit::Reason,
    ports::{Conversation, NoAnswer, Question},
};
use twinlock_login::attempt::{Attempt, Outcome};
use zeroize::Zeroizing;

use crate::{arguments::Arguments, messages, transaction::Transaction};

/// A conversation whose first answer may be there already, or hold a password as well.
pub(crate) struct FirstPass<'t, 'h> {
    transaction: &'t mut Transaction<'h>,
    /// The code that came with the password of an earlier module.
    code: Option<Zeroizing<Vec<u8>>>,
    /// Whether that code is being looked at.
    used: bool,
    may_ask: bool,
    forward: bool,
    lengths: Vec<usize>,
}

impl<'t, 'h> FirstPass<'t, 'h> {
    pub(crate) fn new(transaction: &'t mut Transaction<'h>, arguments: &Arguments, lengths: Vec<usize>) -> Self {
        let (may_ask, forward) = (!arguments.use_first_pass, arguments.forward_pass);
        if forward {
            // A password is typed.
            transaction.echo = false;
        }
        let wanted = arguments.use_first_pass || arguments.try_first_pass;
        let password = if wanted { transaction.password() } else { None };
        let mut conversation = Self { transaction, code: None, used: false, may_ask, forward, lengths };
        if let Some(password) = password {
            let code = if forward { conversation.forward(&password) } else { password };
            // A password that is no code is none, and is not counted.
            if is_meant_as_code(&code) {
                conversation.code = Some(code);
            }
        }
        conversation
    }

    /// Gives the password to the modules behind, and the code back.
    fn forward(&mut self, typed: &[u8]) -> Zeroizing<Vec<u8>> {
        let (password, code) = split(typed, &self.lengths).unwrap_or((typed, &[]));
        self.transaction.set_password(password);
        Zeroizing::new(code.to_vec())
    }

    /// Whether the user is asked after all, because the code that came with the password was not a current one. So is who has
    /// none, or is nobody: that there is a question must not tell.
    pub(crate) fn may_ask_after(&self, outcome: &Outcome) -> bool {
        const NO_CODE: [Reason; 5] =
            [Reason::WrongCode, Reason::Replayed, Reason::Disabled, Reason::NotEnrolled, Reason::UnknownUser];
        self.used && self.may_ask && matches!(outcome, Outcome::Refused(reason) if NO_CODE.contains(reason))
    }

    /// The attempt, with where the code came from as its detail.
    pub(crate) fn with_origin(&self, mut attempt: Attempt) -> Attempt {
        let detail = match (self.used, self.may_ask) {
            (true, _) => messages::CODE_WITH_PASSWORD,
            (false, false) if attempt.refused().is_some() => messages::NO_CODE_WITH_PASSWORD,
            (false, _) => return attempt,
        };
        attempt.audit.detail.get_or_insert_with(|| detail.into());
        attempt
    }

    pub(crate) const fn transaction(&mut self) -> &mut Transaction<'h> {
        self.transaction
    }
}

impl Conversation for FirstPass<'_, '_> {
    fn ask(&mut self, question: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        if let Some(code) = self.code.take() {
            self.used = true;
            return Ok(code);
        }
        if !self.may_ask {
            return Ok(Zeroizing::default());
        }
        let typed = self.transaction.ask(question)?;
        // Of two codes only the first one stands behind the password.
        let with_password = match question {
            Question::Code(_) => self.forward,
            Question::NextCode(_) | Question::Password(_) | Question::Text(_) => false,
        };
        if with_password && !matches!(Answer::read(&typed), Answer::Blocked) {
            return Ok(self.forward(&typed));
        }
        Ok(typed)
    }
}
