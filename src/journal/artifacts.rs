//! Files that a book asks for, beside its journal.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::files;
use super::places::{ARTIFACTS, Places};
use crate::event::RunId;
use crate::secret::Redactor;

/// The artifacts of one run.
#[derive(Debug, Clone)]
pub struct Artifacts {
    folder: PathBuf,
    redactor: Redactor,
}

/// So many files may want one name; a loop over pods stays far below.
const SAME_NAME: u32 = 10_000;

impl Artifacts {
    /// The artifacts of a run; the folder is made with the first.
    ///
    /// # Errors
    /// When the text cannot be the name of a run.
    pub fn new(places: &Places, run: &RunId, redactor: &Redactor) -> Result<Self, Error> {
        Ok(Self { folder: places.run(run)?.join(ARTIFACTS), redactor: redactor.clone() })
    }

    /// Writes a file without secrets, and says where it lies. A name given again gets a number (`web.2.log`).
    ///
    /// # Errors
    /// When the name is not a plain file name, or the file cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Error> {
        let name = checked(name)?;
        let clean = redacted(bytes, &self.redactor);
        files::folder(&self.folder)?;
        let (path, mut file) = self.new_file(name)?;
        if let Err(why) = file.write_all(&clean) {
            // Best effort: half an artifact is worse than none.
            let _ = std::fs::remove_file(&path);
            return Err(Error::disk(&path, "write")(why));
        }
        Ok(path)
    }

    fn new_file(&self, name: &str) -> Result<(PathBuf, std::fs::File), Error> {
        let mut last = Error::ArtifactName(name.to_owned());
        for number in 1..=SAME_NAME {
            let path = self.folder.join(numbered(name, number));
            match files::new_file(&path) {
                Err(Error::Disk { path, doing, why }) if why.kind() == ErrorKind::AlreadyExists => {
                    last = Error::Disk { path, doing, why };
                }
                made => return made.map(|file| (path, file)),
            }
        }
        Err(last)
    }
}

/// `web.log`, `web.2.log`, `web.3.log`.
fn numbered(name: &str, number: u32) -> String {
    let path = Path::new(name);
    match (number, path.file_stem(), path.extension()) {
        (1, _, _) => name.to_owned(),
        (_, Some(stem), Some(end)) => {
            format!("{}.{number}.{}", stem.to_string_lossy(), end.to_string_lossy())
        }
        _ => format!("{name}.{number}"),
    }
}

fn checked(name: &str) -> Result<&str, Error> {
    let odd = |char: char| matches!(char, '/' | '\\') || char.is_control();
    if name.is_empty() || name.len() > 200 || name.starts_with('.') || name.contains(odd) {
        return Err(Error::ArtifactName(name.to_owned()));
    }
    Ok(name)
}

/// The bytes without secrets. A secret is text, so it lies whole inside one readable chunk.
fn redacted(bytes: &[u8], redactor: &Redactor) -> Vec<u8> {
    bytes
        .utf8_chunks()
        .flat_map(|chunk| {
            let text = redactor.text(chunk.valid()).into_owned().into_bytes();
            [text, chunk.invalid().to_vec()]
        })
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifacts(state: &Path) -> Artifacts {
        let redactor = Redactor::default();
        redactor.register("hunter2hunter2");
        Artifacts::new(&Places::new(state), &RunId("r1".into()), &redactor).unwrap()
    }

    #[test]
    fn an_artifact_lies_in_the_runs_folder_without_secrets() {
        let state = tempfile::tempdir().unwrap();
        let path = artifacts(state.path()).write("web.log", b"\xff\xc3pw=hunter2hunter2\xe2\x82 end").unwrap();
        assert_eq!(path, state.path().join("runs/r1/artifacts/web.log"));
        assert_eq!(std::fs::read(path).unwrap(), b"\xff\xc3pw=***\xe2\x82 end");
    }

    #[test]
    fn a_name_given_again_overwrites_nothing() {
        let state = tempfile::tempdir().unwrap();
        let artifacts = artifacts(state.path());
        let names: Vec<String> = [("a.log", "1"), ("a.log", "2"), ("a", "3"), ("a", "4")]
            .map(|(name, text)| artifacts.write(name, text.as_bytes()).unwrap())
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, ["a.log", "a.2.log", "a", "a.2"]);
    }

    #[test]
    fn a_name_cannot_lead_out_of_the_folder() {
        let state = tempfile::tempdir().unwrap();
        for bad in ["", ".", "..", "../x", "/etc/passwd", "a/b", "a\\b", "a\0b", ".bashrc", "a\nb"] {
            let error = artifacts(state.path()).write(bad, b"x").unwrap_err();
            assert!(matches!(error, Error::ArtifactName(_)), "{bad:?}: {error}");
        }
        assert!(!state.path().join("runs").exists());
    }
}
