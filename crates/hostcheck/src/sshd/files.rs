//! Where in sshd's configuration something stands: the lines in the order in which sshd reads them, with what they include.
//! What is in force sshd itself says (`settings`); this finds the place of it, and the users that the file names.

use std::path::{Path, PathBuf};

use super::{patterns::is_match, settings::known_as};
use crate::pam_stack::Place;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directive {
    pub(crate) place: Place,
    /// In small letters.
    pub(crate) key: String,
    pub(crate) value: String,
    /// The conditions of the `Match` it belongs to.
    pub(crate) condition: Option<String>,
}

/// All lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) directives: Vec<Directive>,
    /// Every file that was read.
    pub(crate) read: Vec<PathBuf>,
}

/// Where sshd begins; where vendors keep theirs, it is taken if the administrator has none.
pub(crate) const MAIN: [&str; 2] = ["/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config"];
const FOLDER: &str = "/etc/ssh";
const DEEPEST: usize = 16;

/// What files there are and what they say.
pub(crate) trait Disk {
    /// The text of a file, if there is one.
    fn text(&self, path: &Path) -> Option<String>;
    /// The files that fit the pattern of an `Include`, sorted.
    fn matching(&self, pattern: &Path) -> Vec<PathBuf>;
}

impl Files {
    /// Reads all that sshd reads.
    pub(crate) fn read(disk: &dyn Disk) -> Self {
        let mut files = Self::default();
        for main in MAIN {
            if files.load(Path::new(main), None, 0, disk) {
                break;
            }
        }
        files
    }

    fn load(&mut self, path: &Path, condition: Option<&str>, depth: usize, disk: &dyn Disk) -> bool {
        let Some(text) = disk.text(path).filter(|_| depth < DEEPEST) else {
            return false;
        };
        self.read.push(path.to_owned());
        // A Match ends with the file it stands in.
        let mut condition = condition.map(str::to_owned);
        for (line, text) in (1..).zip(text.lines()) {
            let Some((key, value)) = key_and_value(text) else {
                continue;
            };
            let place = Place { file: path.to_owned(), line };
            match key.as_str() {
                "match" => condition = Some(value.clone()),
                "include" => {
                    for pattern in value.split_whitespace() {
                        for file in disk.matching(&Path::new(FOLDER).join(pattern.trim_matches('"'))) {
                            self.load(&file, condition.as_deref(), depth.saturating_add(1), disk);
                        }
                    }
                }
                _ => {}
            }
            self.directives.push(Directive { place, key, value, condition: condition.clone() });
        }
        true
    }

    /// Where the value that is in force for `user` from `address` was set; `None` if it is sshd's own default.
    pub(crate) fn place_of(&self, key: &str, in_force: &str, user: &str, address: &str) -> Option<&Place> {
        let same = |directive: &&Directive| directive.key == key && words(&directive.value) == words(in_force);
        let fits = |condition: &str| may_fit(condition, user, address);
        let matched = self.directives.iter().filter(same).find(|one| one.condition.as_deref().is_some_and(fits));
        let global = self.directives.iter().find(|one| one.key == key && one.condition.is_none());
        match global.filter(|global| words(&global.value) == words(in_force)) {
            // A Match that says the same is nearer to the login.
            Some(global) => Some(matched.map_or(&global.place, |matched| &matched.place)),
            None => matched.map(|matched| &matched.place),
        }
    }

    /// Lines outside of every Match that say something else than an earlier one, and are not heard: the line that holds, and
    /// the one that does not.
    pub(crate) fn unheard(&self) -> Vec<(&Directive, &Directive)> {
        let global = || self.directives.iter().filter(|directive| directive.condition.is_none());
        let first_of = |later: &Directive| global().find(|first| first.key == later.key);
        let pairs = global().filter_map(|later| Some((first_of(later)?, later)));
        pairs
            .filter(|(first, later)| first.place != later.place && words(&first.value) != words(&later.value))
            .collect()
    }

    /// The values of one criterion in all Match lines, such as `user`, without patterns and negations.
    pub(crate) fn matched(&self, criterion: &str) -> Vec<String> {
        let conditions =
            self.directives.iter().filter(|directive| directive.key == "match").map(|one| one.value.as_str());
        let values = conditions.flat_map(|condition| criteria(condition).filter(|(name, _)| name == criterion));
        values
            .flat_map(|(_, list)| list.split(',').map(str::to_owned).collect::<Vec<_>>())
            .filter(|one| is_plain(one))
            .collect()
    }

    /// The plain names that a setting lists, such as `allowusers`.
    pub(crate) fn listed(&self, key: &str) -> Vec<String> {
        let values = self.directives.iter().filter(|directive| directive.key == key);
        let names =
            values.flat_map(|one| one.value.split_whitespace().map(|word| word.split('@').next().unwrap_or(word)));
        names.filter(|name| is_plain(name)).map(str::to_owned).collect()
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['*', '?', '!', '"'])
}

