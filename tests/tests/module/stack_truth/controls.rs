//! Every control value that makes sense for Twinlock's line, after every sound way to ask for the first factor.

use twinlock_tests::in_world;

use crate::stack_truth::ours::Ours;
use crate::stack_truth::stack::{AfterAWrongFirst, Stack};
use crate::stack_truth::table::Table;

/// Ways to ask for the first factor, and whether a wrong one still leads to Twinlock's line.
const FIRST: [(&str, AfterAWrongFirst); 3] = [
    ("auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n", AfterAWrongFirst::Ends),
    ("auth [success=ok default=die] pam_unix.so\n", AfterAWrongFirst::Ends),
    ("auth [success=ok default=bad] pam_unix.so\n", AfterAWrongFirst::Asks),
];

/// Twinlock's line and what has to follow it, and whether who it ignores gets in by the first factor.
///
/// `sufficient` protects nothing unless everything behind it refuses.
const OURS: [(&str, bool); 9] = [
    ("auth required pam_twinlock.so\nauth required pam_permit.so\n", true),
    ("auth requisite pam_twinlock.so\nauth required pam_permit.so\n", true),
    ("auth [success=ok ignore=ignore default=bad] pam_twinlock.so\nauth required pam_permit.so\n", true),
    ("auth [success=ok ignore=ignore default=die] pam_twinlock.so\nauth required pam_permit.so\n", true),
    (
        "auth [success=1 ignore=1 default=die] pam_twinlock.so\nauth requisite pam_deny.so\nauth required pam_permit.so\n",
        true,
    ),
    ("auth [success=ok default=die] pam_twinlock.so\nauth required pam_permit.so\n", false),
    ("auth [success=done default=bad] pam_twinlock.so\nauth required pam_permit.so\n", false),
    ("auth [success=1 default=bad] pam_twinlock.so\nauth requisite pam_deny.so\nauth required pam_permit.so\n", false),
    ("auth sufficient pam_twinlock.so\nauth required pam_deny.so\n", false),
];

/// The table of one way to ask for the first factor.
fn check((first, after_a_wrong_first): (&str, AfterAWrongFirst)) {
    in_world(|world| {
        let mut table = Table::new(world);
        for (ours, lets_ignored_pass) in OURS {
            let lines = format!("{first}{ours}");
            let stack = Stack { after_a_wrong_first, lets_ignored_pass, ..Stack::of_lines(&lines) };
            table.check(&stack, &Ours::EACH_CODE);
        }
        table.finish(1000);
    });
}

#[test]
fn after_a_jump_over_a_refusal_every_control_lets_in_exactly_who_gave_both() {
    check(FIRST[0]);
}

#[test]
fn after_a_first_factor_that_ends_the_stack_every_control_lets_in_exactly_who_gave_both() {
    check(FIRST[1]);
}

#[test]
fn after_a_first_factor_that_spoils_the_stack_every_control_lets_in_exactly_who_gave_both() {
    check(FIRST[2]);
}
