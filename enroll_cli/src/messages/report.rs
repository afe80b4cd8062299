//! `twinlock report`.

use super::count;
use crate::{explanation::DecidingRule, report::Totals};

/// The headings of the table.
pub(crate) const HEADINGS: [&str; 8] =
    ["USER", "COVERAGE", "UNTIL", "DEVICES", "LAST USED", "RECOVERY", "STATUS", "RULE"];

/// The headings of the CSV; stable.
pub(crate) const CSV_HEADINGS: [&str; 18] = [
    "host",
    "time",
    "user",
    "uid",
    "coverage",
    "second_factor",
    "rule_number",
    "rule_name",
    "rule_place",
    "until",
    "exemptions",
    "enrolled",
    "throttle",
    "devices",
    "last_used",
    "last_from",
    "recovery_codes_left",
    "error",
];

/// In the column `STATUS`: the account has no second factor.
pub(crate) const NOT_ENROLLED: &str = "not enrolled";

/// What stands above the table.
pub(crate) fn heading(host: &str, time: &str, version: &str, config: &str, totals: &Totals) -> String {
    let Totals { covered, pending, exempt, unprotected, enrolled, step_up, disabled, recovery_codes_low, .. } = totals;
    let accounts = count(totals.accounts, "account that may log in", "accounts that may log in");
    format!(
        "host:     {host}\ntime:     {time}\nversion:  twinlock {version}\npolicy:   {config}\n\
         logins:   through sshd from another host, with no key that sshd reports\n\
         totals:   {accounts}: {covered} covered, {pending} pending, {exempt} exempt, {unprotected} unprotected\n\
         users:    {enrolled} enrolled, {step_up} in step-up, {disabled} disabled, {recovery_codes_low} with fewer than 4 \
         recovery codes\n"
    )
}

/// What the PAM file means for all of it.
pub(crate) fn format_note(note: &str) -> String {
    format!("note:     {note}\n")
}

/// In the column `RULE`: the rule that decides, else what does, and the rules that exempt some logins.
pub(crate) fn rules(rule: Option<&DecidingRule<'_>>, otherwise: &str, exemptions: &[DecidingRule<'_>]) -> String {
    let place = |rule: &DecidingRule<'_>| {
        let name = rule.name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
        format!("{}{name}, {}:{}", rule.number, rule.file, rule.line)
    };
    let decides = rule.map_or_else(|| otherwise.to_owned(), place);
    match exemptions {
        [] => decides,
        rules => {
            let rules = rules.iter().map(place).collect::<Vec<_>>().join("; ");
            format!("{decides}; some logins exempt by {rules}")
        }
    }
}
