//! Rows G: one-time codes under races, clocks and full disks; secret files; prompts and logs.

mod clock;
mod command;
mod disk;
mod files;
mod races;
mod shown;

use crate::row::{Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "G01",
        flaw: "One code was accepted in several simultaneous logins",
        origin: None,
        trial: Trial::Everyone(races::one_code_opens_one_login),
    },
    Row {
        id: "G02",
        flaw: "One recovery code was accepted in several simultaneous logins",
        origin: None,
        trial: Trial::Everyone(races::one_recovery_code_opens_one_login),
    },
    Row {
        id: "G03",
        flaw: "Automatic clock adjustment accepted codes that were hours old",
        origin: None,
        trial: Trial::Everyone(clock::stale_codes_stay_stale),
    },
    Row {
        id: "G04",
        flaw: "Setting the clock back cleared the count of guesses",
        origin: None,
        trial: Trial::Everyone(clock::a_clock_set_back_forgets_no_guess),
    },
    Row {
        id: "G05",
        flaw: "Setting the clock back made used codes valid again",
        origin: None,
        trial: Trial::Everyone(clock::a_clock_set_back_brings_no_code_back),
    },
    Row {
        id: "G06",
        flaw: "A pipe or device in place of the secret file blocked logins",
        origin: None,
        trial: Trial::Everyone(files::what_is_no_file_is_refused_at_once),
    },
    Row {
        id: "G07",
        flaw: "RLIMIT_FSIZE, set by the caller, killed the host program",
        origin: None,
        trial: Trial::Everyone(disk::a_host_that_may_not_write_lives),
    },
    Row {
        id: "G08",
        flaw: "Killed logins left files behind",
        origin: None,
        trial: Trial::Everyone(disk::killed_logins_leave_nothing),
    },
    Row {
        id: "G09",
        flaw: "On a read-only file system one code could be used repeatedly",
        origin: None,
        trial: Trial::Everyone(disk::nothing_opens_on_a_read_only_disk),
    },
    Row {
        id: "G10",
        flaw: "Remembered logins bypassed the throttle",
        origin: None,
        trial: Trial::Everyone(shown::a_remembered_login_is_throttled_too),
    },
    Row {
        id: "G11",
        flaw: "Prompts revealed who has no second factor",
        origin: Some("google-authenticator dd0cfc0"),
        trial: Trial::Everyone(shown::who_is_not_enrolled_is_asked_the_same),
    },
    Row {
        id: "G12",
        flaw: "An optional, missing second factor counted as success",
        origin: Some("google-authenticator 4f7d3b1"),
        trial: Trial::Everyone(shown::not_enrolled_is_no_success),
    },
    Row {
        id: "G13",
        flaw: "A full disk locked out everybody",
        origin: None,
        trial: Trial::Everyone(disk::a_full_disk_locks_nobody_out),
    },
    Row {
        id: "G14",
        flaw: "A secret file was replaced by one that was not on the disk yet",
        origin: None,
        trial: Trial::Everyone(disk::nothing_unsynced_replaces_a_secret),
    },
    Row {
        id: "G15",
        flaw: "The list of used codes was damaged after some logins",
        origin: Some("google-authenticator #26"),
        trial: Trial::Everyone(clock::used_codes_stay_used_login_after_login),
    },
    Row {
        id: "G16",
        flaw: "Secret files were readable by others",
        origin: Some("CVE-2012-6140"),
        trial: Trial::Everyone(files::secrets_are_roots_alone),
    },
    Row {
        id: "G17",
        flaw: "Links under predictable temporary names were followed",
        origin: Some("google-authenticator 3c31940"),
        trial: Trial::Everyone(files::planted_links_lead_nowhere),
    },
    Row {
        id: "G18",
        flaw: "Damaged secret files crashed the host program",
        origin: Some("google-authenticator 1724fe7"),
        trial: Trial::Everyone(files::damaged_files_crash_nothing),
    },
    Row {
        id: "G19",
        flaw: "New secrets were shorter than 160 bits (RFC 4226)",
        origin: Some("google-authenticator 016774b"),
        trial: Trial::Everyone(command::new_secrets_are_long_enough),
    },
    Row {
        id: "G20",
        flaw: "Showing the QR code sent the secret to a website",
        origin: Some("google-authenticator cc9750a"),
        trial: Trial::Everyone(command::enrolling_tells_nobody),
    },
    Row {
        id: "G21",
        flaw: "An empty or missing answer was prompted for again",
        origin: None,
        trial: Trial::Everyone(shown::one_prompt_an_attempt),
    },
    Row {
        id: "G22",
        flaw: "A missing user name crashed the host program",
        origin: Some("google-authenticator 19ee98f"),
        trial: Trial::Everyone(shown::a_user_name_that_is_missing_is_asked_for),
    },
    Row {
        id: "G23",
        flaw: "Debugging options logged codes or secrets",
        origin: None,
        trial: Trial::Everyone(shown::debugging_tells_no_secret),
    },
];
