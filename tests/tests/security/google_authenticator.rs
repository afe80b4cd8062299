//! Flaws of google-authenticator-libpam (G).

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
        flaw: "One code opened several of the logins that gave it at the same moment",
        trial: Trial::Everyone(races::one_code_opens_one_login),
    },
    Row {
        id: "G02",
        flaw: "One recovery code opened several of the logins that gave it at the same moment",
        trial: Trial::Everyone(races::one_recovery_code_opens_one_login),
    },
    Row {
        id: "G03",
        flaw: "Codes that were hours old were let in, because the module adapts to a clock that is off",
        trial: Trial::Everyone(clock::stale_codes_stay_stale),
    },
    Row {
        id: "G04",
        flaw: "Setting the clock back made the module forget how often a code had been guessed",
        trial: Trial::Everyone(clock::a_clock_set_back_forgets_no_guess),
    },
    Row {
        id: "G05",
        flaw: "After the clock was set back, a used code was let in again",
        trial: Trial::Everyone(clock::a_clock_set_back_brings_no_code_back),
    },
    Row {
        id: "G06",
        flaw: "A pipe or device in the place of the secret file held logins up for ever",
        trial: Trial::Everyone(files::what_is_no_file_is_refused_at_once),
    },
    Row {
        id: "G07",
        flaw: "A limit on file sizes (RLIMIT_FSIZE), set by the caller, killed the program that asked for the code",
        trial: Trial::Everyone(disk::a_host_that_may_not_write_lives),
    },
    Row {
        id: "G08",
        flaw: "Logins that were killed left files behind, one each",
        trial: Trial::Everyone(disk::killed_logins_leave_nothing),
    },
    Row {
        id: "G09",
        flaw: "With the state on a read-only file system one code opened any number of logins",
        trial: Trial::Everyone(disk::nothing_opens_on_a_read_only_disk),
    },
    Row {
        id: "G10",
        flaw: "A login that is remembered was let in although the account was throttled",
        trial: Trial::Everyone(shown::a_remembered_login_is_throttled_too),
    },
    Row {
        id: "G11",
        flaw: "Which accounts have no second factor could be told from what is asked",
        trial: Trial::Everyone(shown::who_is_not_enrolled_is_asked_the_same),
    },
    Row {
        id: "G12",
        flaw: "Having no second factor where it is optional counted as having given one (on a line marked sufficient)",
        trial: Trial::Everyone(shown::not_enrolled_is_no_success),
    },
    Row {
        id: "G13",
        flaw: "A full disk locked everybody out, the administrator who would make room included",
        trial: Trial::Everyone(disk::a_full_disk_locks_nobody_out),
    },
    Row {
        id: "G14",
        flaw: "A login put a secret file in the place of the old one before it was on the disk: a power failure emptied it",
        trial: Trial::Everyone(disk::nothing_unsynced_replaces_a_secret),
    },
    Row {
        id: "G15",
        flaw: "The list of used codes was damaged after some logins, and used codes were let in again",
        trial: Trial::Everyone(clock::used_codes_stay_used_login_after_login),
    },
    Row {
        id: "G16",
        flaw: "Others could read the secrets: files written with the umask of the caller, or used though others can read them",
        trial: Trial::Everyone(files::secrets_are_roots_alone),
    },
    Row {
        id: "G17",
        flaw: "A temporary file with a name that can be guessed was followed where a link had been put in its place",
        trial: Trial::Everyone(files::planted_links_lead_nowhere),
    },
    Row {
        id: "G18",
        flaw: "A short, long or damaged secret file was read beyond its end, or crashed the program that asked",
        trial: Trial::Everyone(files::damaged_files_crash_nothing),
    },
    Row {
        id: "G19",
        flaw: "New secrets were shorter than the 160 bits that RFC 4226 recommends",
        trial: Trial::Everyone(command::new_secrets_are_long_enough),
    },
    Row {
        id: "G20",
        flaw: "To show the QR code, the secret was handed to a third party over the network",
        trial: Trial::Everyone(command::enrolling_tells_nobody),
    },
    Row {
        id: "G21",
        flaw: "No answer, or an empty one, was asked for a second time in the same attempt",
        trial: Trial::Everyone(shown::one_prompt_an_attempt),
    },
    Row {
        id: "G22",
        flaw: "A program that does not say whose login it is crashed, or served nobody",
        trial: Trial::Everyone(shown::a_user_name_that_is_missing_is_asked_for),
    },
    Row {
        id: "G23",
        flaw: "With debugging on, codes or secrets were logged or printed",
        trial: Trial::Everyone(shown::debugging_tells_no_secret),
    },
];
