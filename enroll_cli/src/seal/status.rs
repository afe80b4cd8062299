//! `twinlock seal status`: what is in force, and what it really protects.

use twinlock_core::sealed::KeyId;
use twinlock_hostcheck::seal as host;
use twinlock_store::files::{self, HeldForm};

use crate::{context::CommandContext, failure::Failure, messages::seal as messages, output::print};

pub(super) fn run(context: &CommandContext) -> Result<(), Failure> {
    let store = &context.store;
    let mode = store.seal_mode()?;
    let forms = store.held_forms()?;
    let mut text = messages::mode(mode);
    if let Some(key) = mode.key() {
        let site = store.key_file();
        text += &match files::read_key(key, site.as_deref()) {
            Ok(_) => messages::key_is_there(key),
            Err(error) => messages::key_is_missing(&error),
        };
        if site.is_none() {
            text += &match host::protection_of(key) {
                Ok(protection) => messages::protection(protection),
                Err(error) => messages::no_blob(&error),
            };
            if !host::is_unit_enabled() {
                text += messages::UNIT_NOT_ENABLED;
            }
        }
    }
    text += &messages::held(&forms);
    for form in &forms {
        text += &describe(form, mode.key());
    }
    print(&text)
}

/// What is to be said of one user, if anything is.
fn describe(form: &HeldForm, key: Option<KeyId>) -> String {
    match (form.in_clear, form.sealed) {
        (true, Some(_)) => messages::in_both_forms(&form.user),
        (true, None) if key.is_some() => messages::in_clear(&form.user),
        (false, Some(sealed)) if Some(sealed) != key => messages::with_another_key(&form.user, sealed),
        (true | false, None) | (false, Some(_)) => String::new(),
    }
}
