//! The key of sealed secrets: its name, its subkeys, and the phrase by which people keep it.

use std::fmt;

use base32::Alphabet;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::secret::in_fours;

/// The key of a host: 32 random bytes.
///
/// # Security
/// Wiped when dropped; no `Debug`, no `Display`.
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; SealKey::LENGTH]>);

/// Names a key. It is made of the key itself, so that a key shows whether it is the one that was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId([u8; 8]);

/// RFC 4648 section 6, without padding.
const BASE32: Alphabet = Alphabet::Rfc4648 { padding: false };
/// 3 bytes make the phrase 56 symbols, which are 14 groups.
const CHECKSUM: usize = 3;

impl SealKey {
    /// Its length in bytes.
    pub const LENGTH: usize = 32;

    /// Takes a key; `None` if it has another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(*<&[u8; Self::LENGTH]>::try_from(bytes).ok()?)))
    }

    /// The key itself.
    #[must_use]
    pub fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The id of this key, 64 bits of a hash of it.
    ///
    /// # Panics
    /// Never: a subkey has 32 bytes.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let hash = self.subkey(b"key id");
        KeyId(*hash.first_chunk().expect("a subkey has 32 bytes"))
    }

    /// A key for one purpose: HKDF with SHA-256 and no salt (RFC 5869), of which one block is taken.
    pub(crate) fn subkey(&self, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
        hkdf(&[0; 32], &*self.0, &[b"twinlock sealed 1 ", purpose])
    }

    /// The recovery phrase: the key and a checksum as base32 in groups of four.
    #[must_use]
    pub fn phrase(&self) -> Zeroizing<String> {
        let sum = self.checksum();
        let mut bytes = Zeroizing::new([0; SealKey::LENGTH + CHECKSUM]);
        bytes.iter_mut().zip(self.0.iter().chain(&*sum)).for_each(|(byte, part)| *byte = *part);
        in_fours(Zeroizing::new(base32::encode(BASE32, &*bytes)).as_bytes(), ' ')
    }

    /// Reads a phrase in any grouping and case; `None` if it is not one, or mistyped.
    #[must_use]
    pub fn from_phrase(text: &str) -> Option<Self> {
        let mut symbols = Zeroizing::new(String::with_capacity(text.len()));
        symbols.extend(text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase()));
        let bytes = Zeroizing::new(base32::decode(BASE32, &symbols)?);
        let (key, sum) = bytes.split_last_chunk::<CHECKSUM>()?;
        let key = Self::from_bytes(key)?;
        bool::from(sum.ct_eq(&*key.checksum())).then_some(key)
    }

    fn checksum(&self) -> Zeroizing<[u8; CHECKSUM]> {
        Zeroizing::new(*self.subkey(b"checksum").first_chunk().expect("a subkey has 32 bytes"))
    }
}

impl KeyId {
    /// Takes an id.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Reads 16 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let sound = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = u64::from_str_radix(text, 16).ok().filter(|_| sound)?;
        Some(Self(number.to_be_bytes()))
    }

    /// The id.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// The first block of HKDF-SHA-256.
fn hkdf(salt: &[u8], key: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mac = |key: &[u8], parts: &[&[u8]]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(part);
        }
        let mut hash = mac.finalize().into_bytes();
        let copy = Zeroizing::new(hash.into());
        hash.zeroize();
        copy
    };
    let extracted: Zeroizing<[u8; 32]> = mac(salt, &[key]);
    let block: Vec<&[u8]> = info.iter().copied().chain([[1u8].as_slice()]).collect();
    mac(&*extracted, &block)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 5869 appendix A: test cases 1, 2 and 3, of each the first block.
    #[test]
    fn subkeys_are_those_of_the_rfc() {
        let run = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
        for (key, salt, info, block) in [
            (
                vec![0x0b; 22],
                run(0, 0x0c),
                run(0xf0, 0xf9),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
            ),
            (
                run(0, 0x4f),
                run(0x60, 0xaf),
                run(0xb0, 0xff),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c",
            ),
            (vec![0x0b; 22], vec![0; 32], vec![], "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"),
        ] {
            assert_eq!(hkdf(&salt, &key, &[&info]).as_slice(), bytes(block));
        }
    }

    #[test]
    fn a_phrase_is_read_in_any_case_and_grouping_and_not_with_a_slip() {
        let key = SealKey::from_bytes(&[7; 32]).unwrap();
        let phrase = key.phrase();
        assert_eq!((phrase.len(), phrase.split(' ').count()), (69, 14));
        for typed in [phrase.to_string(), phrase.to_lowercase(), phrase.replace(' ', ""), phrase.replace(' ', "-\n")] {
            assert_eq!(SealKey::from_phrase(&typed).unwrap().bytes(), key.bytes(), "{typed}");
        }
        let symbols: Vec<char> = phrase.chars().collect();
        for at in (0..symbols.len()).filter(|at| symbols[*at] != ' ') {
            let mut slip = symbols.clone();
            slip[at] = if slip[at] == 'A' { 'B' } else { 'A' };
            assert!(SealKey::from_phrase(&slip.iter().collect::<String>()).is_none(), "{at}");
        }
        for bad in ["", "AAAA", &phrase[5..], &format!("{} AAAA", *phrase), "0000 1111"] {
            assert!(SealKey::from_phrase(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_named_by_itself() {
        let id = SealKey::from_bytes(&[7; 32]).unwrap().id();
        assert_eq!(KeyId::parse(&id.to_string()), Some(id));
        assert_ne!(id, SealKey::from_bytes(&[8; 32]).unwrap().id());
        for bad in ["", "0123456789abcde", "0123456789abcdefa", "0123456789ABCDEF", "+123456789abcdef"] {
            assert_eq!(KeyId::parse(bad), None, "{bad}");
        }
    }
}
