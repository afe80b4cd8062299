//! What logins changed about a user: the body of a slot.

use twinlock_core::record::Record;
use twinlock_store::{
    format::TomlDocument as _,
    slot::{FILE, Stage, current, encode},
};

/// What is taken is written and read as the same, and so is the slot that holds it.
#[must_use]
pub fn check(bytes: &[u8]) -> bool {
    let Some(record) = std::str::from_utf8(bytes).ok().and_then(|text| Record::parse(text).ok()) else { return false };
    assert_eq!(Record::parse(&record.to_toml()).as_ref(), Ok(&record));
    if let Ok(slot) = encode(7, Stage::Pending, &record) {
        let mut file = [0; FILE];
        file[..slot.len()].copy_from_slice(&slot);
        let read = current(&file).unwrap();
        assert_eq!((read.sequence, read.stage), (7, Stage::Pending));
        // Where there is no room, remembered logins give way, and then where authenticators were used from.
        let without = Record { remembered: None, ..record.clone() };
        let mut bare = without.clone();
        bare.uses.iter_mut().for_each(|used| used.last_from = None);
        // The keys of a later version are the last to give way.
        let known = Record { extra: Vec::new(), ..bare.clone() };
        assert!([record, without, bare, known].contains(&read.record));
    }
    true
}