/// What a value says, however it is spelled.
fn words(value: &str) -> Vec<String> {
    let word = |word: &str| match word.trim_matches('"').to_ascii_lowercase().as_str() {
        // sshd shows the older of two names.
        "prohibit-password" => "without-password".to_owned(),
        word => word.to_owned(),
    };
    value.split_whitespace().map(word).collect()
}

/// The key in small letters and what follows it, or nothing.
pub(crate) fn key_and_value(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(line.len());
    let (key, value) = line.split_at_checked(end)?;
    let value = value.trim_start_matches(|c: char| c.is_whitespace() || c == '=');
    let value = value.split(" #").next().unwrap_or(value).trim();
    Some((known_as(key), value.to_owned()))
}

/// Pairs of a Match line: what is looked at, in small letters, and what it should be.
fn criteria(condition: &str) -> impl Iterator<Item = (String, String)> {
    let words: Vec<&str> =
        condition.split(|c: char| c.is_whitespace() || c == '=').filter(|word| !word.is_empty()).collect();
    let pairs: Vec<_> = words
        .chunks(2)
        .map(|pair| {
            let value = pair.get(1).map(|value| value.trim_matches('"')).unwrap_or_default();
            (pair.first().map(|name| name.to_ascii_lowercase()).unwrap_or_default(), value.to_owned())
        })
        .collect();
    pairs.into_iter()
}

/// Whether a Match can be one of this login, as far as users and addresses tell.
fn may_fit(condition: &str, user: &str, address: &str) -> bool {
    criteria(condition).all(|(name, list)| match name.as_str() {
        "user" => list.split(',').any(|pattern| is_match(pattern, user)),
        "address" => list.split(',').any(|pattern| pattern.contains('/') || is_match(pattern, address)),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sshd::matching_paths;

    struct Fake(&'static [(&'static str, &'static str)]);

    impl Disk for Fake {
        fn text(&self, path: &Path) -> Option<String> {
            self.0.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned())
        }

        fn matching(&self, pattern: &Path) -> Vec<PathBuf> {
            matching_paths(pattern, self.0.iter().map(|(name, _)| Path::new(*name)))
        }
    }

    const HOST: Fake = Fake(&[
        (
            "/etc/ssh/sshd_config",
            "# main\nInclude sshd_config.d/*.conf\nUsePAM yes\nchallengeresponseauthentication no\nMatch User git,bob*\n  \
             AuthenticationMethods publickey\n",
        ),
        (
            "/etc/ssh/sshd_config.d/00-a.conf",
            "KbdInteractiveAuthentication=yes # on\nMatch Address 10.0.0.0/8\nUsePAM no\n",
        ),
        (
            "/etc/ssh/sshd_config.d/50-b.conf",
            "AuthenticationMethods \"publickey,keyboard-interactive\"\nAllowUsers alice git@10.* x*\n",
        ),
        ("/etc/ssh/sshd_config.d/.c.conf", "UsePAM no\n"),
    ]);

    fn place(key: &str, value: &str, user: &str) -> Option<String> {
        Files::read(&HOST).place_of(key, value, user, "203.0.113.1").map(ToString::to_string)
    }

    #[test]
    fn the_line_that_holds_is_the_first_outside_of_a_match_or_one_in_it() {
        let both = "publickey,keyboard-interactive";
        assert_eq!(place("authenticationmethods", both, "alice").unwrap(), "/etc/ssh/sshd_config.d/50-b.conf:1");
        assert_eq!(place("authenticationmethods", "publickey", "bobby").unwrap(), "/etc/ssh/sshd_config:6");
        assert_eq!(place("authenticationmethods", "publickey", "alice"), None);
        assert_eq!(place("usepam", "yes", "alice").unwrap(), "/etc/ssh/sshd_config:3");
        assert_eq!(place("logingracetime", "120", "alice"), None);
    }

    #[test]
    fn a_later_line_that_says_otherwise_is_not_heard() {
        let files = Files::read(&HOST);
        let told: Vec<_> =
            files.unheard().iter().map(|(first, later)| format!("{} {}", first.place, later.place)).collect();
        assert_eq!(told, ["/etc/ssh/sshd_config.d/00-a.conf:1 /etc/ssh/sshd_config:4"]);
    }

    #[test]
    fn names_without_patterns_are_found() {
        let files = Files::read(&HOST);
        assert_eq!(files.matched("user"), ["git"]);
        assert_eq!(files.matched("address"), ["10.0.0.0/8"]);
        assert_eq!(files.listed("allowusers"), ["alice", "git"]);
    }
}
