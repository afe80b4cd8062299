//! Sealed secrets: what is kept of a user on a disk that may be stolen, copied or backed up. Pure; who holds the key and where
//! the bytes lie is the business of a store.
//!
//! A sealed text is a header, a nonce and a ciphertext of XChaCha20-Poly1305. The header is in clear and authenticated. So are
//! the store, the purpose and the user, which are not repeated in it: a text that is found elsewhere does not open.

use chacha20poly1305::{AeadInOut as _, KeyInit as _, XChaCha20Poly1305};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::account::UserName;
pub use crate::seal_key::{KeyId, SealKey};

/// What a sealed text begins with. The last byte is the version of the format.
const MAGIC: [u8; 8] = *b"twlseal\x01";
/// Magic, key, whether there is a uid, the uid.
const HEADER: usize = 21;
const NONCE: usize = 24;
const TAG: usize = 16;

/// What a text was sealed for. Each purpose has a key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The credentials of a user.
    Credentials,
    /// An enrolment that waits for the end of its login.
    Pending,
    /// The secret that a dialogue of enrolment offers.
    Offer,
}

/// Where a sealed text belongs.
#[derive(Debug, Clone, Copy)]
pub struct SealedPlace<'a> {
    /// The id of the store.
    pub store: &'a str,
    /// What it is.
    pub purpose: Purpose,
    /// The user that it belongs to.
    pub user: &'a UserName,
}

/// What a sealed text says of itself in clear. It is believed once the text was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedHeader {
    /// The key that opens it.
    pub key: KeyId,
    /// The uid that it was made for.
    pub uid: Option<u32>,
}

/// Why a sealed text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedError {
    /// It does not begin as a sealed text, or is cut short.
    Malformed,
    /// A later version of the format.
    NewerVersion,
    /// It was changed, or sealed by another key, or belongs to another user, purpose or store.
    NotAuthentic,
}

impl SealedHeader {
    /// The largest number of bytes by which a sealed text is longer than what was sealed.
    pub const OVERHEAD: usize = HEADER + NONCE + TAG;

    /// Reads the header.
    ///
    /// # Errors
    /// [`SealedError`].
    pub fn parse(sealed: &[u8]) -> Result<Self, SealedError> {
        let header: &[u8; HEADER] = sealed.first_chunk().ok_or(SealedError::Malformed)?;
        let (magic, rest) = header.split_first_chunk::<8>().ok_or(SealedError::Malformed)?;
        let (key, rest) = rest.split_first_chunk().ok_or(SealedError::Malformed)?;
        if magic.split_last() != MAGIC.split_last() {
            return Err(if magic.first_chunk::<7>() == MAGIC.first_chunk() {
                SealedError::NewerVersion
            } else {
                SealedError::Malformed
            });
        }
        let (has_uid, uid) = rest.split_first_chunk::<1>().ok_or(SealedError::Malformed)?;
        let uid = u32::from_be_bytes(*uid.first_chunk().ok_or(SealedError::Malformed)?);
        let uid = match (has_uid, uid) {
            ([0], 0) => None,
            ([1], uid) => Some(uid),
            _ => return Err(SealedError::Malformed),
        };
        Ok(Self { key: KeyId::from_bytes(*key), uid })
    }

    fn bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let (has_uid, uid) = ([u8::from(self.uid.is_some())], self.uid.unwrap_or(0).to_be_bytes());
        let parts = MAGIC.iter().chain(self.key.bytes()).chain(&has_uid).chain(&uid).copied();
        bytes.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
        bytes
    }
}

impl Purpose {
    const fn name(self) -> &'static [u8] {
        match self {
            Self::Credentials => b"credentials",
            Self::Pending => b"pending",
            Self::Offer => b"offer",
        }
    }
}

impl SealedPlace<'_> {
    /// What is authenticated and not encrypted: the header, and each part of the place with its length.
    fn associated_data(&self, header: SealedHeader) -> Vec<u8> {
        let mut data = header.bytes().to_vec();
        for part in [self.purpose.name(), self.store.as_bytes(), self.user.as_str().as_bytes()] {
            data.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            data.extend_from_slice(part);
        }
        data
    }
}

