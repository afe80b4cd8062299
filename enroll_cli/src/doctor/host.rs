//! The facts that the checks judge, gathered from the host: everything that is read or asked is read or asked here, and nothing
//! is changed.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs::{self, OpenOptions},
    io::{self, Read},
    num::NonZero,
    os::unix::fs::OpenOptionsExt,
    panic,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::SystemTime,
};

use nix::{
    fcntl::OFlag,
    sys::{
        statfs::{NFS_SUPER_MAGIC, statfs},
        statvfs::{FsFlags, statvfs},
    },
};
use twinlock_core::{
    account::UserName,
    config::Config,
    host::{
        SystemClock, SystemGroups,
        accounts::{self, Account, Members},
    },
    module_arguments::ModuleArgument,
    policy::{self, FirstFactors, Groups, SecondFactor, Source},
    ports::{Clock, StoreError},
    store::{self, Reading},
    time::UnixTime,
    wire::SOCKET,
};

use super::{
    clock::ClockState,
    conditions::{Whom, leads_past},
    module_file::{self, ModuleFile},
    questions::Answers,
    sshd_files::{Disk, Files},
    sshd_settings::{Settings, Sshd},
};
use crate::{
    failure::Failure,
    list,
    pam_files::{OURS, OurLine},
    pam_stack::{FOLDERS, Kind, Line, Phase, Service},
    scene::{Scene, no_account},
};

/// Which logins it is about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    /// One account instead of all.
    pub(crate) user: Option<String>,
    /// One address instead of somewhere outside.
    pub(crate) from: Option<String>,
}

/// All that is known.
pub(super) struct Facts {
    pub(super) config: Config,
    pub(super) now: UnixTime,
    pub(super) sshd: Option<SshdFacts>,
    pub(super) pam: PamFacts,
    pub(super) modules: Vec<ModuleFile>,
    pub(super) store: StoreFacts,
    pub(super) clock: ClockState,
    pub(super) people: Vec<Person>,
    pub(super) logins: Vec<Login>,
    /// Whether the question was about one login.
    pub(super) one_user: bool,
    pub(super) broker: Broker,
}

/// The server.
pub(super) struct SshdFacts {
    pub(super) complaint: Option<String>,
    pub(super) files: Files,
    pub(super) version: Option<(u32, u32)>,
    /// The configuration was changed after the server read it: this file.
    pub(super) changed_since: Option<PathBuf>,
    /// What holds for nobody in particular.
    pub(super) settings: Option<Settings>,
}

/// The stack of sshd.
pub(super) struct PamFacts {
    pub(super) service: String,
    pub(super) unreadable: Option<String>,
    pub(super) file: Option<Service>,
    pub(super) auth: Answers,
    pub(super) account: Answers,
    /// Files that nobody reads, because libpam looks for the name in small letters.
    pub(super) misspelled: Vec<PathBuf>,
    /// Whether the console asks for a code.
    pub(super) console_asks: bool,
}

/// The folders of secrets and state.
#[derive(Default)]
pub(super) struct StoreFacts {
    pub(super) faults: Vec<StoreError>,
    pub(super) read_only: bool,
    pub(super) network: bool,
    /// Free bytes and files; `None` if that is not known or not limited.
    pub(super) free_bytes: Option<u64>,
    pub(super) free_files: Option<u64>,
    pub(super) selinux_enforces: bool,
}

/// The socket of the broker.
pub(super) enum Broker {
    /// It is not set up, or all is well.
    Fine,
    /// Its unit is installed, and there is no socket.
    NotStarted,
    /// Users would not trust it.
    Fault(StoreError),
}

/// Somebody who may log in or is enrolled.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact")]
pub(super) struct Person {
    pub(super) name: UserName,
    pub(super) uid: u32,
    pub(super) may_log_in: bool,
    pub(super) enrolled: bool,
    pub(super) recovery_codes_left: Option<usize>,
    pub(super) admin: bool,
    /// What holds for a login of sshd from outside; `None` if it cannot be decided.
    pub(super) second_factor: Option<SecondFactor>,
    /// A program logs in: keys with a command of their own, or a shell for one purpose.
    pub(super) automation: Option<String>,
    /// PAM's own lines exempt the account from ours in both phases.
    pub(super) exempt_in_pam: bool,
}

/// A login that was asked about.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) from: String,
    pub(super) settings: Settings,
    pub(super) enrolled: bool,
    /// A code is wanted in the auth phase.
    pub(super) asked: bool,
    /// The guard refuses it where nobody was asked.
    pub(super) guarded: bool,
}

