//! What every store promises, run against the files and against memory.

use std::{fs, io::ErrorKind, path::Path};

use twinlock_core::{
    account::Subject,
    credentials::Enrolment,
    decide::{Audience, Circumstances, Judged, Response, SubmittedCode, Verdict, judge},
    notice::Change,
    otp::Code,
    record::Record,
    throttle::Throttle,
    time::UnixTime,
};
use twinlock_enrol::enrolment::{self, EnrolError, IfEnrolled};
use twinlock_service::admin;
use twinlock_store::{
    config::StoreSettings,
    files::{CredentialFiles, StateFiles, Store},
    format::TomlDocument as _,
    host::Kernel,
    ports::{LockedState, PendingFailure, ReadCredentials, StateStore, StoreError, StoreErrorKind, WriteCredentials},
};
use twinlock_tests::in_world;

use crate::given::{NOON, enrolment, id, phone, set_id, subject};

/// One promise, written once, checked on both.
macro_rules! contract {
    ($($name:ident)*) => {
        mod files {
            $(#[test] fn $name() { super::on_files(|credentials, states| super::$name(credentials, states)); })*
        }
        mod memory {
            $(#[test] fn $name() { let memory = crate::memory::Memory::default(); super::$name(&memory, &memory); })*
        }
    };
}

contract! {
    what_is_written_is_read
    a_lane_reads_what_its_user_holds
    nobody_is_enrolled_in_an_empty_store
    a_record_without_credentials_is_not_the_same_as_no_enrolment
    a_provisional_record_is_no_sign_of_an_enrolment
    replacing_leaves_nothing_of_the_old_one
    removing_says_whether_there_was_anything
    what_is_made_sure_of_is_as_it_was
    another_uid_is_refused
    a_record_is_made_once
    a_change_is_seen_by_the_next
    a_charge_stands_until_it_is_committed
    a_commit_takes_the_charge_back
    a_lane_that_is_dropped_changes_nothing
    a_lane_is_one_at_a_time
    lanes_of_two_users_do_not_wait_for_each_other
    many_changes_alternate_and_the_last_one_counts
    starting_over_forgets
    an_enrolment_is_kept_unless_replacing_was_asked_for
    the_confirming_code_is_used_with_the_enrolment
    enrolling_the_same_secret_again_makes_no_used_code_good
    enrolling_again_lifts_what_was_disabled
    enrolling_again_gives_a_record_of_another_uid_a_new_owner
    what_was_used_stays_used_where_a_lost_record_is_replaced_and_the_enrolment_is_not
    unlocking_forgets_failures_and_keeps_what_was_used
    removed_means_gone
}

pub(super) fn on_files(promise: impl FnOnce(&CredentialFiles, &StateFiles) + Send + 'static) {
    in_world(|_| {
        fs::create_dir("/etc/twinlock").unwrap();
        let store = Store::at(&StoreSettings::default(), Path::new("/etc/twinlock/config.toml"));
        store.prepare(&mut Kernel).unwrap();
        promise(&store.credentials, &store.states);
    });
}

fn failed(failures: u32) -> Record {
    Record { throttle: Throttle { failures, ..Throttle::default() }, ..Record::new(&subject("alice")) }
}

const STEP: u64 = NOON / 30;

/// A code of alice, judged at noon.
fn judged(pending: &impl PendingFailure, code: &str) -> Judged {
    let now = UnixTime::from_seconds(NOON);
    let circumstances = Circumstances { now, from: None, network: None, client: None, audience: Audience::User };
    let response = Response::Code(SubmittedCode { code: Code::parse(code.as_bytes()).unwrap(), at: now });
    judge(pending, (&enrolment("alice"), &failed(0)), &response, &circumstances).unwrap()
}

fn what_is_written_is_read(credentials: &impl WriteCredentials, _: &impl StateStore) {
    credentials.replace(&subject("alice"), &enrolment("alice")).unwrap();
    let read = credentials.read(&subject("alice")).unwrap().unwrap();
    assert_eq!(*read.to_toml(), *enrolment("alice").to_toml());
    let bob = Subject { uid: 1002, ..subject("bob") };
    assert!(credentials.read(&bob).unwrap().is_none());
}

fn a_lane_reads_what_its_user_holds(credentials: &impl WriteCredentials, states: &impl StateStore) {
    let state = states.open_or_create(&subject("alice")).unwrap();
    assert!(state.enrolment(&subject("alice")).unwrap().is_none());
    credentials.replace(&subject("alice"), &enrolment("alice")).unwrap();
    let read = state.enrolment(&subject("alice")).unwrap().unwrap();
    assert_eq!(*read.to_toml(), *enrolment("alice").to_toml());
    let anew = Subject { uid: 2002, ..subject("alice") };
    assert!(matches!(
        state.enrolment(&anew).err().unwrap().kind,
        StoreErrorKind::OtherUid { stored: 1001, account: 2002 }
    ));
}

fn nobody_is_enrolled_in_an_empty_store(credentials: &impl ReadCredentials, states: &impl StateStore) {
    assert!(credentials.read(&subject("alice")).unwrap().is_none());
    assert!(states.open(&subject("alice")).unwrap().is_none());
}

fn a_record_without_credentials_is_not_the_same_as_no_enrolment(
    credentials: &impl WriteCredentials,
    states: &impl StateStore,
) {
    let alice = subject("alice");
    let mut state = states.open_or_create(&alice).unwrap();
    assert!(state.record().provisional);
    state.change(&Record { provisional: false, ..state.record().clone() }).unwrap();
    drop(state);
    let fault = credentials.read(&alice).err().unwrap().kind;
    assert!(matches!(fault, StoreErrorKind::StateWithoutCredentials { user, .. } if user == alice.name));
    assert!(credentials.read_ignoring_state(&alice).unwrap().is_none(), "for the enrolment that follows");
    assert!(credentials.read(&subject("bob")).unwrap().is_none(), "and for nobody else");
    enrolment::update_enrolment((credentials, states), &subject("bob"), |_, _| Ok(())).unwrap_err();
    assert!(states.open(&subject("bob")).unwrap().is_none(), "what changes nothing leaves no record");
    assert!(!admin::remove((credentials, states), &alice, UnixTime::default(), |_| Ok(())).unwrap());
    assert!(credentials.read(&alice).unwrap().is_none());
}

/// As after an enrolment that was interrupted before it had stored its credentials.
fn a_provisional_record_is_no_sign_of_an_enrolment(credentials: &impl WriteCredentials, states: &impl StateStore) {
    let alice = subject("alice");
    drop(states.open_or_create(&alice).unwrap());
    assert!(credentials.read(&alice).unwrap().is_none());
    enrolment::store((credentials, states), &alice, (&enrolment("alice"), None), IfEnrolled::Fail, UnixTime::default())
        .unwrap();
    assert!(!states.open(&alice).unwrap().unwrap().record().provisional, "the enrolment is finished");
    assert!(credentials.remove(&alice).unwrap());
    assert!(matches!(credentials.read(&alice).err().unwrap().kind, StoreErrorKind::StateWithoutCredentials { .. }));
}

fn replacing_leaves_nothing_of_the_old_one(credentials: &impl WriteCredentials, _: &impl StateStore) {
    credentials.replace(&subject("alice"), &enrolment("alice")).unwrap();
    let bare = Enrolment { recovery: None, ..enrolment("alice") };
    credentials.replace(&subject("alice"), &bare).unwrap();
    assert_eq!(*credentials.read(&subject("alice")).unwrap().unwrap().to_toml(), *bare.to_toml());
}

fn removing_says_whether_there_was_anything(credentials: &impl WriteCredentials, _: &impl StateStore) {
    credentials.replace(&subject("alice"), &enrolment("alice")).unwrap();
    assert!(credentials.remove(&subject("alice")).unwrap());
    assert!(!credentials.remove(&subject("alice")).unwrap());
    assert!(credentials.read(&subject("alice")).unwrap().is_none());
}

fn what_is_made_sure_of_is_as_it_was(credentials: &impl WriteCredentials, _: &impl StateStore) {
    credentials.ensure_durable(&subject("alice")).unwrap();
    assert!(credentials.read(&subject("alice")).unwrap().is_none());
    credentials.replace(&subject("alice"), &enrolment("alice")).unwrap();
    credentials.ensure_durable(&subject("alice")).unwrap();
    assert_eq!(*credentials.read(&subject("alice")).unwrap().unwrap().to_toml(), *enrolment("alice").to_toml());
}

fn another_uid_is_refused(credentials: &impl WriteCredentials, states: &impl StateStore) {
    credentials.replace(&subject("alice"), &enrolment("alice")).unwrap();
    drop(states.open_or_create(&subject("alice")).unwrap());
    let anew = Subject { uid: 2002, ..subject("alice") };
    let other = |fault: &StoreErrorKind| matches!(fault, StoreErrorKind::OtherUid { stored: 1001, account: 2002 });
    assert!(other(&credentials.read(&anew).err().unwrap().kind));
    assert!(other(&states.open(&anew).err().unwrap().kind));
}

fn a_record_is_made_once(_: &impl WriteCredentials, states: &impl StateStore) {
    states.open_or_create(&subject("alice")).unwrap().change(&failed(2)).unwrap();
    assert_eq!(*states.open_or_create(&subject("alice")).unwrap().record(), failed(2));
}

fn a_change_is_seen_by_the_next(_: &impl WriteCredentials, states: &impl StateStore) {
    let mut state = states.open_or_create(&subject("alice")).unwrap();
    state.change(&failed(1)).unwrap();
    assert_eq!(*state.record(), failed(1));
    drop(state);
    assert_eq!(*states.open(&subject("alice")).unwrap().unwrap().record(), failed(1));
}

fn a_charge_stands_until_it_is_committed(_: &impl WriteCredentials, states: &impl StateStore) {
    let state = states.open_or_create(&subject("alice")).unwrap();
    drop(state.record_failure(failed(1)).unwrap());
    let state = states.open(&subject("alice")).unwrap().unwrap();
    assert_eq!(*state.record(), failed(1));
    drop(state.record_failure(failed(2)).unwrap());
    assert_eq!(*states.open(&subject("alice")).unwrap().unwrap().record(), failed(2));
}

fn a_commit_takes_the_charge_back(_: &impl WriteCredentials, states: &impl StateStore) {
    let state = states.open_or_create(&subject("alice")).unwrap();
    let pending = state.record_failure(failed(1)).unwrap();
    let judged = judged(&pending, &phone(1).otp.code(STEP));
    let next = judged.state().clone();
    assert_eq!((next.throttle.failures, next.uses.len()), (0, 1));
    let committed = pending.commit(judged).unwrap();
    assert!(matches!(committed.verdict(), Verdict::Accept(_)) && *committed.state() == next);
    assert_eq!(*states.open(&subject("alice")).unwrap().unwrap().record(), next);
}

fn a_lane_that_is_dropped_changes_nothing(_: &impl WriteCredentials, states: &impl StateStore) {
    states.open_or_create(&subject("alice")).unwrap().change(&failed(1)).unwrap();
    drop(states.open(&subject("alice")).unwrap());
    assert_eq!(*states.open(&subject("alice")).unwrap().unwrap().record(), failed(1));
}

fn a_lane_is_one_at_a_time(_: &impl WriteCredentials, states: &impl StateStore) {
    let state = states.open_or_create(&subject("alice")).unwrap();
    assert!(matches!(states.open(&subject("alice")).err().unwrap().kind, StoreErrorKind::Busy(_)));
    let pending = state.record_failure(failed(1)).unwrap();
    assert!(matches!(states.open(&subject("alice")).err().unwrap().kind, StoreErrorKind::Busy(_)));
    let judged = judged(&pending, "000000");
    let _ = pending.commit(judged).unwrap();
    assert!(states.open(&subject("alice")).unwrap().is_some());
}

fn lanes_of_two_users_do_not_wait_for_each_other(_: &impl WriteCredentials, states: &impl StateStore) {
    let _alice = states.open_or_create(&subject("alice")).unwrap();
    assert!(states.open_or_create(&subject("bob")).is_ok());
}

fn many_changes_alternate_and_the_last_one_counts(_: &impl WriteCredentials, states: &impl StateStore) {
    let mut state = states.open_or_create(&subject("alice")).unwrap();
    for failures in 0..50 {
        state.change(&failed(failures)).unwrap();
    }
    drop(state);
    for failures in 50..100 {
        let state = states.open(&subject("alice")).unwrap().unwrap();
        assert_eq!(*state.record(), failed(failures - 1));
        let pending = state.record_failure(failed(failures)).unwrap();
        let judged = judged(&pending, "000000");
        let _ = pending.commit(judged).unwrap();
    }
    assert_eq!(*states.open(&subject("alice")).unwrap().unwrap().record(), failed(99));
}

fn starting_over_forgets(_: &impl WriteCredentials, states: &impl StateStore) {
    states.open_or_create(&subject("alice")).unwrap().change(&failed(9)).unwrap();
    assert_eq!(*states.reset(&subject("alice"), &failed(1)).unwrap().record(), failed(1));
}

fn an_enrolment_is_kept_unless_replacing_was_asked_for(credentials: &impl WriteCredentials, states: &impl StateStore) {
    let alice = subject("alice");
    let store = |existing| {
        enrolment::store((credentials, states), &alice, (&enrolment("alice"), None), existing, UnixTime::default())
    };
    store(IfEnrolled::Fail).unwrap();
    assert!(matches!(store(IfEnrolled::Fail), Err(EnrolError::AlreadyEnrolled)));
    store(IfEnrolled::Replace).unwrap();
}

fn the_confirming_code_is_used_with_the_enrolment(credentials: &impl WriteCredentials, states: &impl StateStore) {
    let alice = subject("alice");
    enrolment::store(
        (credentials, states),
        &alice,
        (&enrolment("alice"), Some(77)),
        IfEnrolled::Fail,
        UnixTime::default(),
    )
    .unwrap();
    assert_eq!(states.open(&alice).unwrap().unwrap().record().use_of(&id("phone")).unwrap().last_step, 77);
}

fn enrolling_the_same_secret_again_makes_no_used_code_good(
    credentials: &impl WriteCredentials,
    states: &impl StateStore,
) {
    let (old, now) = (enrolment("alice"), UnixTime::from_seconds(1_800_000_000));
    let stores = (credentials, states);
    enrolment::store(stores, &subject("alice"), (&old, Some(60_000_000)), IfEnrolled::Fail, now).unwrap();
    let mut new = old.clone();
    new.authenticators[0].id = id("another");
    enrolment::store(stores, &subject("alice"), (&new, None), IfEnrolled::Replace, now).unwrap();
    let state = states.open(&subject("alice")).unwrap().unwrap();
    let uses = state.record().uses.iter().map(|used| (used.id.clone(), used.last_step)).collect::<Vec<_>>();
    assert_eq!(uses, [(id("another"), 60_000_000)]);
}

fn enrolling_again_lifts_what_was_disabled(credentials: &impl WriteCredentials, states: &impl StateStore) {
    let alice = subject("alice");
    let throttle =
        Throttle { failures: 100, otp_failures: 100, recovery_failures: 9, spent: 30, ..Throttle::default() };
    states.open_or_create(&alice).unwrap().change(&Record { throttle, ..failed(0) }).unwrap();
    enrolment::store((credentials, states), &alice, (&enrolment("alice"), None), IfEnrolled::Fail, UnixTime::default())
        .unwrap();
    assert_eq!(states.open(&alice).unwrap().unwrap().record().throttle, Throttle { spent: 30, ..Throttle::default() });
}

fn enrolling_again_gives_a_record_of_another_uid_a_new_owner(
    credentials: &impl WriteCredentials,
    states: &impl StateStore,
) {
    let (alice, anew) = (subject("alice"), Subject { uid: 2002, ..subject("alice") });
    enrolment::store(
        (credentials, states),
        &alice,
        (&enrolment("alice"), Some(77)),
        IfEnrolled::Fail,
        UnixTime::default(),
    )
    .unwrap();
    let second = Enrolment { uid: Some(2002), ..enrolment("alice") };
    let keep = enrolment::store((credentials, states), &anew, (&second, None), IfEnrolled::Fail, UnixTime::default());
    assert!(matches!(keep, Err(EnrolError::Store(_))));
    enrolment::store((credentials, states), &anew, (&second, None), IfEnrolled::Replace, UnixTime::default()).unwrap();
    assert_eq!(credentials.read(&anew).unwrap().unwrap().uid, Some(2002));
    assert!(states.open(&anew).unwrap().unwrap().record().uses.is_empty());
}

/// Credentials that can be read, on a disk that is full.
struct Full<'a, C>(&'a C);

impl<C: ReadCredentials> ReadCredentials for Full<'_, C> {
    fn read(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        self.0.read(subject)
    }

    fn ensure_durable(&self, subject: &Subject) -> Result<(), StoreError> {
        self.0.ensure_durable(subject)
    }
}

