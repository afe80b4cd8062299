//! The terminal of the user who runs the command: questions, answers, pictures. Its settings are changed for
//! passwords alone ([`crate::echo`]), so an interrupt at any other question leaves it as it was.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, IsTerminal, Write},
};

use zeroize::Zeroizing;

use crate::{echo::Hidden, failure::Failure, messages, output::visible};

/// Longest line that is read.
const LONGEST: u16 = 1024;

/// Somebody to talk with.
pub(crate) struct Terminal {
    input: Box<dyn BufRead>,
    output: Box<dyn Write>,
    /// The same, if it is a terminal.
    tty: Option<File>,
}

impl Terminal {
    /// The controlling terminal, wherever stdin and stdout lead; `None` if there is none.
    pub(crate) fn open() -> Option<Self> {
        let open = || -> io::Result<(File, File, File)> {
            let tty = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
            Ok((tty.try_clone()?, tty.try_clone()?, tty))
        };
        let (input, output, tty) = open().ok()?;
        Some(Self { input: Box::new(BufReader::new(input)), output: Box::new(output), tty: Some(tty) })
    }

    /// The terminal, or stdin where that is no terminal: for a code that a script pipes in.
    pub(crate) fn or_stdin() -> Result<Self, Failure> {
        if io::stdin().is_terminal() {
            return Self::open().ok_or_else(messages::no_terminal_for_codes);
        }
        Ok(Self { input: Box::new(BufReader::new(io::stdin())), output: Box::new(io::sink()), tty: None })
    }

    /// Shows a text, in which PAM modules, the broker and others' names may have their say.
    pub(crate) fn show(&mut self, text: &str) -> Result<(), Failure> {
        self.draw(&visible(text, &['\n']))
    }

    /// Shows a picture, with the colours that it is drawn in.
    pub(crate) fn draw(&mut self, text: &str) -> Result<(), Failure> {
        self.output.write_all(text.as_bytes())?;
        self.output.flush()?;
        Ok(())
    }

    /// Asks, and waits for a line. `None` at the end of the input.
    pub(crate) fn ask(&mut self, prompt: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        self.show(prompt)?;
        let mut line = Zeroizing::new(Vec::with_capacity(usize::from(LONGEST)));
        let read = io::Read::take(&mut self.input, u64::from(LONGEST)).read_until(b'\n', &mut line);
        read.map_err(|error| messages::answer_not_read(&error))?;
        if line.is_empty() {
            return Ok(None);
        }
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        Ok(Some(line))
    }

    /// The same for a password, which is not seen while it is typed.
    pub(crate) fn ask_hidden(&mut self, prompt: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        let hidden = Hidden::on(self.tty.as_ref());
        let answer = self.ask(prompt);
        if hidden.is_some() {
            // The line's end was not seen either.
            self.show("\n")?;
        }
        answer
    }
}
