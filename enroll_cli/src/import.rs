//! `twinlock import`.

use std::path::Path;

use crate::failure::Failure;

pub(crate) fn run(config: &Path, from: &crate::cli::Import) -> Result<(), Failure> {
    Err(Failure::refused(format!("not there yet: {} {from:?}", config.display())))
}
