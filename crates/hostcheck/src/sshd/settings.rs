//! What is in force in sshd for one login, as `sshd -T` prints it. Key names are compared without case: versions spell them
//! differently.

use std::collections::BTreeMap;

/// Settings for one login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings(BTreeMap<String, Vec<String>>);

/// A way to log in: methods, all of which are wanted.
pub(crate) type Way = Vec<String>;

/// Methods that can stand in `AuthenticationMethods`, and which setting switches each on.
const METHODS: [(&str, &str); 5] = [
    ("publickey", "pubkeyauthentication"),
    ("password", "passwordauthentication"),
    (KEYBOARD, "kbdinteractiveauthentication"),
    ("hostbased", "hostbasedauthentication"),
    ("gssapi-with-mic", "gssapiauthentication"),
];

/// The method by which PAM asks.
pub(crate) const KEYBOARD: &str = "keyboard-interactive";

impl Settings {
    /// Reads what `sshd -T` prints.
    pub(crate) fn parse(text: &str) -> Self {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in text.lines().filter_map(|line| line.split_once(' ')) {
            all.entry(known_as(key)).or_default().push(value.trim().to_owned());
        }
        Self(all)
    }

    /// The value of a setting; empty if sshd does not know it.
    pub(crate) fn value(&self, key: &str) -> &str {
        self.all(key).first().map_or("", String::as_str)
    }

    /// All values of one that has many.
    pub(crate) fn all(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether it is `yes`.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.value(key).eq_ignore_ascii_case("yes")
    }

    /// Whether `AuthenticationMethods` is set.
    pub(crate) fn names_methods(&self) -> bool {
        !matches!(self.value("authenticationmethods").to_ascii_lowercase().as_str(), "" | "any")
    }

    /// The ways that sshd would take, without those for which a method is switched off.
    pub(crate) fn ways(&self) -> Vec<Way> {
        let on: Vec<&str> =
            METHODS.iter().filter(|(_, setting)| self.has(setting)).map(|(method, _)| *method).collect();
        if !self.names_methods() {
            return on.into_iter().map(|method| vec![method.to_owned()]).collect();
        }
        let methods = self.value("authenticationmethods").to_ascii_lowercase();
        let way =
            |list: &str| list.split(',').map(|method| method.split(':').next().unwrap_or(method).to_owned()).collect();
        let ways = methods.split_whitespace().map(way);
        ways.filter(|way: &Way| way.iter().all(|method| on.contains(&method.as_str()))).collect()
    }

    /// The PAM service; before OpenSSH 9.8 it was the name of the program.
    pub(crate) fn service(&self) -> &str {
        match self.value("pamservicename") {
            "" => "sshd",
            name => name,
        }
    }

    /// A time in seconds.
    pub(crate) fn seconds(&self, key: &str) -> Option<u64> {
        self.value(key).parse().ok()
    }
}

/// The name under which a setting is known here: old names are still names.
pub(crate) fn known_as(key: &str) -> String {
    match key.to_ascii_lowercase().as_str() {
        "challengeresponseauthentication" | "skeyauthentication" => "kbdinteractiveauthentication".to_owned(),
        "dsaauthentication" => "pubkeyauthentication".to_owned(),
        known => known.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(text: &str) -> Vec<String> {
        Settings::parse(text).ways().into_iter().map(|way| way.join("+")).collect()
    }

    #[test]
    fn without_a_list_of_methods_each_that_is_on_is_a_way() {
        let text = "PubkeyAuthentication yes\nkbdinteractiveauthentication no\npasswordauthentication yes\nauthenticationmethods any\n";
        assert_eq!(ways(text), ["publickey", "password"]);
    }

    #[test]
    fn a_way_with_a_method_that_is_off_is_none() {
        let text = "pubkeyauthentication yes\nchallengeresponseauthentication yes\npasswordauthentication no\n\
                    AuthenticationMethods publickey,password publickey,keyboard-interactive:pam\n";
        assert_eq!(ways(text), ["publickey+keyboard-interactive"]);
    }
}
