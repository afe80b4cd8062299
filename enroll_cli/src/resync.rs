//! `twinlock resync`: two consecutive codes set a clock or a counter right.

use std::path::Path;

use twinlock_service::lifecycle::{Done, Request};

use crate::{
    cli::User,
    desk::{Desk, out_of_place},
    failure::Failure,
    output::print,
    person::Person,
    terminal::Terminal,
};

pub(crate) fn run(config: &Path, arguments: &User) -> Result<(), Failure> {
    let desk = Desk::of(config, arguments.user.as_deref())?;
    let person = Person::at(|| Terminal::or_stdin("codes", "pipe the two codes into stdin, a line each"));
    let Done::Resynced = person.have_done(&desk, &Request::Resync)? else {
        return Err(out_of_place());
    };
    print("right: the authenticator is set right by these two codes\n")
}
