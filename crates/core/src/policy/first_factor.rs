//! What sshd has verified before it asks PAM: `SSH_AUTH_INFO_0`, one line a completed method (openssh auth2.c).
//!
//! Only sshd writes it, and nobody but root can; still it is read strictly. A line that is not understood proves nothing.

use base64ct::{Base64, Encoding as _};

use crate::messages;

/// Methods that were completed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FirstFactors {
    keys: Vec<ProvenKey>,
    completed: bool,
    /// `SSH_AUTH_INFO_0` is set, be it to nothing.
    is_told: bool,
    /// There is a key that was not understood, or a text that may have one.
    has_unread_key: bool,
}

/// A public key whose private half was proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenKey {
    /// Its kind; of a certificate that of its key.
    pub key_type: KeyType,
    /// The key or certificate as it goes over the wire (RFC 4253 section 6.6).
    pub blob: Vec<u8>,
}

/// A kind of key that OpenSSH has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// `ssh-ed25519`.
    Ed25519,
    /// `ssh-rsa`, whatever the signature's hash was.
    Rsa,
    /// `ecdsa-sha2-nistp256`.
    EcdsaP256,
    /// `ecdsa-sha2-nistp384`.
    EcdsaP384,
    /// `ecdsa-sha2-nistp521`.
    EcdsaP521,
    /// `sk-ssh-ed25519@openssh.com`: on a FIDO2 token.
    SkEd25519,
    /// `sk-ecdsa-sha2-nistp256@openssh.com`: on a FIDO2 or U2F token.
    SkEcdsaP256,
}

/// More than the four lines that a chain of methods ever has, and RSA keys of 16,384 bits in all of them.
const LONGEST: usize = 64 * 1024;

impl FirstFactors {
    /// Reads `SSH_AUTH_INFO_0`; what is not there is nothing proven.
    #[must_use]
    #[inline(never)]
    pub fn parse(info: Option<&[u8]>) -> Self {
        let mut factors = Self { is_told: info.is_some(), ..Self::default() };
        let Some(info) = info else {
            return factors;
        };
        let Some(text) =
            Some(info).filter(|info| info.len() <= LONGEST).and_then(|info| std::str::from_utf8(info).ok())
        else {
            factors.has_unread_key = true;
            return factors;
        };
        for line in text.split('\n') {
            let mut words = line.split(' ');
            let method = words.next().and_then(|method| method.split('/').next());
            match method {
                Some("publickey") => {
                    if let Some(key) = ProvenKey::parse(&mut words) {
                        factors.keys.push(key);
                        factors.completed = true;
                    } else {
                        factors.has_unread_key = true;
                    }
                }
                // The last one is of the sshd of distributions (RFC 4462 section 4).
                Some("password" | "keyboard-interactive" | "hostbased" | "gssapi-with-mic" | "gssapi-keyex") => {
                    factors.completed = true;
                }
                Some(_) | None => {}
            }
        }
        factors
    }

    /// A login with a key of that kind, for those who only ask what would be.
    #[must_use]
    pub fn with_key_of(key_type: KeyType) -> Self {
        let key = ProvenKey { key_type, blob: Vec::new() };
        Self { keys: vec![key], completed: true, is_told: true, has_unread_key: false }
    }

    /// What sshd tells PAM of a login with a key of that kind, the key being nobody's: the value of `SSH_AUTH_INFO_0`.
    #[must_use]
    pub fn told_of_key(key_type: KeyType) -> String {
        let name = key_type.name();
        // RFC 4253 section 6.6: strings behind their lengths, the first of which names the kind.
        let mut blob = Vec::new();
        for part in [name.as_bytes(), &[0; 32]] {
            blob.extend(u32::try_from(part.len()).unwrap_or(0).to_be_bytes());
            blob.extend(part);
        }
        format!("publickey {name} {}\n", Base64::encode_string(&blob))
    }

