//! A user's second factors, as the file has them.

use twinlock_core::credentials::{Authenticator, Enrolment};
use twinlock_store::format::TomlDocument as _;

/// What is taken is written and read as the same, and a part of it opens nothing that the whole does not.
#[must_use]
pub fn check(text: &[u8]) -> bool {
    let enrolment = match Enrolment::parse(text) {
        Ok(enrolment) => enrolment,
        Err(bad) => {
            assert!(bad.to_string().len() < 120, "it repeats the file: {bad}");
            return false;
        }
    };
    let written = enrolment.to_toml();
    let again = Enrolment::parse(written.as_bytes()).unwrap_or_else(|bad| panic!("{bad}"));
    assert!(*again.to_toml() == *written);
    let all = &enrolment.authenticators;
    assert!((1..=Enrolment::MOST_AUTHENTICATORS).contains(&all.len()));
    assert!((0..all.len()).all(|one| (0..one).all(|other| all[one].id != all[other].id)));
    cut(&enrolment, written.as_bytes(), place(text, written.len()));
    true
}

/// A place that depends on the input and on nothing else.
fn place(text: &[u8], end: usize) -> usize {
    let sum = text.iter().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    sum % end
}

/// Cut at `end`, and at the last end of a line before it.
fn cut(whole: &Enrolment, written: &[u8], end: usize) {
    let line = written[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
    for end in [end, line] {
        if let Ok(cut) = Enrolment::parse(&written[..end]) {
            assert!(cut.user == whole.user && cut.uid == whole.uid);
            assert!(cut.active().all(|one| whole.active().any(|other| same(one, other))), "cut at {end}");
        }
    }
}

fn same(one: &Authenticator, other: &Authenticator) -> bool {
    one.id == other.id && one.otp.secret().bytes() == other.otp.secret().bytes()
}
