//! The clock.

use super::Symptom;
use crate::doctor::{
    clock::ClockState,
    finding::Severity::{Hint, Lockout, Warning},
    host::HostFacts,
};

pub(super) fn clock(facts: &HostFacts) -> Vec<Symptom> {
    let (severity, found) = match facts.clock {
        ClockState::Synchronised => return Vec::new(),
        ClockState::Off(seconds) if seconds > 45 => (Lockout, format!("the clock is off by {seconds} s")),
        ClockState::Off(seconds) => (Warning, format!("the clock is off by {seconds} s")),
        ClockState::Unsynchronised => (Warning, "nothing keeps the clock right".to_owned()),
        ClockState::Unknown => (Hint, "whether the clock is kept right cannot be told here".to_owned()),
    };
    let why = "a code lasts 30 seconds: where the clock is off by more than that, right codes are refused";
    vec![Symptom::new(severity, None, found, why, "let chrony or systemd-timesyncd keep it")]
}
