//! Where the packages lie, and programs that look at them.

use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

/// Whether this machine has a tool; if not, says that the test is skipped for that.
pub(crate) fn has(tool: &str) -> bool {
    let found = std::env::var("PATH").unwrap().split(':').any(|folder| Path::new(folder).join(tool).exists());
    if !found {
        let line = format!("skipped: {}: there is no {tool}; see `make deps`\n", thread::current().name().unwrap());
        // Past the capture of the test runner, which hides what a passing test prints.
        stderr().write_all(line.as_bytes()).unwrap();
    }
    found
}

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// `target`, from `target/<profile>/deps/<test>`.
pub(crate) fn target() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned()
}

/// The only package whose name begins with `name` and an underscore or hyphen and a digit.
pub(crate) fn package(name: &str, ending: &str) -> PathBuf {
    let all = packages(&target().join("packages"), ending);
    let wanted = |path: &&PathBuf| {
        let file = path.file_name().unwrap().to_string_lossy();
        file.strip_prefix(name).is_some_and(|rest| rest.starts_with("_0") || rest.starts_with("-0"))
    };
    let found = all.iter().find(wanted);
    found.unwrap_or_else(|| panic!("no package {name} among {all:?}: run `make deb rpm`")).clone()
}

/// All packages of a folder.
pub(crate) fn packages(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}: run `make deb rpm`", folder.display()));
    let mut all: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|found| found == ending));
    all.sort();
    all
}

/// Runs a program in the repository.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(repository()).env("LC_ALL", "C.UTF-8");
    command.output().unwrap_or_else(|error| panic!("{program}: {error}: run `make deps`"))
}

/// What a program writes, both streams, when it must succeed.
pub(crate) fn text(program: &str, arguments: &[&str]) -> String {
    let output = run(program, arguments);
    let text = both(&output);
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
    text
}

/// Both streams of what a program wrote.
pub(crate) fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A folder that goes with its guard.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("twinlock-packages-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}
