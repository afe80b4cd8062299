//! `twinlock verify` and `twinlock resync`.

/// The code was accepted; `recovery_codes_left` if it is a recovery code.
pub(crate) fn accepted(recovery_codes_left: Option<usize>) -> String {
    match recovery_codes_left {
        None => "correct: the code is now used up; the next login needs a new one\n".into(),
        Some(left) => format!("correct: this recovery code is now used up; {left} left\n"),
    }
}

/// The two codes are consecutive codes of one device.
pub(crate) const RESYNCED: &str = "correct: codes of this device are accepted again\n";
