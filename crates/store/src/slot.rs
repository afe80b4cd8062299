//! One state slot as bytes: a 32-byte header and the record as TOML. Pure; the file is [`crate::files`]'s business.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0..4 | magic `TWLK` |
//! | 4..6 | format version, 1, little-endian as all numbers |
//! | 6..8 | flags; bit 0: a pending failure, whose attempt has not ended |
//! | 8..16 | sequence number; of two valid slots the higher one is in force |
//! | 16..20 | length of the body |
//! | 20..24 | zero |
//! | 24..32 | first 8 bytes of SHA-256 over bytes 0..24 and the body |
//! | 32.. | body |
//! | 4080..4096 | the mark of the *other* slot: its number and the complement of it, once that slot is surely on the disk |
//!
//! A mark is written after the sync and is not synced itself: lost, it costs the next attempt one more sync. It stands in
//! the slot that is not in force, where a torn write of it harms nobody.
//!
//! The checksum finds torn and damaged slots. It is no seal: who can write the file is root.

use sha2::{Digest, Sha256};
use twinlock_core::record::Record;

use crate::format::TomlDocument as _;

/// Bytes of a slot, one page: a write of it is what file systems and disks handle best.
pub const SLOT: usize = 4096;
/// Bytes of a state file: two slots.
pub const FILE: usize = 2 * SLOT;

const MAGIC: &[u8; 4] = b"TWLK";
const VERSION: u16 = 1;
const HEADER: usize = 32;
const PENDING: u16 = 1;
/// Bytes of a mark, at the end of a slot.
const MARK: usize = 16;

/// Which half of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// Bytes 0 to 4095.
    First,
    /// Bytes 4096 to 8191.
    Second,
}

impl Half {
    /// The other half.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// Where the half begins in the file.
    #[must_use]
    pub const fn offset(self) -> u64 {
        match self {
            Self::First => 0,
            Self::Second => SLOT as u64,
        }
    }

    /// Where the mark of the slot in this half stands in the file.
    #[must_use]
    pub const fn durability_mark_offset(self) -> u64 {
        self.other().offset().saturating_add((SLOT - MARK) as u64)
    }
}

/// The mark of a slot that is surely on the disk.
#[must_use]
pub fn durability_mark(sequence: u64) -> [u8; MARK] {
    let mut mark = [0; MARK];
    let (number, complement) = mark.split_at_mut(MARK / 2);
    number.copy_from_slice(&sequence.to_le_bytes());
    complement.copy_from_slice(&(!sequence).to_le_bytes());
    mark
}

/// Whether a slot is an attempt's last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The pending failure of an attempt that has not ended. Found by a later attempt it means: the process died.
    Pending,
    /// The end of an attempt, or of an administrator's change.
    Committed,
}

/// A slot that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Which half held it.
    pub half: Half,
    pub sequence: u64,
    /// Whether its attempt ended.
    pub stage: Stage,
    /// Whether it is surely on the disk. If not, it must be synced before the other half may be overwritten, which is
    /// then the last one that surely is.
    pub synced: bool,
    /// What it says.
    pub record: Record,
}

/// A record that does not fit its slot. The bounds of its parts exclude this; the check stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// Why a state file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotError {
    /// Neither slot has a checksum that fits.
    Damaged,
    /// The slot in force is whole, and this version does not understand it: another version wrote it.
    NewerVersion,
}

/// Lays a record out as a slot. Where there is no room, remembered logins give way, and if that is not enough, where
/// authenticators were last used from: both are a comfort. Then go the keys of a later version, which by their rule let
/// nobody in by being lost; the rest stays.
///
/// # Errors
/// [`TooLarge`].
pub fn encode(sequence: u64, stage: Stage, record: &Record) -> Result<[u8; SLOT], TooLarge> {
    const ROOM: usize = SLOT - HEADER - MARK;
    #[cfg(feature = "extra-probe")]
    let record = &with_probe(record);
    let mut body = record.to_toml();
    if body.len() > ROOM && record.remembered.is_some() {
        body = Record { remembered: None, ..record.clone() }.to_toml();
    }
    if body.len() > ROOM {
        let mut bare = Record { remembered: None, ..record.clone() };
        bare.uses.iter_mut().for_each(|used| used.last_from = None);
        body = bare.to_toml();
        if body.len() > ROOM {
            bare.extra.clear();
            body = bare.to_toml();
        }
    }
    if body.len() > ROOM {
        return Err(TooLarge);
    }
    let length = u32::try_from(body.len()).map_err(|_| TooLarge)?;
    let flags = match stage {
        Stage::Pending => PENDING,
        Stage::Committed => 0,
    };
    let mut slot = [0; SLOT];
    let mut at = 0usize;
    let mut put = |bytes: &[u8]| -> Result<(), TooLarge> {
        let end = at.saturating_add(bytes.len());
        slot.get_mut(at..end).ok_or(TooLarge)?.copy_from_slice(bytes);
        at = end;
        Ok(())
    };
    put(MAGIC)?;
    put(&VERSION.to_le_bytes())?;
    put(&flags.to_le_bytes())?;
    put(&sequence.to_le_bytes())?;
    put(&length.to_le_bytes())?;
    put(&[0; 4])?;
    put(&[0; 8])?;
    put(body.as_bytes())?;
    let sum = checksum(&slot, body.as_bytes()).ok_or(TooLarge)?;
    slot.get_mut(24..HEADER).ok_or(TooLarge)?.copy_from_slice(&sum);
    Ok(slot)
}

