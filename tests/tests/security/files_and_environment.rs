//! Rows P: files that are deleted, half written or left behind, and the environment.

mod disk;
mod host;

use crate::row::{Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "P01",
        flaw: "Users could disable the second factor by deleting a file",
        origin: Some("pam_usb 275f0eb"),
        trial: Trial::Everyone(disk::what_a_user_can_delete_switches_nothing_off),
    },
    Row {
        id: "P02",
        flaw: "Failing randomness made uninitialised memory the secret",
        origin: Some("pam_usb 275f0eb"),
        trial: Trial::Everyone(host::no_randomness_no_secret),
    },
    Row {
        id: "P03",
        flaw: "Response times revealed correct digits",
        origin: Some("pam_usb 275f0eb"),
        trial: Trial::Ours(host::the_time_tells_nothing_of_a_code),
    },
    Row {
        id: "P04",
        flaw: "A failed write destroyed the file and locked the user out",
        origin: Some("pam_usb 57eeee5"),
        trial: Trial::Everyone(disk::a_write_that_fails_locks_nobody_out),
    },
    Row {
        id: "P05",
        flaw: "Simultaneous logins overwrote each other's state",
        origin: Some("pam_usb e9a5dae"),
        trial: Trial::Everyone(disk::two_logins_are_both_on_record),
    },
    Row {
        id: "P06",
        flaw: "Temporary or lock files of dead logins blocked later ones",
        origin: Some("pam_usb 987ba4b"),
        trial: Trial::Everyone(disk::what_a_dead_login_left_is_in_nobodys_way),
    },
    Row {
        id: "P07",
        flaw: "A folder swapped for a link redirected root's writes",
        origin: Some("pam_usb a8988a6"),
        trial: Trial::Ours(disk::a_store_in_a_folder_of_others_is_refused),
    },
    Row {
        id: "P08",
        flaw: "The caller's environment changed the decision",
        origin: Some("pam_usb 9b136ad"),
        trial: Trial::Everyone(host::the_environment_changes_nothing),
    },
    Row {
        id: "P09",
        flaw: "Misspelt or misplaced settings were ignored",
        origin: Some("pam_usb 206fe0b"),
        trial: Trial::Everyone(host::a_misspelt_setting_is_not_passed_over),
    },
    Row {
        id: "P10",
        flaw: "Looking up other processes in /proc hung or let users in",
        origin: Some("pam_usb 58313a4"),
        trial: Trial::Everyone(host::no_other_process_is_looked_at),
    },
    Row {
        id: "P11",
        flaw: "A test checked a setting instead of the attack",
        origin: Some("pam_usb bb0cbe4"),
        trial: Trial::Never("a rule for tests"),
    },
    Row {
        id: "P12",
        flaw: "Root ran a program that the environment named",
        origin: Some("CVE-2026-44709"),
        trial: Trial::Everyone(host::no_program_is_run),
    },
];
