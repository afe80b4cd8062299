//! Stacks that do not protect, each with exactly what is wrong with it. Nothing that is shipped looks like these.

use twinlock_tests::{PamCode, in_world};

use crate::stack_truth::ours::Ours;
use crate::stack_truth::rule;
use crate::stack_truth::stack::Stack;
use crate::stack_truth::table::Table;

const PASSWORD: &str = "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n";

fn check(lines: &str, gets_in: impl Fn(PamCode, Ours) -> bool + Send) {
    in_world(|world| {
        let mut table = Table::new(world);
        table.check_who_gets_in(&Stack::of_lines(lines), gets_in);
        table.finish(250);
    });
}

/// A correct first factor is enough, whatever came of the second, unless libpam waits for its answer.
fn first_alone(first: PamCode, ours: Ours) -> bool {
    first == PamCode::Success && ours != Ours::AnswerLater
}

#[test]
fn optional_lets_in_by_the_password_alone() {
    let lines = format!("{PASSWORD}auth optional pam_twinlock.so\nauth required pam_permit.so\n");
    check(&lines, first_alone);
}

#[test]
fn sufficient_with_no_refusal_behind_it_lets_in_by_the_password_alone() {
    let lines = format!("{PASSWORD}auth sufficient pam_twinlock.so\nauth required pam_permit.so\n");
    check(&lines, first_alone);
}

#[test]
fn sufficient_before_the_password_lets_in_by_either() {
    let lines = format!("auth sufficient pam_twinlock.so\n{PASSWORD}auth required pam_permit.so\n");
    check(&lines, |first, ours| ours.code() == PamCode::Success || first_alone(first, ours));
}

#[test]
fn a_required_password_module_that_is_ignored_lets_in_by_the_code_alone() {
    let lines = "auth required pam_unix.so\nauth required pam_twinlock.so\n";
    check(lines, |first, ours| {
        let by_code = first == PamCode::Ignore && ours.code() == PamCode::Success;
        by_code || rule::authenticates(&Stack::of_lines(lines), first, ours)
    });
}

#[test]
fn a_sufficient_password_in_an_included_file_lets_in_by_the_password_alone() {
    // What `auth include system-auth` in front of Twinlock comes to: the code is never asked for.
    let lines = "auth sufficient pam_unix.so\nauth requisite pam_deny.so\nauth required pam_twinlock.so\n";
    check(lines, |first, _| first == PamCode::Success);
}