/// The record with one more key in `[extra]`, as a later version may write it.
#[cfg(feature = "extra-probe")]
fn with_probe(record: &Record) -> Record {
    let mut next = record.clone();
    next.extra.retain(|(key, _)| key != "probe");
    next.extra.push(("probe".into(), "written by a later version".into()));
    next
}

/// Reads the slot in force: of the whole ones that with the highest number.
///
/// # Errors
/// [`SlotError`].
///
/// # Security
/// A whole slot that only another version understands is an error, not a damaged slot: the older half would otherwise be in
/// force without the codes that were used and the failures that were counted since.
pub fn current(file: &[u8; FILE]) -> Result<Slot, SlotError> {
    let (first, second) = file.split_at(SLOT);
    let (half, sequence, slot, other) = match (sequence(first), sequence(second)) {
        (Some(a), Some(b)) if b > a => (Half::Second, b, second, first),
        (Some(a), _) => (Half::First, a, first, second),
        (None, Some(b)) => (Half::Second, b, second, first),
        (None, None) => return Err(SlotError::Damaged),
    };
    decode(half, sequence, slot, other).ok_or(SlotError::NewerVersion)
}

/// The number of a slot, if it is whole.
fn sequence(slot: &[u8]) -> Option<u64> {
    let whole = slot.starts_with(MAGIC) && *slot.get(24..HEADER)? == checksum(slot, body(slot)?)?;
    if whole { slot.get(8..16)?.try_into().ok().map(u64::from_le_bytes) } else { None }
}

fn body(slot: &[u8]) -> Option<&[u8]> {
    let length = u32::from_le_bytes(slot.get(16..20)?.try_into().ok()?);
    slot.get(HEADER..HEADER.checked_add(usize::try_from(length).ok()?)?)
}

fn decode(half: Half, sequence: u64, slot: &[u8], other: &[u8]) -> Option<Slot> {
    let version = u16::from_le_bytes(slot.get(4..6)?.try_into().ok()?);
    let stage = match u16::from_le_bytes(slot.get(6..8)?.try_into().ok()?) {
        0 => Stage::Committed,
        PENDING => Stage::Pending,
        _ => return None,
    };
    if version != VERSION || *slot.get(20..24)? != [0; 4] {
        return None;
    }
    let record = Record::parse(std::str::from_utf8(body(slot)?).ok()?).ok()?;
    let synced = other.ends_with(&durability_mark(sequence));
    Some(Slot { half, sequence, stage, synced, record })
}

