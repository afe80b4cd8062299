//! Recovery codes: how they look, and the one Argon2 run that tells whether one is in a set.

use argon2::{
    Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

pub use crate::id::RecoverySetId;
use crate::{account::UserName, issued::IssuedCode, secret::in_fours, time::UnixTime};

/// The symbols of Crockford's base32: no I, L, O and U.
const SYMBOLS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// One recovery code: 16 symbols of Crockford's base32, 80 bits. Wiped when dropped; no `Debug`.
///
/// 80 bits, because NIST SP 800-63B-4 section 4.2.1.1 asks for 64 at least, and four groups of four can be read aloud.
#[derive(Clone)]
pub struct RecoveryCode(Zeroizing<[u8; 16]>);

impl RecoveryCode {
    /// Random bytes in a code.
    pub const BYTES: usize = 10;

    /// Takes exactly 16 symbols: case is folded, `O` read as 0, `I` and `L` as 1.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut code = Self(Zeroizing::new(text.try_into().ok()?));
        for symbol in code.0.iter_mut() {
            *symbol = match symbol.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other if SYMBOLS.as_bytes().contains(&other) => other,
                _ => return None,
            };
        }
        Some(code)
    }

    /// The code that these random bytes spell.
    ///
    /// # Panics
    /// Never: ten bytes are sixteen symbols.
    #[must_use]
    pub fn from_random(bytes: &[u8; Self::BYTES]) -> Self {
        let symbols = Zeroizing::new(base32::encode(base32::Alphabet::Crockford, bytes));
        Self::parse(symbols.as_bytes()).expect("10 bytes are 16 symbols")
    }

    /// As people see it: `ABCD-EFGH-JKMN-PQRS`.
    #[must_use]
    pub fn formatted(&self) -> Zeroizing<String> {
        in_fours(self.0.as_slice(), '-')
    }

    /// Whether both are the same code, in constant time.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

/// The recovery codes of one user, hashed under one salt.
#[derive(Clone)]
pub struct RecoverySet {
    /// Names the set, so that used codes of an older set mean nothing.
    pub set: RecoverySetId,
    /// When it was made.
    pub created: Option<UnixTime>,
    codes: Vec<HashedCode>,
    params: Params,
    salt: Salt,
}

/// One entry of a set. The hash is of 80 random bits and stays in the root-owned file; it is no secret to be wiped.
#[derive(Clone)]
pub struct HashedCode {
    /// The number by which the state records it as used; of a new set from 1 on.
    pub id: u8,
    hash: Output,
}

/// Why stored recovery codes cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryError {
    /// A hash is not a PHC string of Argon2id version 19 with salt and 32 bytes of output.
    Format,
    /// m, t or p outside what a login may spend, or too weak.
    Cost,
    /// The hashes of one set differ in salt or cost.
    Mixed,
    /// No code, too many, or an id twice.
    Ids,
    /// There was no memory for the run.
    Memory,
}

/// What a set held for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum RecoveryMatch {
    /// The code with this id, not used yet.
    Fresh(u8),
    /// A code that was used before.
    Spent,
    /// An issued code, with this hash.
    Issued([u8; IssuedCode::HASH]),
    /// No code of the set.
    Nothing,
}

/// The memory of Argon2 runs, to be used for many in a row.
///
/// A buffer for each run costs a third more time, and memory: glibc 2.36 does not find aligned blocks of this size again
/// that were given back while others live. An import of 400 users took 24 GB so.
#[derive(Default)]
pub struct HashMemory(Vec<Block>);

impl RecoverySet {
    /// Codes in a new set.
    pub const NEW: u8 = 10;
    /// Codes a set may have: the ids of all of them must fit a state slot.
    pub const LARGEST: usize = 32;
    /// Memory of new hashes in KiB, passes and lanes: OWASP's password storage cheat sheet, about 25 ms.
    pub const COST: (u32, u32, u32) = (19_456, 2, 1);
    /// The most and least memory in KiB that a stored hash may ask for. Least: OWASP's smallest Argon2id setting.
    const MEMORY: std::ops::RangeInclusive<u32> = 7_168..=65_536;
    /// Passes over the memory that a stored hash may ask for.
    const PASSES: std::ops::RangeInclusive<u32> = 1..=10;
    /// Lanes that a stored hash may ask for.
    const LANES: std::ops::RangeInclusive<u32> = 1..=4;
    const HASH: usize = IssuedCode::HASH;

