//! Where reports go: opened before the run, written after it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use super::{Error, FORMATS, Format, Report};
use crate::source::nearest;

/// What stands for the standard output.
const STDOUT: &str = "-";

/// The format that comes with a summary.
const GITHUB: &str = "github";

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
    /// Added to the end of what others wrote there.
    appends: bool,
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

    /// Adds Markdown to the end of a job's summary, where annotations are wanted too (`$GITHUB_STEP_SUMMARY`).
    #[must_use]
    pub fn summarised_in(mut self, summary: Option<&str>) -> Self {
        let markdown = FORMATS.iter().find(|format| format.name == "md");
        if let (Some(path), Some(format)) = (summary.filter(|path| !path.is_empty()), markdown)
            && self.0.iter().any(|target| target.format.name == GITHUB)
        {
            self.0.push(Target { format, path: path.to_owned(), appends: true });
        }
        self
    }

    /// Whether one report goes to the standard output, which is then no place for anything else.
    pub fn use_stdout(&self) -> bool {
        self.0.iter().any(Target::is_stdout)
    }

    /// The files, each as `FORMAT PATH`, for the last lines of a run.
    pub fn files(&self) -> Vec<String> {
        let files = self.0.iter().filter(|target| !target.is_stdout());
        files.map(|target| format!("{} {}", target.format.name, target.path)).collect()
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
        // The runner reads annotations from the job's output, so that is where they go.
        let text = if text == GITHUB { "github=-" } else { text };
        let Some((name, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
            return Err(Error::NoPath(text.to_owned()));
        };
        let format = FORMATS.iter().find(|format| format.name == name);
        let format = format.ok_or_else(|| unknown_format(name))?;
        Ok(Self { format, path: path.to_owned(), appends: false })
    }

    fn is_stdout(&self) -> bool {
        self.path == STDOUT
    }

    fn name(&self) -> &str {
        if self.is_stdout() { "the standard output" } else { &self.path }
    }

    fn unwritable(&self, cause: io::Error) -> Error {
        Error::Unwritable { path: self.name().to_owned(), cause }
    }

    fn probe(&self) -> io::Result<()> {
        if self.is_stdout() {
            return Ok(());
        }
        if self.appends {
            return appended(Path::new(&self.path), b"");
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
        } else if self.appends {
            appended(Path::new(&self.path), &bytes)
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
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::File(path.to_owned())),
            Err(error) => Err(error),
        }
    }
}

fn appended(path: &Path, bytes: &[u8]) -> io::Result<()> {
    std::fs::OpenOptions::new().create(true).append(true).open(path)?.write_all(bytes)
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
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
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
    Error::UnknownFormat { name: name.to_owned(), help }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(values: &[&str]) -> String {
        Targets::parse(values).unwrap_err().to_string()
    }

    #[test]
    fn targets_come_in_one_value_or_in_several() {
        let targets = Targets::parse(["json=a.json,junit=x=y.xml", "json=-"]).unwrap();
        assert_eq!(targets.files(), ["json a.json", "junit x=y.xml"]);
        assert!(targets.use_stdout());
        assert!(!Targets::parse(["json=a"]).unwrap().use_stdout());
    }

    #[test]
    fn mistakes_are_named_with_what_to_do() {
        assert_eq!(words(&["jsno=a"]), "there is no report format `jsno`; did you mean `json`?");
        assert_eq!(
            words(&["parquet=a"]),
            "there is no report format `parquet`; there are json, junit, html, md, tap, github"
        );
        assert_eq!(
            words(&["json"]),
            "`--report json` names no file: write `FORMAT=PATH`, for instance `json=report.json`"
        );
        assert_eq!(words(&["json=a", "junit=a"]), "two reports go to `a`: give each a file of its own");
        assert_eq!(words(&["json=-,junit=-"]), "two reports go to `the standard output`: give each a file of its own");
    }

    #[test]
    fn a_folder_that_is_not_there_fails_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no/a.json");
        let value = format!("json={}", missing.display());
        let error = Targets::parse([value]).unwrap().open().unwrap_err();
        assert!(error.to_string().contains("no/a.json` cannot be written"), "{error}");
        let itself = format!("json={}", folder.path().display());
        assert!(Targets::parse([itself]).unwrap().open().is_err());
    }

    #[test]
    fn opening_leaves_what_is_there_and_writing_replaces_it_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        std::fs::write(&path, "old").unwrap();
        let value = format!("json={},junit=-", path.display());
        let targets = Targets::parse([value]).unwrap().open().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        let mut stdout = Vec::new();
        let errors = targets.write(&Report::default(), &mut stdout);
        assert!(errors.is_empty(), "{errors:?}");
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("{\n"));
        assert!(stdout.starts_with(b"<?xml"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn one_bad_place_does_not_keep_the_others_from_being_written() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        std::fs::create_dir(&gone).unwrap();
        let good = folder.path().join("b.xml");
        let value = format!("json={}/a.json,junit={}", gone.display(), good.display());
        let targets = Targets::parse([value]).unwrap().open().unwrap();
        std::fs::remove_dir(&gone).unwrap();
        let errors = targets.write(&Report::default(), &mut Vec::new());
        assert_eq!(errors.len(), 1);
        assert!(good.exists());
    }

    #[test]
    fn a_summary_is_added_to_and_only_beside_annotations() {
        let folder = tempfile::tempdir().unwrap();
        let summary = folder.path().join("summary.md");
        std::fs::write(&summary, "before\n").unwrap();
        let path = summary.to_str();
        let targets = Targets::parse(["github"]).unwrap().summarised_in(path).open().unwrap();
        let mut stdout = Vec::new();
        assert!(targets.write(&Report::default(), &mut stdout).is_empty());
        assert!(stdout.starts_with(b"::error "));
        assert!(std::fs::read_to_string(&summary).unwrap().starts_with("before\n# "));
        assert_eq!(Targets::parse(["json=a"]).unwrap().summarised_in(path).files(), ["json a"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_to_and_stays_a_device() {
        use std::os::unix::fs::FileTypeExt as _;
        let targets = Targets::parse(["json=/dev/null"]).unwrap().open().unwrap();
        assert!(targets.write(&Report::default(), &mut Vec::new()).is_empty());
        let kind = std::fs::metadata("/dev/null").unwrap().file_type();
        assert!(kind.is_char_device());
    }
}