    /// Whether any method was completed.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.completed
    }

    /// The keys that were proven, in that order.
    #[must_use]
    pub fn keys(&self) -> &[ProvenKey] {
        &self.keys
    }

    /// Whether a key of one of these kinds was proven.
    #[must_use]
    pub fn has_key_of(&self, types: &[KeyType]) -> bool {
        self.keys.iter().any(|key| types.contains(&key.key_type))
    }

    /// Whether the login may be one with a key that is not among [`FirstFactors::keys`].
    ///
    /// sshd names a method when it is completed. The account phase of a login by key alone runs before that, the password
    /// method names none, and a key may come after the question of PAM. So a key that is not named may still be there.
    /// Services other than sshd know no keys; sshd alone sets `SSH_AUTH_INFO_0`, whatever its service is called.
    pub(super) fn may_lack_a_key(&self, service: &str) -> bool {
        (is_sshd(service) || self.is_told) && (self.keys.is_empty() || self.has_unread_key)
    }
}

/// Whether a PAM service, in lower case, is sshd by its name.
#[must_use]
pub fn is_sshd(service: &str) -> bool {
    service.starts_with("sshd")
}

impl ProvenKey {
    /// `KEYTYPE BASE64`; the kind stands in the key once more, and both must be the same.
    fn parse<'w>(words: &mut impl Iterator<Item = &'w str>) -> Option<Self> {
        let (name, encoded) = (words.next()?, words.next()?);
        let key_type = KeyType::of_wire_name(name)?;
        let blob = Base64::decode_vec(encoded).ok()?;
        let length = usize::try_from(u32::from_be_bytes(*blob.first_chunk::<4>()?)).ok()?;
        let inside = blob.get(4..)?;
        let (named, rest) = inside.split_at_checked(length)?;
        (named == name.as_bytes() && !rest.is_empty()).then_some(Self { key_type, blob })
    }
}

impl KeyType {
    /// All that there are.
    pub const ALL: [Self; 7] = [
        Self::Ed25519,
        Self::Rsa,
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::EcdsaP521,
        Self::SkEd25519,
        Self::SkEcdsaP256,
    ];

