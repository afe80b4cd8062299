//! What somebody typed.

use twinlock_core::answer::{Answer, split};

/// A code is digits that anybody would read as these digits, and what is split off a password is one.
#[must_use]
pub fn check(typed: &[u8]) -> bool {
    if let Some((password, code)) = split(typed, &[6, 8]) {
        assert_eq!([password, code].concat(), typed);
        assert!(matches!(Answer::read(code), Answer::Otp(_) | Answer::Recovery(_)));
    }
    let plain: Vec<u8> = typed.iter().copied().filter(|byte| !b" \t-".contains(byte)).collect();
    match Answer::read(typed) {
        Answer::Otp(_) => {
            assert!((6..=8).contains(&plain.len()) && plain.iter().all(u8::is_ascii_digit));
            true
        }
        Answer::Recovery(code) => {
            assert!(plain.len() == 16 && plain.iter().all(u8::is_ascii_alphanumeric));
            // What is shown of it is the same code.
            assert!(
                matches!(Answer::read(code.formatted().as_bytes()), Answer::Recovery(again) if again.same_as(&code))
            );
            true
        }
        Answer::Blocked => {
            assert_eq!(typed.first(), Some(&8));
            false
        }
        Answer::Junk => false,
    }
}