    /// Hashes new codes under `salt`, one Argon2 run a code; ids count from 1.
    ///
    /// # Errors
    /// [`RecoveryError::Memory`]; [`RecoveryError::Ids`] for no code or too many.
    pub fn hashed(
        set: RecoverySetId,
        created: UnixTime,
        codes: &[RecoveryCode],
        salt: [u8; 16],
    ) -> Result<Self, RecoveryError> {
        Self::hashed_in(&mut HashMemory::default(), set, created, codes, salt)
    }

    /// The same in memory that earlier runs have used.
    ///
    /// # Errors
    /// As for [`RecoverySet::hashed`].
    pub fn hashed_in(
        HashMemory(blocks): &mut HashMemory,
        set: RecoverySetId,
        created: UnixTime,
        codes: &[RecoveryCode],
        salt: [u8; 16],
    ) -> Result<Self, RecoveryError> {
        let (memory, passes, lanes) = Self::COST;
        let params = Params::new(memory, passes, lanes, Some(Self::HASH)).map_err(|_| RecoveryError::Cost)?;
        let more = params.block_count().saturating_sub(blocks.len());
        blocks.try_reserve_exact(more).map_err(|_| RecoveryError::Memory)?;
        blocks.resize(blocks.len().saturating_add(more), Block::new());
        let salt = Salt::new(&salt).map_err(|_| RecoveryError::Format)?;
        let mut hashed = Self { set, created: Some(created), codes: Vec::with_capacity(codes.len()), params, salt };
        for (code, id) in codes.iter().zip(1u8..) {
            let mut hash = Zeroizing::new([0; Self::HASH]);
            hashed
                .engine()
                .hash_password_into_with_memory(
                    code.0.as_slice(),
                    hashed.salt.as_ref(),
                    hash.as_mut_slice(),
                    blocks.as_mut_slice(),
                )
                .map_err(|_| RecoveryError::Memory)?;
            let hash = Output::new(hash.as_slice()).map_err(|_| RecoveryError::Format)?;
            hashed.codes.push(HashedCode { id, hash });
        }
        hashed.checked()
    }

    /// The set of a user who has no recovery codes: what is typed is hashed as of anybody else, and so are issued codes. The
    /// salt is nobody else's on this host.
    ///
    /// # Errors
    /// [`RecoveryError::Cost`] and [`RecoveryError::Format`], which cannot come.
    pub fn without_codes(user: &UserName) -> Result<Self, RecoveryError> {
        let (memory, passes, lanes) = Self::COST;
        let params = Params::new(memory, passes, lanes, Some(Self::HASH)).map_err(|_| RecoveryError::Cost)?;
        let digest = Sha256::new().chain_update(b"twinlock no recovery codes ").chain_update(user.as_str()).finalize();
        let salt = digest.first_chunk::<16>().and_then(|salt| Salt::new(salt).ok()).ok_or(RecoveryError::Format)?;
        Ok(Self { set: RecoverySetId::none(), created: None, codes: Vec::new(), params, salt })
    }

    /// Takes hashes from a file: ids with PHC strings.
    ///
    /// # Errors
    /// [`RecoveryError`]. The cost is bounded here, before any run.
    pub fn from_stored(
        set: RecoverySetId,
        created: Option<UnixTime>,
        stored: &[(u8, &str)],
    ) -> Result<Self, RecoveryError> {
        let mut common: Option<(&str, Params, Salt)> = None;
        let mut codes = Vec::with_capacity(stored.len().min(Self::LARGEST));
        for (id, text) in stored {
            let (head, hash) = text.rsplit_once('$').ok_or(RecoveryError::Format)?;
            let hash = Output::decode(hash).map_err(|_| RecoveryError::Format)?;
            match &common {
                // Taking one apart is enough where they differ in the hash alone.
                Some((known, ..)) if *known == head && hash.len() == Self::HASH => {}
                Some((_, params, salt)) => {
                    let (other_params, other_salt) = cost_and_salt(text)?;
                    if *params != other_params || salt.as_ref() != other_salt.as_ref() {
                        return Err(RecoveryError::Mixed);
                    }
                }
                None => {
                    let (params, salt) = cost_and_salt(text)?;
                    common = Some((head, params, salt));
                }
            }
            codes.push(HashedCode { id: *id, hash });
        }
        let (_, params, salt) = common.ok_or(RecoveryError::Ids)?;
        Self { set, created, codes, params, salt }.checked()
    }

