//! Where identities keep their files.

use std::path::{Path, PathBuf};

use super::olares_id::OlaresId;

/// The kinds of systems on which olares-cli keeps its files at different places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum System {
    /// Everything below the XDG data folder.
    #[default]
    Linux,
    /// Application Support; olares-cli keeps its key in the keychain there, or beside the tokens where it may not.
    MacOs,
}

/// The directories that decide where profiles and tokens live; `cli` fills it from the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// The user's home.
    pub home: Option<PathBuf>,
    /// `OLARES_CLI_HOME`: replaces the config directory.
    pub olares_cli_home: Option<PathBuf>,
    /// `OLARES_CLI_DATA_DIR`: replaces the parent of the token store; only absolute paths count.
    pub data_dir: Option<PathBuf>,
    /// `OLARES_CLI_CACHE_DIR`: stands in for both where the platform runs us in a container.
    pub cache_dir: Option<PathBuf>,
    /// `OLARES_CLI_CREDENTIALS_DIR`: where the platform mounts the credential that it issued to an application.
    pub credentials_dir: Option<PathBuf>,
    /// `KUBECONFIG`, split; earlier files win.
    pub kubeconfig: Vec<PathBuf>,
    /// The directory for temporary files, the last resort for the token store.
    pub temp_dir: PathBuf,
    /// The system, as far as it moves files.
    pub system: System,
}

impl Places {
    /// The directory of `config.json` and the locks; `None` where nothing says where it is.
    pub fn config_dir(&self) -> Option<PathBuf> {
        given(self.olares_cli_home.as_deref())
            .map(Path::to_path_buf)
            .or_else(|| given(self.cache_dir.as_deref()).map(|dir| dir.join("config")))
            .or_else(|| given(self.home.as_deref()).map(|dir| dir.join(".olares-cli")))
    }

    /// The directory of the master key and the sealed tokens.
    pub fn token_dir(&self) -> PathBuf {
        match self.system {
            System::Linux => self.xdg_token_dir(),
            System::MacOs => match given(self.home.as_deref()) {
                Some(home) => home.join("Library/Application Support/olares-cli"),
                None => self.temp_dir.join("olares-cli/keychain/olares-cli"),
            },
        }
    }

    /// The name of the master key's file; on macOS it is the fallback where the keychain is out of reach.
    pub(super) fn key_name(&self) -> &'static str {
        match self.system {
            System::Linux => "master.key",
            System::MacOs => "master.key.file",
        }
    }

    /// The file that olares-cli and we lock while the login of an identity changes.
    pub(super) fn refresh_lock(&self, id: &OlaresId) -> PathBuf {
        // Nothing in an identity needs replacing in a file name.
        let config = self.config_dir().unwrap_or_else(|| self.token_dir());
        config.join("locks").join(format!("{id}.refresh.lock"))
    }

    /// The credential that the platform issued, where it mounts one.
    pub(super) fn managed_credential(&self) -> Option<PathBuf> {
        given(self.credentials_dir.as_deref()).map(|dir| dir.join("credential.json"))
    }

    fn xdg_token_dir(&self) -> PathBuf {
        let absolute = |dir: &Option<PathBuf>| dir.clone().filter(|dir| dir.is_absolute());
        absolute(&self.data_dir)
            .or_else(|| absolute(&self.cache_dir).map(|dir| dir.join("keychain")))
            .or_else(|| given(self.home.as_deref()).map(|dir| dir.join(".local/share")))
            .unwrap_or_else(|| self.temp_dir.join("olares-cli").join("keychain"))
            .join("olares-cli")
    }

    /// The kubeconfig files to merge, in the order of their weight.
    pub fn kubeconfig_files(&self) -> Vec<PathBuf> {
        let named: Vec<_> = self.kubeconfig.iter().filter(|file| !file.as_os_str().is_empty()).cloned().collect();
        if named.is_empty() {
            given(self.home.as_deref()).map(|home| home.join(".kube/config")).into_iter().collect()
        } else {
            named
        }
    }
}

fn given(dir: Option<&Path>) -> Option<&Path> {
    dir.filter(|dir| !dir.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> Places {
        Places { home: Some("/home/mira".into()), temp_dir: "/tmp".into(), ..Places::default() }
    }

    #[test]
    fn the_config_directory_follows_override_then_container_then_home() {
        let mut places = home();
        assert_eq!(places.config_dir(), Some("/home/mira/.olares-cli".into()));
        places.cache_dir = Some("/cache".into());
        assert_eq!(places.config_dir(), Some("/cache/config".into()));
        places.olares_cli_home = Some("/cfg".into());
        assert_eq!(places.config_dir(), Some("/cfg".into()));
        assert_eq!(Places::default().config_dir(), None);
    }

    #[test]
    fn the_token_directory_takes_only_absolute_overrides() {
        let mut places = home();
        assert_eq!(places.token_dir(), Path::new("/home/mira/.local/share/olares-cli"));
        places.data_dir = Some("relative".into());
        places.cache_dir = Some("/cache".into());
        assert_eq!(places.token_dir(), Path::new("/cache/keychain/olares-cli"));
        places.data_dir = Some("/data".into());
        assert_eq!(places.token_dir(), Path::new("/data/olares-cli"));
        let nowhere = Places { temp_dir: "/tmp".into(), ..Places::default() };
        assert_eq!(nowhere.token_dir(), Path::new("/tmp/olares-cli/keychain/olares-cli"));
    }

    #[test]
    fn on_macos_the_files_lie_where_olares_cli_falls_back_to() {
        let mac = Places { system: System::MacOs, data_dir: Some("/data".into()), ..home() };
        assert_eq!(mac.token_dir(), Path::new("/home/mira/Library/Application Support/olares-cli"));
        assert_eq!((mac.key_name(), home().key_name()), ("master.key.file", "master.key"));
        let nowhere = Places { home: None, ..mac };
        assert_eq!(nowhere.token_dir(), Path::new("/tmp/olares-cli/keychain/olares-cli"));
    }

    #[test]
    fn kubeconfig_falls_back_to_the_home() {
        let mut places = home();
        assert_eq!(places.kubeconfig_files(), [PathBuf::from("/home/mira/.kube/config")]);
        places.kubeconfig = vec!["".into(), "a".into(), "b".into()];
        assert_eq!(places.kubeconfig_files(), [PathBuf::from("a"), PathBuf::from("b")]);
    }
}
