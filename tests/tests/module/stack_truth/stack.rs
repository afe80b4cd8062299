//! Stacks to be tried: where their first factor is, and what the documentation promises of each.

use std::fs;

use twinlock_tests::{Family, FirstFactor, PamCode, World};

use crate::stack_truth::first::{self, CODES, KEYS};
use crate::stack_truth::ours::Ours;

/// Services under one name each, for libpam to load.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    /// For messages.
    pub(crate) name: String,
    /// Where it begins.
    pub(crate) service: String,
    /// Every file that it may include, and itself.
    pub(crate) files: Vec<(String, String)>,
    /// The module of the first factor. None where it is a key that sshd verifies.
    pub(crate) first: Option<&'static str>,
    pub(crate) after_a_wrong_first: AfterAWrongFirst,
    /// It has Twinlock's account line.
    pub(crate) has_guard: bool,
    /// Where Twinlock says `PAM_IGNORE`, the first factor decides. All that is shipped has it so.
    pub(crate) lets_ignored_pass: bool,
    /// The real user number of the program.
    pub(crate) asked_by: Asker,
}

/// The user that `pam_rootok.so` sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// As sshd and login run.
    Root,
    /// As su runs.
    Somebody,
}

/// How the auth phase goes on after a first factor that was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterAWrongFirst {
    /// It is over.
    Ends,
    /// Twinlock asks, in vain.
    Asks,
    /// The same: what ends a substack does not end what is behind it.
    LeavesSubstack,
}

/// All shipped stacks of a family, as a host has them that followed their comments.
pub(crate) fn shipped(world: &World, family: Family) -> Vec<Stack> {
    let mut all = Vec::new();
    for (variant, name) in [(FirstFactor::Key, "sshd.key-and-code"), (FirstFactor::Password, "sshd.password-and-code")]
    {
        world.ship(family, variant);
        let first = (variant == FirstFactor::Password).then_some("pam_unix.so");
        all.push(Stack { first, has_guard: true, ..Stack::of_host(&format!("{family:?} {name}"), "sshd") });
    }
    let names: &[&str] = match family {
        Family::Debian => &["sudo", "sudo-i", "su", "login"],
        Family::Rhel => &["sudo", "su", "login"],
    };
    for name in names {
        world.ship_service(family, name);
    }
    for name in ["sudo", "sudo-i", "su", "su-l", "login"] {
        all.push(Stack::of_host(&format!("{family:?} {name}"), name));
    }
    all
}

