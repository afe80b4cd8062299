//! The clock.

use super::Symptom;
use crate::{
    doctor::{
        clock::ClockState,
        finding::Severity::{Hint, Lockout, Warning},
        host::HostFacts,
    },
    messages,
};

pub(super) fn clock(facts: &HostFacts) -> Option<Symptom> {
    let (severity, text) = match facts.clock {
        ClockState::Synchronised => return None,
        ClockState::Off(seconds) => (if seconds > 45 { Lockout } else { Warning }, messages::clock_off(seconds)),
        ClockState::Unsynchronised => (Warning, messages::clock_unsynchronised()),
        ClockState::OfContainersHost => (Hint, messages::clock_of_containers_host()),
        ClockState::Unknown => (Hint, messages::clock_unknown()),
    };
    Some(Symptom::new(severity, None, text))
}
