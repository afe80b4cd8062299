//! A dialogue in prompts alone, for enrolment inside a login. Clients show messages of other kinds late, cut or not at all, so
//! every text waits for the next prompt.

use twinlock_core::{
    answer::Answer,
    ports::{Conversation, Dialogue, NoAnswer, Offer, Question},
};
use zeroize::Zeroizing;

use crate::{
    messages,
    qr::{self, Palette},
};

/// How often the QR code is drawn another way.
const REDRAWS: usize = 6;
/// Light modules around the QR code: with 1, it fits a terminal of 80x24 together with the text.
const QUIET: u8 = 1;

/// Puts every text into the next prompt, and draws the QR code in characters.
pub(crate) struct PromptDialogue<'a> {
    conversation: &'a mut dyn Conversation,
    /// What was said since the last prompt.
    text: Zeroizing<String>,
    /// The QR code as it was drawn last, and how often.
    drawing: Option<(Drawing, usize)>,
    /// sshd answered in the place of somebody who may not log in.
    pub(crate) is_blocked: bool,
}

/// An authenticator as it is drawn.
struct Drawing {
    offer: Offer,
    ascii: bool,
    inverse: bool,
}

impl<'a> PromptDialogue<'a> {
    pub(crate) fn over(conversation: &'a mut dyn Conversation) -> Self {
        // Room for all of it at once: a growing buffer would leave copies of secrets behind.
        let text = Zeroizing::new(String::with_capacity(64 * 1024));
        Self { conversation, text, drawing: None, is_blocked: false }
    }

    fn ask_once(&mut self, prompt: &str) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        // sshd's client puts "(user@host) " before it.
        let mut whole = Zeroizing::new(String::with_capacity(64 * 1024));
        whole.push('\n');
        whole.push_str(&self.text);
        whole.push_str(prompt);
        self.text = Zeroizing::new(String::with_capacity(1024));
        let typed = self.conversation.ask(Question::Text(&whole))?;
        if let Answer::Blocked = Answer::read(&typed) {
            self.is_blocked = true;
            return Err(NoAnswer { code: 0 });
        }
        Ok(typed)
    }

    /// Draws the QR code another way if that was asked for; how often that may be is bounded.
    fn redraw(&mut self, typed: &[u8]) -> bool {
        let Some((mut drawing, drawn)) = self.drawing.take() else { return false };
        match typed {
            b"a" | b"A" => drawing.ascii = !drawing.ascii,
            b"i" | b"I" => drawing.inverse = !drawing.inverse,
            _ => {
                self.drawing = Some((drawing, drawn));
                return false;
            }
        }
        drawing.draw(&mut self.text);
        let drawn = drawn.saturating_add(1);
        self.drawing = (drawn <= REDRAWS).then_some((drawing, drawn));
        true
    }
}

impl Conversation for PromptDialogue<'_> {
    fn ask(&mut self, question: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        loop {
            let typed = self.ask_once(question.prompt())?;
            let of_drawing = matches!(question, Question::Code(_));
            if !(of_drawing && self.redraw(&typed)) {
                return Ok(typed);
            }
        }
    }
}

impl Dialogue for PromptDialogue<'_> {
    fn tell(&mut self, text: &str) -> Result<(), NoAnswer> {
        self.text.push_str(text);
        Ok(())
    }

    fn show_authenticator(&mut self, offer: &Offer) -> Result<(), NoAnswer> {
        let Offer { user, issuer, uri, key, digits, period } = offer;
        let offer = Offer {
            user: user.clone(),
            issuer: issuer.clone(),
            uri: uri.clone(),
            key: key.clone(),
            digits: *digits,
            period: *period,
        };
        let drawing = Drawing { offer, ascii: false, inverse: false };
        drawing.draw(&mut self.text);
        self.drawing = Some((drawing, 0));
        Ok(())
    }
}

impl Drawing {
    /// The QR code first, so that the text is next to the cursor when the top has scrolled away.
    fn draw(&self, out: &mut String) {
        let palette = match (self.ascii, self.inverse) {
            (false, false) => Palette::Plain,
            (false, true) => Palette::PlainInverse,
            (true, false) => Palette::AsciiInverse,
            (true, true) => Palette::Ascii,
        };
        let Offer { user, issuer, uri, key, .. } = &self.offer;
        if let Some(picture) = qr::draw(uri, palette, QUIET) {
            out.push_str(&picture);
        }
        messages::push_scan_or_type(out, key, issuer, user);
    }
}
