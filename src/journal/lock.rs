//! One writer a run, one run an object.
//!
//! A lock is the system's own on an open file: it is gone when the process
//! is, however that ended. Who holds it is written into the file, for the
//! message alone. The files stay: to remove one that another process has just
//! opened would give two owners. Locks hold on one machine; on some network
//! file systems not even there.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde::{Deserialize, Serialize};

use super::chain::hash;
use super::error::Error;
use super::files;
use super::places::Places;
use crate::clock::{Clock, Timestamp, rfc3339};
use crate::event::{ObjectId, RunId};

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Holder {
    /// The run.
    pub run: RunId,
    /// Its machine.
    pub host: String,
    /// Its process.
    pub pid: u32,
    /// Since when.
    pub since: Timestamp,
}

impl Holder {
    /// This process, for a run.
    pub(super) fn here(run: &RunId, clock: Clock) -> Self {
        Self {
            run: run.clone(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            pid: std::process::id(),
            since: clock.now(),
        }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { run, host, pid, since } = self;
        write!(formatter, "run {run} (process {pid} on {host}, since {})", rfc3339(*since))
    }
}

/// A lock that another holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is in the hands of {}: wait for its end or stop it", holder(.by.as_ref()))]
pub struct Held {
    /// What is locked (`Deployment shop/web on prod`).
    pub what: String,
    /// By whom; absent where the holder has not yet signed.
    pub by: Option<Holder>,
}

fn holder(by: Option<&Holder>) -> String {
    by.map_or_else(|| "another run".into(), ToString::to_string)
}

/// How often a lock is tried: whoever looks whether a run lives holds it for a moment.
const TRIES: usize = 50;

/// A lock that is held; dropping it lets go.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Gives the lock up by word: a child that is just being started holds a copy of every file, and with it the lock.
    fn drop(&mut self) {
        // A lock that cannot be given up goes with its last file.
        let _ = self.file.unlock();
    }
}

impl Lock {
    /// Takes the lock on a file, which is made where it is missing.
    pub(super) fn take(path: &Path, what: &str, holder: &Holder) -> Result<Self, Error> {
        let file = files::any_file(path)?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => {
                    sign(&file, holder).map_err(Error::disk(path, "write"))?;
                    return Ok(Self { file });
                }
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
                Err(TryLockError::Error(why)) => return Err(Error::disk(path, "lock")(why)),
            }
        }
        Err(Error::Held(Box::new(Held { what: what.to_owned(), by: signature(path) })))
    }

    /// Who holds the lock on a file now; nothing where nobody does.
    pub(super) fn holder(path: &Path) -> Option<Holder> {
        let file = File::open(path).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => signature(path),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }
}

fn sign(mut file: &File, holder: &Holder) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    let mut line = serde_json::to_vec(holder)?;
    line.push(b'\n');
    file.write_all(&line)
}

fn signature(path: &Path) -> Option<Holder> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// The locks on objects that one run holds, so that two runs do not fight over one.
///
/// A run that takes an object twice shares the lock with itself.
#[derive(Debug)]
pub struct ObjectLocks {
    folder: PathBuf,
    run: RunId,
    clock: Clock,
    held: Mutex<HashMap<PathBuf, Weak<Lock>>>,
}

/// The right to change one object; dropping the last clone gives it back.
#[derive(Debug, Clone)]
#[must_use = "the object is free again once the guard is dropped"]
pub struct Guard {
    _lock: Arc<Lock>,
}

impl ObjectLocks {
    /// The locks of one run; none is held yet.
    ///
    /// # Errors
    /// When the folder of locks cannot be made.
    pub fn new(places: &Places, run: &RunId, clock: Clock) -> Result<Self, Error> {
        let folder = places.locks();
        files::folder(&folder)?;
        Ok(Self { folder, run: run.clone(), clock, held: Mutex::default() })
    }

    /// Takes an object of a target, whatever its UID.
    ///
    /// # Errors
    /// [`Error::Held`] when another run holds it; else when the lock's file cannot be used.
    pub fn take(&self, target: &str, object: &ObjectId) -> Result<Guard, Error> {
        let path = self.folder.join(file_name(target, object));
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = held.get(&path).and_then(Weak::upgrade) {
            return Ok(Guard { _lock: lock });
        }
        let what = format!("{object} on {target}");
        let lock = Arc::new(Lock::take(&path, &what, &Holder::here(&self.run, self.clock))?);
        held.insert(path, Arc::downgrade(&lock));
        Ok(Guard { _lock: lock })
    }
}

/// A name of fixed length for any target and object.
fn file_name(target: &str, object: &ObjectId) -> String {
    let ObjectId { kind, namespace, name, .. } = object;
    // No newline stands in a name of Kubernetes.
    let whole = hash(format!("{target}\n{kind}\n{namespace}\n{name}").as_bytes());
    format!("{whole}.lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web(uid: &str) -> ObjectId {
        ObjectId {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: "shop".into(),
            name: "web".into(),
            uid: uid.into(),
        }
    }

    fn locks(state: &Path, run: &str) -> ObjectLocks {
        let clock = Clock::starting_at("2026-11-21T03:31:00Z".parse().unwrap());
        ObjectLocks::new(&Places::new(state), &RunId(run.into()), clock).unwrap()
    }

    #[test]
    fn an_object_in_the_hands_of_another_run_is_refused_by_name() {
        let state = tempfile::tempdir().unwrap();
        let (first, second) = (locks(state.path(), "r1"), locks(state.path(), "r2"));
        let guard = first.take("prod", &web("u1")).unwrap();
        let error = second.take("prod", &web("")).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("Deployment shop/web on prod is in the hands of run r1 (process "), "{text}");
        assert!(text.contains("since 2026-11-21T03:31:"), "{text}");
        let Error::Held(held) = error else { panic!("{text}") };
        assert_eq!(held.by.unwrap().pid, std::process::id());
        drop(guard);
        let _guard = second.take("prod", &web("u1")).unwrap();
    }

    #[test]
    fn a_run_shares_an_object_with_itself_until_the_last_guard() {
        let state = tempfile::tempdir().unwrap();
        let (first, second) = (locks(state.path(), "r1"), locks(state.path(), "r2"));
        let outer = first.take("prod", &web("")).unwrap();
        let inner = first.take("prod", &web("")).unwrap();
        drop(outer);
        assert!(second.take("prod", &web("")).is_err());
        drop(inner);
        assert!(second.take("prod", &web("")).is_ok());
    }

    #[test]
    fn other_objects_and_other_targets_are_free() {
        let state = tempfile::tempdir().unwrap();
        let (first, second) = (locks(state.path(), "r1"), locks(state.path(), "r2"));
        let _guard = first.take("prod", &web("")).unwrap();
        let db = ObjectId { name: "db".into(), ..web("") };
        assert!(second.take("test", &web("")).is_ok());
        assert!(second.take("prod", &db).is_ok());
    }

    #[test]
    fn to_look_who_holds_a_lock_disturbs_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let clock = Clock::starting_at("2026-11-21T03:31:00Z".parse().unwrap());
        let holder = Holder::here(&RunId("r1".into()), clock);
        assert_eq!(Lock::holder(&path), None);
        let lock = Lock::take(&path, "run r1", &holder).unwrap();
        assert_eq!(Lock::holder(&path), Some(holder.clone()));
        drop(lock);
        assert_eq!(Lock::holder(&path), None);
        assert!(Lock::take(&path, "run r1", &holder).is_ok());
    }
}