    fn checked(self) -> Result<Self, RecoveryError> {
        let cost = (self.params.m_cost(), self.params.t_cost(), self.params.p_cost());
        if !Self::MEMORY.contains(&cost.0) || !Self::PASSES.contains(&cost.1) || !Self::LANES.contains(&cost.2) {
            return Err(RecoveryError::Cost);
        }
        let twice = || self.ids().zip(1..).any(|(id, rest)| self.ids().skip(rest).any(|other| other == id));
        let sound = (1..=Self::LARGEST).contains(&self.codes.len()) && !twice();
        if sound { Ok(self) } else { Err(RecoveryError::Ids) }
    }

    /// Looks for `code` in the set and among `issued` codes of the set; one Argon2 run, and every hash compared in constant
    /// time, whatever the first ones said.
    ///
    /// # Errors
    /// [`RecoveryError::Memory`].
    pub fn find<'i>(
        &self,
        code: &RecoveryCode,
        spent: &[u8],
        issued: impl IntoIterator<Item = &'i IssuedCode>,
    ) -> Result<RecoveryMatch, RecoveryError> {
        let hash = self.hash(code)?;
        let (mut found, mut used, mut id) = (Choice::from(0), Choice::from(0), 0u8);
        for stored in &self.codes {
            let same = stored.hash.as_bytes().ct_eq(hash.as_slice());
            let gone = Choice::from(u8::from(spent.contains(&stored.id)));
            id.conditional_assign(&stored.id, same & !gone);
            found |= same & !gone;
            used |= same & gone;
        }
        let is_issued =
            issued.into_iter().fold(Choice::from(0), |known, issued| known | issued.hash.ct_eq(hash.as_slice()));
        // A code that is in the file twice is used up once either of them is used.
        Ok(if bool::from(used) {
            RecoveryMatch::Spent
        } else if bool::from(found) {
            RecoveryMatch::Fresh(id)
        } else if bool::from(is_issued) {
            RecoveryMatch::Issued(*hash)
        } else {
            RecoveryMatch::Nothing
        })
    }

    /// The ids of the set, in the order of the file.
    pub fn ids(&self) -> impl Iterator<Item = u8> {
        self.codes.iter().map(|code| code.id)
    }

    /// The hashes as PHC strings, with their ids, for the file.
    pub fn stored(&self) -> impl Iterator<Item = (u8, String)> {
        let (memory, passes, lanes) = (self.params.m_cost(), self.params.t_cost(), self.params.p_cost());
        self.codes.iter().map(move |HashedCode { id, hash }| {
            (*id, format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${}${hash}", self.salt))
        })
    }

    /// The hash of a code, as one of the set would have it.
    ///
    /// # Errors
    /// [`RecoveryError::Memory`].
    pub fn hash(&self, code: &RecoveryCode) -> Result<Zeroizing<[u8; Self::HASH]>, RecoveryError> {
        let mut hash = Zeroizing::new([0; Self::HASH]);
        self.engine()
            .hash_password_into(code.0.as_slice(), self.salt.as_ref(), hash.as_mut_slice())
            .map_err(|_| RecoveryError::Memory)?;
        Ok(hash)
    }

    fn engine(&self) -> Argon2<'static> {
        Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, self.params.clone())
    }
}

/// What the hashes of a set have in common, from one of them.
fn cost_and_salt(text: &str) -> Result<(Params, Salt), RecoveryError> {
    let parsed = PasswordHash::new(text).map_err(|_| RecoveryError::Format)?;
    let version_19 = parsed.version == Some(Version::V0x13.into());
    let (Some(salt), Some(hash), "argon2id", true) = (parsed.salt, parsed.hash, parsed.algorithm.as_str(), version_19)
    else {
        return Err(RecoveryError::Format);
    };
    if hash.len() != RecoverySet::HASH || salt.len() < 8 {
        return Err(RecoveryError::Format);
    }
    Ok((cost(&parsed.params).ok_or(RecoveryError::Format)?, salt))
}

