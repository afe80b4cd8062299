//! The files of the store.

use twinlock_core::{credentials::Enrolment, pending::PendingId, record::Record};
use twinlock_enrol::onboarding::Staged;
use twinlock_store::{
    format::TomlDocument as _,
    slot::{self, FILE, Half, SLOT, Stage},
};

use super::{compare, compare_made, recorded};

#[test]
fn credentials_are_read_and_written_as_they_were_recorded() {
    for name in ["credentials.toml", "credentials-deployed.toml"] {
        let Ok(enrolment) = Enrolment::parse(&recorded(name)) else { panic!("{name} is refused") };
        compare(name, enrolment.to_toml().as_bytes());
    }
}

#[test]
fn an_enrolment_that_waits_for_the_end_of_its_login_is_read_and_written_as_it_was_recorded() {
    let name = "credentials.toml.due";
    let text = recorded(name);
    let id = PendingId::parse(std::str::from_utf8(&text[..32]).unwrap()).unwrap();
    let subject = record("record.toml").subject();
    let staged = Staged::from_pending(&text, &subject, &id).unwrap();
    compare(name, staged.to_pending(&id).as_bytes());
}

#[test]
fn records_are_read_and_written_as_they_were_recorded() {
    for name in ["record.toml", "record-provisional.toml", "record-extra.toml", "record-issued.toml"] {
        compare(name, record(name).to_toml().as_bytes());
    }
}

/// What version 0.1.0 wrote: one time for both methods, no networks.
#[test]
fn a_record_of_version_0_1_0_is_read_and_written_as_it_was_recorded() {
    compare("record-0.1.0-written-back.toml", record("record-0.1.0.toml").to_toml().as_bytes());
}

/// The first slot with its attempt still open, the second one with the mark of the first.
#[test]
fn a_state_file_is_read_and_written_as_it_was_recorded() {
    let (new, old) = (record("record.toml"), record("record-provisional.toml"));
    let mut file = [0; FILE];
    file[..SLOT].copy_from_slice(&slot::encode(8, Stage::Pending, &new).unwrap());
    file[SLOT..].copy_from_slice(&slot::encode(7, Stage::Committed, &old).unwrap());
    let at = usize::try_from(Half::First.durability_mark_offset()).unwrap();
    let mark = slot::durability_mark(8);
    file[at..at + mark.len()].copy_from_slice(&mark);
    compare_made("state", &file);
    let found = slot::current(&file).unwrap();
    assert_eq!((found.half, found.sequence, found.stage, found.synced), (Half::First, 8, Stage::Pending, true));
    assert_eq!(found.record, new);
}

fn record(name: &str) -> Record {
    let text = String::from_utf8(recorded(name)).unwrap();
    Record::parse(&text).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}
