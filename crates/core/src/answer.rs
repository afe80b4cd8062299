//! What somebody typed at the prompt, told apart by its shape alone before anything is looked up.

use zeroize::Zeroizing;

use crate::{otp::Code, recovery::RecoveryCode};

/// An answer by shape. No `Debug`: it may hold a code.
#[must_use]
pub enum Answer {
    /// 6 to 8 ASCII digits.
    Otp(Code),
    /// 16 symbols of a recovery code.
    Recovery(RecoveryCode),
    /// What sshd sends in place of the answer of somebody who may not log in this way: it begins with a backspace
    /// (`\b\n\r\177INCORRECT`, cut to the length of what was typed: auth-pam.c of OpenSSH).
    Blocked,
    /// Anything else, nothing included: an account password pasted at the wrong prompt, a client without a terminal.
    /// Never verified and never counted.
    Junk,
}

/// Longer answers are junk unseen; no code with all its separators comes near.
const LONGEST: usize = 128;

impl Answer {
    /// Takes ASCII spaces, tabs and dashes out, once, and looks at what remains.
    ///
    /// Nothing else is folded: full-width digits, a newline, a `+` make junk, so that a used code has no second spelling.
    pub fn read(bytes: &[u8]) -> Self {
        if bytes.first() == Some(&0x08) {
            return Self::Blocked;
        }
        if bytes.len() > LONGEST {
            return Self::Junk;
        }
        // Full capacity at once: a growing buffer would leave copies of the code behind.
        let mut plain = Zeroizing::new(Vec::with_capacity(LONGEST));
        plain.extend(bytes.iter().copied().filter(|byte| !matches!(byte, b' ' | b'\t' | b'-')));
        if let Some(code) = Code::parse(&plain) {
            Self::Otp(code)
        } else if let Some(code) = RecoveryCode::parse(&plain) {
            Self::Recovery(code)
        } else {
            Self::Junk
        }
    }
}

/// Length of a recovery code with its dashes.
const DASHED: usize = 19;

/// Whether a text is a recovery code as it is shown, with its dashes: without them many a password is one by its shape.
fn is_dashed(text: &[u8]) -> bool {
    matches!(Answer::read(text), Answer::Recovery(_))
        && text.len() == DASHED
        && text.iter().enumerate().all(|(place, byte)| (*byte == b'-') == matches!(place, 4 | 9 | 14))
}

/// Whether what was typed where a password is wanted is meant as a code: 6 to 8 digits, or a recovery code with its dashes.
#[must_use]
pub fn is_meant_as_code(typed: &[u8]) -> bool {
    matches!(Answer::read(typed), Answer::Otp(_)) || is_dashed(typed)
}

/// A password and the code right behind it: a recovery code with its dashes, or as many digits as a code of the user has.
/// `None` if there is none.
#[must_use]
pub fn split<'t>(typed: &'t [u8], lengths: &[usize]) -> Option<(&'t [u8], &'t [u8])> {
    let behind = |length: usize| typed.split_at_checked(typed.len().checked_sub(length)?);
    if let Some((password, code)) = behind(DASHED)
        && is_dashed(code)
    {
        return Some((password, code));
    }
    let digits = |(_, code): &(&[u8], &[u8])| !code.is_empty() && code.iter().all(u8::is_ascii_digit);
    let fitting = lengths.iter().filter_map(|length| behind(*length).filter(digits));
    fitting.max_by_key(|(_, code)| code.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(bytes: &[u8]) -> &'static str {
        match Answer::read(bytes) {
            Answer::Otp(_) => "otp",
            Answer::Recovery(_) => "recovery",
            Answer::Blocked => "blocked",
            Answer::Junk => "junk",
        }
    }

    #[test]
    fn six_to_eight_digits_are_a_code_however_they_are_spaced() {
        for text in ["123456", "1234567", "12345678", " 123 456 ", "123-456", "\t12 34-56", "0000 0000"] {
            assert_eq!(shape(text.as_bytes()), "otp", "{text:?}");
        }
    }

    #[test]
    fn sixteen_symbols_are_a_recovery_code_in_either_case_with_lookalikes() {
        for text in ["ABCD-EFGH-JKMN-PQRS", "abcdefghjkmnpqrs", "OIL0 oil1 2345 6789", "1234567890123456"] {
            assert_eq!(shape(text.as_bytes()), "recovery", "{text:?}");
        }
    }

    #[test]
    fn everything_else_is_junk() {
        let long = "1".repeat(1_000_000);
        for text in [
            "",
            "12345",
            "123456789",
            "123456\n",
            "123456\r\n",
            "+123456",
            "12345.",
            "0x1234",
            "1e5",
            "１２３４５６",
            "12345６",
            "١٢٣٤٥٦",
            "123\u{a0}456",
            "\u{feff}123456",
            "ABCD-EFGH-JKMN-PQR",
            "ABCD-EFGH-JKMN-PQRST",
            "ABCD-EFGH-JKMN-PQRU",
            "correct horse",
            &long,
        ] {
            assert_eq!(shape(text.as_bytes()), "junk", "{text:?}");
        }
        assert_eq!(shape(b"\xff\xfe12345"), "junk");
        assert_eq!(shape(b"123\x00456"), "junk");
    }

    #[test]
    fn the_dummy_answer_of_sshd_is_known_at_every_length() {
        let dummy = b"\x08\n\r\x7fINCORRECT\x08\n\r\x7fINCORRECT";
        for length in 1..=dummy.len() {
            assert_eq!(shape(&dummy[..length]), "blocked");
        }
    }

    #[test]
    fn a_password_of_sixteen_symbols_is_not_meant_as_a_code() {
        for code in ["123456", "123 456", "12345678", "ABCD-EFGH-JKMN-PQRS", "abcd-efgh-jkmn-pqrs"] {
            assert!(is_meant_as_code(code.as_bytes()), "{code}");
        }
        for password in ["", "kX7mP2qRt9vWz4Bn", "ABCD EFGH JKMN PQRS", "AB-CDEFGH-JKMN-PQRS", "\x08\n\r\x7fINCORRECT"]
        {
            assert!(!is_meant_as_code(password.as_bytes()), "{password:?}");
        }
    }

    #[test]
    fn a_code_behind_a_password_is_split_off() {
        for (typed, lengths, password, code) in [
            ("secret123456", &[6][..], "secret", "123456"),
            ("pass99123456", &[6], "pass99", "123456"),
            ("pass12345678", &[6, 8], "pass", "12345678"),
            ("passw0123456", &[6, 8], "passw0", "123456"),
            ("123456", &[6], "", "123456"),
            ("secretABCD-EFGH-JKMN-PQRS", &[6], "secret", "ABCD-EFGH-JKMN-PQRS"),
        ] {
            let split = split(typed.as_bytes(), lengths);
            assert_eq!(split, Some((password.as_bytes(), code.as_bytes())), "{typed}");
        }
        for typed in
            ["", "secret", "secret12345", "secret12345x", "12345", "secretABCDEFGHJKMNPQRS", "ABC-DEFGH-JKMN-PQRS"]
        {
            assert_eq!(split(typed.as_bytes(), &[6]), None, "{typed}");
        }
        assert_eq!(split(b"secret123456", &[0]), None);
    }
}
