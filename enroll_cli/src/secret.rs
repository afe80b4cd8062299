//! A secret that comes from outside: a file or stdin, never an argument.

use std::{
    fs::OpenOptions,
    io::{self, Read},
    path::Path,
};

use data_encoding::HEXLOWER_PERMISSIVE;
use twinlock_core::secret::Secret;
use zeroize::Zeroizing;

use crate::{failure::Failure, output::print_note};

/// Longest text of a secret.
const LONGEST: usize = 1024;

/// Reads a secret from a file.
pub(crate) fn from_file(path: &Path) -> Result<Secret, Failure> {
    let file = OpenOptions::new().read(true).open(path);
    let file = file.map_err(|error| Failure::refused(format!("cannot open the secret {}: {error}", path.display())))?;
    read(file, &path.display().to_string())
}

/// Reads a secret from stdin.
pub(crate) fn from_stdin() -> Result<Secret, Failure> {
    read(io::stdin(), "on stdin")
}

fn read(from: impl Read, place: &str) -> Result<Secret, Failure> {
    let mut text = Zeroizing::new(Vec::with_capacity(LONGEST.saturating_add(1)));
    from.take(u64::try_from(LONGEST.saturating_add(1)).unwrap_or(0))
        .read_to_end(&mut text)
        .map_err(|error| Failure::refused(format!("cannot read the secret {place}: {error}")))?;
    let refused = |why: String| {
        Failure::refused(format!("cannot use the secret {place}: {why}"))
            .hint("base32, as in otpauth://, or `hex:` and hexadecimal digits; 16 to 128 bytes")
    };
    if text.len() > LONGEST {
        return Err(refused("it is too long".into()));
    }
    let secret = parse(&text).map_err(refused)?;
    if secret.bytes().len() < Secret::NEW {
        print_note("warning: the secret has fewer than the 160 bits that RFC 4226 recommends");
    }
    Ok(secret)
}

/// Spaces and dashes are for people.
fn parse(text: &[u8]) -> Result<Secret, String> {
    let mut plain = Zeroizing::new(Vec::with_capacity(LONGEST));
    plain.extend(text.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != b'-'));
    if let Some(digits) = plain.strip_prefix(b"hex:") {
        let bytes = HEXLOWER_PERMISSIVE.decode(digits).map(Zeroizing::new).map_err(|_| "it is not hexadecimal")?;
        return Secret::from_bytes(&bytes).map_err(|bad| bad.to_string());
    }
    let text = std::str::from_utf8(&plain).map_err(|_| "it is not text")?;
    Secret::from_base32(text).map_err(|bad| bad.to_string())
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
            let refusal = parse(text.as_bytes()).err().unwrap();
            assert!(text.is_empty() || !refusal.contains(text), "{refusal}");
        }
        assert!(parse(b"\xff\xfe").is_err());
    }
}
