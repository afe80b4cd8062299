//! The dialogue on a terminal, which is opened when there is something to say.

use std::path::Path;

use twinlock_core::{
    catalogue::Catalogue,
    ports::{Conversation, Dialogue, NoAnswer, Offer, Question},
};
use twinlock_service::lifecycle::{Done, Request};
use zeroize::Zeroizing;

use crate::{
    authenticator, backend::CommandBackend, cli::Qr, failure::Failure, language, picture::Picture, terminal::Terminal,
};

/// A person to ask and to tell.
pub(crate) struct TerminalDialogue<'a> {
    open: Box<dyn Fn() -> Result<Terminal, Failure> + 'a>,
    shown: Shown<'a>,
    terminal: Option<Terminal>,
    pictures: Vec<Picture>,
    failure: Option<Failure>,
}

/// How a new authenticator is shown.
#[derive(Default)]
pub(crate) struct Shown<'a> {
    /// On the terminal, so drawn.
    pub(crate) on_terminal: Option<Qr>,
    /// As a PNG file.
    pub(crate) png: Option<&'a Path>,
    /// As an SVG file.
    pub(crate) svg: Option<&'a Path>,
}

impl<'a> TerminalDialogue<'a> {
    /// Somebody at a terminal that is opened so.
    pub(crate) fn at(open: impl Fn() -> Result<Terminal, Failure> + 'a) -> Self {
        let (shown, pictures) = (Shown::default(), Vec::new());
        Self { open: Box::new(open), shown, terminal: None, pictures, failure: None }
    }

    /// The same, who is shown a new authenticator.
    pub(crate) fn with_display(self, shown: Shown<'a>) -> Self {
        Self { shown, ..self }
    }

    /// Has something done, and answers for it.
    pub(crate) fn have_done(mut self, backend: &CommandBackend, request: &Request) -> Result<Done, Failure> {
        let done = backend.perform(request, &mut self);
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let done = done?;
        self.pictures.into_iter().for_each(Picture::keep);
        Ok(done)
    }

    /// Talks about something else than a second factor.
    pub(crate) fn talk<T>(mut self, about: impl FnOnce(&mut dyn Dialogue) -> Result<T, Failure>) -> Result<T, Failure> {
        let done = about(&mut self);
        match self.failure {
            Some(failure) => Err(failure),
            None => done,
        }
    }

    /// Runs what may fail here; why it did is told instead of what comes of it.
    fn attempt<T>(&mut self, what: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, NoAnswer> {
        what(self).map_err(|failure| {
            self.failure = Some(failure);
            NoAnswer { code: 0 }
        })
    }

    fn terminal(&mut self) -> Result<&mut Terminal, Failure> {
        match &mut self.terminal {
            Some(terminal) => Ok(terminal),
            none => Ok(none.insert((self.open)()?)),
        }
    }
}

impl Conversation for TerminalDialogue<'_> {
    fn ask(&mut self, question: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        let typed = self.attempt(|dialogue| match question {
            Question::Code(prompt) | Question::NextCode(prompt) | Question::Text(prompt) => {
                dialogue.terminal()?.ask(prompt)
            }
            Question::Password(prompt) => dialogue.terminal()?.ask_hidden(prompt),
        })?;
        typed.ok_or(NoAnswer { code: 0 })
    }
}

impl Dialogue for TerminalDialogue<'_> {
    fn catalogue(&self) -> &Catalogue {
        language::catalogue()
    }

    fn tell(&mut self, text: &str) -> Result<(), NoAnswer> {
        self.attempt(|dialogue| dialogue.terminal()?.show(text))
    }

    fn show_authenticator(&mut self, offer: &Offer) -> Result<(), NoAnswer> {
        self.attempt(|dialogue| {
            if let Some(path) = dialogue.shown.png {
                dialogue.pictures.push(Picture::png(path, &offer.uri)?);
            }
            if let Some(path) = dialogue.shown.svg {
                dialogue.pictures.push(Picture::svg(path, &offer.uri)?);
            }
            match dialogue.shown.on_terminal {
                Some(qr) => authenticator::show_authenticator(dialogue.terminal()?, offer, qr),
                None => Ok(()),
            }
        })
    }
}