/// An address of nobody's (RFC 5737), for a login from outside.
pub(super) const OUTSIDE: &str = "203.0.113.1";
/// How many accounts sshd is asked about, which takes it some milliseconds each.
const MOST_ASKED: usize = 24;
const ADMIN_GROUPS: [&str; 3] = ["sudo", "wheel", "admin"];
const SHELLS_OF_PROGRAMS: [&str; 3] = ["git-shell", "rssh", "scponly"];

impl Facts {
    /// Gathers them.
    pub(super) fn of_host(scene: Scene, scope: &Scope) -> Result<Self, Failure> {
        let now = SystemClock.now();
        let server = Sshd::find();
        let mut sshd = server.as_ref().map(|server| SshdFacts::of(server, scope));
        let settings = sshd.as_ref().and_then(|sshd| sshd.settings.clone()).unwrap_or_default();
        let pam = PamFacts::of(settings.service());
        let mut store = StoreFacts::of(&scene);
        let mut people = people(&scene, &pam, &settings, now, &mut store)?;
        if let Some(user) = &scope.user {
            people.retain(|person| person.name.as_str() == user);
            if people.is_empty() {
                return Err(no_account(user));
            }
        }
        let logins = match (&server, &mut sshd) {
            (Some(server), Some(sshd)) if sshd.settings.is_some() => {
                logins(server, sshd, &scene, &pam, &people, scope, now)
            }
            _ => Vec::new(),
        };
        Ok(Self {
            config: scene.config,
            now,
            sshd,
            modules: pam.modules(),
            pam,
            store,
            clock: ClockState::of_host(),
            people,
            logins,
            one_user: scope.user.is_some(),
            broker: Broker::of_host(),
        })
    }

    /// The settings of sshd for nobody in particular.
    pub(super) fn settings(&self) -> Option<&Settings> {
        self.sshd.as_ref().and_then(|sshd| sshd.settings.as_ref())
    }

    /// The lines of a phase of sshd's stack.
    pub(super) fn stack(&self, phase: Phase) -> Vec<&Line> {
        self.pam.file.as_ref().map(|service| service.phase(phase)).unwrap_or_default()
    }

    /// Where something that is in force for a login was set.
    pub(super) fn place(&self, key: &str, login: &Login) -> Option<String> {
        let files = &self.sshd.as_ref()?.files;
        files.place_of(key, login.settings.of(key), &login.user, &login.from).map(ToString::to_string)
    }

    /// The same for nobody in particular.
    pub(super) fn global_place(&self, key: &str) -> Option<String> {
        let sshd = self.sshd.as_ref()?;
        sshd.files.place_of(key, sshd.settings.as_ref()?.of(key), "", OUTSIDE).map(ToString::to_string)
    }
}

impl SshdFacts {
    fn of(server: &Sshd, scope: &Scope) -> Self {
        let files = Files::read(&HostDisk);
        let complaint = server.complaint();
        // A server that does not start has no settings.
        let settings = match complaint {
            Some(_) => None,
            None => server.settings("nobody", scope.from.as_deref().unwrap_or(OUTSIDE)),
        };
        let changed_since = settings.as_ref().and_then(|settings| changed_since(&files, settings.of("pidfile")));
        Self { complaint, files, version: server.version(), changed_since, settings }
    }
}

/// sshd writes its pid whenever it has read its configuration.
#[allow(clippy::disallowed_methods, reason = "/run is root's")]
fn changed_since(files: &Files, pid_file: &str) -> Option<PathBuf> {
    let written = |path: &Path| fs::metadata(path).and_then(|known| known.modified()).ok();
    let read_at: SystemTime = written(Path::new(pid_file))?;
    let pid: u32 = fs::read_to_string(pid_file).ok()?.trim().parse().ok()?;
    let program = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    if !program.starts_with("sshd") {
        return None;
    }
    files.read.iter().find(|file| written(file).is_some_and(|changed| changed > read_at)).cloned()
}

impl PamFacts {
    fn of(service: &str) -> Self {
        let (file, unreadable) = match Service::of_host(service) {
            Ok(file) => (file, None),
            Err(error) => (None, Some(error.to_string())),
        };
        let answers = |phase| file.as_ref().map(|service| Answers::of(&service.phase(phase))).unwrap_or_default();
        let (auth, account) = (answers(Phase::Auth), answers(Phase::Account));
        let console = Service::of_host("login").ok().flatten();
        let console_asks =
            console.is_some_and(|service| service.phase(Phase::Auth).iter().any(|line| line.module() == OURS));
        Self {
            service: service.to_ascii_lowercase(),
            unreadable,
            auth,
            account,
            misspelled: misspelled(service),
            console_asks,
            file,
        }
    }

