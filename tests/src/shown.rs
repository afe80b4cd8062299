//! What is read of what an enrolment shows.

/// The recovery codes among what was shown, in order. Before new ones there may be the echo of an old one.
pub fn recovery_codes_in(shown: &str) -> Vec<String> {
    let codes = shown.split_whitespace().filter(|word| word.len() == 19 && word.matches('-').count() == 3);
    codes.map(ToOwned::to_owned).collect()
}

/// The last of them.
///
/// # Panics
/// When there is none.
pub fn recovery_code_in(shown: &str) -> String {
    recovery_codes_in(shown).pop().unwrap_or_else(|| panic!("no recovery code in {shown}"))
}

/// The `otpauth` address among what was shown.
///
/// # Panics
/// When there is none.
pub fn address_in(shown: &str) -> &str {
    let found = shown.split_whitespace().find(|word| word.starts_with("otpauth://"));
    found.unwrap_or_else(|| panic!("no address in {shown}"))
}