/// Whether these bytes claim to be a sealed text, of whatever version.
#[must_use]
pub fn is_sealed(bytes: &[u8]) -> bool {
    bytes.first_chunk::<7>() == MAGIC.first_chunk()
}

/// Seals a text. `fresh` is random; the nonce is a keyed hash of it and of all that is sealed, so that a machine that draws the
/// same randomness twice, as a clone may, repeats no nonce for another text.
///
/// # Panics
/// If the text has 256 GiB or more.
#[must_use]
pub fn seal(key: &SealKey, place: &SealedPlace<'_>, uid: Option<u32>, text: &[u8], fresh: &[u8; 32]) -> Vec<u8> {
    let header = SealedHeader { key: key.id(), uid };
    let data = place.associated_data(header);
    let nonce = nonce(key, &data, text, fresh);
    let mut sealed = Vec::with_capacity(text.len().saturating_add(SealedHeader::OVERHEAD));
    sealed.extend_from_slice(&header.bytes());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(text);
    let body = sealed.get_mut(HEADER.saturating_add(NONCE)..).unwrap_or_default();
    let tag = cipher(key, place.purpose)
        .encrypt_inout_detached(&nonce.into(), &data, body.into())
        .expect("less than 256 GiB");
    sealed.extend_from_slice(&tag);
    sealed
}

/// Opens a text, and says what its header says.
///
/// # Errors
/// [`SealedError`]; nothing of the text is given out then.
pub fn open(
    key: &SealKey,
    place: &SealedPlace<'_>,
    sealed: &[u8],
) -> Result<(SealedHeader, Zeroizing<Vec<u8>>), SealedError> {
    let header = SealedHeader::parse(sealed)?;
    let (_, rest) = sealed.split_first_chunk::<HEADER>().ok_or(SealedError::Malformed)?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or(SealedError::Malformed)?;
    let (body, tag) = rest.split_last_chunk::<TAG>().ok_or(SealedError::Malformed)?;
    let mut text = Zeroizing::new(body.to_vec());
    cipher(key, place.purpose)
        .decrypt_inout_detached(
            &(*nonce).into(),
            &place.associated_data(header),
            text.as_mut_slice().into(),
            &(*tag).into(),
        )
        .map_err(|_| SealedError::NotAuthentic)?;
    Ok((header, text))
}

fn cipher(key: &SealKey, purpose: Purpose) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&*key.subkey(purpose.name())).into())
}

fn nonce(key: &SealKey, data: &[u8], text: &[u8], fresh: &[u8; 32]) -> [u8; NONCE] {
    let mut mac = Hmac::<Sha256>::new_from_slice(&*key.subkey(b"nonce")).expect("HMAC takes keys of any length");
    mac.update(fresh);
    mac.update(&u64::try_from(data.len()).unwrap_or(u64::MAX).to_be_bytes());
    mac.update(data);
    mac.update(text);
    *mac.finalize().into_bytes().first_chunk().expect("SHA-256 has 32 bytes")
}

impl std::error::Error for SealedError {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn key() -> SealKey {
        SealKey::from_bytes(&[7; 32]).unwrap()
    }

    fn user(name: &str) -> UserName {
        UserName::parse(name.as_bytes()).unwrap()
    }

