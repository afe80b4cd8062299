//! `twinlock report`: for every account whether it needs a second factor, by which rule, until when, and what it has: the
//! evidence that an auditor asks for. Built on what `list` and `explain` know.

use std::path::Path;

use serde::Serialize;
use twinlock_core::ports::Clock;
use twinlock_hostcheck::{doctor::OUTSIDE, forecast::Forecast};
use twinlock_service::status::Listed;
use twinlock_store::host::{self, SystemClock};

use crate::{
    accounts::Accounts,
    cli::Report,
    context::CommandContext,
    csv,
    explanation::{DecidingRule, Explained, Logins, PamLines},
    failure::Failure,
    messages::{list, report as texts},
    output::{print, print_json, print_styled},
    table,
};

/// What protects the logins of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Coverage {
    /// Each login needs a code, or is denied.
    Covered,
    /// The account is not enrolled, and its next login enrols it with the first factor alone.
    Pending,
    /// No code is needed, by a rule or by `second_factor`.
    Exempt,
    /// No code is needed, because sshd's PAM file does not have the module.
    Unprotected,
}

/// The totals: how many accounts.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Totals {
    pub(crate) accounts: usize,
    pub(crate) covered: usize,
    pub(crate) pending: usize,
    pub(crate) exempt: usize,
    pub(crate) unprotected: usize,
    pub(crate) enrolled: usize,
    pub(crate) step_up: usize,
    pub(crate) disabled: usize,
    pub(crate) recovery_codes_low: usize,
    pub(crate) unreadable: usize,
}

/// The whole of it. The names are those of `--json`, and stable.
#[derive(Serialize)]
pub(crate) struct Whole<'a> {
    host: String,
    time: String,
    version: &'static str,
    config: &'a str,
    pub(crate) totals: Totals,
    notes: Vec<String>,
    accounts: Vec<Row<'a>>,
    #[serde(skip)]
    otherwise: String,
}

/// One account.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    listed: Listed,
    coverage: Coverage,
    second_factor: &'static str,
    rule: Option<DecidingRule<'a>>,
    doubt: Option<String>,
    exemptions: Vec<DecidingRule<'a>>,
}

pub(crate) fn run(config: &Path, arguments: &Report) -> Result<(), Failure> {
    let (context, text) = CommandContext::load_with_text(config)?;
    let file = std::path::absolute(config).unwrap_or_else(|_| config.to_owned()).display().to_string();
    let whole = Whole::gather(&context, (&file, &text))?;
    if arguments.json {
        print_json(&whole)?;
    } else if arguments.csv {
        print_styled(&csv::table(&texts::CSV_HEADINGS, whole.accounts.iter().map(|row| whole.fields(row))))?;
    } else {
        print(&whole.for_people())?;
    }
    match whole.totals.unreadable {
        0 => Ok(()),
        unread => Err(list::some_unreadable(unread, whole.accounts.len())),
    }
}

impl<'a> Whole<'a> {
    /// What applies now to logins over sshd from outside of this host.
    pub(crate) fn gather(context: &'a CommandContext, (file, text): (&'a str, &'a [u8])) -> Result<Self, Failure> {
        let now = SystemClock.now();
        let (service, from) = ("sshd", Some(OUTSIDE));
        let logins = Logins { context, file, text, service, from, key_type: None, at: now, emergency: None };
        let accounts = Accounts::find(context, None)?;
        let rows = accounts.read(context)?;
        let pam = logins.pam_lines();
        let explained = logins.explain_all(&pam, &accounts, &rows)?;
        let all = accounts.subjects().zip(rows).zip(explained);
        let rows = all.map(|((subject, listed), explained)| {
            let coverage = coverage(&pam, &explained);
            let Explained { second_factor, rule, doubt, .. } = explained;
            let exemptions =
                if coverage == Coverage::Covered { logins.partial_exemptions(subject)? } else { Vec::new() };
            Ok(Row { listed, coverage, second_factor, rule, doubt, exemptions })
        });
        let accounts = rows.collect::<Result<Vec<_>, Failure>>()?;
        Ok(Self {
            host: host::name(),
            time: now.to_string(),
            version: env!("CARGO_PKG_VERSION"),
            config: file,
            totals: totals(&accounts),
            notes: pam.notes,
            accounts,
            otherwise: logins.otherwise(),
        })
    }

    fn for_people(&self) -> String {
        let mut text = texts::heading(&self.host, &self.time, self.version, self.config, &self.totals);
        for note in &self.notes {
            text.push_str(&texts::format_note(note));
        }
        text.push('\n');
        text.push_str(&table::columns(texts::HEADINGS, self.accounts.iter().map(|row| self.cells(row))));
        text
    }

