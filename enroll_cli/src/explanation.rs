//! Which rule decides a login, and what that login will look like: the answer of `twinlock explain`, of which `report`
//! and `metrics` take what they say about each account. Reads, and changes nothing.

use std::time::Duration;

use serde::{Serialize, Serializer};
use twinlock_core::{
    account::Subject,
    module_arguments::ModuleArgument,
    policy::{Decision, EmergencyInForce, Facts, FirstFactors, KeyType, Rule, SecondFactor, Source, is_sshd},
    record::Record,
    throttle::Mode,
    time::UnixTime,
};
use twinlock_hostcheck::{
    emergency::EmergencyStatus,
    forecast::{Codes, FactorStatus, Forecast, by_key_alone, login},
    messages::{self, Remembering},
    pam_files::{self, Line, Phase, has},
    parallel,
};
use twinlock_service::status::Listed;
use twinlock_store::{
    config::{DEFAULT_PATH, place_of},
    document::line_and_column,
    host::SystemGroups,
    ports::{ReadCredentials, StoreError},
};

use crate::{accounts::Accounts, context::CommandContext, failure::Failure};

/// The answer for one account. The names are those of `--json`, and stable.
#[derive(Serialize)]
pub(crate) struct Explained<'a> {
    pub(crate) user: String,
    pub(crate) service: &'a str,
    pub(crate) from: Option<&'a str>,
    pub(crate) key_type: Option<&'static str>,
    pub(crate) at: String,
    pub(crate) rule: Option<DecidingRule<'a>>,
    pub(crate) second_factor: &'static str,
    pub(crate) remember: Option<String>,
    pub(crate) doubt: Option<String>,
    pub(crate) enrolled: Option<bool>,
    #[serde(serialize_with = "by_name")]
    pub(crate) outcome: Forecast,
    pub(crate) key_alone: Option<&'static str>,
    pub(crate) notes: Vec<String>,
    /// What is said to people and not to programs.
    #[serde(skip)]
    pub(crate) told: Told,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn by_name<S: Serializer>(outcome: &Forecast, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(outcome.name())
}

/// The texts of an answer.
pub(crate) struct Told {
    /// What applies if no rule matches.
    pub(crate) otherwise: String,
    /// What the user meets.
    pub(crate) means: String,
    pub(crate) remembering: Option<String>,
    pub(crate) guard: Option<String>,
}

/// A rule, and where it is in the configuration.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DecidingRule<'a> {
    pub(crate) number: usize,
    pub(crate) name: Option<&'a str>,
    pub(crate) file: &'a str,
    pub(crate) line: usize,
    /// Its last day.
    pub(crate) until: Option<String>,
}

/// The logins in question: of any account, but by one service, from one place, with one key, at one time.
pub(crate) struct Logins<'a> {
    pub(crate) context: &'a CommandContext,
    /// The configuration: where it is, and its text.
    pub(crate) file: &'a str,
    pub(crate) text: &'a [u8],
    /// The PAM service, in lower case.
    pub(crate) service: &'a str,
    pub(crate) from: Option<&'a str>,
    pub(crate) key_type: Option<KeyType>,
    pub(crate) at: UnixTime,
    /// What applies instead of every rule, if it is to count.
    pub(crate) emergency: Option<EmergencyInForce>,
}

/// What the PAM file of the service has, read once for all accounts.
pub(crate) struct PamLines {
    ours: Vec<Line>,
    pub(crate) notes: Vec<String>,
}

impl PamLines {
    /// Whether the service asks for codes.
    pub(crate) fn ask(&self) -> bool {
        self.ours.iter().any(|line| line.phase == Phase::Auth)
    }

    /// Whether the PAM file asks, and has no guard.
    fn are_unguarded(&self) -> bool {
        !self.ours.is_empty() && self.ours.iter().all(|line| line.phase == Phase::Auth)
    }

    /// What applies under the words of the PAM file.
    fn restrict(&self, phase: Phase, policy: SecondFactor) -> SecondFactor {
        let nullok = self.ours.iter().any(|line| line.phase == phase && has(line, ModuleArgument::Nullok));
        if nullok { policy.nullok() } else { policy }
    }
}

/// The status of a user among others, as `list` has it.
fn factor_status(listed: &Listed) -> FactorStatus {
    if let Some(error) = &listed.error {
        return FactorStatus::Unreadable(error.clone());
    }
    let (Some(true), Some(throttle)) = (listed.enrolled, &listed.throttle) else {
        return FactorStatus::NotEnrolled;
    };
    let codes = match &*throttle.mode {
        _ if listed.authenticators.iter().all(|one| one.suspended) => Codes::Suspended,
        "step-up" => Codes::Two,
        "disabled" => Codes::Disabled,
        _ => Codes::One,
    };
    FactorStatus::Enrolled { codes, recovery_codes_left: listed.recovery_codes_left.unwrap_or(0) }
}

