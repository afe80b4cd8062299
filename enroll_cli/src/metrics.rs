//! `twinlock metrics`: numbers about accounts, findings and the configuration, in Prometheus' text format, for the text-file
//! collector of `node_exporter`. No names of users, because anyone on the network may scrape them.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use twinlock_hostcheck::doctor::{Scope, Severity, findings};
use twinlock_store::files::emergency_in_force;

use crate::{
    cli::Metrics,
    context::{CommandContext, root_alone},
    failure::Failure,
    messages::metrics as texts,
    output::print,
    report::{Totals, Whole},
};

/// A gauge: its name, what it is, and its samples, each with a label and without.
struct Gauge {
    name: &'static str,
    help: &'static str,
    samples: Vec<(Option<(&'static str, &'static str)>, usize)>,
}

pub(crate) fn run(config: &Path, arguments: &Metrics) -> Result<(), Failure> {
    root_alone()?;
    let (is_valid, gathered) = match CommandContext::load_with_text(config) {
        Ok((context, text)) => (true, gather(&context, config, &text)),
        Err(failure) => (false, Err(failure)),
    };
    let flag = |name, help, is_set: bool| Gauge { name, help, samples: vec![(None, usize::from(is_set))] };
    let version = Some(("version", env!("CARGO_PKG_VERSION")));
    let mut gauges = vec![
        Gauge { name: "twinlock_build_info", help: texts::BUILD_INFO, samples: vec![(version, 1)] },
        flag("twinlock_config_valid", texts::CONFIG_VALID, is_valid),
        flag("twinlock_emergency", texts::EMERGENCY, emergency_in_force().is_some()),
        flag("twinlock_gather_success", texts::GATHER_SUCCESS, gathered.is_ok()),
    ];
    let failed = match gathered {
        Ok(gathered) => {
            gauges.extend(gathered);
            Ok(())
        }
        Err(failure) => Err(failure),
    };
    let text: String = gauges.iter().map(Gauge::write).collect();
    match &arguments.output {
        Some(path) => replace(path, &text).map_err(|error| texts::not_written(path, &error))?,
        None => print(&text)?,
    }
    // The numbers say that something is wrong, and this says what.
    failed
}

fn gather(context: &CommandContext, config: &Path, text: &[u8]) -> Result<Vec<Gauge>, Failure> {
    let file = config.display().to_string();
    let totals = Whole::gather(context, (&file, text))?.totals;
    let found = findings(&context.installation(), &Scope::of_logins(None, None))?;
    let Totals { covered, pending, exempt, unprotected, .. } = totals;
    let by_coverage = [("covered", covered), ("pending", pending), ("exempt", exempt), ("unprotected", unprotected)];
    let severities = [Severity::Lockout, Severity::Open, Severity::Warning, Severity::Hint];
    let count = |severity| found.iter().filter(|finding| finding.severity == severity).count();
    let one = |name, help, number| Gauge { name, help, samples: vec![(None, number)] };
    Ok(vec![
        Gauge {
            name: "twinlock_accounts",
            help: texts::ACCOUNTS,
            samples: by_coverage.map(|(name, number)| (Some(("coverage", name)), number)).into(),
        },
        one("twinlock_accounts_enrolled", texts::ENROLLED, totals.enrolled),
        one("twinlock_accounts_step_up", texts::STEP_UP, totals.step_up),
        one("twinlock_accounts_disabled", texts::DISABLED, totals.disabled),
        one("twinlock_accounts_recovery_codes_low", texts::RECOVERY_CODES_LOW, totals.recovery_codes_low),
        one("twinlock_accounts_unreadable", texts::UNREADABLE, totals.unreadable),
        Gauge {
            name: "twinlock_doctor_findings",
            help: texts::FINDINGS,
            samples: severities.map(|severity| (Some(("severity", severity.name())), count(severity))).into(),
        },
    ])
}

impl Gauge {
    fn write(&self) -> String {
        let Self { name, help, samples } = self;
        let line = |(label, number): &(Option<(&str, &str)>, usize)| {
            let label = label.map(|(label, value)| format!("{{{label}=\"{value}\"}}")).unwrap_or_default();
            format!("{name}{label} {number}\n")
        };
        let samples: String = samples.iter().map(line).collect();
        format!("# HELP {name} {help}\n# TYPE {name} gauge\n{samples}")
    }
}

/// Puts a file with this text in the place of `path`, readable for everybody: at every moment the old one or the new one is
/// there, whole. The draft has a name of its own for each process, and one that `node_exporter` does not read.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let draft = MetricsDraft(draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft.0)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.sync_all()?;
    fs::rename(&draft.0, path)
}

/// Removed if it did not get its name.
struct MetricsDraft(PathBuf);

impl Drop for MetricsDraft {
    fn drop(&mut self) {
        // Usually it is not there any more.
        let _ = fs::remove_file(&self.0);
    }
}
