//! `twinlock list`.

use std::path::Path;

use crate::failure::Failure;

pub(crate) fn run(config: &Path, arguments: &crate::cli::List) -> Result<(), Failure> {
    Err(Failure::refused(format!("not there yet: {} {arguments:?}", config.display())))
}
