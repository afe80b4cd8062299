//! What came of one PAM transaction.

use std::ops::Deref;
use std::time::Duration;

use crate::pam_names::{Operation, PamCode};
use crate::process::Output;
use crate::script::Report;

/// What came of an attempt. The fields of [`Report`] are reached through it.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub(crate) report: Option<Report>,
    /// How the host ended and what it wrote: a module should write nothing (`held` is the driver's own).
    pub output: Output,
}

impl Outcome {
    /// The code of the first operation.
    pub fn code(&self) -> PamCode {
        self.codes.first().map_or(self.start, |(_, code)| *code)
    }

    /// The code of this operation.
    pub fn code_of(&self, operation: Operation) -> PamCode {
        let found = self.codes.iter().find(|(done, _)| *done == operation);
        found.unwrap_or_else(|| panic!("{operation:?} was not asked for: {:?}", self.codes)).1
    }

    /// The texts of all prompts.
    pub fn prompts(&self) -> Vec<&str> {
        self.messages.iter().filter(|message| message.style.is_prompt()).map(|message| message.text.as_str()).collect()
    }

    /// The texts of all messages that are no prompts.
    pub fn notices(&self) -> Vec<&str> {
        self.messages.iter().filter(|message| !message.style.is_prompt()).map(|message| message.text.as_str()).collect()
    }

    /// The longest delay that a module asked for, as libpam would have slept it: up to 50 % more or less than asked.
    pub fn fail_delay(&self) -> Duration {
        Duration::from_micros(self.fail_delays.iter().max().copied().unwrap_or(0).into())
    }

    /// The signal that killed the host, if it crashed.
    pub fn signal(&self) -> Option<i32> {
        self.output.signal
    }
}

impl Deref for Outcome {
    type Target = Report;

    /// # Panics
    /// When the host died before it could report.
    fn deref(&self) -> &Report {
        self.report.as_ref().unwrap_or_else(|| panic!("the host left no report: {:?}", self.output))
    }
}
