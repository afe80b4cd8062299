//! The real programs that an attack goes through, and their processes.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use twinlock_tests::{Authenticator, CONFIG, Launch, Sshd};

use crate::contender::{Contender, Scene};

impl Contender {
    /// As [`Contender::scene`], with the module in sshd too. Nobody is held up after a refusal, to save time.
    pub(crate) fn scene_with_sshd<T: Send>(self, attack: impl FnOnce(&Scene<'_>) -> T + Send) -> T {
        self.scene(|scene| {
            scene.world.write(CONFIG, "fail_delay = \"0s\"\n");
            scene.ask_for_the_code_alone("sshd");
            attack(scene)
        })
    }
}

impl Scene<'_> {
    /// A service whose stack asks for a code, and for nothing else.
    pub(crate) fn ask_for_the_code_alone(&self, service: &str) {
        let line = self.contender.line();
        let rest = "account required pam_permit.so\nsession required pam_permit.so\n";
        self.world.service(service, &format!("auth {line}\n{rest}"));
    }

    /// A server that asks for a key and a code, with these lines before all others.
    pub(crate) fn sshd(&self, lines: &str) -> Sshd<'_> {
        Sshd::new(self.world).config(lines)
    }

    /// What the module asks.
    pub(crate) fn prompt(&self) -> &'static str {
        match self.contender {
            Contender::Twinlock | Contender::GoogleAuthenticator => "Verification code: ",
            Contender::Oath => "One-time password (OATH) for `alice': ",
        }
    }

    /// `su` to alice, answered with this code.
    pub(crate) fn su(&self, environment: &[(&str, &str)], code: &str) -> Launch {
        self.ask_for_the_code_alone("su");
        self.world.write("/run/answer", format!("{code}\n"));
        let typed = ["sh", "-c", "exec \"$@\" </run/answer", "sh"];
        let launch = Launch::new(["su", "alice", "-c", "echo IN"]).under(typed);
        environment.iter().fold(launch, |launch, (name, value)| launch.environment(name, value))
    }
}

/// How many copies of somebody's secret a process has in its memory, as bytes, base32 or hexadecimal digits.
pub(crate) fn secrets_in_memory(pid: i32, app: &Authenticator) -> usize {
    assert!(found_in_memory(pid, b"/") > 0, "the memory was read");
    let secret = &app.secret;
    let forms = [secret.clone(), BASE32_NOPAD.encode(secret).into_bytes(), HEXLOWER.encode(secret).into_bytes()];
    forms.iter().map(|form| found_in_memory(pid, form)).sum()
}

/// How often these bytes are in the memory of the process.
fn found_in_memory(pid: i32, wanted: &[u8]) -> usize {
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let writable = maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw")));
    let ranges = writable.filter_map(|line| line.split(' ').next()?.split_once('-'));
    let number = |text| u64::from_str_radix(text, 16).unwrap();
    let count = |(start, end)| {
        let mut bytes = vec![0; usize::try_from(number(end) - number(start)).unwrap()];
        let read = memory.read_at(&mut bytes, number(start)).unwrap_or(0);
        bytes[..read].windows(wanted.len()).filter(|window| *window == wanted).count()
    };
    ranges.map(count).sum()
}

/// The processes of this world with such a name.
pub(crate) fn processes(is_meant: impl Fn(&str) -> bool) -> Vec<i32> {
    let here = fs::read_link("/proc/thread-self/ns/mnt").expect("the kernel shows it");
    let all = fs::read_dir("/proc").expect("it is mounted").flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_ours = |pid: &i32| {
        let of = |what: &str| Path::new("/proc").join(pid.to_string()).join(what);
        let called = fs::read_to_string(of("comm")).unwrap_or_default();
        is_meant(called.trim_end()) && fs::read_link(of("ns/mnt")).is_ok_and(|there| there == here)
    };
    numbers.filter(is_ours).collect()
}
