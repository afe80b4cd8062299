//! `twinlock store`.

use std::path::Path;

use twinlock_store::files::Prepared;

/// What `store init` did; `store` is the folder of the store.
pub(crate) fn prepared(prepared: Prepared, store: &Path) -> String {
    let store = store.display();
    match prepared {
        Prepared::Already => format!("{store} is already the store of this host; nothing was changed"),
        Prepared::Made => format!("{store} is now the store of this host"),
        Prepared::AcceptedStore => format!("{store} had no store-id; wrote that of this host to {store}/store-id"),
        Prepared::AcceptedHost => format!("this host had no store-id; wrote that of {store} next to the configuration"),
    }
}
