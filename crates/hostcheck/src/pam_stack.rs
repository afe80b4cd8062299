//! PAM files as libpam reads them: pam.conf(5), with what a file includes. Says what stands there; `pam_walk` says what comes
//! of it. Knows nothing of Twinlock, and is held to real libpam by the tests.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// What an application asks of libpam.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// `pam_authenticate(3)`: who it is.
    Auth,
    /// Whether the account may log in; where our guard is.
    Account,
    /// A new password.
    Password,
    /// What surrounds a session.
    Session,
}

/// A line of a file, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The whole path.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
}

/// What a module returned, by its number in `_pam_types.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReturnCode(pub u8);

/// What a line does with a return code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The code counts for nothing.
    Ignore,
    /// The code counts, unless an earlier one refuses.
    Ok,
    /// As `Ok`, and ends the stack.
    Done,
    /// The stack refuses in the end.
    Bad,
    /// As `Bad`, and ends the stack.
    Die,
    /// All codes before count for nothing.
    Reset,
    /// Past so many lines.
    Jump(usize),
}

/// What a line is for libpam.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineKind {
    /// It runs this module.
    Module {
        /// As it is written: a name or a whole path.
        name: String,
        /// In their order, without brackets.
        arguments: Vec<String>,
    },
    /// The lines behind it, one level deeper, are a stack of their own.
    Substack(String),
    /// It cannot be understood, and refuses.
    Broken,
}

/// A line of one phase of a service, with what was included put in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub place: Place,
    /// The line of the service's own file that brings it in, where it stands in another one.
    pub included_by: Option<Place>,
    /// The phase in which it runs.
    pub phase: Phase,
    /// As it is written, without brackets.
    pub control: String,
    /// What it is for libpam.
    pub kind: LineKind,
    /// How many substacks it is in.
    pub level: usize,
    actions: [Action; ReturnCode::COUNT],
}

/// The file of a service and all that it includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The file of the service itself.
    pub file: PathBuf,
    /// Of all phases, in their order.
    pub lines: Vec<Line>,
}

/// Where libpam looks for the file of a service, in this order.
pub const FOLDERS: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];
/// How deep libpam follows files that include files.
pub const DEEPEST: usize = 16;

/// The text of a file, if there is one.
pub type Text<'a> = dyn Fn(&Path) -> io::Result<Option<String>> + 'a;

impl Service {
    /// Reads a service of this host; `None` if it has no file.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn of_host(service: &str) -> io::Result<Option<Self>> {
        Self::read(service, &on_disk)
    }

    /// The same of a host whose files have these texts. libpam looks for the name in small letters.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read(service: &str, text: &Text<'_>) -> io::Result<Option<Self>> {
        let name = service.to_ascii_lowercase();
        let Some((file, _)) = find(&name, text)? else {
            return Ok(None);
        };
        let mut lines = Vec::new();
        load(&name, &ParseContext { only: None, depth: 0, level: 0, included_by: None }, text, &mut lines)?;
        Ok(Some(Self { file, lines }))
    }

    /// The lines of one phase, in their order.
    #[must_use]
    pub fn phase(&self, phase: Phase) -> Vec<&Line> {
        self.lines.iter().filter(|line| line.phase == phase).collect()
    }
}

impl Line {
    /// What it does with a code.
    #[must_use]
    pub fn action(&self, code: ReturnCode) -> Action {
        self.actions.get(usize::from(code.0)).copied().unwrap_or(Action::Bad)
    }

    /// The file name of its module; empty where it has none.
    #[must_use]
    pub fn module(&self) -> &str {
        match &self.kind {
            LineKind::Module { name, .. } => name.rsplit('/').next().unwrap_or(name),
            LineKind::Substack(_) | LineKind::Broken => "",
        }
    }

    /// The arguments of its module, in their order.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        match &self.kind {
            LineKind::Module { arguments, .. } => arguments,
            LineKind::Substack(_) | LineKind::Broken => &[],
        }
    }
}

