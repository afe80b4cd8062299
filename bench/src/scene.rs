//! The world as the bench has it: accounts, services, filled stores, and each person's state put back before a login.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use nix::unistd::sync;
use twinlock_tests::{Authenticator, Enrolled, PamCode, World, authenticate};

use crate::contender::{Contender, Given};
use crate::filling::{self, SCRATCH_CODE, Template};

/// Enrolled in the smallest store.
pub(crate) const ONE: usize = 1;
/// How many have accounts; the most that log in at once, on a store of their own.
pub(crate) const ACCOUNTS: usize = 64;
/// Enrolled on a large host.
pub(crate) const MANY: usize = 10_000;
/// The sizes of the stores.
pub(crate) const SIZES: [usize; 4] = [ONE, ACCOUNTS, MANY, 100_000];

/// Somebody enrolled. The first [`ACCOUNTS`] have accounts.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) uid: u32,
}

/// Everything that logins need.
pub(crate) struct Scene<'w> {
    pub(crate) world: &'w World,
    app: Authenticator,
    wrong_code: String,
    recovery_code: String,
    google_file: String,
    states: Vec<Vec<u8>>,
    oath_files: [(usize, String); 4],
    /// Those of all contenders whose module this host has.
    pub(crate) present: Vec<Contender>,
    serial: Mutex<u32>,
}

impl<'w> Scene<'w> {
    /// Makes accounts, services and stores.
    pub(crate) fn set(world: &'w World) -> Self {
        let people: Vec<_> = (0..SIZES[3]).map(person).collect();
        for person in &people[..ACCOUNTS] {
            world.account_with_uid(&person.name, person.uid);
        }
        world.install();
        let present: Vec<_> = Contender::ALL
            .into_iter()
            .filter(|contender| contender.module().is_none_or(|_| module_path(world, *contender).exists()))
            .collect();
        for enrolled in SIZES {
            for contender in &present {
                write_service(world, *contender, enrolled);
            }
        }

        let (enrolled, template) = enrol_one(world);
        let app = enrolled.authenticator;
        let scene = Self {
            world,
            wrong_code: app.wrong_code(),
            recovery_code: enrolled.recovery_codes[0].clone(),
            google_file: filling::google_file(&app),
            states: people[..ACCOUNTS].iter().map(|person| template.state_of(person)).collect(),
            oath_files: SIZES.map(|enrolled| (enrolled, oath_file(&app, &people, enrolled))),
            app,
            present,
            serial: Mutex::new(0),
        };
        for enrolled in SIZES {
            eprintln!("writing the stores of {enrolled}");
            scene.fill(&template, &people, enrolled);
        }
        sync();
        scene
    }

    fn fill(&self, template: &Template, people: &[Person], enrolled: usize) {
        let folder = |name: &str| {
            let path = Path::new("/var/lib").join(name);
            DirBuilder::new().recursive(true).mode(0o700).create(&path).expect("/var/lib is ours");
            path
        };
        let ours = Contender::Twinlock.store(enrolled);
        let (credentials, state) = (folder(&format!("{ours}/credentials")), folder(&format!("{ours}/state")));
        let google = folder(&Contender::GoogleAuthenticator.store(enrolled));
        let oath = folder(&Contender::Oath.store(enrolled));
        for person in &people[..enrolled] {
            let name = &person.name;
            put(&credentials.join(format!("{name}.toml")), template.credentials_of(person).as_bytes());
            put(&state.join(name), &template.state_of(person));
            put(&google.join(name), self.google_file.as_bytes());
        }
        put(&oath.join("users.oath"), self.oath_file(enrolled).as_bytes());
        for who in 0..ACCOUNTS {
            put(&floor_file(enrolled, who), &[0; 8192]);
        }
    }

    /// Puts the state of these people back to where everybody has logged in an hour ago, and on the disk.
    pub(crate) fn put_back(&self, contender: Contender, enrolled: usize, people: &[usize]) {
        let store = Path::new("/var/lib").join(contender.store(enrolled));
        for who in people {
            let name = person(*who).name;
            match contender {
                Contender::Twinlock => {
                    let file = OpenOptions::new().write(true).open(store.join("state").join(name)).expect("enrolled");
                    let put = file.write_all_at(&self.states[*who], 0).and_then(|()| file.sync_all());
                    put.expect("the disk takes it");
                }
                Contender::GoogleAuthenticator => put_durably(&store.join(name), self.google_file.as_bytes()),
                // Oath has one file for all; nothing is kept of the others.
                Contender::Floor | Contender::Oath | Contender::Libpam => {}
            }
        }
        if contender == Contender::Oath {
            put_durably(&store.join("users.oath"), self.oath_file(enrolled).as_bytes());
        }
    }

    /// What a worker is told to do.
    pub(crate) fn job(&self, contender: Contender, enrolled: usize, who: usize, given: Given) -> String {
        if contender == Contender::Floor {
            return format!("floor {}", floor_file(enrolled, who).display());
        }
        let answer = match (contender, given) {
            (_, Given::Code) => &self.code(),
            (_, Given::WrongCode) => &self.wrong_code,
            (Contender::GoogleAuthenticator, Given::RecoveryCode) => SCRATCH_CODE,
            (_, Given::RecoveryCode) => &self.recovery_code,
        };
        format!("login {} {} {answer}", contender.store(enrolled), person(who).name)
    }

