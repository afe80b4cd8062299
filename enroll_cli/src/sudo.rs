//! `twinlock sudo` and `twinlock su`: enable the second factor for sudo or su, on trial, and disable it again.

use std::path::Path;

use twinlock_hostcheck::{sudo, trial::ChangedService};

use crate::{
    cli::Trial,
    context::{CommandContext, root_alone},
    failure::Failure,
    output::print_note,
    trial,
};

pub(crate) fn run(config: &Path, service: ChangedService, verb: &Trial) -> Result<(), Failure> {
    root_alone()?;
    // The way back asks nothing of a configuration that may be what went wrong.
    match verb {
        Trial::Plan => {
            let context = CommandContext::load(config)?;
            trial::plan(&context, sudo::propose(service, &print_note)?)
        }
        Trial::Enable(arguments) => {
            let context = CommandContext::load(config)?;
            trial::enable(&context, sudo::propose(service, &print_note)?, None, arguments)?;
            trial::watch(service, || ())
        }
        Trial::Confirm => trial::confirm(service, || ()),
        Trial::Status(arguments) => trial::status(service, arguments),
        Trial::Disable(arguments) => trial::disable(service, arguments),
        Trial::Expire(arguments) => trial::expire(service, arguments),
    }
}
