//! Files and folders that only their owner can read, and that survive a power cut.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

use super::error::Error;

/// Makes sure that a folder and its parents exist; new ones are for the owner alone.
pub(super) fn folder(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        folder(parent)?;
    }
    match new_folder(path) {
        Err(Error::Disk { why, .. }) if why.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

/// Makes a folder that must not exist yet, and its entry in its parent durable.
pub(super) fn new_folder(path: &Path) -> Result<(), Error> {
    make_folder(path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes a folder whose parent is synced later.
pub(super) fn make_folder(path: &Path) -> Result<(), Error> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(Error::disk(path, "create the folder"))
}

/// A new file for appending; it must not exist yet.
pub(super) fn new_file(path: &Path) -> Result<File, Error> {
    private(OpenOptions::new().append(true).create_new(true)).open(path).map_err(Error::disk(path, "create the file"))
}

/// A file that stands already, for appending.
pub(super) fn old_file(path: &Path) -> Result<File, Error> {
    OpenOptions::new().append(true).open(path).map_err(Error::disk(path, "open"))
}

/// A file to read and write in place; made where it is missing.
pub(super) fn any_file(path: &Path) -> Result<File, Error> {
    private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
        .open(path)
        .map_err(Error::disk(path, "open"))
}

/// The whole content of a file.
pub(super) fn content(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(Error::disk(path, "read"))
}

/// Puts the entries of a folder on stable storage; file systems that cannot are taken as they are.
pub(super) fn sync_folder(path: &Path) -> Result<(), Error> {
    #[cfg(unix)]
    {
        let here = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        match File::open(here).and_then(|folder| folder.sync_all()) {
            Err(why) if !cannot_sync(&why) => return Err(Error::disk(here, "sync")(why)),
            Ok(()) | Err(_) => {}
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(unix)]
fn cannot_sync(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}