fn checksum(slot: &[u8], body: &[u8]) -> Option<[u8; 8]> {
    let sum = Sha256::new().chain_update(slot.get(..24)?).chain_update(body).finalize();
    sum.get(..8)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use twinlock_core::{
        account::{Subject, UserName},
        credentials::{AuthenticatorId, Enrolment},
        issued::IssuedCode,
        policy::Source,
        record::{Origin, Use},
        recovery::{RecoverySet, RecoverySetId},
        spacing::{FailedNetwork, Spacing},
        throttle::Throttle,
        time::UnixTime,
    };

    use super::*;

    fn record(failures: u32) -> Record {
        let subject = Subject { name: UserName::parse(b"alice").unwrap(), uid: 1001 };
        let mut record = Record::new(&subject);
        record.throttle.failures = failures;
        record
    }

    fn file(first: &[u8; SLOT], second: &[u8; SLOT]) -> [u8; FILE] {
        let mut file = [0; FILE];
        file[..SLOT].copy_from_slice(first);
        file[SLOT..].copy_from_slice(second);
        file
    }

    #[test]
    fn the_higher_number_is_in_force() {
        let (old, new) =
            (encode(7, Stage::Committed, &record(1)).unwrap(), encode(8, Stage::Pending, &record(2)).unwrap());
        for (bytes, half) in [(file(&old, &new), Half::Second), (file(&new, &old), Half::First)] {
            assert_eq!(
                current(&bytes),
                Ok(Slot { half, sequence: 8, stage: Stage::Pending, synced: false, record: record(2) })
            );
        }
    }

    #[test]
    fn a_damaged_slot_leaves_the_other_in_force() {
        let (old, mut new) =
            (encode(7, Stage::Committed, &record(1)).unwrap(), encode(8, Stage::Committed, &record(2)).unwrap());
        new[40] ^= 1;
        assert_eq!(current(&file(&old, &new)).unwrap().sequence, 7);
        assert_eq!(current(&file(&[0; SLOT], &new)), Err(SlotError::Damaged));
    }

    #[test]
    fn a_slot_is_synced_when_the_other_half_bears_its_mark() {
        let (old, new) =
            (encode(7, Stage::Committed, &record(1)).unwrap(), encode(8, Stage::Committed, &record(2)).unwrap());
        for (whole, half) in [(file(&new, &old), Half::First), (file(&old, &new), Half::Second)] {
            for (number, synced) in [(7, false), (9, false), (8, true)] {
                let mut bytes = whole;
                let at = usize::try_from(half.durability_mark_offset()).unwrap();
                bytes[at..at + MARK].copy_from_slice(&durability_mark(number));
                let slot = current(&bytes).unwrap();
                assert_eq!((slot.sequence, slot.half, slot.synced), (8, half, synced), "{number}");
            }
        }
        let mut bytes = file(&old, &new);
        let at = usize::try_from(Half::Second.durability_mark_offset()).unwrap();
        bytes[at..at + MARK].copy_from_slice(&durability_mark(8));
        // The mark is no part of the slot that bears it.
        bytes[SLOT + 40] ^= 1;
        assert_eq!(current(&bytes).unwrap().sequence, 7);
    }

    #[test]
    fn a_mark_is_the_number_and_what_it_is_not() {
        assert_eq!(durability_mark(0x0102), [2, 1, 0, 0, 0, 0, 0, 0, 0xfd, 0xfe, 255, 255, 255, 255, 255, 255]);
        assert_eq!((Half::First.offset(), Half::Second.offset()), (0, 4096));
        assert_eq!((Half::First.durability_mark_offset(), Half::Second.durability_mark_offset()), (8176, 4080));
    }

    #[test]
    fn of_two_slots_with_one_number_the_first_is_in_force() {
        let slots = [1, 2].map(|failures| encode(7, Stage::Committed, &record(failures)).unwrap());
        assert_eq!(current(&file(&slots[0], &slots[1])).unwrap().half, Half::First);
    }

    #[test]
    fn a_slot_of_another_format_is_not_read_though_its_sum_is_right() {
        let good = encode(7, Stage::Committed, &record(1)).unwrap();
        let length = usize::from(good[16]) + 256 * usize::from(good[17]);
        for (at, value) in [(0, b'X'), (4, 2), (6, 2), (6, 3), (20, 1)] {
            let mut bad = good;
            bad[at] = value;
            let sum = checksum(&bad, &good[HEADER..HEADER + length]).unwrap();
            bad[24..HEADER].copy_from_slice(&sum);
            let error = if at == 0 { SlotError::Damaged } else { SlotError::NewerVersion };
            assert_eq!(current(&file(&bad, &[0; SLOT])), Err(error), "{value} at {at}");
        }
    }

    /// As where a package is put back to an older version: what was used in between must not be good again.
    #[test]
    fn what_a_later_version_wrote_is_not_passed_over_for_what_was_before() {
        let old = encode(7, Stage::Committed, &record(1)).unwrap();
        let later = |version: u8, key: &[u8]| {
            let mut slot = encode(8, Stage::Committed, &record(2)).unwrap();
            let end = usize::from(slot[16]) + 256 * usize::from(slot[17]) + key.len();
            slot[HEADER + end - key.len()..HEADER + end].copy_from_slice(key);
            slot[4] = version;
            slot[16..18].copy_from_slice(&u16::try_from(end).unwrap().to_le_bytes());
            let sum = checksum(&slot, &slot[HEADER..HEADER + end]).unwrap();
            slot[24..HEADER].copy_from_slice(&sum);
            slot
        };
        assert_eq!(current(&file(&old, &later(1, b""))).unwrap().sequence, 8);
        for newer in [later(2, b""), later(1, b"[later]\nkey = 1\n")] {
            assert_eq!(current(&file(&old, &newer)), Err(SlotError::NewerVersion));
            assert_eq!(current(&file(&newer, &old)), Err(SlotError::NewerVersion));
        }
        // Once it is the older one, nothing hangs on it.
        let now = encode(9, Stage::Committed, &record(3)).unwrap();
        assert_eq!(current(&file(&now, &later(2, b""))).unwrap().sequence, 9);
    }

    #[test]
    fn keys_that_a_later_version_puts_into_extra_are_kept_and_written_back() {
        let extra = "[extra]\n\"a key\" = \"a \\\"value\\\"\"\nlast_service = \"sshd\"\n";
        let mut later = Record::parse(&(record(2).to_toml() + extra)).unwrap();
        assert_eq!(later.extra.len(), 2);
        later.throttle.failures = 3;
        let slot = encode(8, Stage::Committed, &later).unwrap();
        let read = current(&file(&slot, &[0; SLOT])).unwrap().record;
        assert_eq!(read.to_toml(), record(3).to_toml() + extra);
        // What is no string was written by another format.
        for other in ["[extra]\nkey = 1\n", "[extra]\nkey = []\n", "[extra.key]\n", "extra = \"key\"\n"] {
            let text = if other.starts_with('[') {
                record(2).to_toml() + other
            } else {
                other.to_owned() + &record(2).to_toml()
            };
            assert!(Record::parse(&text).is_err(), "{other}");
        }
    }

    #[test]
    fn a_body_reaches_to_the_mark_and_no_further() {
        const ROOM: usize = 4096 - 32 - 16;
        // A record whose body has as many bytes, by the length of its user's name.
        let filled = |bytes: usize, end: &str| {
            let named = |length: usize| {
                let name = UserName::parse("x".repeat(length).as_bytes()).unwrap();
                let mut record = Record::new(&Subject { name, uid: 1001 });
                for _ in 0..54 {
                    let id = AuthenticatorId::parse("phone").unwrap();
                    let late = UnixTime::from_seconds(1);
                    record.uses.push(Use { id, last_step: 1, drift: 0, last_used: late, last_from: None });
                }
                Record::parse(&(record.to_toml() + end)).unwrap()
            };
            let short = bytes - named(1).to_toml().len();
            named(1 + short)
        };
        let whole = filled(ROOM, "");
        assert_eq!(whole.to_toml().len(), ROOM);
        let slot = encode(1, Stage::Committed, &whole).unwrap();
        assert_eq!(current(&file(&slot, &[0; SLOT])).unwrap().record, whole);
        assert_eq!(slot[SLOT - MARK..], [0; MARK]);
        assert_eq!(encode(1, Stage::Committed, &filled(ROOM + 1, "")), Err(TooLarge));
        let remembered = "[remembered]\nkey = \"00112233445566778899aabbccddeeff\"\nlogins = []\n";
        let whole = filled(ROOM, remembered);
        let slot = encode(1, Stage::Committed, &whole).unwrap();
        assert_eq!(current(&file(&slot, &[0; SLOT])).unwrap().record, whole);
    }

    #[test]
    fn keys_of_a_later_version_stay_where_they_just_fit() {
        let phone = AuthenticatorId::parse("phone").unwrap();
        let mut full = record(0);
        full.use_step(&phone, 7, UnixTime::from_seconds(210));
        full.extra = vec![("key".into(), String::new())];
        let value = "x".repeat(SLOT - HEADER - MARK - full.to_toml().len());
        full.extra = vec![("key".into(), value)];
        assert_eq!(full.to_toml().len(), SLOT - HEADER - MARK);
        let mut with_origin = full.clone();
        with_origin.set_from(&phone, Origin::from_text("192.0.2.7").as_ref());
        let slot = encode(7, Stage::Committed, &with_origin).unwrap();
        assert_eq!(current(&file(&slot, &[0; SLOT])).unwrap().record, full);
    }

    #[test]
    fn the_fullest_record_fits() {
        let name = UserName::parse("\\".repeat(UserName::LONGEST).as_bytes()).unwrap();
        // A provisional record has nothing yet.
        let mut full = Record { provisional: false, ..Record::new(&Subject { name, uid: u32::MAX }) };
        let late = UnixTime::from_seconds(u64::MAX);
        let most = u32::MAX;
        let network = Source::from_rhost(Some("ffff:ffff:ffff:ffff::")).neighbourhood().unwrap();
        let failed = FailedNetwork { network, failures: most, last_failure: late };
        let networks = vec![failed; Spacing::MOST_NETWORKS];
        let spacing = Spacing { last_failure: late, extra: most, networks };
        full.throttle = Throttle {
            failures: most,
            otp_failures: most,
            recovery_failures: most,
            spent: most,
            refilled: late,
            otp: spacing.clone(),
            recovery: spacing,
            home: Some(network),
        };
        for _ in 0..Enrolment::MOST_AUTHENTICATORS {
            let id = AuthenticatorId::parse(&"z".repeat(AuthenticatorId::LONGEST)).unwrap();
            let last_from = Origin::from_text(&"z".repeat(Origin::LONGEST));
            full.uses.push(Use { id, last_step: i64::MAX as u64, drift: i64::MIN, last_used: late, last_from });
        }
        let ids = (0..RecoverySet::LARGEST).map(|_| 255).collect();
        full.recovery = Some(twinlock_core::record::Spent {
            set: RecoverySetId::parse(&"z".repeat(RecoverySetId::LONGEST)).unwrap(),
            ids,
        });
        let notice = format!(
            "[notice]\nchange = \"recovery-codes-renewed\"\nat = {late}\nothers = {}\nlatest = {late}\n",
            u32::MAX,
            late = late.seconds()
        );
        let mut full = Record::parse(&(full.to_toml() + &notice)).unwrap();
        for _ in 0..IssuedCode::MOST {
            let set = RecoverySetId::parse(&"z".repeat(RecoverySetId::LONGEST)).unwrap();
            let (hash, by_uid) = ([0xff; IssuedCode::HASH], u32::MAX);
            full.issue(IssuedCode { set, hash, issued: late, expires: late, by_uid });
        }
        assert!(encode(u64::MAX, Stage::Pending, &full).is_ok(), "{} bytes", full.to_toml().len());
        let remembered = |record: &Record| {
            let logins = format!("[\"{}\",{late},{late}],", "f".repeat(24), late = late.seconds());
            let logins = logins.repeat(twinlock_core::remember::MOST);
            let key = "f".repeat(32);
            Record::parse(&format!("{}[remembered]\nkey = \"{key}\"\nlogins = [{logins}]", record.to_toml())).unwrap()
        };
        let stored = |record: &Record| {
            let slot = encode(1, Stage::Committed, record).unwrap();
            current(&file(&slot, &[0; SLOT])).unwrap().record
        };
        // Remembered logins give way to everything else, and to nothing of a usual size; then origins do.
        let mut bare = full.clone();
        bare.uses.iter_mut().for_each(|used| used.last_from = None);
        assert_eq!((stored(&full), stored(&remembered(&full))), (bare.clone(), bare.clone()));
        // Keys of a later version are the last to give way.
        let later = |record: &Record, length: usize| Record {
            extra: vec![("key".into(), "x".repeat(length))],
            ..record.clone()
        };
        assert_eq!(stored(&remembered(&later(&full, 100))), later(&bare, 100));
        assert_eq!(stored(&later(&full, 4_000)), bare);
        full.issued.clear();
        full.uses.truncate(Enrolment::MOST_AUTHENTICATORS - 3);
        assert_eq!((stored(&full), stored(&remembered(&full))), (full.clone(), full.clone()));
        full.uses.truncate(Enrolment::MOST_AUTHENTICATORS - 6);
        assert_eq!(stored(&remembered(&full)), remembered(&full));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), FILE)) {
            let bytes: [u8; FILE] = bytes.try_into().unwrap();
            prop_assert!(current(&bytes).is_err());
        }

        #[test]
        fn one_wrong_bit_is_found(at in 0..SLOT, bit in 0..8u32, failures in any::<u32>()) {
            let good = encode(3, Stage::Committed, &record(failures)).unwrap();
            let mut bad = good;
            bad[at] ^= 1 << bit;
            // Behind the body nothing is read; everywhere else the damage shows.
            if let Ok(slot) = current(&file(&bad, &[0; SLOT])) {
                prop_assert_eq!(slot.record, record(failures));
                prop_assert!(good[at] == 0 && at >= HEADER);
            }
        }
    }
}
