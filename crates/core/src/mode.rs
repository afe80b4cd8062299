//! What a throttle asks of a user now.

/// How many codes a user is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One code is enough.
    Normal,
    /// Two consecutive codes are asked for.
    StepUp,
    /// Codes are refused; recovery codes are not.
    Disabled,
}
