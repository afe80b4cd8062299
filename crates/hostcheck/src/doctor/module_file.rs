//! The file of a PAM module: whether libpam would find it, take it, and may trust it. It is not loaded: its dependencies are
//! looked up by ldd(1) instead.

use std::{
    fs::{self, File},
    io::Read,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{messages::OtherWriter, programs};

/// What is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ModuleFile {
    pub(crate) path: PathBuf,
    pub(crate) there: bool,
    /// The file and the folders above it that others than root can change, and who.
    pub(crate) not_roots: Option<(PathBuf, OtherWriter)>,
    /// Made for the machine that this command was made for.
    pub(crate) fits: bool,
    /// Libraries that are not found.
    pub(crate) missing: Vec<String>,
}

/// Folders where libpam looks for a plain name: its own of this machine comes first.
fn folders() -> Vec<PathBuf> {
    let arch = std::env::consts::ARCH;
    let entries = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let ours = entries.filter(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{arch}-linux")))
    });
    let known = ["/usr/lib64", "/lib64", "/usr/lib", "/lib"].map(PathBuf::from);
    ours.chain(known).map(|path| path.join("security")).collect()
}

/// Where libpam would look for a module that a PAM file calls so: the folder that has libpam's own modules.
pub(crate) fn path_of(name: &str) -> PathBuf {
    let folders = folders();
    let libpams = folders.iter().find(|folder| folder.join("pam_deny.so").exists());
    // A whole path stays one.
    libpams.map_or_else(|| PathBuf::from("/lib/security"), Clone::clone).join(name)
}

impl ModuleFile {
    /// Looks at it.
    pub(crate) fn look(path: &Path) -> Self {
        let mut module = Self { path: path.to_owned(), ..Self::default() };
        if !path.is_file() {
            return module;
        }
        module.there = true;
        // Through links: libpam follows them, too.
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        module.not_roots = real.ancestors().find_map(|part| Some((part.to_owned(), who_else(part)?)));
        let own = header(Path::new("/proc/self/exe"));
        module.fits = own.is_some() && header(&real) == own;
        // ldd runs the loader of the file: only of what root alone has made.
        if module.fits && module.not_roots.is_none() {
            module.missing = missing(&real);
        }
        module
    }
}

fn who_else(path: &Path) -> Option<OtherWriter> {
    let known = fs::metadata(path).ok()?;
    let mode = known.permissions().mode();
    // In a folder with the sticky bit others cannot replace what is root's.
    let sticky = known.is_dir() && mode & 0o1000 != 0;
    match (known.uid(), mode & 0o022) {
        (0, 0) => None,
        (0, _) if sticky => None,
        (0, _) => Some(OtherWriter::Others(mode & 0o7777)),
        (uid, _) => Some(OtherWriter::Owner(uid)),
    }
}

/// Class, byte order and machine of an ELF file.
#[allow(clippy::disallowed_methods, reason = "a PAM module is found as libpam finds it, through links")]
fn header(path: &Path) -> Option<[u8; 4]> {
    let mut bytes = [0; 20];
    File::open(path).ok()?.read_exact(&mut bytes).ok()?;
    let [b'\x7f', b'E', b'L', b'F', class, order, .., low, high] = bytes else {
        return None;
    };
    Some([class, order, low, high])
}

fn missing(path: &Path) -> Vec<String> {
    let said = programs::find("ldd").zip(path.to_str()).and_then(|(ldd, path)| programs::run(&ldd, &[path]).ok());
    let lines = said.map(|said| said.output).unwrap_or_default();
    lines.lines().filter_map(|line| line.trim().strip_suffix(" => not found")).map(str::to_owned).collect()
}
