//! A file of the host's configuration that is replaced as a whole: read with care, written beside itself, renamed.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};
use twinlock_store::files::check_folder;

use crate::{
    HostError,
    messages::{self, cannot},
};

/// What a file is beside its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attributes {
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Attributes {
    /// Of a file that was not there before: root's, for everybody to read.
    pub(crate) const NEW: Self = Self { mode: 0o644, uid: 0, gid: 0 };
}

/// All of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) content: Vec<u8>,
    pub(crate) attributes: Attributes,
}

/// A draft of a file, by what it is for. Drafts of all that may be needed are made before anything is renamed: a full
/// disk is found out while nothing is changed, and stands in the way of no return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Draft {
    Bridge,
    After,
    /// The bridge once more, for the way back.
    Back,
    Before,
}

impl Draft {
    pub(crate) const ALL: [Self; 4] = [Self::Bridge, Self::After, Self::Back, Self::Before];

    const fn name(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::After => "after",
            Self::Back => "back",
            Self::Before => "before",
        }
    }
}

/// Where a file is, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilePlace {
    folder: PathBuf,
    name: String,
}

/// The largest configuration that is read.
const LARGEST: u64 = 1 << 20;

impl FilePlace {
    pub(crate) fn at(folder: &str, name: &str) -> Self {
        Self { folder: folder.into(), name: name.into() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// What is there; `None` if nothing is.
    pub(crate) fn read(&self) -> Result<Option<Version>, HostError> {
        match check_folder(&self.folder) {
            Err(error) if matches!(error.kind, twinlock_store::ports::StoreErrorKind::Missing) => return Ok(None),
            checked => checked?,
        }
        read(&self.path())
    }

    /// Makes the folder if it is not there.
    pub(crate) fn make_folder(&self) -> Result<(), HostError> {
        match DirBuilder::new().mode(0o755).create(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(cannot("create", &self.folder, &error)),
            Ok(()) | Err(_) => Ok(check_folder(&self.folder)?),
        }
    }

    /// Writes a draft, on the disk when this returns. One that is there already and right is kept.
    pub(crate) fn draft(&self, draft: Draft, version: &Version) -> Result<(), HostError> {
        let path = self.path_of(draft);
        if matches!(read(&path), Ok(Some(there)) if there == *version) {
            return Ok(());
        }
        remove(&path)?;
        create(&path, version).map_err(|error| cannot("write", &path, &error))?;
        self.label(&path);
        self.sync()
    }

    /// Puts a draft in the place of the file, in one step that is on the disk when this returns.
    pub(crate) fn put(&self, draft: Draft) -> Result<(), HostError> {
        fs::rename(self.path_of(draft), self.path()).map_err(|error| cannot("write", &self.path(), &error))?;
        self.sync()
    }

    /// Takes the file away.
    pub(crate) fn remove(&self) -> Result<(), HostError> {
        remove(&self.path())?;
        self.sync()
    }

    /// Takes all drafts away.
    pub(crate) fn sweep(&self) -> Result<(), HostError> {
        Draft::ALL.into_iter().try_for_each(|draft| remove(&self.path_of(draft)))
    }

    /// Neither sshd nor PAM takes a file of such a name for its own.
    fn path_of(&self, draft: Draft) -> PathBuf {
        self.folder.join(format!(".{}.twinlock-{}", self.name, draft.name()))
    }

    fn sync(&self) -> Result<(), HostError> {
        sync_folder(&self.folder)
    }

    /// The `SELinux` label of the file that is replaced. Elsewhere a new file has the folder's, which is right for both
    /// files; so a failure is none.
    fn label(&self, draft: &Path) {
        if Path::new("/sys/fs/selinux/enforce").exists() && self.path().exists() {
            let mut chcon = Command::new("chcon");
            chcon.arg("--reference").args([&self.path(), draft]).stdin(Stdio::null()).stdout(Stdio::null());
            let _ = chcon.stderr(Stdio::null()).status();
        }
    }
}

/// Reads a file that is root's, and that nobody else can write.
pub(crate) fn read(path: &Path) -> Result<Option<Version>, HostError> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let mut file = match OpenOptions::new().read(true).custom_flags(flags.bits()).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(nix::libc::ELOOP) => return Err(messages::is_a_link(path)),
        Err(error) => return Err(cannot("read", path, &error)),
    };
    let mut content = Vec::new();
    let mut read = || -> io::Result<fs::Metadata> {
        let found = file.metadata()?;
        if found.is_file() && found.len() <= LARGEST {
            Read::take(&mut file, LARGEST).read_to_end(&mut content)?;
        }
        Ok(found)
    };
    let found = read().map_err(|error| cannot("read", path, &error))?;
    if !found.is_file() || found.len() > LARGEST {
        return Err(messages::is_no_configuration(path));
    }
    let attributes = Attributes { mode: found.mode() & 0o7777, uid: found.uid(), gid: found.gid() };
    if attributes.uid != 0 || attributes.mode & 0o022 != 0 {
        return Err(messages::is_not_roots(path));
    }
    Ok(Some(Version { content, attributes }))
}

/// Writes a file that was not there.
pub(crate) fn create(path: &Path, version: &Version) -> io::Result<()> {
    let flags = OFlag::O_NOFOLLOW.bits();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(flags).open(path)?;
    file.write_all(&version.content)?;
    let Attributes { mode, uid, gid } = version.attributes;
    fchown(&file, Some(uid), Some(gid))?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()
}

/// Takes a file away, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), HostError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot("remove", path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), HostError> {
    open_folder(folder).and_then(|folder| folder.sync_all()).map_err(|error| cannot("write", folder, &error))
}

/// A folder, to be synced or locked.
pub(crate) fn open_folder(folder: &Path) -> io::Result<File> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(folder)
}
