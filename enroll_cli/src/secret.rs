//! A secret that comes from outside: a file or stdin, never an argument.

use std::{
    fs::OpenOptions,
    io::{self, Read},
    path::Path,
};

use data_encoding::HEXLOWER_PERMISSIVE;
use twinlock_core::secret::{Secret, SecretError};
use zeroize::Zeroizing;

use crate::{
    failure::Failure,
    messages::enroll::{self as messages, SecretSource},
    output::print_note,
};

/// Longest text of a secret.
const LONGEST: usize = 1024;

/// Reads a secret from a file.
pub(crate) fn from_file(path: &Path) -> Result<Secret, Failure> {
    let file = OpenOptions::new().read(true).open(path);
    read(file.map_err(|error| messages::secret_not_read(SecretSource::File(path), &error))?, SecretSource::File(path))
}

/// Reads a secret from stdin.
pub(crate) fn from_stdin() -> Result<Secret, Failure> {
    read(io::stdin(), SecretSource::Stdin)
}

fn read(from: impl Read, source: SecretSource<'_>) -> Result<Secret, Failure> {
    let mut text = Zeroizing::new(Vec::with_capacity(LONGEST.saturating_add(1)));
    from.take(u64::try_from(LONGEST.saturating_add(1)).unwrap_or(0))
        .read_to_end(&mut text)
        .map_err(|error| messages::secret_not_read(source, &error))?;
    let secret = parse(&text).map_err(|error| messages::secret_not_valid(source, &error))?;
    if secret.bytes().len() < Secret::NEW {
        print_note(messages::SHORT_SECRET);
    }
    Ok(secret)
}

/// Why a text is no secret.
#[derive(Debug)]
pub(crate) enum SecretTextError {
    TooLong,
    NotText,
    NotHexadecimal,
    Secret(SecretError),
}

/// Spaces and dashes are for people.
fn parse(text: &[u8]) -> Result<Secret, SecretTextError> {
    if text.len() > LONGEST {
        return Err(SecretTextError::TooLong);
    }
    let mut plain = Zeroizing::new(Vec::with_capacity(LONGEST));
    plain.extend(text.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != b'-'));
    if let Some(digits) = plain.strip_prefix(b"hex:") {
        let bytes = HEXLOWER_PERMISSIVE.decode(digits).map(Zeroizing::new);
        return Secret::from_bytes(&bytes.map_err(|_| SecretTextError::NotHexadecimal)?)
            .map_err(SecretTextError::Secret);
    }
    let text = std::str::from_utf8(&plain).map_err(|_| SecretTextError::NotText)?;
    Secret::from_base32(text).map_err(SecretTextError::Secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_in_groups_and_hexadecimal_mean_the_same() {
        let wanted = b"12345678901234567890";
        let hex = "hex:3132333435363738393031323334353637383930\n";
        for text in [
            "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ\n",
            "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
            hex,
            &hex.to_uppercase().replace("HEX", "hex"),
        ] {
            assert_eq!(parse(text.as_bytes()).ok().unwrap().bytes(), wanted, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_without_repeating_it() {
        for text in ["", "GEZD", "hex:31", "hex:xyz", "3132333435363738393031323334353637383930", "\u{e9}"] {
            let refusal = parse(text.as_bytes()).err().unwrap().to_string();
            assert!(text.is_empty() || !refusal.contains(text), "{refusal}");
        }
        assert!(parse(b"\xff\xfe").is_err());
    }
}