impl<C: WriteCredentials> WriteCredentials for Full<'_, C> {
    fn read_any_uid(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        self.0.read_any_uid(subject)
    }

    fn replace(&self, _: &Subject, _: &Enrolment) -> Result<(), StoreError> {
        Err(full())
    }

    fn remove(&self, _: &Subject) -> Result<bool, StoreError> {
        Err(full())
    }
}

fn full() -> StoreError {
    StoreError { path: "full".into(), kind: StoreErrorKind::Write(ErrorKind::StorageFull.into()) }
}

fn what_was_used_stays_used_where_a_lost_record_is_replaced_and_the_enrolment_is_not(
    credentials: &impl WriteCredentials,
    states: &impl StateStore,
) {
    // Deployed credentials name no uid, and the record is another one's: as good as lost.
    let (alice, now) = (subject("alice"), UnixTime::from_seconds(3_000));
    credentials.replace(&alice, &Enrolment { uid: None, ..enrolment("alice") }).unwrap();
    let replaced = |alice: &Subject| {
        let new = (&enrolment("alice"), None);
        enrolment::store((&Full(credentials), states), alice, new, IfEnrolled::Replace, now).map(|()| true)
    };
    let removed = |alice: &Subject| admin::remove((&Full(credentials), states), alice, now, |_| Ok(()));
    for uid in [2002, 2003] {
        drop(states.reset(&alice, &Record::new(&alice)).unwrap());
        let anew = Subject { uid, ..alice.clone() };
        let outcome = if uid == 2002 { replaced(&anew) } else { removed(&anew) };
        assert!(matches!(outcome, Err(EnrolError::Store(_))));
        let state = states.open(&anew).unwrap().unwrap();
        let held = credentials.read(&anew).unwrap().unwrap();
        assert_eq!(state.record().replay_state(&id("phone")).last_step, Some(121));
        assert_eq!(state.record().recovery_codes_left(&held), 0);
    }
}

