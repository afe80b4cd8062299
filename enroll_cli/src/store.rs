//! `twinlock store init`: makes the store of a host, or takes one that is there for the host's.

use std::path::Path;

use twinlock_store::host::Kernel;

use crate::{
    cli::{StoreCommand, StoreInit},
    context::CommandContext,
    failure::Failure,
    layout, messages,
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
    print_note(&messages::store::prepared(accepted.unwrap_or(prepared), &context.config.store.directory));
    Ok(())
}
