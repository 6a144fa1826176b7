//! Where reports go: opened before the run, written after it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use super::{Error, FORMATS, Format, Report};
use crate::source::nearest;

/// What stands for the standard output.
const STDOUT: &str = "-";

/// The reports that a user asked for, not yet tried.
#[derive(Debug, Default)]
pub struct Targets(Vec<Target>);

/// The reports that a user asked for, each in a place that can be written.
#[derive(Debug, Default)]
pub struct OpenTargets(Vec<Target>);

#[derive(Debug)]
struct Target {
    format: &'static Format,
    path: String,
}

impl Targets {
    /// Reads the values of `--report`: `json=a.json,junit=b.xml`, given once or often.
    ///
    /// # Errors
    /// An unknown format, a missing path, or two reports in one place.
    pub fn parse(values: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, Error> {
        let mut targets: Vec<Target> = Vec::new();
        for value in values {
            for part in value.as_ref().split(',') {
                let target = Target::parse(part)?;
                if targets.iter().any(|other| other.path == target.path) {
                    return Err(Error::SamePath(target.name().to_owned()));
                }
                targets.push(target);
            }
        }
        Ok(Self(targets))
    }

    /// Whether one report goes to the standard output, which is then no place for anything else.
    pub fn use_stdout(&self) -> bool {
        self.0.iter().any(Target::is_stdout)
    }

    /// The files, each as `FORMAT PATH`, for the last lines of a run.
    pub fn files(&self) -> Vec<String> {
        let files = self.0.iter().filter(|target| !target.is_stdout());
        files
            .map(|target| format!("{} {}", target.format.name, target.path))
            .collect()
    }

    /// Tries every place, so that a bad path fails before the cluster is touched.
    ///
    /// # Errors
    /// The first place that cannot be written.
    pub fn open(self) -> Result<OpenTargets, Error> {
        for target in &self.0 {
            target.probe().map_err(|cause| target.unwritable(cause))?;
        }
        Ok(OpenTargets(self.0))
    }
}

impl OpenTargets {
    /// Writes every report, whatever becomes of the others; `stdout` takes the one for `-`.
    pub fn write(&self, report: &Report, stdout: &mut dyn Write) -> Vec<Error> {
        let results = self.0.iter().map(|target| target.write(report, stdout));
        results.filter_map(Result::err).collect()
    }
}

impl Target {
    fn parse(text: &str) -> Result<Self, Error> {
        let Some((name, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
            return Err(Error::NoPath(text.to_owned()));
        };
        let format = FORMATS.iter().find(|format| format.name == name);
        Ok(Self {
            format: format.ok_or_else(|| unknown_format(name))?,
            path: path.to_owned(),
        })
    }

    fn is_stdout(&self) -> bool {
        self.path == STDOUT
    }

    fn name(&self) -> &str {
        if self.is_stdout() {
            "the standard output"
        } else {
            &self.path
        }
    }

    fn unwritable(&self, cause: io::Error) -> Error {
        Error::Unwritable {
            path: self.name().to_owned(),
            cause,
        }
    }

    fn probe(&self) -> io::Result<()> {
        if self.is_stdout() {
            return Ok(());
        }
        match Place::of(Path::new(&self.path))? {
            Place::File(path) => beside(&path).map(drop),
            Place::Device(path) => std::fs::OpenOptions::new().write(true).open(path).map(drop),
        }
    }

    fn write(&self, report: &Report, stdout: &mut dyn Write) -> Result<(), Error> {
        let bytes = (self.format.write)(report)?;
        let written = if self.is_stdout() {
            stdout.write_all(&bytes).and_then(|()| stdout.flush())
        } else {
            put(Path::new(&self.path), &bytes)
        };
        written.map_err(|cause| self.unwritable(cause))
    }
}

/// What stands where a report should go.
enum Place {
    /// A file, or nothing yet: it is replaced in one stroke. Links are followed.
    File(PathBuf),
    /// A device or a pipe (`/dev/null`, `/dev/fd/63`): it is written to.
    Device(PathBuf),
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        match std::fs::metadata(path) {
            Ok(meta) if meta.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(meta) if meta.is_file() => Ok(Self::File(std::fs::canonicalize(path)?)),
            Ok(_) => Ok(Self::Device(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Self::File(path.to_owned()))
            }
            Err(error) => Err(error),
        }
    }
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match Place::of(path)? {
        Place::Device(path) => std::fs::write(path, bytes),
        Place::File(path) => {
            let mut file = beside(&path)?;
            file.write_all(bytes)?;
            file.persist(&path)?;
            Ok(())
        }
    }
}

/// A new file in the same folder, readable as the user's umask says.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut builder = Builder::new();
    builder.prefix(".runhub-");
    obey_umask(&mut builder);
    builder.tempfile_in(folder)
}

#[cfg(unix)]
fn obey_umask(builder: &mut Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt as _;
    builder.permissions(std::fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn obey_umask(_: &mut Builder<'_, '_>) {}

fn unknown_format(name: &str) -> Error {
    let names = || FORMATS.iter().map(|format| format.name);
    let help = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
    };
    Error::UnknownFormat {
        name: name.to_owned(),
        help,
    }
}