    /// As `ssh -Q key` spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519",
            Self::Rsa => "ssh-rsa",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256",
            Self::EcdsaP384 => "ecdsa-sha2-nistp384",
            Self::EcdsaP521 => "ecdsa-sha2-nistp521",
            Self::SkEd25519 => "sk-ssh-ed25519@openssh.com",
            Self::SkEcdsaP256 => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    /// The kind of that name.
    ///
    /// # Errors
    /// What there is.
    pub fn named(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|known| known.name() == name);
        known.ok_or_else(|| messages::not_a_key_type(name, &Self::ALL.map(Self::name)))
    }

    /// The kind of a key or of a certificate.
    fn of_wire_name(name: &str) -> Option<Self> {
        let of_certificate = |known: Self| match known {
            Self::Ed25519 => "ssh-ed25519-cert-v01@openssh.com",
            Self::Rsa => "ssh-rsa-cert-v01@openssh.com",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256-cert-v01@openssh.com",
            Self::EcdsaP384 => "ecdsa-sha2-nistp384-cert-v01@openssh.com",
            Self::EcdsaP521 => "ecdsa-sha2-nistp521-cert-v01@openssh.com",
            Self::SkEd25519 => "sk-ssh-ed25519-cert-v01@openssh.com",
            Self::SkEcdsaP256 => "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
        };
        Self::ALL.into_iter().find(|known| known.name() == name || of_certificate(*known) == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, inside: &str) -> String {
        let mut blob = u32::try_from(inside.len()).unwrap().to_be_bytes().to_vec();
        blob.extend(inside.as_bytes());
        blob.extend([0, 0, 0, 1, 7]);
        format!("publickey {name} {}", Base64::encode_string(&blob))
    }

    fn types(info: &str) -> Vec<&'static str> {
        FirstFactors::parse(Some(info.as_bytes())).keys().iter().map(|key| key.key_type.name()).collect()
    }

    #[test]
    fn every_kind_is_read_as_a_key_and_as_a_certificate() {
        for known in KeyType::ALL {
            let name = known.name();
            assert_eq!(types(&line(name, name)), [name]);
            let certificate = match name.split_once('@') {
                Some((plain, domain)) => format!("{plain}-cert-v01@{domain}"),
                None => format!("{name}-cert-v01@openssh.com"),
            };
            assert_eq!(types(&line(&certificate, &certificate)), [name]);
            assert_eq!(KeyType::named(name), Ok(known));
            assert!(KeyType::named(&certificate).is_err());
        }
    }

    #[test]
    fn a_chain_of_methods_proves_each_of_them() {
        let key = line("ssh-ed25519", "ssh-ed25519");
        let sk = line("sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519@openssh.com");
        let both = format!("{key}\n{sk} some info\n");
        assert_eq!(types(&both), ["ssh-ed25519", "sk-ssh-ed25519@openssh.com"]);
    }

    #[test]
    fn every_method_that_proves_somebody_is_a_first_factor_and_no_other() {
        let completed = |line: &str| FirstFactors::parse(Some(format!("{line}\n").as_bytes())).any();
        for method in
            ["password", "keyboard-interactive/pam", "hostbased", "gssapi-with-mic", "gssapi-keyex alice@REALM"]
        {
            assert!(completed(method), "{method}");
        }
        for method in ["none", "gssapi", "keyboard", ""] {
            assert!(!completed(method), "{method}");
        }
    }

    #[test]
    fn what_is_not_understood_proves_nothing() {
        let sk = "sk-ssh-ed25519@openssh.com";
        let good = line(sk, sk);
        for bad in [
            String::new(),
            "publickey".into(),
            format!("publickey {sk}"),
            format!("publickey {sk} "),
            format!("publickey {sk} AAAA"),
            format!("publickey {sk} !!!!"),
            line(sk, "ssh-ed25519"),
            line("ssh-ed25519", sk),
            line("SK-SSH-ED25519@openssh.com", sk),
            good.replace("publickey", "Publickey"),
            good.replace("publickey", "xpublickey"),
            good.replace("publickey ", "publickey  "),
            good.replace("publickey ", "publickey\t"),
            format!(" {good}"),
            format!("{good}="),
            format!("{good}\r"),
            format!("password {sk}").replace("password ", "passwords "),
            "x".repeat(70_000),
        ] {
            let read = FirstFactors::parse(Some(bad.as_bytes()));
            assert!(read.keys().is_empty() && !read.any(), "{bad:.80}");
        }
        let not_text = FirstFactors::parse(Some(b"publickey \xff\n"));
        assert!(not_text.keys().is_empty() && !not_text.any(), "{not_text:?}");
        assert_eq!(FirstFactors::parse(None), FirstFactors::default());
    }

    #[test]
    fn a_key_that_is_not_understood_leaves_open_which_key_it_is() {
        let ed25519 = line("ssh-ed25519", "ssh-ed25519");
        for (info, service, may_lack_a_key) in [
            (None, "sshd", true),
            (None, "sudo", false),
            (Some(String::new()), "sudo", true),
            (Some("password".into()), "sshd", true),
            (Some(ed25519.clone()), "sshd", false),
            (Some(format!("{ed25519}\npassword\nsomething new\n")), "sshd", false),
            (Some(format!("{ed25519}\npublickey ssh-unheard-of AAAA\n")), "sshd", true),
            (Some(format!("{ed25519}\n{}", "x".repeat(70_000))), "sshd", true),
        ] {
            let factors = FirstFactors::parse(info.as_deref().map(str::as_bytes));
            assert_eq!(factors.may_lack_a_key(service), may_lack_a_key, "{service} {info:.100?}");
        }
    }

    #[test]
    fn what_is_told_of_a_key_is_understood_as_that_key() {
        for known in KeyType::ALL {
            assert_eq!(types(&FirstFactors::told_of_key(known)), [known.name()]);
        }
    }
}
