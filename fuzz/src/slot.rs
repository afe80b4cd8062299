//! A state file: two slots.

use twinlock_core::record::Record;
use twinlock_store::slot::{FILE, current, encode};

/// What is in force is written as it was read, and no bit of it can be turned without its going out of force.
#[must_use]
pub fn check(bytes: &[u8]) -> bool {
    let mut file = [0; FILE];
    let length = bytes.len().min(FILE);
    file[..length].copy_from_slice(&bytes[..length]);
    let Ok(slot) = current(&file) else { return false };
    let begin = usize::try_from(slot.half.offset()).unwrap();
    if let Ok(again) = encode(slot.sequence, slot.stage, &slot.record) {
        let mut whole = [0; FILE];
        whole[begin..begin + again.len()].copy_from_slice(&again);
        let read = current(&whole).unwrap();
        assert_eq!((read.sequence, read.stage, read.half), (slot.sequence, slot.stage, slot.half));
        // What was read did fit, but for spaces that nobody writes; then a comfort may give way.
        let gives_way =
            |record: &Record| record.remembered.is_some() || record.uses.iter().any(|used| used.last_from.is_some());
        assert!(read.record == slot.record || gives_way(&slot.record));
    }
    let length = u32::from_le_bytes(file[begin + 16..begin + 20].try_into().unwrap());
    let end = 32 + usize::try_from(length).unwrap();
    let turned = bytes.iter().fold(3_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    file[begin + turned % end] ^= 1 << (turned / end % 8);
    assert!(current(&file).ok().is_none_or(|other| other.half != slot.half));
    true
}