impl ReturnCode {
    /// How many there are.
    pub const COUNT: usize = 32;
    /// `PAM_SUCCESS`.
    pub const SUCCESS: Self = Self(0);
    /// `PAM_PERM_DENIED`.
    pub const PERM_DENIED: Self = Self(6);
    /// `PAM_AUTH_ERR`.
    pub const AUTH_ERR: Self = Self(7);
    /// `PAM_NEW_AUTHTOK_REQD`.
    pub const NEW_AUTHTOK_REQD: Self = Self(12);
    /// `PAM_IGNORE`.
    pub const IGNORE: Self = Self(25);

    /// Every code, as a bracketed control spells it.
    pub const NAMES: [&'static str; Self::COUNT] = [
        "success",
        "open_err",
        "symbol_err",
        "service_err",
        "system_err",
        "buf_err",
        "perm_denied",
        "auth_err",
        "cred_insufficient",
        "authinfo_unavail",
        "user_unknown",
        "maxtries",
        "new_authtok_reqd",
        "acct_expired",
        "session_err",
        "cred_unavail",
        "cred_expired",
        "cred_err",
        "no_module_data",
        "conv_err",
        "authtok_err",
        "authtok_recover_err",
        "authtok_lock_busy",
        "authtok_disable_aging",
        "try_again",
        "ignore",
        "abort",
        "authtok_expired",
        "module_unknown",
        "bad_item",
        "conv_again",
        "incomplete",
    ];
}

impl Phase {
    /// As files spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Account => "account",
            Self::Password => "password",
            Self::Session => "session",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let all = [Self::Auth, Self::Account, Self::Password, Self::Session];
        all.into_iter().find(|phase| phase.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.file.display(), self.line)
    }
}

/// What holds for the file being read.
#[derive(Clone)]
struct ParseContext {
    /// The phase it is included for.
    only: Option<Phase>,
    depth: usize,
    level: usize,
    included_by: Option<Place>,
}

fn find(name: &str, text: &Text<'_>) -> io::Result<Option<(PathBuf, String)>> {
    for folder in FOLDERS {
        // A name that is a whole path stays one.
        let path = Path::new(folder).join(name);
        let read = |error: io::Error| io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()));
        if let Some(text) = text(&path).map_err(read)? {
            return Ok(Some((path, text)));
        }
    }
    Ok(None)
}