impl Stack {
    /// Reads `/etc/pam.d`. The first factor is a password, and there is no guard.
    fn of_host(name: &str, service: &str) -> Self {
        let entries = fs::read_dir("/etc/pam.d").unwrap().map(|entry| entry.unwrap());
        let files =
            entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()));
        Self {
            name: name.into(),
            service: service.into(),
            files: files.collect(),
            first: Some("pam_unix.so"),
            after_a_wrong_first: AfterAWrongFirst::Ends,
            has_guard: false,
            lets_ignored_pass: true,
            asked_by: if lets_root_pass(service) { Asker::Somebody } else { Asker::Root },
        }
    }

    /// These lines, with the guard and what ends the account phase well behind it.
    pub(crate) fn of_lines(lines: &str) -> Self {
        let account =
            "account required pam_twinlock.so\naccount required pam_unix.so\naccount required pam_permit.so\n";
        Self {
            name: lines.into(),
            service: "svc".into(),
            files: vec![("svc".into(), format!("{lines}{account}"))],
            first: Some("pam_unix.so"),
            after_a_wrong_first: AfterAWrongFirst::Ends,
            has_guard: true,
            lets_ignored_pass: true,
            asked_by: Asker::Root,
        }
    }

    /// The same with `pam_unix.so` out of its depth and SSSD asked in its place, if it has a line for SSSD.
    pub(crate) fn with_sssd(&self) -> Option<Self> {
        let of_service = self.files.iter().find(|(name, _)| *name == self.service).unwrap();
        let has_line = of_service.1.lines().any(|line| line.starts_with("-auth") && line.contains("pam_sss.so"));
        let replaced = self.map_files(|text| first::replace(text, "pam_unix.so", "user_unknown"));
        has_line.then(|| Self { name: format!("{} with SSSD", self.name), first: Some("pam_sss.so"), ..replaced })
    }

    /// The same with the substack switched on that its comments offer, if they do.
    pub(crate) fn with_substack(&self) -> Option<Self> {
        let in_place = [
            "auth       required                        pam_env",
            "auth       [success=2",
            "-auth      [success=1",
            "auth       requisite                       pam_deny",
        ];
        let changed = self.map_files(|text| {
            let on = text.replace("\n#auth       substack     ", "\nauth       substack     ");
            if on == text {
                return on;
            }
            in_place.iter().fold(on, |text, line| text.replace(&format!("\n{line}"), &format!("\n#{line}")))
        });
        let offers = self.first.is_some() && changed.files != self.files;
        let name = format!("{} with the substack", self.name);
        offers.then_some(Self { name, after_a_wrong_first: AfterAWrongFirst::LeavesSubstack, ..changed })
    }

    /// Writes it for each code of the first factor and each argument of ours, as services named by [`Stack::service_for`].
    pub(crate) fn install(&self, world: &World) {
        let mut wanted = vec![self.service.as_str()];
        let mut at = 0;
        while let Some(name) = wanted.get(at) {
            let text = &self.files.iter().find(|(known, _)| known == name).unwrap().1;
            let included = text.lines().filter_map(included_by);
            let new: Vec<_> = included.filter(|name| !wanted.contains(name)).collect();
            wanted.extend(new);
            at += 1;
        }
        let files: Vec<_> = self.files.iter().filter(|(name, _)| wanted.contains(&name.as_str())).collect();
        for (code, _) in self.codes() {
            for argument in ["", "nullok", "nullock"] {
                for (name, text) in &files {
                    self.install_file(world, (name, text), code, argument);
                }
            }
        }
    }

    fn install_file(&self, world: &World, (name, text): (&str, &str), code: &str, argument: &str) {
        let text = self.first.map_or_else(|| text.to_owned(), |module| first::replace(text, module, code));
        let text = text.replace("pam_twinlock.so", &format!("pam_twinlock.so {argument}"));
        // libpam looks for included files in /etc/pam.d whatever folder it was given, so these have names of their own.
        let lines = text.lines().map(|line| match included_by(line) {
            Some(file) => line.replace(file, &name_for(file, code, argument)) + "\n",
            None => format!("{line}\n"),
        });
        world.service(&name_for(name, code, argument), &lines.collect::<String>());
    }

    /// The service with this code of the first factor and the argument for this end of ours.
    pub(crate) fn service_for(&self, code: &str, ours: Ours) -> String {
        name_for(&self.service, code, ours.argument())
    }

    /// What may come of its first factor.
    pub(crate) fn codes(&self) -> &'static [(&'static str, PamCode)] {
        if self.first.is_some() { &CODES } else { &KEYS }
    }

    /// Whether it has a line of `pam_rootok.so`.
    pub(crate) fn lets_root_pass(&self) -> bool {
        lets_root_pass(&self.service)
    }

    fn map_files(&self, change: impl Fn(&str) -> String) -> Self {
        let files = self.files.iter().map(|(name, text)| (name.clone(), change(text))).collect();
        Self { files, ..self.clone() }
    }
}

/// The file that a line includes.
fn included_by(line: &str) -> Option<&str> {
    let words: Vec<_> = line.split_whitespace().collect();
    match words[..] {
        ["@include", file] | [_, "include" | "substack", file] if !line.starts_with('#') => Some(file),
        _ => None,
    }
}

fn name_for(file: &str, code: &str, argument: &str) -> String {
    format!("{file}.{code}.{argument}")
}

fn lets_root_pass(service: &str) -> bool {
    ["su", "su-l"].contains(&service)
}
