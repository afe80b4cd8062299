//! Rows D: an unreachable service, groups, environments, and what a login leaves behind.

mod broker;
mod policy;
mod traces;

use crate::row::{Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "D01",
        flaw: "A proxy from the environment was asked to verify the code",
        origin: Some("PSA-2017-002"),
        trial: Trial::Everyone(traces::no_proxy_is_asked),
    },
    Row {
        id: "D02",
        flaw: "A server without a certificate was trusted",
        origin: Some("duo_unix d81b985"),
        trial: Trial::Never("codes are verified on the host"),
    },
    Row {
        id: "D03",
        flaw: "An unreadable configuration or store let everybody in",
        origin: Some("duo_unix 47edee0"),
        trial: Trial::Everyone(policy::what_cannot_be_read_lets_nobody_in),
    },
    Row {
        id: "D04",
        flaw: "A helper killed by a signal counted as success",
        origin: Some("duo_unix 52e52a7"),
        trial: Trial::Ours(broker::a_killed_helper_says_no),
    },
    Row {
        id: "D05",
        flaw: "A missing or unknown reply counted as success",
        origin: Some("duo_unix 8eacded"),
        trial: Trial::Ours(broker::only_yes_is_yes),
    },
    Row {
        id: "D06",
        flaw: "Groups that could not be read exempted their members",
        origin: Some("duo_unix c06ab97"),
        trial: Trial::Ours(policy::a_group_in_doubt_lets_nobody_pass),
    },
    Row {
        id: "D07",
        flaw: "Identity was taken from the full name, which users can change",
        origin: Some("duo_unix 451c94c"),
        trial: Trial::Everyone(policy::the_full_name_means_nothing),
    },
    Row {
        id: "D08",
        flaw: "Control characters reached the log or terminal",
        origin: Some("duo_unix 3454bc2"),
        trial: Trial::Everyone(traces::no_control_character_is_logged),
    },
    Row {
        id: "D09",
        flaw: "Codes stayed in the session's environment",
        origin: Some("duo_unix 0028a34"),
        trial: Trial::Everyone(traces::no_code_is_in_the_environment),
    },
    Row {
        id: "D10",
        flaw: "Root's groups were kept, or the user id was not restored",
        origin: Some("duo_unix d3e5261"),
        trial: Trial::Everyone(traces::the_program_stays_who_it_is),
    },
    Row {
        id: "D11",
        flaw: "Secrets stayed in memory after verification",
        origin: Some("duo_unix d3de3e9"),
        trial: Trial::Everyone(traces::no_secret_stays_in_memory),
    },
    Row {
        id: "D12",
        flaw: "Exempt users skipped the first factor, or could not log in",
        origin: Some("duo_unix 3eb3e35"),
        trial: Trial::Ours(policy::who_is_exempt_gives_the_first_factor),
    },
    Row {
        id: "D13",
        flaw: "Support reports contained keys",
        origin: Some("duo_unix 7a83668"),
        trial: Trial::Ours(traces::no_report_has_a_secret),
    },
];