/// `m`, `t` and `p` of a PHC string, which may not have others.
fn cost(stored: &ParamsString) -> Option<Params> {
    let (mut memory, mut passes, mut lanes) = (None, None, None);
    for (name, value) in stored.iter() {
        let cost = match name.as_str() {
            "m" => &mut memory,
            "t" => &mut passes,
            "p" => &mut lanes,
            _ => return None,
        };
        *cost = Some(value.decimal().ok()?);
    }
    Params::new(memory?, passes?, lanes?, Some(RecoverySet::HASH)).ok()
}

impl std::error::Error for RecoveryError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> RecoveryCode {
        RecoveryCode::parse(text.as_bytes()).unwrap()
    }

    fn name() -> RecoverySetId {
        RecoverySetId::parse("a7c2").unwrap()
    }

    fn two() -> RecoverySet {
        let codes = [code("ABCDEFGHJKMNPQRS"), code("0123456789ABCDEF")];
        RecoverySet::hashed(name(), UnixTime::default(), &codes, [7; 16]).unwrap()
    }

    #[test]
    fn a_code_is_found_once_and_then_spent() {
        let set = two();
        assert_eq!(set.find(&code("abcdefghjkmnpqrs"), &[], []), Ok(RecoveryMatch::Fresh(1)));
        assert_eq!(set.find(&code("ABCDEFGHJKMNPQRS"), &[1], []), Ok(RecoveryMatch::Spent));
        assert_eq!(set.find(&code("O123456789ABCDEF"), &[1], []), Ok(RecoveryMatch::Fresh(2)));
        assert_eq!(set.find(&code("ABCDEFGHJKMNPQRT"), &[], []), Ok(RecoveryMatch::Nothing));
        assert_eq!(set.find(&code("ABCDEFGHJKMNPQRT"), &[1], []), Ok(RecoveryMatch::Nothing));
    }

    #[test]
    fn a_code_that_stands_twice_is_found_once() {
        let (_, hash) = two().stored().next().unwrap();
        let twice = RecoverySet::from_stored(name(), None, &[(1, &hash), (2, &hash)]).unwrap();
        let RecoveryMatch::Fresh(id) = twice.find(&code("ABCDEFGHJKMNPQRS"), &[], []).unwrap() else {
            panic!("not found")
        };
        assert_eq!(twice.find(&code("ABCDEFGHJKMNPQRS"), &[id], []), Ok(RecoveryMatch::Spent));
    }

    #[test]
    fn lookalikes_are_read_as_digits_and_what_is_no_symbol_is_refused() {
        assert!(code("OILoil0123456789").same_as(&code("0110110123456789")));
        for text in ["UBCDEFGHJKMNPQRS", "ABCDEFGHJKMNPQR-", "ABCDEFGHJKMNPQR", "ABCDEFGHJKMNPQRST"] {
            assert!(RecoveryCode::parse(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn written_and_read_again_it_finds_the_same_codes() {
        let set = two();
        let stored: Vec<_> = set.stored().collect();
        let start = "$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$";
        assert!(stored[0].1.starts_with(start) && stored[0].1.len() == start.len() + 43, "{}", stored[0].1);
        let borrowed: Vec<_> = stored.iter().map(|(id, text)| (*id, text.as_str())).collect();
        let again = RecoverySet::from_stored(name(), None, &borrowed).unwrap();
        assert_eq!(again.find(&code("ABCDEFGHJKMNPQRS"), &[], []), Ok(RecoveryMatch::Fresh(1)));
    }

    #[test]
    fn hashes_of_another_maker_with_another_cost_and_the_shortest_salt_are_found() {
        let head = "$argon2id$v=19$m=7168,t=3,p=1$";
        for rest in [
            "BwcHBwcHBwc$tJIdiqMkK0pYMTcexiluuxoZIRPz7zTXx+1sLe0zotI",
            "BwcHBwcHBwcHBwcHBwcHBw$YbxWB6tVSXd4RaFylbziXeqk74T4/r6YQdWLgyEPEUw",
        ] {
            let set = RecoverySet::from_stored(name(), None, &[(1, &format!("{head}{rest}"))]).unwrap();
            assert_eq!(set.find(&code("0123456789ABCDEF"), &[], []), Ok(RecoveryMatch::Fresh(1)), "{rest}");
        }
    }

    #[test]
    fn each_mistake_is_told_apart() {
        use RecoveryError::{Cost, Format, Ids, Memory, Mixed};
        let all = [Format, Cost, Mixed, Ids, Memory].map(|error| error.to_string());
        let told: std::collections::BTreeSet<_> = all.iter().filter(|text| text.contains("recovery code")).collect();
        assert_eq!(told.len(), all.len(), "{all:?}");
    }

    #[test]
    fn memory_that_was_used_changes_no_hash() {
        let mut memory = HashMemory::default();
        for salt in [[1; 16], [2; 16]] {
            let codes = [code("ABCDEFGHJKMNPQRS"), code("0123456789ABCDEF")];
            let set = RecoverySet::hashed_in(&mut memory, name(), UnixTime::default(), &codes, salt).unwrap();
            assert_eq!(set.find(&codes[1], &[], []), Ok(RecoveryMatch::Fresh(2)));
            assert_eq!(set.find(&code("ABCDEFGHJKMNPQRT"), &[], []), Ok(RecoveryMatch::Nothing));
        }
    }

    #[test]
    fn shown_in_groups_of_four_and_read_back() {
        let made = RecoveryCode::from_random(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 255]);
        assert_eq!(made.formatted().as_str(), "000G-40R4-0M30-E27Z");
        assert!(code(&made.formatted().replace('-', "")).same_as(&made));
        assert!(!code("000G40R40M30E270").same_as(&made));
    }

    #[test]
    fn bad_hashes_are_refused_before_any_run() {
        let salt = "c2FsdHNhbHRzYWx0";
        let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let phc = |head: &str| format!("{head}${salt}${hash}");
        let good = phc("$argon2id$v=19$m=19456,t=2,p=1");
        for (text, error) in [
            (phc("$argon2i$v=19$m=19456,t=2,p=1"), RecoveryError::Format),
            (phc("$argon2id$v=16$m=19456,t=2,p=1"), RecoveryError::Format),
            (phc("$argon2id$m=19456,t=2,p=1"), RecoveryError::Format),
            (phc("$argon2id$v=19$m=4194304,t=2,p=1"), RecoveryError::Cost),
            (phc("$argon2id$v=19$m=64,t=2,p=1"), RecoveryError::Cost),
            (phc("$argon2id$v=19$m=19456,t=2"), RecoveryError::Format),
            (phc("$argon2id$v=19$m=19456,t=2,p=1,keyid=AAAA"), RecoveryError::Format),
            (phc("$argon2id$v=19$m=19456,t=2,p=x"), RecoveryError::Format),
            (phc("$argon2id$v=19$m=19456,t=1000,p=1"), RecoveryError::Cost),
            (phc("$argon2id$v=19$m=19456,t=2,p=200"), RecoveryError::Cost),
            ("ABCDEFGHJKMNPQRS".to_owned(), RecoveryError::Format),
            (format!("$argon2id$v=19$m=19456,t=2,p=1${salt}"), RecoveryError::Format),
        ] {
            assert_eq!(RecoverySet::from_stored(name(), None, &[(1, &text)]).err(), Some(error), "{text}");
        }
        let mixed = good.replace("m=19456", "m=20000");
        let salted = good.replace(salt, "dGxhc3RsYXN0bGFz");
        let (short, other) = (&good[..good.len() - 8], good.replace("argon2id", "argon2i"));
        for (stored, error) in [
            (vec![], RecoveryError::Ids),
            (vec![(1, good.as_str()), (1, good.as_str())], RecoveryError::Ids),
            (vec![(1, good.as_str()), (2, mixed.as_str())], RecoveryError::Mixed),
            (vec![(1, good.as_str()), (2, salted.as_str())], RecoveryError::Mixed),
            (vec![(1, good.as_str()), (2, short)], RecoveryError::Format),
            (vec![(1, good.as_str()), (2, other.as_str())], RecoveryError::Format),
            (vec![(1, good.as_str()), (2, "$")], RecoveryError::Format),
        ] {
            assert_eq!(RecoverySet::from_stored(name(), None, &stored).err(), Some(error));
        }
    }
}