/// A file as it is on the disk; `None` if there is none.
///
/// # Errors
/// It cannot be read.
#[allow(clippy::disallowed_methods, reason = "where a file of PAM's or sshd's is a link, they follow it, too")]
pub fn on_disk(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Adds the lines of a file. False if libpam would not have it: it is not there, or too deep.
fn load(name: &str, context: &ParseContext, files: &Text<'_>, all: &mut Vec<Line>) -> io::Result<bool> {
    if context.depth >= DEEPEST {
        return Ok(false);
    }
    let Some((file, text)) = find(name, files)? else {
        return Ok(false);
    };
    for (line, words) in lines(&text) {
        let place = Place { file: file.clone(), line };
        add(&place, &words, context, files, all)?;
    }
    Ok(true)
}

fn add(
    place: &Place,
    words: &[String],
    context: &ParseContext,
    files: &Text<'_>,
    all: &mut Vec<Line>,
) -> io::Result<()> {
    let mut words = words.iter().map(String::as_str);
    let first = words.next().unwrap_or_default();
    let inner = |only, level| ParseContext {
        only,
        depth: context.depth.saturating_add(1),
        level,
        included_by: context.included_by.clone().or_else(|| Some(place.clone())),
    };
    let line = |phase, control: &str, kind, actions| Line {
        place: place.clone(),
        included_by: context.included_by.clone(),
        phase,
        control: control.to_owned(),
        kind,
        level: context.level,
        actions,
    };
    let bad = [Action::Bad; ReturnCode::COUNT];
    // Debian's own: all phases of a file, or the one that this file was included for.
    if first.eq_ignore_ascii_case("@include") {
        let target = words.next().unwrap_or_default();
        if !load(target, &inner(context.only, context.level), files, all)? {
            all.push(line(context.only.unwrap_or(Phase::Auth), first, LineKind::Broken, bad));
        }
        return Ok(());
    }
    let named = Phase::named(first.strip_prefix('-').unwrap_or(first));
    // What is no phase refuses: in the phase that the file was included for, else in the one that matters most.
    let phase = named.unwrap_or(context.only.unwrap_or(Phase::Auth));
    if context.only.is_some_and(|only| only != phase) {
        return Ok(());
    }
    let control = words.next().unwrap_or_default();
    let substack = control.eq_ignore_ascii_case("substack");
    if substack || control.eq_ignore_ascii_case("include") {
        let target = words.next().unwrap_or_default();
        if substack {
            all.push(line(phase, control, LineKind::Substack(target.to_owned()), bad));
        }
        let level = context.level.saturating_add(usize::from(substack));
        if !load(target, &inner(Some(phase), level), files, all)? {
            all.push(line(phase, control, LineKind::Broken, bad));
        }
        return Ok(());
    }
    let kind = match words.next().filter(|_| named.is_some()) {
        Some(name) => LineKind::Module { name: name.to_owned(), arguments: words.map(str::to_owned).collect() },
        None => LineKind::Broken,
    };
    all.push(line(phase, control, kind, actions(control)));
    Ok(())
}

fn actions(control: &str) -> [Action; ReturnCode::COUNT] {
    let (good, ignored, other) = match control.to_ascii_lowercase().as_str() {
        "required" => (Action::Ok, Action::Ignore, Action::Bad),
        "requisite" => (Action::Ok, Action::Ignore, Action::Die),
        "optional" => (Action::Ok, Action::Ignore, Action::Ignore),
        "sufficient" => (Action::Done, Action::Ignore, Action::Ignore),
        // Where a control is mistyped, all codes are bad.
        _ => return bracketed(control).unwrap_or([Action::Bad; ReturnCode::COUNT]),
    };
    let mut number = 0..;
    [other; ReturnCode::COUNT].map(|other| match number.next().map(ReturnCode) {
        Some(ReturnCode::SUCCESS | ReturnCode::NEW_AUTHTOK_REQD) => good,
        Some(ReturnCode::IGNORE) => ignored,
        _ => other,
    })
}

/// `success=ok default=die`: a later word wins, but `default` speaks only of what no word before it has named.
fn bracketed(control: &str) -> Option<[Action; ReturnCode::COUNT]> {
    let mut set = [None; ReturnCode::COUNT];
    let mut rest = control.trim_start();
    while !rest.is_empty() {
        let (number, after) = returned(rest)?;
        let (action, after) = acted(after.trim_start().strip_prefix('=')?.trim_start())?;
        match number {
            Some(number) => *set.get_mut(number)? = Some(action),
            None => set = set.map(|known| known.or(Some(action))),
        }
        rest = after.trim_start();
    }
    Some(set.map(|action| action.unwrap_or(Action::Bad)))
}

/// The code at the beginning of a word, `None` for `default`, and what is left.
fn returned(word: &str) -> Option<(Option<usize>, &str)> {
    let known =
        ReturnCode::NAMES.iter().enumerate().find_map(|(number, name)| Some((Some(number), word.strip_prefix(name)?)));
    known.or_else(|| Some((None, word.strip_prefix("default")?)))
}

/// The action at the beginning of a word, and what is left.
fn acted(word: &str) -> Option<(Action, &str)> {
    let named = [
        ("ignore", Action::Ignore),
        ("ok", Action::Ok),
        ("done", Action::Done),
        ("bad", Action::Bad),
        ("die", Action::Die),
        ("reset", Action::Reset),
    ];
    if let Some(found) = named.iter().find_map(|(name, action)| Some((*action, word.strip_prefix(name)?))) {
        return Some(found);
    }
    let end = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let (digits, after) = word.split_at_checked(end)?;
    let jump: usize = digits.parse().ok().filter(|jump| *jump > 0)?;
    Some((Action::Jump(jump), after))
}

/// The lines that say something, with the number at which each begins. A backslash at the end goes on in the next one.
#[must_use]
pub fn lines(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut all = Vec::new();
    let mut begun: Option<(usize, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let (at, before) = begun.take().unwrap_or((number, String::new()));
        let line = line.split('#').next().unwrap_or_default();
        match line.strip_suffix('\\') {
            Some(line) => begun = Some((at, before + line + " ")),
            None => all.push((at, words(&(before + line)))),
        }
    }
    all.extend(begun.map(|(at, line)| (at, words(&line))));
    all.retain(|(_, words)| !words.is_empty());
    all
}

/// Words between spaces; brackets hold words with spaces together, and `\]` stands for one in them.
fn words(line: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = if let Some(inside) = rest.strip_prefix('[') {
            in_brackets(inside)
        } else {
            let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            (word.to_owned(), after)
        };
        all.push(word);
        rest = after.trim_start();
    }
    all
}

