//! Flaws of `duo_unix` (D).

mod broker;
mod policy;
mod traces;

use crate::row::{Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "D01",
        flaw: "A proxy named in the environment of the caller was asked whether the code is right (PSA-2017-002)",
        trial: Trial::Everyone(traces::no_proxy_is_asked),
    },
    Row {
        id: "D02",
        flaw: "The server that judges was believed without its certificate",
        trial: Trial::Never("there is no such server: codes are judged on the host itself"),
    },
    Row {
        id: "D03",
        flaw: "A configuration or store that cannot be read let everybody in",
        trial: Trial::Everyone(policy::what_cannot_be_read_lets_nobody_in),
    },
    Row {
        id: "D04",
        flaw: "A helper that was killed by a signal counted as one that said yes",
        trial: Trial::Ours(broker::a_killed_helper_says_no),
    },
    Row {
        id: "D05",
        flaw: "No answer, or an unknown one, of the service that judges counted as yes",
        trial: Trial::Ours(broker::only_yes_is_yes),
    },
    Row {
        id: "D06",
        flaw: "A group that could not be looked up was passed over, and its members were not asked",
        trial: Trial::Ours(policy::a_group_in_doubt_lets_nobody_pass),
    },
    Row {
        id: "D07",
        flaw: "Who somebody is was taken from the full name in the account, which users can change",
        trial: Trial::Everyone(policy::the_full_name_means_nothing),
    },
    Row {
        id: "D08",
        flaw: "Control characters of others went into the log or on the terminal as they were",
        trial: Trial::Everyone(traces::no_control_character_is_logged),
    },
    Row {
        id: "D09",
        flaw: "Codes were taken from the environment, and stayed in that of the session",
        trial: Trial::Everyone(traces::no_code_is_in_the_environment),
    },
    Row {
        id: "D10",
        flaw: "Groups of root were kept while files were read as the user, or the program was left as another user",
        trial: Trial::Everyone(traces::the_program_stays_who_it_is),
    },
    Row {
        id: "D11",
        flaw: "Secrets stayed in the memory of the program after the code was judged",
        trial: Trial::Everyone(traces::no_secret_stays_in_memory),
    },
    Row {
        id: "D12",
        flaw: "People who are exempt got in without the first factor, or not at all",
        trial: Trial::Ours(policy::who_is_exempt_gives_the_first_factor),
    },
    Row {
        id: "D13",
        flaw: "The report for the support had keys in it",
        trial: Trial::Ours(traces::no_report_has_a_secret),
    },
];
