//! The sealed key on the disk: `twinlock-KEYID` in the folder of encrypted credentials.

use std::{
    io,
    path::{Path, PathBuf},
};

use data_encoding::BASE64;
use twinlock_core::sealed::{KeyId, SealKey};
use twinlock_store::{
    files::{erase_private, make_private_folder, private_names, read_private, write_private},
    ports::StoreError,
};
use zeroize::Zeroizing;

use super::systemd_creds;
use crate::{HostError, messages};

/// Where systemd looks for encrypted credentials.
pub const BLOB_FOLDER: &str = "/etc/credstore.encrypted";
const LARGEST: u64 = 64 * 1024;
/// The kernel's device for a TPM 2.0, which systemd uses.
const TPM: &str = "/dev/tpmrm0";

/// By what a blob is sealed, as it says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// The TPM and the key of the host.
    TpmAndHost,
    /// The TPM alone.
    Tpm,
    /// The key of the host, which is a file on its disk.
    Host,
    /// Nothing.
    Nothing,
    /// What this version does not know.
    Unknown,
}

/// The ways to seal, best first; one whose blob cannot be opened again is not used. 16 is a register that nothing changes:
/// systemd before 254 cannot read again what is sealed to no register. Registers that firmware and boot loaders change are
/// none of them, or an update would lose the key.
const WITH_TPM: [&[&str]; 2] = [&["--with-key=host+tpm2", "--tpm2-pcrs="], &["--with-key=host+tpm2", "--tpm2-pcrs=16"]];
const WITH_HOST: [&[&str]; 1] = [&["--with-key=host"]];

/// The keys that have a blob.
///
/// # Errors
/// [`StoreError`].
pub fn blob_keys() -> Result<Vec<KeyId>, StoreError> {
    let names = private_names(Path::new(BLOB_FOLDER))?;
    Ok(names.iter().filter_map(|name| KeyId::parse(name.strip_prefix("twinlock-")?)).collect())
}

/// Seals a key for this machine, by the best way whose result can be opened again, and says which it was.
///
/// # Errors
/// No way works, or the blob cannot be written.
pub fn seal_key(key: &SealKey) -> Result<Protection, HostError> {
    let name = name_of(key.id());
    // `systemd-creds has-tpm2` asks for firmware that knows the TPM, too, which sealing does not need.
    let ways = WITH_TPM.iter().filter(|_| Path::new(TPM).exists()).chain(&WITH_HOST);
    systemd_creds::run(&["setup"], b"").map_err(|error| messages::key_not_sealed(&error))?;
    let mut last = io::Error::from(io::ErrorKind::Unsupported);
    for way in ways {
        let named = format!("--name={name}");
        let arguments: Vec<&str> =
            ["encrypt", &named].into_iter().chain(way.iter().copied()).chain(["-", "-"]).collect();
        let sealed = systemd_creds::run(&arguments, key.bytes());
        let checked = sealed.and_then(|blob| open(key.id(), &blob).map(|again| (blob, again)));
        match checked {
            Ok((blob, again)) if again.bytes() == key.bytes() => {
                make_private_folder(Path::new(BLOB_FOLDER))?;
                write_private(Path::new(BLOB_FOLDER), &name, &blob)?;
                return Ok(protection(&blob));
            }
            Ok(_) => last = io::ErrorKind::InvalidData.into(),
            Err(error) => last = error,
        }
    }
    Err(messages::key_not_sealed(&last))
}

/// Opens the blob of a key.
///
/// # Errors
/// It cannot be opened by this machine, or holds another key.
pub(super) fn unseal_key(id: KeyId) -> Result<SealKey, HostError> {
    let path = path_of(id);
    let opened = read_private(&path, LARGEST).map_err(|error| messages::key_not_unsealed(id, &error))?;
    let key = open(id, &opened).map_err(|error| messages::key_not_unsealed(id, &error))?;
    if key.id() == id { Ok(key) } else { Err(messages::key_not_unsealed(id, &messages::ANOTHER_KEY)) }
}

fn open(id: KeyId, blob: &[u8]) -> io::Result<SealKey> {
    let named = format!("--name={}", name_of(id));
    let bytes: Zeroizing<Vec<u8>> = systemd_creds::run(&["decrypt", &named, "-", "-"], blob)?;
    SealKey::from_bytes(&bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// By what the blob of a key is sealed.
///
/// # Errors
/// [`StoreError`]: it cannot be read.
pub fn protection_of(id: KeyId) -> Result<Protection, StoreError> {
    read_private(&path_of(id), LARGEST).map(|blob| protection(&blob))
}

/// Removes the blob of a key.
///
/// # Errors
/// [`StoreError`].
pub fn remove_blob(id: KeyId) -> Result<(), StoreError> {
    erase_private(Path::new(BLOB_FOLDER), &name_of(id))
}

fn name_of(id: KeyId) -> String {
    format!("twinlock-{id}")
}

fn path_of(id: KeyId) -> PathBuf {
    Path::new(BLOB_FOLDER).join(name_of(id))
}

/// What a blob begins with: the id that systemd gives to each way of sealing (`src/shared/creds-util.h`).
fn protection(blob: &[u8]) -> Protection {
    let text: Vec<u8> = blob.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(24).collect();
    let Some(id) = BASE64.decode(&text).ok().and_then(|bytes| bytes.first_chunk::<16>().copied()) else {
        return Protection::Unknown;
    };
    match u128::from_be_bytes(id) {
        0x5a1c_6a86_df9d_4096_b1d5_a65e_0862_f19a => Protection::Host,
        0x0c7c_c07b_1176_4591_9c4b_0bea_08bc_20fe | 0xfaf7_eb93_41e3_412c_a1a4_36f9_5a29_362f => Protection::Tpm,
        0x93a8_9409_4874_4490_90ca_f2fc_93ca_b553 | 0xaf49_50a8_4913_4eb1_a738_4630_4ff3_0c05 => Protection::TpmAndHost,
        0x0584_69da_f6f5_4324_8005_49da_0f8e_a2fb => Protection::Nothing,
        _ => Protection::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_says_by_what_it_is_sealed() {
        // As systemd 252 wrote it, wrapped after 69 characters.
        let blob = b"Whxqht+dQJax1aZeCGLxmiAAAAABAAAADAAAABAAAABlDYBJU3FBJD5NVbgAAAAAAcN1D\nhoW1";
        assert_eq!(protection(blob), Protection::Host);
        assert_eq!(protection(b"k6iUCUh0RJCQyvL8k8q1UwAA"), Protection::TpmAndHost);
        assert_eq!(protection(b""), Protection::Unknown);
        assert_eq!(protection(&[0xff; 80]), Protection::Unknown);
    }
}
