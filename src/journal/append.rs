//! Whole lines at the end of a file: all of a line, or nothing of it.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::error::Error;

/// What lines are written on: a file; in tests, one that fails.
pub(super) trait Medium: Send {
    /// Adds bytes at the end.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Puts all that was written on stable storage.
    fn sync(&mut self) -> io::Result<()>;
    /// Makes it `length` bytes long again.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Medium for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// The writing end of a file of lines.
///
/// Half a line that a full disk left behind is cut off before the next one is
/// written. After a failed sync nothing is promised any more: the system may
/// have dropped what it could not write and calls the next sync a success.
pub(super) struct Appender {
    medium: Box<dyn Medium>,
    path: PathBuf,
    length: u64,
    torn: bool,
    lost: bool,
    dirty: bool,
}

impl Appender {
    /// Goes on after `length` good bytes; what stands behind them is cut off.
    pub(super) fn after(file: File, path: &Path, length: u64) -> Result<Self, Error> {
        let found = file.metadata().map_err(Error::disk(path, "look at the file"))?.len();
        let mut appender = Self::on(Box::new(file), path, length);
        appender.torn = found > length;
        appender.mend()?;
        Ok(appender)
    }

    /// Writes on a medium that holds `length` good bytes.
    pub(super) fn on(medium: Box<dyn Medium>, path: &Path, length: u64) -> Self {
        Self { medium, path: path.to_path_buf(), length, torn: false, lost: false, dirty: false }
    }

    fn mend(&mut self) -> Result<(), Error> {
        if self.torn {
            self.medium.cut(self.length).map_err(Error::disk(&self.path, "cut off half a line"))?;
            self.torn = false;
        }
        Ok(())
    }

    /// Adds one line, its newline included.
    pub(super) fn line(&mut self, line: &[u8]) -> Result<(), Error> {
        self.mend()?;
        if let Err(why) = self.medium.write(line) {
            self.torn = self.medium.cut(self.length).is_err();
            return Err(Error::disk(&self.path, "write")(why));
        }
        self.length += line.len() as u64;
        self.dirty = true;
        Ok(())
    }

    /// Puts all lines on stable storage; does nothing where they are already.
    pub(super) fn sync(&mut self) -> Result<(), Error> {
        if self.lost {
            let why = io::Error::other("an earlier sync failed, so lines may be lost");
            return Err(Error::disk(&self.path, "sync")(why));
        }
        if self.dirty {
            let synced = self.medium.sync();
            self.lost = synced.is_err();
            synced.map_err(Error::disk(&self.path, "sync"))?;
            self.dirty = false;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A disk with room for so many bytes; a write that does not fit is half done.
    #[derive(Clone, Default)]
    pub(in crate::journal) struct SmallDisk {
        pub(in crate::journal) bytes: Arc<Mutex<Vec<u8>>>,
        pub(in crate::journal) room: Arc<Mutex<usize>>,
        pub(in crate::journal) deaf: Arc<Mutex<bool>>,
    }

    impl Medium for SmallDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
            let mut held = self.bytes.lock().unwrap();
            let fits = self.room.lock().unwrap().saturating_sub(held.len()).min(bytes.len());
            held.extend_from_slice(&bytes[..fits]);
            if fits < bytes.len() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            Ok(())
        }
        fn sync(&mut self) -> io::Result<()> {
            if *self.deaf.lock().unwrap() {
                return Err(io::Error::other("input/output error"));
            }
            Ok(())
        }
        fn cut(&mut self, length: u64) -> io::Result<()> {
            if *self.deaf.lock().unwrap() {
                return Err(io::Error::other("input/output error"));
            }
            self.bytes.lock().unwrap().truncate(usize::try_from(length).unwrap());
            Ok(())
        }
    }

    fn on(disk: &SmallDisk) -> Appender {
        Appender::on(Box::new(disk.clone()), Path::new("/disk"), 0)
    }

    #[test]
    fn a_full_disk_keeps_no_half_line_and_goes_on_when_there_is_room() {
        let disk = SmallDisk::default();
        *disk.room.lock().unwrap() = 6;
        let mut appender = on(&disk);
        appender.line(b"one\n").unwrap();
        assert!(appender.line(b"two\n").unwrap_err().to_string().contains("free some space"));
        assert_eq!(*disk.bytes.lock().unwrap(), b"one\n");
        *disk.room.lock().unwrap() = 100;
        appender.line(b"two\n").unwrap();
        assert_eq!(*disk.bytes.lock().unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn half_a_line_that_cannot_be_cut_now_is_cut_before_the_next() {
        let disk = SmallDisk::default();
        *disk.room.lock().unwrap() = 2;
        *disk.deaf.lock().unwrap() = true;
        let mut appender = on(&disk);
        assert!(appender.line(b"one\n").is_err());
        assert!(appender.line(b"one\n").unwrap_err().to_string().contains("half a line"));
        *disk.room.lock().unwrap() = 100;
        *disk.deaf.lock().unwrap() = false;
        appender.line(b"two\n").unwrap();
        assert_eq!(*disk.bytes.lock().unwrap(), b"two\n");
    }

    #[test]
    fn a_failed_sync_is_never_forgiven() {
        let disk = SmallDisk::default();
        *disk.room.lock().unwrap() = 100;
        *disk.deaf.lock().unwrap() = true;
        let mut appender = on(&disk);
        appender.line(b"one\n").unwrap();
        assert!(appender.sync().is_err());
        *disk.deaf.lock().unwrap() = false;
        assert!(appender.sync().unwrap_err().to_string().contains("earlier sync"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_systems_own_full_device_is_told_by_name() {
        let path = Path::new("/dev/full");
        let file = File::options().append(true).open(path).unwrap();
        let mut appender = Appender::after(file, path, 0).unwrap();
        let text = appender.line(b"one\n").unwrap_err().to_string();
        assert!(text.starts_with("/dev/full: cannot write: No space left"), "{text}");
    }
}
