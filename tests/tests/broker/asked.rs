//! What users of the broker are asked, and the lines about them in the log.

use twinlock_tests::{LogEntry, World};

/// What is asked of who changes something.
pub(crate) const PROOF: &str = "To confirm your identity, enter a code from your app or a recovery code: ";
/// What a new app is asked for.
pub(crate) const CONFIRM: &str = "Enter the code that the app shows now: ";
/// What is asked after new recovery codes.
pub(crate) const KEPT: &str = "Enter one of these codes to confirm that you saved them: ";

/// The broker's lines about attempts since a mark, each from `result=` on.
pub(crate) fn by_broker(world: &World, mark: usize) -> Vec<String> {
    let ours =
        world.log_since(mark).into_iter().filter(|line| line.tag == "twinlockd" && line.text.contains("result="));
    ours.map(|line| LogEntry::parse(&line).unwrap_or_else(|error| panic!("{error}")).text).collect()
}

/// The lines about changes since a mark.
pub(crate) fn changes(world: &World, mark: usize) -> Vec<String> {
    let lines = world.log_since(mark).into_iter();
    lines.filter(|line| line.text.starts_with("change=")).map(|line| format!("{}: {}", line.tag, line.text)).collect()
}
