//! Files that only their owner may read, and locks between processes.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Result, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often a held lock is tried again.
const POLL: Duration = Duration::from_millis(100);

/// Puts `bytes` in place of the file at `path`, whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    // The target of a link is replaced, not the link.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    filled(&target, bytes)?.persist(&target)?;
    Ok(())
}

/// Makes the file at `path` with `bytes`; `false` where another made it first.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<bool> {
    match filled(path, bytes)?.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(lost) if lost.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(failed) => Err(failed.error),
    }
}

fn filled(path: &Path, bytes: &[u8]) -> Result<tempfile::NamedTempFile> {
    let folder = make_folder(path)?;
    // tempfile makes its files 0600.
    let mut file = tempfile::Builder::new().prefix(".runhub-").suffix(".tmp").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Makes the folder of `path`, for its owner alone.
fn make_folder(path: &Path) -> Result<PathBuf> {
    let folder = path.parent().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the path has no folder"))?;
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    Ok(folder.to_path_buf())
}

/// An advisory lock between processes (flock, as olares-cli takes it); gone when dropped, also by a kill.
#[derive(Debug)]
pub(super) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Waits for the lock at `path`, at most for `patience`.
    pub(super) async fn acquire(path: &Path, patience: Duration) -> Result<Self> {
        let file = open_lock(path)?;
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(POLL).await,
                Err(TryLockError::WouldBlock) => {
                    let held = format!("another process has held {} for {} s", path.display(), patience.as_secs());
                    return Err(Error::new(ErrorKind::TimedOut, held));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

fn open_lock(path: &Path) -> Result<File> {
    make_folder(path)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    pub(crate) fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).expect("the file exists").permissions().mode() & 0o777
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn files_are_for_their_owner_alone() {
        let root = tempfile::tempdir().expect("a folder");
        let file = root.path().join("a/b/config.json");
        write(&file, b"{}").expect("written");
        let lock = root.path().join("locks/x.lock");
        let _held = FileLock::acquire(&lock, Duration::ZERO).await.expect("locked");
        assert_eq!((mode(&file), mode(&lock)), (0o600, 0o600));
        assert_eq!((mode(&root.path().join("a/b")), mode(&root.path().join("locks"))), (0o700, 0o700));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let root = tempfile::tempdir().expect("a folder");
        let (real, link) = (root.path().join("real"), root.path().join("link"));
        std::fs::write(&real, "old").expect("written");
        std::os::unix::fs::symlink(&real, &link).expect("linked");
        write(&link, b"new").expect("written");
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&real).expect("read"), "new");
    }

    #[test]
    fn only_the_first_makes_a_new_file() {
        let root = tempfile::tempdir().expect("a folder");
        let file = root.path().join("master.key");
        assert!(write_new(&file, b"first").expect("made"));
        assert!(!write_new(&file, b"second").expect("refused"));
        assert_eq!(std::fs::read(&file).expect("read"), b"first");
    }

    #[tokio::test(start_paused = true)]
    async fn a_held_lock_is_waited_for_and_then_given_up() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("x.lock");
        let held = FileLock::acquire(&path, Duration::ZERO).await.expect("free");
        let started = Instant::now();
        let refused = FileLock::acquire(&path, Duration::from_secs(30)).await.expect_err("held");
        assert_eq!(refused.kind(), ErrorKind::TimedOut);
        assert!(started.elapsed() >= Duration::from_secs(30) && started.elapsed() < Duration::from_secs(31));
        let (second, ()) = tokio::join!(FileLock::acquire(&path, Duration::from_secs(30)), async {
            sleep(Duration::from_secs(5)).await;
            drop(held);
        });
        second.expect("free after five seconds");
    }
}