/// What stands before the closing bracket, and what behind it.
fn in_brackets(inside: &str) -> (String, &str) {
    let mut word = String::new();
    let mut rest = inside.chars();
    while let Some(c) = rest.next() {
        match c {
            ']' => break,
            '\\' if rest.as_str().starts_with(']') => word.extend(rest.next()),
            c => word.push(c),
        }
    }
    (word, rest.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(files: &[(&str, &str)]) -> Service {
        let text = |path: &Path| {
            let file = files.iter().find(|(name, _)| Path::new("/etc/pam.d").join(name) == path);
            Ok(file.map(|(_, text)| (*text).to_owned()))
        };
        Service::read("SSHD", &text).unwrap().unwrap()
    }

    #[test]
    fn a_control_says_for_each_code_what_is_done() {
        let line = |control: &str| {
            service(&[("sshd", &format!("auth {control} m.so"))]).phase(Phase::Auth)[0].actions.map(|action| {
                match action {
                    Action::Ignore => 'i',
                    Action::Ok => 'o',
                    Action::Done => 'd',
                    Action::Bad => 'b',
                    Action::Die => 'x',
                    Action::Reset => 'r',
                    Action::Jump(number) => char::from_digit(number.try_into().unwrap(), 10).unwrap(),
                }
            })
        };
        let of = |control: &str| {
            let all = line(control);
            [ReturnCode::SUCCESS, ReturnCode::AUTH_ERR, ReturnCode::NEW_AUTHTOK_REQD, ReturnCode::IGNORE]
                .map(|code| all[usize::from(code.0)])
                .iter()
                .collect::<String>()
        };
        assert_eq!(of("REQUIRED"), "oboi");
        assert_eq!(of("requisite"), "oxoi");
        assert_eq!(of("sufficient"), "didi");
        assert_eq!(of("optional"), "oioi");
        assert_eq!(of("[success=2 default=ignore]"), "2iii");
        assert_eq!(of("[default=die success=ok]"), "oxxx");
        assert_eq!(of("[ success = ok   auth_err= reset ignore=done ]"), "orbd");
        assert_eq!(of("[success=0 default=ignore]"), "bbbb", "a jump of nothing is a mistake");
        assert_eq!(of("[success=ok nosuch=ok default=ignore]"), "bbbb");
        assert_eq!(of("mistyped"), "bbbb");
    }

    #[test]
    fn what_cannot_be_understood_refuses_where_it_matters() {
        let broken = service(&[("sshd", "auht required pam_permit.so\nauth\naccount include nosuch\n")]);
        let kinds: Vec<_> = broken.lines.iter().map(|line| (line.phase, line.kind == LineKind::Broken)).collect();
        assert_eq!(kinds, [(Phase::Auth, true), (Phase::Auth, true), (Phase::Account, true)]);
    }

    #[test]
    fn a_line_knows_where_it_stands_how_deep_and_by_which_line_it_came() {
        let text = "auth substack common\n@include more\nsession required s.so\n";
        let more = "auth [success=ok] a.so [one \\] word] two\n";
        let all = service(&[("sshd", text), ("common", "auth required c.so\nsession required x.so\n"), ("more", more)]);
        let told = all.lines.iter().map(|line| {
            let by = line.included_by.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{} {} {} {by} {}", line.place, line.level, line.module(), line.arguments().join("|"))
        });
        let told = told.collect::<Vec<_>>();
        assert_eq!(
            told,
            [
                "/etc/pam.d/sshd:1 0   ",
                "/etc/pam.d/common:1 1 c.so /etc/pam.d/sshd:1 ",
                "/etc/pam.d/more:1 0 a.so /etc/pam.d/sshd:2 one ] word|two",
                "/etc/pam.d/sshd:3 0 s.so  ",
            ]
        );
    }

    #[test]
    fn files_that_include_each_other_come_to_an_end() {
        let all = service(&[("sshd", "@include sshd\nauth required pam_permit.so\n")]);
        assert_eq!(all.lines.iter().filter(|line| line.module() == "pam_permit.so").count(), DEEPEST);
    }
}