impl<'a> Logins<'a> {
    /// The answer for one account, `None` if there is no such account.
    pub(crate) fn explain(
        &self,
        pam: &PamLines,
        (user, subject): (&str, Option<&Subject>),
        (status, remembered): (&FactorStatus, usize),
    ) -> Result<Explained<'a>, Failure> {
        let decision =
            self.decide(subject, &self.key_type.map_or_else(FirstFactors::default, FirstFactors::with_key_of))?;
        let second_factor = pam.restrict(Phase::Auth, decision.second_factor);
        let outcome = login(second_factor, status);
        let mut notes = pam.notes.clone();
        if outcome == Forecast::Enrolls && pam.are_unguarded() {
            notes.push(messages::ENROLMENT_NOT_STORED.into());
        }
        let guard = self.guard(&decision, pam, (subject, status))?;
        let remembering = self.remembering(&decision, pam, remembered).filter(|_| outcome == Forecast::Asked);
        Ok(Explained {
            user: user.to_owned(),
            service: self.service,
            from: self.from.filter(|from| !from.is_empty()),
            key_type: self.key_type.map(KeyType::name),
            at: self.at.to_string(),
            rule: decision.rule.and_then(|rule| self.place(rule)),
            second_factor: decision.second_factor.name(),
            remember: decision.remember.map(spelled),
            doubt: decision.doubt.map(|doubt| doubt.to_string()),
            enrolled: status.enrolled(),
            outcome,
            key_alone: guard.as_ref().map(|(outcome, _)| outcome.name()),
            notes,
            told: Told {
                otherwise: self.otherwise(),
                means: messages::forecast(second_factor, status),
                remembering,
                guard: guard.map(|(_, told)| told),
            },
        })
    }

    /// The answer for each account, of which `rows` has the status.
    pub(crate) fn explain_all(
        &self,
        pam: &PamLines,
        accounts: &Accounts,
        rows: &[Listed],
    ) -> Result<Vec<Explained<'a>>, Failure> {
        let pairs: Vec<_> = accounts.subjects().zip(rows).collect();
        let one = |(subject, row): &(&Subject, &Listed)| {
            self.explain(pam, (&row.user, Some(subject)), (&factor_status(row), 0))
        };
        parallel::map(&pairs, one).into_iter().collect()
    }

    fn decide(&self, subject: Option<&Subject>, first_factors: &FirstFactors) -> Result<Decision<'a>, Failure> {
        if let Some(emergency) = self.emergency {
            return Ok(emergency.decision());
        }
        let facts = Facts {
            service: self.service,
            user: subject.map(|subject| &subject.name),
            source: &self.source(),
            first_factors,
            now: self.at,
        };
        let decision = self.context.config.policy.decide(&facts, &SystemGroups);
        decision.map_err(|undecided| Failure::refused(undecided.to_string()).hint(messages::UNDECIDED_HINT))
    }

    fn source(&self) -> Source {
        Source::from_rhost(self.from)
    }

    /// The rules that exempt some logins of an account, by network or key, although the account itself is not exempt.
    pub(crate) fn partial_exemptions(&self, subject: &Subject) -> Result<Vec<DecidingRule<'a>>, Failure> {
        let rules = self.context.config.policy.partial_exemptions(self.service, &subject.name, self.at, &SystemGroups);
        let rules =
            rules.map_err(|undecided| Failure::refused(undecided.to_string()).hint(messages::UNDECIDED_HINT))?;
        Ok(rules.into_iter().filter_map(|rule| self.place(rule)).collect())
    }

    /// The module's lines in the service's PAM file, and what users should know about them.
    pub(crate) fn pam_lines(&self) -> PamLines {
        let mut notes = Vec::new();
        let ours = self.our_lines(&mut notes);
        self.note_unverified_source(&mut notes);
        PamLines { ours, notes }
    }

    fn our_lines(&self, notes: &mut Vec<String>) -> Vec<Line> {
        let service = self.service;
        let ours = match pam_files::read_service(service) {
            Ok(Some(ours)) => ours,
            Ok(None) => {
                notes.push(messages::service_without_file(service));
                return Vec::new();
            }
            Err(error) => {
                notes.push(messages::service_not_read(service, &error));
                return Vec::new();
            }
        };
        if !ours.iter().any(|line| line.phase == Phase::Auth) {
            notes.push(messages::service_without_auth_line(service));
        }
        for line in &ours {
            if has(line, ModuleArgument::Nullok) {
                notes.push(messages::lets_unenrolled_pass(&line.place));
            }
            if pam_files::requires_key(line) && self.key_type.is_none() {
                notes.push(messages::denies_without_key(&line.place));
            }
            let read = pam_files::value(line, ModuleArgument::Config).unwrap_or(DEFAULT_PATH);
            if read != self.file {
                notes.push(messages::reads_other_config(&line.place, read, self.file));
            }
        }
        ours
    }

    /// Says of which rules the networks are not compared with the source that this service gives.
    fn note_unverified_source(&self, notes: &mut Vec<String>) {
        let Source::Address(address) = self.source() else {
            return;
        };
        for (number, rule) in (1..).zip(&self.context.config.policy.rules) {
            let means_service = rule.services.as_ref().is_none_or(|services| services.contain(self.service));
            if means_service && rule.from.is_some() && !rule.trusts_source_of(self.service) {
                notes.push(messages::source_not_compared(number, rule.title(), self.service, address));
            }
        }
    }

    /// The status of one account, and how many of its logins are remembered.
    pub(crate) fn status(&self, subject: Option<&Subject>) -> (FactorStatus, usize) {
        let Some(subject) = subject else {
            return (FactorStatus::Unknown, 0);
        };
        self.enrolled(subject).unwrap_or_else(|error| (FactorStatus::Unreadable(error.to_string()), 0))
    }

    fn enrolled(&self, subject: &Subject) -> Result<(FactorStatus, usize), StoreError> {
        let Some(enrolment) = self.context.store.credentials.read(subject)? else {
            return Ok((FactorStatus::NotEnrolled, 0));
        };
        let record = self.context.store.states.look(subject)?.unwrap_or_else(|| Record::new(subject));
        let codes = match record.throttle.mode(&self.context.config.limits(), self.at) {
            Mode::Normal | Mode::StepUp | Mode::Disabled if enrolment.active().next().is_none() => Codes::Suspended,
            Mode::Normal => Codes::One,
            Mode::StepUp => Codes::Two,
            Mode::Disabled => Codes::Disabled,
        };
        let remembered = record.remembered.as_ref().map_or(0, |logins| logins.current(self.at).count());
        let recovery_codes_left = record.recovery_codes_left(&enrolment);
        // Nobody is recognised while more than one code is wanted.
        let remembered = if codes == Codes::One { remembered } else { 0 };
        Ok((FactorStatus::Enrolled { codes, recovery_codes_left }, remembered))
    }

    /// What becomes of a login by key alone, of which sshd shows PAM no key, and which only the guard sees.
    fn guard(
        &self,
        decision: &Decision<'_>,
        pam: &PamLines,
        (subject, status): (Option<&Subject>, &FactorStatus),
    ) -> Result<Option<(Forecast, String)>, Failure> {
        if !is_sshd(self.service) {
            return Ok(None);
        }
        let unseen = self.decide(subject, &FirstFactors::default())?;
        if pam.are_unguarded() {
            return Ok(Some((Forecast::Passes, messages::GUARD_MISSING.to_owned())));
        }
        let outcome = by_key_alone(pam.restrict(Phase::Account, unseen.second_factor), status);
        let told = match outcome {
            Forecast::Passes => messages::GUARD_PASSES.to_owned(),
            Forecast::Asked | Forecast::Enrolls | Forecast::Refused => {
                messages::guard_denies(unseen.doubt, unseen.rule != decision.rule)
            }
        };
        Ok(Some((outcome, told)))
    }

    fn place(&self, rule: &'a Rule) -> Option<DecidingRule<'a>> {
        let before = self.context.config.policy.rules.iter().position(|known| known.offset == rule.offset)?;
        let (line, _) = line_and_column(self.text, rule.offset);
        let number = before.saturating_add(1);
        Some(DecidingRule { number, name: rule.name.as_deref(), file: self.file, line, until: rule.last_day() })
    }

    /// What applies if no rule matches, and its place.
    pub(crate) fn otherwise(&self) -> String {
        if let Some(end) = EmergencyStatus::of_host().end().filter(|_| self.emergency.is_some()) {
            return messages::emergency_decides(end);
        }
        let line = place_of(self.text, "second_factor").map(|offset| line_and_column(self.text, offset).0);
        messages::decides_otherwise(line.map(|line| (self.file, line)))
    }

    fn remembering(&self, decision: &Decision<'_>, pam: &PamLines, remembered: usize) -> Option<String> {
        let span = spelled(decision.remember?);
        let which = match (self.key_type, self.source().neighbourhood()) {
            _ if pam.ours.iter().any(|line| has(line, ModuleArgument::ForwardPass)) => Remembering::ForwardPass,
            (None, _) => Remembering::WithKey,
            (_, None) => Remembering::FromAddress,
            (_, Some(network)) => Remembering::From { network: network.to_string(), now: remembered },
        };
        Some(messages::remembering(&span, &which))
    }
}

fn spelled(span: Duration) -> String {
    humantime::format_duration(span).to_string()
}
