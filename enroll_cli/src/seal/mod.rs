//! `twinlock seal`: from secrets in clear to sealed ones and back. The order of each change is what keeps every user able to
//! log in wherever it is killed; a second run finishes it. See the guide sealing.md.

mod key;
mod phrase;
mod status;

use std::path::Path;

use twinlock_core::sealed::KeyId;
use twinlock_hostcheck::seal as host;
use twinlock_store::{
    files::{HeldForm, SealingLock, Store},
    seal_mode::SealMode,
};

use crate::{
    cli::{Escrow, Seal, Users},
    context::{self, CommandContext},
    failure::Failure,
    messages::seal as messages,
    output::print_note,
};

pub(crate) fn run(config: &Path, verb: &Seal) -> Result<(), Failure> {
    host::keep_in_memory();
    if matches!(verb, Seal::Load) {
        // Neither the configuration nor the store decides whether keys are loaded.
        context::root_alone()?;
        return Ok(host::load_all().map(drop)?);
    }
    let context = CommandContext::load(config)?;
    if matches!(verb, Seal::Status) {
        return status::run(&context);
    }
    let lock = context.store.lock_sealing()?;
    let mode = context.store.seal_mode()?;
    let change = FormChange { context: &context, lock, mode };
    match verb {
        Seal::Enable(escrow) => change.enable(escrow),
        Seal::Rotate(escrow) => change.rotate(escrow),
        Seal::Import(users) => change.import(users),
        Seal::Recover => change.recover(),
        Seal::Disable => change.disable(),
        Seal::Status | Seal::Load => Ok(()),
    }
}

/// A change of the form, which no other command makes meanwhile.
struct FormChange<'c> {
    context: &'c CommandContext,
    lock: SealingLock,
    /// What was in force when it began.
    mode: SealMode,
}

impl FormChange<'_> {
    const fn store(&self) -> &Store {
        &self.context.store
    }

    fn enable(&self, escrow: &Escrow) -> Result<(), Failure> {
        match self.mode {
            SealMode::On(_) if self.is_finished()? => {
                print_note(messages::ON_ALREADY);
                return Ok(());
            }
            SealMode::On(_) => {}
            SealMode::Sealing(key) | SealMode::Unsealing(key) => {
                key::read(self.store(), key)?;
                self.store().set_seal_mode(&self.lock, SealMode::Sealing(key))?;
            }
            SealMode::Off => {
                let key = key::new(self.store(), &[])?;
                phrase::hand_over(&key, escrow.escrow.as_deref())?;
                self.store().set_seal_mode(&self.lock, SealMode::Sealing(key.id()))?;
            }
        }
        self.finish_sealing()
    }

    fn rotate(&self, escrow: &Escrow) -> Result<(), Failure> {
        let (SealMode::On(old) | SealMode::Sealing(old)) = self.mode else { return Err(messages::not_on(self.mode)) };
        if self.store().key_file().is_some() {
            return Err(messages::rotate_by_site());
        }
        key::read(self.store(), old)?;
        let forms = self.store().held_forms()?;
        if matches!(self.mode, SealMode::On(_)) {
            self.refuse_in_clear(&forms)?;
            // Otherwise the rotation before this one is to be finished.
            if forms.iter().all(|form| form.sealed == Some(old)) {
                let key = key::new(self.store(), &[old])?;
                phrase::hand_over(&key, escrow.escrow.as_deref())?;
                self.store().set_seal_mode(&self.lock, SealMode::Sealing(key.id()))?;
            }
        }
        self.finish_sealing()
    }

    fn import(&self, users: &Users) -> Result<(), Failure> {
        if self.mode.seals().is_none() {
            return Err(messages::not_on(self.mode));
        }
        for typed in &users.user {
            let user = context::user_name(typed)?;
            self.store().seal_clear(&self.lock, &user)?;
            self.context.audit_log().changed("sealed", user.as_str());
            print_note(&messages::imported(&user));
        }
        Ok(())
    }

    fn recover(&self) -> Result<(), Failure> {
        let Some(wanted) = self.mode.key() else { return Err(messages::not_on(self.mode)) };
        if let Some(path) = self.store().key_file() {
            return Err(messages::recover_by_site(&path));
        }
        let key = phrase::ask()?;
        let named: Vec<KeyId> = self.store().held_forms()?.iter().filter_map(|form| form.sealed).collect();
        if key.id() != wanted && !named.contains(&key.id()) {
            return Err(messages::other_phrase(key.id(), wanted));
        }
        key::install(self.store(), &key)?;
        print_note(&messages::recovered(key.id()));
        // Another key may still be missing: then logins of its users are refused, and nothing is lost.
        match self.mode {
            SealMode::Sealing(_) => self.finish_sealing(),
            SealMode::Off | SealMode::On(_) | SealMode::Unsealing(_) => Ok(()),
        }
    }

    fn disable(&self) -> Result<(), Failure> {
        let Some(key) = self.mode.key() else {
            key::remove_all()?;
            print_note(messages::OFF_ALREADY);
            return Ok(());
        };
        key::read(self.store(), key)?;
        self.store().set_seal_mode(&self.lock, SealMode::Unsealing(key))?;
        for form in self.store().held_forms()?.iter().filter(|form| form.sealed.is_some()) {
            self.store().unseal_user(&self.lock, &form.user)?;
        }
        // What waits sealed could not be opened any more.
        self.store().erase_drafts(&self.lock)?;
        if let Some(form) = self.store().held_forms()?.into_iter().find(|form| form.sealed.is_some()) {
            return Err(messages::still_sealed(&form.user));
        }
        self.store().set_seal_mode(&self.lock, SealMode::Off)?;
        self.context.audit_log().changed_for_all("unsealed", None);
        if self.store().key_file().is_none() {
            key::remove_all()?;
        }
        print_note(messages::OFF);
        Ok(())
    }

    /// Whether every user's secrets are sealed with the key in force.
    fn is_finished(&self) -> Result<bool, Failure> {
        let forms = self.store().held_forms()?;
        Ok(forms.iter().all(|form| !form.in_clear && form.sealed == self.mode.key()))
    }

    /// On a host where all was sealed, what is in clear was put there: only `import` may put it in force.
    fn refuse_in_clear(&self, forms: &[HeldForm]) -> Result<(), Failure> {
        let put_there = forms.iter().find(|form| form.in_clear && matches!(self.mode, SealMode::On(_)));
        put_there.map_or(Ok(()), |form| Err(messages::put_there(&form.user)))
    }

    /// Seals what is not, user by user, and says last that all is. Credentials that appear meanwhile are sealed by who writes
    /// them, because the mode is in force already.
    fn finish_sealing(&self) -> Result<(), Failure> {
        let mode = self.store().seal_mode()?;
        let Some(key) = mode.seals() else { return Err(messages::not_on(mode)) };
        key::read(self.store(), key)?;
        let forms = self.store().held_forms()?;
        self.refuse_in_clear(&forms)?;
        for form in forms.iter().filter(|form| form.in_clear || form.sealed != Some(key)) {
            self.store().seal_user(&self.lock, &form.user)?;
        }
        self.store().erase_drafts(&self.lock)?;
        let forms = self.store().held_forms()?;
        if let Some(form) = forms.iter().find(|form| form.in_clear || form.sealed != Some(key)) {
            return Err(messages::not_sealed(&form.user));
        }
        if self.store().key_file().is_none() {
            key::remove_others(key)?;
        }
        self.store().set_seal_mode(&self.lock, SealMode::On(key))?;
        self.context.audit_log().changed_for_all("sealed", None);
        print_note(&messages::sealed(forms.len(), key));
        Ok(())
    }
}