    /// The fields of a row for people.
    fn cells(&self, row: &Row<'_>) -> [String; 8] {
        let nothing = || "-".to_owned();
        let Row { listed, .. } = row;
        let recovery = listed.recovery_codes_left.filter(|_| listed.enrolled == Some(true));
        let status = match (&listed.error, &listed.throttle) {
            (Some(error), _) => list::unreadable(error),
            (None, _) if listed.enrolled == Some(false) => texts::NOT_ENROLLED.to_owned(),
            (None, throttle) => throttle.as_ref().map_or_else(nothing, |throttle| throttle.mode.clone().into_owned()),
        };
        let labels = table::labels(listed);
        [
            listed.user.clone(),
            row.coverage.name().to_owned(),
            row.rule.as_ref().and_then(|rule| rule.until.clone()).unwrap_or_else(nothing),
            if labels.is_empty() { nothing() } else { labels },
            listed.last_used.clone().unwrap_or_else(nothing),
            recovery.map_or_else(nothing, |left| left.to_string()),
            status,
            texts::rules(row.rule.as_ref(), &self.otherwise, &row.exemptions),
        ]
    }

    /// The fields of a row for spreadsheets.
    fn fields(&self, row: &Row<'_>) -> [String; 18] {
        let Row { listed, .. } = row;
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let yes_or_no = |value: Option<bool>| value.map(|value| value.to_string()).unwrap_or_default();
        let rule = row.rule.as_ref();
        let claimed = |from: &String| if listed.last_from_claimed { list::claimed(from) } else { from.clone() };
        let last_from = listed.last_from.as_ref().map(claimed).unwrap_or_default();
        [
            self.host.clone(),
            self.time.clone(),
            listed.user.clone(),
            listed.uid.to_string(),
            row.coverage.name().to_owned(),
            row.second_factor.to_owned(),
            rule.map(|rule| rule.number.to_string()).unwrap_or_default(),
            rule.and_then(|rule| rule.name).unwrap_or_default().to_owned(),
            rule.map(|rule| format!("{}:{}", rule.file, rule.line)).unwrap_or_default(),
            rule.and_then(|rule| rule.until.clone()).unwrap_or_default(),
            row.exemptions.iter().map(|rule| rule.number.to_string()).collect::<Vec<_>>().join(" "),
            yes_or_no(listed.enrolled),
            listed.throttle.as_ref().map(|throttle| throttle.mode.clone().into_owned()).unwrap_or_default(),
            table::labels(listed),
            text(&listed.last_used),
            last_from,
            listed.recovery_codes_left.map(|left| left.to_string()).unwrap_or_default(),
            text(&listed.error),
        ]
    }
}

impl Coverage {
    /// As people, JSON and metrics have it; stable.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::Pending => "pending",
            Self::Exempt => "exempt",
            Self::Unprotected => "unprotected",
        }
    }
}

fn coverage(pam: &PamLines, explained: &Explained<'_>) -> Coverage {
    match explained.outcome {
        _ if !pam.ask() => Coverage::Unprotected,
        Forecast::Passes => Coverage::Exempt,
        Forecast::Enrolls => Coverage::Pending,
        Forecast::Asked | Forecast::Refused => Coverage::Covered,
    }
}

/// The fewest recovery codes of which nobody is reminded.
const ENOUGH_RECOVERY_CODES: usize = 4;

fn totals(rows: &[Row<'_>]) -> Totals {
    let count = |counts: &dyn Fn(&Row<'_>) -> bool| rows.iter().filter(|row| counts(row)).count();
    let covered_as = |coverage| count(&|row| row.coverage == coverage);
    let enrolled = |row: &Row<'_>| row.listed.enrolled == Some(true);
    let mode = |row: &Row<'_>, mode| row.listed.throttle.as_ref().is_some_and(|throttle| throttle.mode == mode);
    Totals {
        accounts: rows.len(),
        covered: covered_as(Coverage::Covered),
        pending: covered_as(Coverage::Pending),
        exempt: covered_as(Coverage::Exempt),
        unprotected: covered_as(Coverage::Unprotected),
        enrolled: count(&enrolled),
        step_up: count(&|row| enrolled(row) && mode(row, "step-up")),
        disabled: count(&|row| enrolled(row) && mode(row, "disabled")),
        recovery_codes_low: count(&|row| {
            enrolled(row) && row.listed.recovery_codes_left.is_some_and(|left| left < ENOUGH_RECOVERY_CODES)
        }),
        unreadable: count(&|row| row.listed.error.is_some()),
    }
}
