//! Which file systems the host's configuration mounts, and which of them are mounted.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

/// Where systemd finds the units of the administrator, and those that it made itself of partitions and of fstab.
const UNITS: [&str; 4] =
    ["/etc/systemd/system", "/run/systemd/generator.early", "/run/systemd/generator", "/run/systemd/generator.late"];

/// The mount point at or above `path` that `/etc/fstab` or a unit of systemd names and where nothing is mounted; the
/// nearest one. Neither names data sets of ZFS.
///
/// # Errors
/// One of the files is there and cannot be read.
pub fn missing_above(path: &Path) -> io::Result<Option<PathBuf>> {
    let fstab = read("/etc/fstab")?;
    let mounted = read("/proc/self/mountinfo")?;
    let is_unit = |point: &Path| {
        unit_of(point).is_some_and(|unit| UNITS.iter().any(|folder| Path::new(folder).join(&unit).exists()))
    };
    let found = path.ancestors().find(|point| {
        point.parent().is_some()
            && (mounts_of_fstab(&fstab).any(|known| known == **point) || is_unit(point))
            && !mounts_of_kernel(&mounted).any(|known| known == **point)
    });
    Ok(found.map(Path::to_owned))
}

#[allow(clippy::disallowed_methods, reason = "the host's own files, read by a command of root's")]
fn read(path: &str) -> io::Result<String> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// fstab(5): SOURCE POINT TYPE OPTIONS
fn mounts_of_fstab(text: &str) -> impl Iterator<Item = PathBuf> {
    text.lines().filter_map(|line| {
        let mut fields = line.split_whitespace();
        let source = fields.next().filter(|source| !source.starts_with('#'))?;
        let point = fields.next().filter(|point| point.starts_with('/') && !source.is_empty())?;
        Some(unescape(point))
    })
}

/// proc(5): ID PARENT DEVICE ROOT POINT OPTIONS
fn mounts_of_kernel(text: &str) -> impl Iterator<Item = PathBuf> {
    text.lines().filter_map(|line| line.split(' ').nth(4)).map(unescape)
}

/// Both write blanks as `\040`. A slash at the end means nothing, and paths compare without it.
fn unescape(field: &str) -> PathBuf {
    let mut text = field.to_owned();
    for (escaped, plain) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        text = text.replace(escaped, plain);
    }
    PathBuf::from(text)
}

/// The name of a mount unit, as `systemd-escape --path --suffix=mount` has it.
fn unit_of(point: &Path) -> Option<String> {
    let mut name = String::new();
    for (at, byte) in point.to_str()?.trim_matches('/').bytes().enumerate() {
        match byte {
            b'/' => name.push('-'),
            b'.' if at == 0 => name.push_str("\\x2e"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b':' | b'_' | b'.' => name.push(char::from(byte)),
            other => {
                // Writing to a String cannot fail.
                let _ = write!(name, "\\x{other:02x}");
            }
        }
    }
    Some(format!("{name}.mount"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_from_fstab_and_from_the_kernel() {
        let fstab = "# /dev/a /commented ext4\n/dev/b / ext4 defaults 0 1\nUUID=1 none swap sw\n\n\
                     srv:/x /var/lib/twinlock/ nfs noauto\n/dev/c /with\\040blank ext4\n";
        let found: Vec<_> = mounts_of_fstab(fstab).collect();
        assert_eq!(found, ["/", "/var/lib/twinlock", "/with blank"].map(PathBuf::from));
        let kernel = "22 1 8:1 / / rw - ext4 /dev/b rw\n30 22 8:2 / /with\\040blank rw - ext4 /dev/c rw\n";
        assert_eq!(mounts_of_kernel(kernel).collect::<Vec<_>>(), ["/", "/with blank"].map(PathBuf::from));
    }

    #[test]
    fn units_are_named_as_systemd_escapes_paths() {
        for (point, unit) in [
            ("/var/lib/twinlock", "var-lib-twinlock.mount"),
            ("/srv/two-lock/.x", "srv-two\\x2dlock-.x.mount"),
            ("/.hidden", "\\x2ehidden.mount"),
        ] {
            assert_eq!(unit_of(Path::new(point)).unwrap(), unit);
        }
    }
}
