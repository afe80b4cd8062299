//! How many may hash recovery codes at once: two on a host, of which one is for logins alone.

use std::{sync::mpsc, thread};

use twinlock_store::ports::{Hashing, StateStore, StoreErrorKind};

use crate::contract::on_files;

#[test]
fn new_codes_never_keep_a_login_from_hashing() {
    on_files(|_, states| {
        let new_codes = states.hash_permit(Hashing::NewCodes).unwrap();
        let login = states.hash_permit(Hashing::Login).unwrap();
        let busy = states.hash_permit(Hashing::Login).unwrap_err();
        assert!(matches!(busy.kind, StoreErrorKind::Busy(patience) if patience == Hashing::Login.patience()), "{busy}");
        drop(login);
        let again = states.hash_permit(Hashing::Login).unwrap();
        drop((new_codes, again));
    });
}

#[test]
fn new_codes_wait_for_those_that_are_being_hashed() {
    on_files(|_, states| {
        let first = states.hash_permit(Hashing::NewCodes).unwrap();
        let (begun, begins) = mpsc::channel();
        thread::scope(|scope| {
            let second = scope.spawn(|| {
                begun.send(()).unwrap();
                states.hash_permit(Hashing::NewCodes).is_ok()
            });
            begins.recv().unwrap();
            drop(first);
            assert!(second.join().unwrap());
        });
        let [one, two] = [(), ()].map(|()| states.hash_permit(Hashing::Login).unwrap());
        drop((one, two));
    });
}
