//! `twinlock store init`: makes the store of a host, or takes one that is there for the host's.

use std::path::Path;

use twinlock_store::{files::Prepared, host::Kernel};

use crate::{
    cli::{StoreCommand, StoreInit},
    context::CommandContext,
    failure::Failure,
    layout,
    output::print_note,
};

pub(crate) fn run(config: &Path, verb: &StoreCommand) -> Result<(), Failure> {
    match verb {
        StoreCommand::Init(arguments) => init(config, arguments),
    }
}

fn init(config: &Path, arguments: &StoreInit) -> Result<(), Failure> {
    let context = CommandContext::load(config)?;
    if arguments.upgrade && !context.store.was_made_without_ids()? {
        return Ok(());
    }
    let accepted = if arguments.accept { Some(context.store.accept(&mut Kernel)?) } else { None };
    let prepared = layout::prepare(&context.store)?;
    layout::index_all(&context.store)?;
    let store = context.config.store.directory.display();
    print_note(&match accepted.unwrap_or(prepared) {
        Prepared::Already => format!("{store} is the store of this host; nothing was changed"),
        Prepared::Made => format!("{store} is the store of this host from now on"),
        Prepared::AcceptedStore => format!("{store} had no store-id; it was given the one of this host"),
        Prepared::AcceptedHost => format!("this host had no store-id; it was given the one of {store}"),
    });
    Ok(())
}
