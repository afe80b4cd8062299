//! The socket to listen on: handed over by systemd, or made.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::{
        fs::{DirBuilderExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::Path,
};

use listenfd::ListenFd;
use twinlock_store::{
    files::{check_folder, check_socket},
    ports::StoreErrorKind,
};

use crate::messages;

/// The socket.
pub(crate) fn open(path: Option<&Path>) -> Result<UnixListener, String> {
    let handed = ListenFd::from_env().take_unix_listener(0);
    match (handed.map_err(|error| messages::not_a_socket(&error))?, path) {
        (Some(listener), None) => Ok(listener),
        (None, Some(path)) => make(path),
        (Some(_), Some(_)) => Err(messages::TWO_SOCKETS.into()),
        (None, None) => Err(messages::NO_SOCKET.into()),
    }
}

/// Removes a socket that was made.
pub(crate) fn close(path: &Path) {
    // The next broker finds that nobody listens there, and replaces it.
    let _ = fs::remove_file(path);
}

fn make(path: &Path) -> Result<UnixListener, String> {
    let failed = |what: &str, error: io::Error| messages::socket_failed(what, path, &error);
    let folder = path.parent().filter(|_| path.is_absolute()).ok_or(messages::RELATIVE_SOCKET)?;
    match DirBuilder::new().mode(0o755).create(folder) {
        // The umask is 077.
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(0o755))
            .map_err(|error| failed("set the mode of the folder of", error))?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed("create the folder of", error)),
    }
    check_folder(folder).map_err(|error| format!("{error}; {}", error.hint()))?;
    match check_socket(path) {
        Err(error) if matches!(error.kind, StoreErrorKind::Missing) => {}
        Err(error) => return Err(format!("{error}; {}", error.hint())),
        Ok(()) if UnixStream::connect(path).is_ok() => {
            return Err(messages::already_running(path));
        }
        Ok(()) => fs::remove_file(path).map_err(|error| failed("remove the old socket", error))?,
    }
    let listener = UnixListener::bind(path).map_err(|error| failed("listen on", error))?;
    // Everybody may come: the kernel says who it is.
    fs::set_permissions(path, Permissions::from_mode(0o666)).map_err(|error| failed("set the mode of", error))?;
    Ok(listener)
}
