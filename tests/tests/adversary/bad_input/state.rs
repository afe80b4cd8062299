//! A state that is torn or cannot be trusted.

use std::fs;
use std::os::unix::fs::{FileExt, chown};

use twinlock_tests::{PamCode, SLOT, Setup, State, User, set_mode, state_of, tool};

use crate::bad_input::refusals::{command_refuses, is_denied, other_kinds, replace_by};

const FILE: &str = "/var/lib/twinlock/state/alice";

fn both_refuse(alice: &User<'_>, told: &[&str]) {
    is_denied(alice, "store", &[&[FILE], told].concat());
    command_refuses(alice, &["status", "alice"], &[&[FILE], told].concat());
    command_refuses(alice, &["unlock", "alice"], &[&[FILE], told].concat());
    let check = alice.world.twinlock(&["check"]);
    assert!(check.code == Some(1) && told.iter().all(|text| check.stderr.contains(text)), "{check:?}");
}

/// Writes these bytes into a half.
fn damage(half: usize, bytes: &[u8]) {
    let file = fs::OpenOptions::new().write(true).open(FILE).unwrap();
    file.write_all_at(bytes, (half * SLOT) as u64).unwrap();
}

/// A whole slot with sequence number 8.
fn slot(version: u16, flags: u16, body: &str) -> Vec<u8> {
    let mut slot = b"TWLK".to_vec();
    slot.extend(version.to_le_bytes());
    slot.extend(flags.to_le_bytes());
    slot.extend(8_u64.to_le_bytes());
    slot.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
    slot.extend([0; 4]);
    let sum = <sha2::Sha256 as sha2::Digest>::digest([slot.as_slice(), body.as_bytes()].concat());
    slot.extend(&sum[..8]);
    slot.extend(body.as_bytes());
    slot
}

#[test]
fn torn_in_both_halves_it_denies_with_the_remedy() {
    Setup::new().enrolled(|alice| {
        damage(0, b"JUNK");
        damage(1, b"JUNK");
        both_refuse(alice, &["it is damaged", "`twinlock repair alice`"]);
    });
}

#[test]
fn torn_in_one_half_the_other_is_in_force() {
    Setup::new().enrolled(|alice| {
        let mut codes = alice.codes();
        let (now, next) = (codes.next(), codes.next());
        assert_eq!(alice.attempt().answer(&now).run(alice.world).code(), PamCode::Success);
        let spare = 1 - State::of("alice").half;
        damage(spare, &[0xff; SLOT]);
        assert_eq!(alice.attempt().answer(&now).run(alice.world).code(), PamCode::AuthErr, "what was used is used");
        assert_eq!(alice.attempt().answer(&next).run(alice.world).code(), PamCode::Success);
    });
}

#[test]
fn every_kind_of_damage_to_the_half_in_force_is_seen() {
    Setup::new().enrolled(|alice| {
        let good = fs::read(FILE).unwrap();
        for at in [0, 4, 6, 8, 16, 20, 24, 31, 32, 60, 100] {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            alice.world.write_secret(FILE, &bad);
            is_denied(alice, "store", &[FILE, "it is damaged"]);
        }
    });
}

#[test]
fn of_the_wrong_size_it_denies() {
    Setup::new().enrolled(|alice| {
        for size in ["0", "1", "4096", "8191", "8193", "10G"] {
            tool(&["truncate", "-s", size, FILE]);
            both_refuse(alice, &["it is damaged"]);
        }
    });
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    for (_, make, told) in other_kinds() {
        Setup::new().enrolled(|alice| {
            replace_by(&state_of("alice"), make);
            both_refuse(alice, &[told]);
        });
    }
}

#[test]
fn one_that_others_can_read_is_refused_with_the_remedy() {
    Setup::new().enrolled(|alice| {
        set_mode(FILE, 0o640);
        both_refuse(
            alice,
            &["its mode is 0640, so users other than root have access to it", &format!("chmod go-rwx {FILE}")],
        );
    });
}

#[test]
fn one_that_is_not_roots_is_refused_with_the_remedy() {
    Setup::new().enrolled(|alice| {
        chown(FILE, Some(1001), None).unwrap();
        both_refuse(alice, &["it belongs to uid 1001, not to root", &format!("chown root:root {FILE}")]);
    });
}

#[test]
fn replace_is_the_way_out_of_a_torn_state() {
    Setup::new().enrolled(|alice| {
        damage(0, b"JUNK");
        let new = alice.world.enrol_with("alice", &["--replace"]);
        assert_eq!(alice.attempt().answer(new.codes().next()).run(alice.world).code(), PamCode::Success);
    });
}

/// After a downgrade. A repair would use up every recovery code, and the older half knows less of what was used.
#[test]
fn one_of_a_newer_version_is_refused_and_never_repaired() {
    Setup::new().enrolled(|alice| {
        let bytes = fs::read(FILE).unwrap();
        let body = String::from_utf8_lossy(&bytes[32..32 + usize::from(bytes[16])]).into_owned();
        for newer in [slot(2, 0, &body), slot(1, 0, &format!("{body}[later]\nkey = 1\n"))] {
            let mut file = bytes.clone();
            file[SLOT..SLOT + newer.len()].copy_from_slice(&newer);
            alice.world.write_secret(FILE, &file);
            both_refuse(alice, &["a newer version of Twinlock wrote it"]);
            command_refuses(alice, &["repair", "alice"], &[FILE, "install that version of Twinlock again"]);
            assert_eq!(fs::read(FILE).unwrap(), file);
        }
        let replaced = alice.world.enrol_with("alice", &["--replace"]);
        assert_eq!(alice.attempt().answer(replaced.codes().next()).run(alice.world).code(), PamCode::Success);
    });
}

#[test]
fn a_charge_whose_end_never_came_stands() {
    Setup::new().enrolled(|alice| {
        let mut bytes = fs::read(FILE).unwrap();
        // The second half as an open charge of a process that died: sequence 8, flag 1, one failure.
        let body =
            String::from_utf8_lossy(&bytes[32..32 + usize::from(bytes[16])]).replace("failures = 0", "failures = 2");
        let slot = slot(1, 1, &body);
        bytes[SLOT..SLOT + slot.len()].copy_from_slice(&slot);
        alice.world.write_secret(FILE, &bytes);
        assert!(State::of("alice").open_charge);
        assert_eq!(alice.attempt().answer(alice.wrong_code()).run(alice.world).code(), PamCode::AuthErr);
        let state = State::of("alice");
        assert_eq!((state.charges()[0], state.sequence, state.half, state.open_charge), (3, 9, 0, false));
    });
}
