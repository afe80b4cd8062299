//! `twinlock status`: the status of a user.

use std::path::Path;

use crate::{
    backend::CommandBackend,
    cli,
    failure::Failure,
    messages,
    output::{print, print_json},
};

pub(crate) fn run(config: &Path, arguments: &cli::StatusArguments) -> Result<(), Failure> {
    let status = CommandBackend::choose(config, arguments.user.as_deref())?.status()?;
    if arguments.json {
        print_json(&status)?;
    } else {
        print(&messages::status::described(&status))?;
    }
    if status.enrolled { Ok(()) } else { Err(Failure::not_enrolled_as_shown()) }
}
