//! Flaws of `pam_usb` (P).

mod disk;
mod host;

use crate::row::{Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "P01",
        flaw: "Deleting a file of one's own switched the second factor off, where it is optional",
        trial: Trial::Everyone(disk::what_a_user_can_delete_switches_nothing_off),
    },
    Row {
        id: "P02",
        flaw: "Where the source of randomness failed, what was in memory became the secret",
        trial: Trial::Everyone(host::no_randomness_no_secret),
    },
    Row {
        id: "P03",
        flaw: "The time of a refusal told how much of a code was right",
        trial: Trial::Ours(host::the_time_tells_nothing_of_a_code),
    },
    Row {
        id: "P04",
        flaw: "A file was emptied before it was known whether the new content could be written: locked out for good",
        trial: Trial::Everyone(disk::a_write_that_fails_locks_nobody_out),
    },
    Row {
        id: "P05",
        flaw: "Two logins at the same moment overwrote each other's records, and used codes were let in again",
        trial: Trial::Everyone(disk::two_logins_are_both_on_record),
    },
    Row {
        id: "P06",
        flaw: "A temporary or lock file left by a login that died refused every later login",
        trial: Trial::Everyone(disk::what_a_dead_login_left_is_in_nobodys_way),
    },
    Row {
        id: "P07",
        flaw: "A folder that was swapped for a link while the store was made led root to write elsewhere",
        trial: Trial::Ours(disk::a_store_in_a_folder_of_others_is_refused),
    },
    Row {
        id: "P08",
        flaw: "Variables in the environment of the caller changed what was decided or opened",
        trial: Trial::Everyone(host::the_environment_changes_nothing),
    },
    Row {
        id: "P09",
        flaw: "Settings that are misspelt or in the wrong place were passed over, and protected nobody",
        trial: Trial::Everyone(host::a_misspelt_setting_is_not_passed_over),
    },
    Row {
        id: "P10",
        flaw: "To judge a login other processes were looked up in /proc, which hung, and let in when they had ended",
        trial: Trial::Everyone(host::no_other_process_is_looked_at),
    },
    Row {
        id: "P11",
        flaw: "A setting that was to stop an attack enabled it, and its test asked whether the setting was on",
        trial: Trial::Never("a rule for tests, which this page keeps: each row is the attack itself, on what is built"),
    },
    Row {
        id: "P12",
        flaw: "A helper program was run, named by the environment or through a shell, as root (CVE-2026-44709)",
        trial: Trial::Everyone(host::no_program_is_run),
    },
];