    fn lines(&self, phase: Phase) -> Vec<&Line> {
        self.file.as_ref().map(|service| service.phase(phase)).unwrap_or_default()
    }

    fn nullok(&self, phase: Phase) -> bool {
        self.lines(phase).into_iter().filter_map(OurLine::of).any(|line| line.has(ModuleArgument::Nullok))
    }

    /// Whether a condition of the stack leads an account past our line.
    fn exempts(&self, phase: Phase, answers: &Answers, whom: Whom<'_>) -> bool {
        let lines = self.lines(phase);
        answers.around.iter().filter_map(|at| lines.get(*at)).any(|line| leads_past(line, whom))
    }

    /// The files that our lines name.
    fn modules(&self) -> Vec<ModuleFile> {
        let lines = self.file.iter().flat_map(|service| &service.lines).filter(|line| line.module() == OURS);
        let names: BTreeSet<&str> = lines
            .filter_map(|line| match &line.kind {
                Kind::Module { name, .. } => Some(name.as_str()),
                Kind::Substack(_) | Kind::Broken => None,
            })
            .collect();
        names.into_iter().map(|name| ModuleFile::look(&module_file::path_of(name))).collect()
    }
}

/// Files of the service in another spelling.
fn misspelled(service: &str) -> Vec<PathBuf> {
    let read = service.to_ascii_lowercase();
    let entries = FOLDERS.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    let other = entries.filter(|entry| {
        entry.file_name().to_str().is_some_and(|name| name != read && name.eq_ignore_ascii_case(&read))
    });
    other.map(|entry| entry.path()).collect()
}