    fn place(user: &UserName) -> SealedPlace<'_> {
        SealedPlace { store: "0123456789abcdef0123456789abcdef", purpose: Purpose::Credentials, user }
    }

    /// Appendix A.3.1 of draft-irtf-cfrg-xchacha-03.
    #[test]
    fn the_cipher_is_that_of_the_draft() {
        let key: [u8; 32] = std::array::from_fn(|at| 0x80 + u8::try_from(at).unwrap());
        let nonce: [u8; 24] = std::array::from_fn(|at| 0x40 + u8::try_from(at).unwrap());
        let data = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
        let mut text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
            sunscreen would be it."
            .to_vec();
        let tag = XChaCha20Poly1305::new(&key.into())
            .encrypt_inout_detached(&nonce.into(), &data, text.as_mut_slice().into())
            .unwrap();
        assert_eq!(text[..8], [0xbd, 0x6d, 0x17, 0x9d, 0x3e, 0x83, 0xd4, 0x3b]);
        assert_eq!(
            *tag,
            [0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7, 0x98, 0x79, 0x47, 0xde, 0xaf, 0xd8, 0x78, 0x0a, 0xcf, 0x49]
        );
    }

    #[test]
    fn a_text_opens_at_its_own_place_only() {
        let (alice, bob) = (user("alice"), user("bob"));
        let sealed = seal(&key(), &place(&alice), Some(1001), b"secret", &[1; 32]);
        let (header, text) = open(&key(), &place(&alice), &sealed).unwrap();
        assert_eq!((header.uid, header.key, text.as_slice()), (Some(1001), key().id(), b"secret".as_slice()));
        for other in [
            SealedPlace { store: "x", ..place(&alice) },
            SealedPlace { purpose: Purpose::Offer, ..place(&alice) },
            place(&bob),
        ] {
            assert_eq!(open(&key(), &other, &sealed).err(), Some(SealedError::NotAuthentic));
        }
        let other = SealKey::from_bytes(&[8; 32]).unwrap();
        assert_eq!(open(&other, &place(&alice), &sealed).err(), Some(SealedError::NotAuthentic));
    }

    #[test]
    fn a_text_that_was_cut_or_changed_anywhere_does_not_open() {
        let alice = user("alice");
        let sealed = seal(&key(), &place(&alice), None, b"secret", &[1; 32]);
        for length in 0..sealed.len() {
            assert!(open(&key(), &place(&alice), &sealed[..length]).is_err(), "{length}");
        }
        for at in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(open(&key(), &place(&alice), &changed).is_err(), "bit {at}");
        }
        let mut newer = sealed;
        newer[7] = 2;
        assert_eq!(open(&key(), &place(&alice), &newer).err(), Some(SealedError::NewerVersion));
    }

    #[test]
    fn stuck_randomness_repeats_a_nonce_for_the_very_same_text_alone() {
        let alice = user("alice");
        let nonce = |uid: Option<u32>, text: &[u8], fresh: u8| {
            let sealed = seal(&key(), &place(&alice), uid, text, &[fresh; 32]);
            sealed[HEADER..HEADER + NONCE].to_vec()
        };
        assert_eq!(nonce(None, b"a", 0), nonce(None, b"a", 0));
        let different: HashSet<_> =
            [nonce(None, b"a", 0), nonce(None, b"b", 0), nonce(Some(0), b"a", 0), nonce(None, b"a", 1)].into();
        assert_eq!(different.len(), 4);
    }

    #[test]
    #[ignore = "takes 15 seconds without optimisation: `make test-long` runs it"]
    fn a_million_writes_repeat_no_nonce() {
        let alice = user("alice");
        let data = place(&alice).associated_data(SealedHeader { key: key().id(), uid: None });
        let key = key();
        let nonces: HashSet<_> = (0..1_000_000u32)
            .map(|number| {
                let mut fresh = [0; 32];
                fresh[..4].copy_from_slice(&number.to_be_bytes());
                nonce(&key, &data, b"secret", &fresh)
            })
            .collect();
        assert_eq!(nonces.len(), 1_000_000);
    }

    proptest! {
        #[test]
        fn what_was_sealed_is_opened(
            text in vec(any::<u8>(), 0..2000), uid in any::<Option<u32>>(), fresh in any::<[u8; 32]>()
        ) {
            let alice = user("alice");
            let sealed = seal(&key(), &place(&alice), uid, &text, &fresh);
            prop_assert!(is_sealed(&sealed) && sealed.len() == text.len() + SealedHeader::OVERHEAD);
            let (header, opened) = open(&key(), &place(&alice), &sealed).unwrap();
            prop_assert_eq!((header.uid, opened.as_slice()), (uid, text.as_slice()));
        }

        #[test]
        fn any_bytes_are_refused(bytes in vec(any::<u8>(), 0..200)) {
            let alice = user("alice");
            prop_assert!(open(&key(), &place(&alice), &bytes).is_err());
            let with_magic: Vec<_> = MAGIC.iter().copied().chain(bytes).collect();
            prop_assert!(open(&key(), &place(&alice), &with_magic).is_err());
        }
    }
}
