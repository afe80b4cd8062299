//! A dialogue in prompts alone, for enrolment inside a login. Clients show messages of other kinds late, cut or not at all, so
//! every text waits for the next prompt. The key comes first, and the QR code on request: clients that leave out what is not
//! ASCII would show an empty square, and screen readers would read it out.

use twinlock_core::{
    answer::Answer,
    catalogue::{Catalogue, UserText},
    ports::{Conversation, Dialogue, NoAnswer, Offer, Question},
    time::UnixTime,
};
use twinlock_store::config::Pictures;
use zeroize::Zeroizing;

use crate::{
    messages,
    qr::{self, Palette},
};

/// How often the QR code is drawn another way.
const REDRAWS: usize = 8;
/// Light modules around the QR code: with 1, it fits a terminal of 80x24 together with the text.
const QUIET: u8 = 1;
/// Lines of text below the QR code and above it.
const LINES_OF_TEXT: usize = 6;

/// Puts every text into the next prompt, and draws the QR code in characters.
pub(crate) struct PromptDialogue<'a> {
    conversation: &'a mut dyn Conversation,
    catalogue: &'a Catalogue,
    pictures: Pictures,
    /// What was said since the last prompt.
    text: Zeroizing<String>,
    /// The authenticator as it was shown last, and how often.
    drawing: Option<(Drawing, usize)>,
    /// sshd answered in the place of somebody who may not log in.
    pub(crate) is_blocked: bool,
}

/// An authenticator as it is shown.
struct Drawing {
    offer: Offer,
    shape: Shape,
    inverse: bool,
}

/// How much of a terminal's means the drawing uses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// The key alone, which every client shows and every screen reader reads.
    KeyOnly,
    /// A QR code in block elements.
    Blocks,
    /// A QR code in plain characters.
    Ascii,
}

impl<'a> PromptDialogue<'a> {
    pub(crate) fn over(conversation: &'a mut dyn Conversation, catalogue: &'a Catalogue, pictures: Pictures) -> Self {
        // Room for all of it at once: a growing buffer would leave copies of secrets behind.
        let text = Zeroizing::new(String::with_capacity(64 * 1024));
        Self { conversation, catalogue, pictures, text, drawing: None, is_blocked: false }
    }

    /// Says why there is this dialogue, before all else.
    pub(crate) fn invite(&mut self, until: Option<UnixTime>, help: &str) {
        messages::push_invitation(&mut self.text, self.catalogue, until, help);
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

    /// Shows the authenticator another way if that was asked for; how often that may be is bounded.
    fn redraw(&mut self, typed: &[u8]) -> bool {
        let Some((mut drawing, drawn)) = self.drawing.take() else { return false };
        if self.pictures == Pictures::None || drawn >= REDRAWS || !drawing.change(typed) {
            self.drawing = Some((drawing, drawn));
            return false;
        }
        // Room for a QR code at once: a growing buffer would leave copies of secrets behind.
        self.text = Zeroizing::new(String::with_capacity(64 * 1024));
        drawing.draw(&mut self.text, self.catalogue, self.pictures);
        self.drawing = Some((drawing, drawn.saturating_add(1)));
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
    fn catalogue(&self) -> &Catalogue {
        self.catalogue
    }

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
        let drawing = Drawing { offer, shape: Shape::KeyOnly, inverse: false };
        drawing.draw(&mut self.text, self.catalogue, self.pictures);
        self.drawing = Some((drawing, 0));
        Ok(())
    }
}

impl Drawing {
    /// Takes an answer that is not a code but a wish; false if it is none.
    fn change(&mut self, typed: &[u8]) -> bool {
        match typed {
            b"" => {}
            b"k" | b"K" => self.shape = Shape::KeyOnly,
            b"a" | b"A" => self.shape = if self.shape == Shape::Ascii { Shape::Blocks } else { Shape::Ascii },
            b"i" | b"I" => self.inverse = !self.inverse,
            _ => return false,
        }
        if self.shape == Shape::KeyOnly && !matches!(typed, b"k" | b"K") {
            self.shape = Shape::Blocks;
        }
        true
    }

    /// The key alone, or below the QR code: so the text is next to the cursor when the top has scrolled away.
    fn draw(&self, out: &mut String, catalogue: &Catalogue, pictures: Pictures) {
        let Offer { user, issuer, uri, key, .. } = &self.offer;
        let palette = match (self.shape, self.inverse) {
            (Shape::KeyOnly, _) => None,
            (Shape::Blocks, false) => Some(Palette::Plain),
            (Shape::Blocks, true) => Some(Palette::PlainInverse),
            (Shape::Ascii, false) => Some(Palette::AsciiInverse),
            (Shape::Ascii, true) => Some(Palette::Ascii),
        };
        let picture = palette.and_then(|palette| qr::draw(uri, palette, QUIET));
        let Some(picture) = picture else {
            messages::push_line(out, catalogue.get(UserText::EnterKey));
            messages::push_key(out, key, issuer, user);
            if pictures == Pictures::Auto {
                messages::push_line(out, catalogue.get(UserText::PressEnter));
            }
            return;
        };
        out.push_str(&picture);
        messages::push_line(out, catalogue.get(UserText::ScanOrEnterKey));
        messages::push_key(out, key, issuer, user);
        messages::push_line(out, catalogue.get(UserText::RedrawKeys));
        if self.shape == Shape::Ascii {
            let rows = picture.lines().count().saturating_add(LINES_OF_TEXT).to_string();
            messages::push_line(out, &catalogue.fill(UserText::EnlargeWindow, &[("rows", &rows)]));
        }
    }
}