impl StoreFacts {
    fn of(scene: &Scene) -> Self {
        let root = &scene.config.store.directory;
        // The first that is wrong: what is below it cannot be judged.
        let fault = store::check_folder(root).err().or_else(|| scene.store.reading().err());
        let space = statvfs(root).ok();
        // Zero in all is what a file system without such a limit says.
        let free = |all: u64, left: u64| (all > 0).then_some(left);
        Self {
            faults: fault.into_iter().collect(),
            read_only: space.is_some_and(|space| space.flags().contains(FsFlags::ST_RDONLY)),
            network: statfs(root).is_ok_and(|known| known.filesystem_type() == NFS_SUPER_MAGIC),
            free_bytes: space
                .and_then(|space| free(space.blocks(), space.blocks_available().saturating_mul(space.fragment_size()))),
            free_files: space.and_then(|space| free(space.files(), space.files_available())),
            selinux_enforces: selinux_enforces(),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the kernel's own file")]
fn selinux_enforces() -> bool {
    fs::read_to_string("/sys/fs/selinux/enforce").is_ok_and(|text| text.trim() == "1")
}

impl Broker {
    fn of_host() -> Self {
        const UNITS: [&str; 3] = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
        let set_up = UNITS.iter().any(|folder| Path::new(folder).join("twinlockd.socket").exists());
        match store::check_socket(Path::new(SOCKET)) {
            Ok(()) => Self::Fine,
            Err(_) if !Path::new(SOCKET).exists() => {
                if set_up {
                    Self::NotStarted
                } else {
                    Self::Fine
                }
            }
            Err(error) => Self::Fault(error),
        }
    }
}

/// Everybody, with how they stand. Asking a directory for groups is waiting: all processors do it.
fn people(
    scene: &Scene,
    pam: &PamFacts,
    settings: &Settings,
    now: UnixTime,
    store: &mut StoreFacts,
) -> Result<Vec<Person>, Failure> {
    let files = scene.store.credentials.file_names().unwrap_or_default();
    let enrolled: HashSet<UserName> = files.iter().filter_map(|file| UserName::from_file_name(file).ok()).collect();
    let known = list::accounts(&enrolled, None)?;
    let looking = Looking {
        scene,
        pam,
        settings,
        now,
        reading: scene.store.reading().ok(),
        admins: ADMIN_GROUPS.iter().filter_map(|group| accounts::members(group).ok().flatten()).collect(),
        outside: Source::of(Some(OUTSIDE)),
        groups: RememberedGroups::default(),
    };
    let meant = |account: &&Account| account.may_log_in() || enrolled.contains(&account.subject.name);
    let meant: Vec<&Account> = known.values().filter(meant).collect();
    let one = |account: &&Account| looking.at(account, enrolled.contains(&account.subject.name));
    let share = meant.len().div_ceil(thread::available_parallelism().map_or(1, NonZero::get)).max(1);
    let found: Vec<(Person, Option<StoreError>)> = thread::scope(|scope| {
        let one = &one;
        let parts: Vec<_> = meant
            .chunks(share)
            .map(|part| scope.spawn(move || <[_]>::iter(part).map(one).collect::<Vec<_>>()))
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_else(|bug| panic::resume_unwind(bug))).collect()
    });
    let (people, faults): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    store.faults.extend(faults.into_iter().flatten());
    Ok(people)
}

/// What is needed to look at one account after the other.
struct Looking<'a> {
    scene: &'a Scene,
    pam: &'a PamFacts,
    settings: &'a Settings,
    now: UnixTime,
    reading: Option<Reading>,
    admins: Vec<Members>,
    outside: Source,
    groups: RememberedGroups,
}

impl Looking<'_> {
    fn at(&self, account: &Account, enrolled: bool) -> (Person, Option<StoreError>) {
        let Self { scene, pam, settings, now, reading, admins, outside, groups } = self;
        let name = &account.subject.name;
        let status = reading.as_ref().filter(|_| enrolled).map(|reading| scene.status_in(reading, &account.subject));
        let (recovery_codes_left, fault) = match status {
            Some(Ok(status)) => (Some(status.recovery_codes_left), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let second_factor = decide(scene, &pam.service, name, outside, *now, groups);
        let wanted = second_factor.is_some_and(|policy| policy >= SecondFactor::Enroll);
        let automation = if wanted { automation(account, settings) } else { None };
        let person = Person {
            name: name.clone(),
            uid: account.subject.uid,
            may_log_in: account.may_log_in(),
            enrolled,
            recovery_codes_left,
            admin: account.subject.uid == 0 || admins.iter().any(|group| group.contain(account)),
            second_factor,
            exempt_in_pam: Exempt::of(pam, name, account.subject.uid).both(),
            automation,
        };
        (person, fault)
    }
}

/// The group database, asked once for each group that a rule names.
#[derive(Default)]
struct RememberedGroups(Mutex<HashMap<String, bool>>);

impl Groups for RememberedGroups {
    fn of(&self, user: &UserName) -> io::Result<Vec<String>> {
        SystemGroups.of(user)
    }

    fn exists(&self, group: &str) -> io::Result<bool> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(exists) = known.get(group) {
            return Ok(*exists);
        }
        let exists = SystemGroups.exists(group)?;
        known.insert(group.to_owned(), exists);
        Ok(exists)
    }
}

fn decide(
    scene: &Scene,
    service: &str,
    user: &UserName,
    source: &Source,
    now: UnixTime,
    groups: &dyn Groups,
) -> Option<SecondFactor> {
    let first_factors = FirstFactors::default();
    let facts = policy::Facts { service, user: Some(user), source, first_factors: &first_factors, now };
    scene.config.policy.decide(&facts, groups).ok().map(|decision| decision.second_factor)
}

/// Which of our lines PAM's own conditions lead an account past.
struct Exempt {
    auth: bool,
    account: bool,
}

impl Exempt {
    fn of(pam: &PamFacts, name: &UserName, uid: u32) -> Self {
        if pam.auth.around.is_empty() && pam.account.around.is_empty() {
            return Self { auth: false, account: false };
        }
        let groups = SystemGroups.of(name).unwrap_or_default();
        let whom = Whom { user: name.as_str(), uid, groups: &groups };
        Self {
            auth: pam.exempts(Phase::Auth, &pam.auth, whom),
            account: pam.exempts(Phase::Account, &pam.account, whom),
        }
    }