fn unlocking_forgets_failures_and_keeps_what_was_used(_: &impl WriteCredentials, states: &impl StateStore) {
    let alice = subject("alice");
    assert!(!admin::unlock(states, &alice, UnixTime::default()).unwrap());
    let mut locked = failed(100);
    locked.use_step(&id("phone"), 77, UnixTime::default());
    locked.spend(&set_id("set1"), 3);
    states.open_or_create(&alice).unwrap().change(&locked).unwrap();
    assert!(admin::unlock(states, &alice, UnixTime::default()).unwrap());
    let mut wanted = Record { throttle: Throttle::default(), ..locked };
    wanted.note_change(Change::Unlocked, UnixTime::default());
    assert_eq!(*states.open(&alice).unwrap().unwrap().record(), wanted);
}

fn removed_means_gone(credentials: &impl WriteCredentials, states: &impl StateStore) {
    let alice = subject("alice");
    enrolment::store(
        (credentials, states),
        &alice,
        (&enrolment("alice"), Some(77)),
        IfEnrolled::Fail,
        UnixTime::default(),
    )
    .unwrap();
    assert!(admin::remove((credentials, states), &alice, UnixTime::default(), |_| Ok(())).unwrap());
    assert!(credentials.read(&alice).unwrap().is_none() && states.open(&alice).unwrap().is_none());
    assert!(!admin::remove((credentials, states), &alice, UnixTime::default(), |_| Ok(())).unwrap());
}