    /// The code that opens everybody's account now.
    pub(crate) fn code(&self) -> String {
        self.app.code_at(self.app.now_step())
    }

    /// The configuration of a store of this size.
    pub(crate) fn configuration(&self, enrolled: usize) -> String {
        shipped_configuration(self.world, &Contender::Twinlock.store(enrolled))
    }

    /// The files of the modules that are measured.
    pub(crate) fn modules(&self) -> Vec<PathBuf> {
        let modules = self.present.iter().filter(|contender| contender.module().is_some());
        modules.map(|contender| self.module(*contender)).collect()
    }

    /// Where the contender's module is.
    pub(crate) fn module(&self, contender: Contender) -> PathBuf {
        module_path(self.world, contender)
    }

    /// A number given out once.
    pub(crate) fn serial(&self) -> u32 {
        let mut serial = self.serial.lock().expect("nobody panics while holding it");
        *serial += 1;
        *serial
    }

    fn oath_file(&self, enrolled: usize) -> &str {
        let found = self.oath_files.iter().find(|(size, _)| *size == enrolled);
        &found.expect("one of these sizes").1
    }
}

/// Names and numbers that are equally long for all.
pub(crate) fn person(who: usize) -> Person {
    Person { name: format!("person{who:05}"), uid: 100_000 + u32::try_from(who).expect("few people") }
}

fn module_path(world: &World, contender: Contender) -> PathBuf {
    world.module_path().with_file_name(contender.module().expect("not asked of the floor"))
}

fn floor_file(enrolled: usize, who: usize) -> PathBuf {
    Path::new("/var/lib").join(Contender::Twinlock.store(enrolled)).join(format!("state/.floor-{who:02}"))
}

fn write_service(world: &World, contender: Contender, enrolled: usize) {
    let store = contender.store(enrolled);
    let line = match contender {
        Contender::Floor => return,
        Contender::Twinlock => {
            world.write(configuration(enrolled), shipped_configuration(world, &store));
            format!("pam_twinlock.so config={}", configuration(enrolled))
        }
        Contender::GoogleAuthenticator => {
            format!("pam_google_authenticator.so secret=/var/lib/{store}/${{USER}} user=root")
        }
        Contender::Oath => format!("pam_oath.so usersfile=/var/lib/{store}/users.oath"),
        Contender::Libpam => "pam_permit.so".into(),
    };
    world.service(&store, &format!("auth required {line}\n"));
}

fn configuration(enrolled: usize) -> String {
    format!("/etc/twinlock/{enrolled}.toml")
}

/// The file as it is shipped, comments and all, with another store.
fn shipped_configuration(world: &World, store: &str) -> String {
    let shipped = world.repository().join("config/config.toml");
    let text = fs::read_to_string(&shipped).expect("config/config.toml is in the repository");
    let (default, ours) = ("#directory = \"/var/lib/twinlock\"", format!("directory = \"/var/lib/{store}\""));
    assert!(text.contains(default), "{} shows the default as {default}", shipped.display());
    text.replace(default, &ours)
}

/// Enrols the first person with the command, and logs in once.
fn enrol_one(world: &World) -> (Enrolled, Template) {
    let person = person(0);
    let enrolled = world.enrol_with(&person.name, &["--config", &configuration(ONE)]);
    let app = &enrolled.authenticator;
    let service = c_string(&Contender::Twinlock.store(ONE));
    // With the step before this one, so that the codes to come are of later steps. Where that is a step too old
    // already, it is once more tried.
    let logged_in = (0..2).any(|_| {
        let code = app.code_at(app.now_step() - 1);
        authenticate(&service, &c_string(&person.name), code.as_bytes()) == PamCode::Success
    });
    assert!(logged_in, "the person just enrolled cannot log in: {:?}", world.log());
    let store = Path::new("/var/lib").join(Contender::Twinlock.store(ONE));
    let credentials = store.join(format!("credentials/{}.toml", person.name));
    let credentials = fs::read_to_string(credentials).expect("where credentials are");
    let state = fs::read(store.join("state").join(&person.name)).expect("where states are");
    (enrolled, Template { credentials, state, person })
}

/// All lines, those with accounts spread over the file.
fn oath_file(app: &Authenticator, people: &[Person], enrolled: usize) -> String {
    let stride = (enrolled / ACCOUNTS).max(1);
    let (known, others) = people[..enrolled].split_at(ACCOUNTS.min(enrolled));
    let mut file = String::new();
    let mut others = others.iter();
    for person in known {
        file.extend(others.by_ref().take(stride - 1).map(|person| filling::oath_line(app, person)));
        file += &filling::oath_line(app, person);
    }
    file.extend(others.map(|person| filling::oath_line(app, person)));
    file
}

pub(crate) fn c_string(text: &str) -> std::ffi::CString {
    std::ffi::CString::new(text).expect("no NUL byte in a C string")
}

fn put(path: &Path, content: &[u8]) -> File {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = file.unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    file.write_all(content).expect("the disk takes it");
    file
}

fn put_durably(path: &Path, content: &[u8]) {
    put(path, content).sync_all().expect("the disk takes it");
}