    const fn both(&self) -> bool {
        self.auth && self.account
    }
}

/// Why somebody seems to be a program, if so.
fn automation(account: &Account, settings: &Settings) -> Option<String> {
    let shell = account.shell.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if SHELLS_OF_PROGRAMS.contains(&shell) {
        return Some(account.shell.display().to_string());
    }
    let files = match settings.of("authorizedkeysfile") {
        "" => ".ssh/authorized_keys",
        files => files,
    };
    files.split_whitespace().find_map(|file| {
        let home = account.home.to_str()?;
        let file = file.replace("%h", home).replace("%u", account.subject.name.as_str()).replace("%%", "%");
        let path = account.home.join(file);
        let text = text_of_users(&path)?;
        text.lines().any(has_command).then(|| path.display().to_string())
    })
}

/// Whether a line of `authorized_keys` names the one command of its key.
fn has_command(line: &str) -> bool {
    let line = line.trim_start();
    // Options stand before the key, whose types begin like this.
    let is_key = ["ssh-", "ecdsa-", "sk-", "#"].iter().any(|start| line.starts_with(start));
    !is_key && line.to_ascii_lowercase().contains("command=\"")
}

/// A file that a user can make: not a link, not a pipe that never ends, not too long.
fn text_of_users(path: &Path) -> Option<String> {
    const LONGEST: u64 = 256 * 1024;
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Asks sshd about whoever may be treated differently. Without a Match, that is nobody.
fn logins(
    server: &Sshd,
    sshd: &SshdFacts,
    scene: &Scene,
    pam: &PamFacts,
    people: &[Person],
    scope: &Scope,
    now: UnixTime,
) -> Vec<Login> {
    let differs = sshd.files.directives.iter().any(|directive| directive.key == "match");
    let addresses = match &scope.from {
        Some(from) => vec![from.clone()],
        None => [OUTSIDE.to_owned()]
            .into_iter()
            .chain(sshd.files.matched("address").iter().filter_map(|net| first_of(net)))
            .collect(),
    };
    let mut all = Vec::new();
    let asked = worth_asking(&sshd.files, scene, people);
    for (number, address) in addresses.iter().enumerate() {
        let source = Source::of(Some(address));
        // Where an address decides, two accounts show it.
        let count = if number == 0 { MOST_ASKED } else { 2 };
        for person in asked.iter().take(count) {
            let name = person.name.as_str();
            let settings = if differs { server.settings(name, address) } else { sshd.settings.clone() };
            let Some(settings) = settings else {
                continue;
            };
            let policy = decide(scene, &pam.service, &person.name, &source, now, &SystemGroups).unwrap_or_default();
            let exempt = Exempt::of(pam, &person.name, person.uid);
            let wanted = |phase| wants(if pam.nullok(phase) { policy.nullok() } else { policy }, person.enrolled);
            all.push(Login {
                user: name.to_owned(),
                from: address.clone(),
                settings,
                enrolled: person.enrolled,
                asked: wanted(Phase::Auth) && !exempt.auth,
                guarded: wanted(Phase::Account) && !exempt.account,
            });
        }
    }
    all
}

fn wants(policy: SecondFactor, enrolled: bool) -> bool {
    policy >= SecondFactor::Enroll || (policy == SecondFactor::Optional && enrolled)
}

/// Those for whom sshd or the rules may have something else: root, who is named somewhere, and of all others one who is
/// enrolled and one who is not.
fn worth_asking<'p>(files: &Files, scene: &Scene, people: &'p [Person]) -> Vec<&'p Person> {
    let rules = scene.config.policy.rules.iter().filter_map(|rule| rule.users.as_ref());
    let mut names: Vec<String> = rules.flat_map(|users| users.wanted.iter().chain(&users.unwanted).cloned()).collect();
    names.extend(files.matched("user"));
    for group in files.matched("group") {
        let members = accounts::members(&group).ok().flatten();
        names.extend(members.and_then(|members| members.names().next()).map(|name| name.to_string()));
    }
    for key in ["allowusers", "denyusers"] {
        names.extend(files.listed(key));
    }
    let is_named = |person: &&Person| names.iter().any(|name| name == person.name.as_str());
    let others = |enrolled: bool| people.iter().find(move |person| person.uid != 0 && person.enrolled == enrolled);
    let mut asked: Vec<&Person> = others(true).into_iter().chain(others(false)).collect();
    asked.extend(people.iter().filter(|person| person.uid == 0));
    asked.extend(people.iter().filter(is_named));
    let mut known = HashSet::new();
    asked.retain(|person| known.insert(person.name.as_str()));
    asked.truncate(MOST_ASKED);
    asked
}

/// An address of a network, or the address itself.
fn first_of(network: &str) -> Option<String> {
    let address = network.split('/').next()?;
    address.parse::<std::net::IpAddr>().ok().map(|address| address.to_string())
}

struct HostDisk;

impl Disk for HostDisk {
    #[allow(clippy::disallowed_methods, reason = "these are sshd's files: where one is a link, sshd follows it too")]
    fn text(&self, path: &Path) -> Option<String> {
        fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn names(&self, folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        names
    }
}
