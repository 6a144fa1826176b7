//! Which target, and who we are there.
//!
//! In this order: `--sim`, `--kubeconfig`/`--context`, `--profile`,
//! `RUNHUB_URL` with `RUNHUB_TOKEN`, `RUNHUB_PROFILE`, the active profile of
//! olares-cli.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use http::HeaderMap;

use super::environment::Environment;
use super::exit::{self, Stop, in_full};
use super::open;
use super::terminal::say_error;
use crate::clock::{Clock, Timestamp};
use crate::cluster::auth::kubeconfig::Kubeconfig;
use crate::cluster::auth::{Config, Grant, OlaresIdentity, Places, Profile, StaticToken, TokenStore};
use crate::cluster::provider::{CONTROLHUB, KUBERNETES, Provider};
use crate::cluster::socket::{Server, Socket, Trust};
use crate::cluster::{Client, Identity, Tap};
use crate::document;
use crate::event::TargetHead;
use crate::secret::{Redactor, Secret};
use crate::simulator::scenario::Scenario;
use crate::simulator::{Serving, Simulator};
use crate::source::{Diagnostic, Source};

/// Where a run goes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Target")]
#[group(id = "target", multiple = true)]
pub(super) struct Options {
    /// Run against the embedded ControlHub: its demo world, or the world of a scenario file.
    #[arg(long, value_name = "SCENARIO", num_args = 0..=1, conflicts_with_all = ["kubeconfig", "context"])]
    #[expect(clippy::option_option, reason = "absent, bare, or with a file: three cases")]
    sim: Option<Option<PathBuf>>,
    /// Run against a Kubernetes API server, by this kubeconfig.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context; its current one if not given.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// The login of this profile; else `RUNHUB_PROFILE`, else the active one.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["sim", "kubeconfig", "context"])]
    profile: Option<String>,
}

impl Options {
    /// The kubeconfig, from the root, and the context that were given.
    pub(super) fn kubernetes(&self) -> (Option<PathBuf>, Option<String>) {
        let file = self.kubeconfig.as_ref().map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone()));
        (file, self.context.clone())
    }

    /// Whether the run goes to an embedded server, which ends with this process.
    pub(super) fn is_embedded(&self) -> bool {
        self.sim.is_some()
    }

    /// The same, with what was given when the run began where nothing is given now.
    pub(super) fn or(self, kubeconfig: Option<&Path>, context: Option<&str>) -> Self {
        if self.kubeconfig.is_some() || self.context.is_some() || self.sim.is_some() {
            return self;
        }
        Self { kubeconfig: kubeconfig.map(Path::to_path_buf), context: context.map(str::to_owned), ..self }
    }
}

/// A target, ready to be spoken with.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) head: TargetHead,
    road: Arc<Socket>,
    identity: Arc<dyn Identity>,
    provider: &'static dyn Provider,
    /// What must live as long as the target: the embedded server and its login.
    embedded: Option<(Simulator, Serving, tempfile::TempDir)>,
}

/// What every way to a target needs.
struct Means<'a> {
    environment: &'a Environment,
    clock: Clock,
    redactor: &'a Redactor,
}

impl Target {
    fn new(
        name: impl Into<String>,
        server: Server,
        identity: Arc<dyn Identity>,
        provider: &'static dyn Provider,
    ) -> Result<Self, Stop> {
        let url = server.url.clone();
        let road = Arc::new(Socket::new(server).map_err(|error| Stop::new(exit::USAGE, error))?);
        let head = TargetHead { name: name.into(), provider: provider.name().to_owned(), url, user: identity.name() };
        Ok(Self { head, road, identity, provider, embedded: None })
    }

    /// Waits for a login that is being renewed, and tells what was amiss; nothing can be asked afterwards.
    pub(super) async fn settle(&self) {
        self.identity.close().await;
        if let Some(trouble) = self.identity.trouble() {
            say_error(&format!("warning: the login of {}: {trouble}\n", self.identity.name()));
        }
    }

    /// When the login in use ends, where it says so.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        self.identity.expires()
    }

    /// Settles the login, and ends the embedded server; its watches end with it.
    pub(super) async fn close(self) {
        self.settle().await;
        drop(self.embedded);
    }

    /// A client whose exchanges are heard by `tap`.
    pub(super) fn client(&self, tap: Arc<dyn Tap>, clock: Clock) -> Client {
        Client::new(self.road.clone(), self.identity.clone(), self.provider, tap, clock)
    }
}

/// Finds the target; nothing is sent to it yet.
///
/// # Errors
/// Why there is none, and what to do.
pub(super) async fn connect(
    options: &Options,
    environment: &Environment,
    clock: Clock,
    redactor: &Redactor,
) -> Result<Target, Stop> {
    let means = Means { environment, clock, redactor };
    if let Some(scenario) = &options.sim {
        return embedded(scenario.as_deref(), &means).await;
    }
    if options.kubeconfig.is_some() || options.context.is_some() {
        return kubernetes(options, &means).await;
    }
    if options.profile.is_some() {
        return from_profile(options.profile.as_deref(), &means).await;
    }
    match (environment.get("RUNHUB_URL"), environment.get("RUNHUB_TOKEN")) {
        (Some(url), Some(token)) => from_variables(url, token, &means),
        (None, None) => from_profile(environment.get("RUNHUB_PROFILE"), &means).await,
        (Some(_), None) => Err(Stop::new(exit::USAGE, "RUNHUB_URL is set and RUNHUB_TOKEN is not: set both")),
        (None, Some(_)) => Err(Stop::new(exit::USAGE, "RUNHUB_TOKEN is set and RUNHUB_URL is not: set both")),
    }
}

/// The user of the embedded server, unless a scenario names others.
const ALICE: &str = "alice";

async fn embedded(scenario: Option<&Path>, means: &Means<'_>) -> Result<Target, Stop> {
    let world = match scenario {
        Some(path) => read_scenario(path)?,
        None => Scenario::default(),
    };
    let user = world.users.first().map_or_else(|| ALICE.to_owned(), |user| user.name.clone());
    let simulator = Simulator::new(world, means.clock).map_err(|error| Stop::new(exit::INVALID, error))?;
    let started = simulator.serve(0).await;
    let serving = started.map_err(|error| Stop::new(exit::FAILED, format!("the embedded server: {error}")))?;
    let (access, refresh) =
        simulator.login(&user).ok_or_else(|| Stop::new(exit::INVALID, format!("the scenario has no user `{user}`")))?;
    let (identity, home) = login_of(&user, (access, refresh), &serving.url, means).await?;
    let server = Server { url: serving.url.clone(), ..Server::default() };
    let mut target = Target::new("simulator", server, Arc::new(identity), CONTROLHUB)?;
    target.embedded = Some((simulator, serving, home));
    Ok(target)
}

/// A login of its own, in a folder of its own, so that the same code renews it as any other.
async fn login_of(
    user: &str,
    tokens: (String, String),
    url: &str,
    means: &Means<'_>,
) -> Result<(OlaresIdentity, tempfile::TempDir), Stop> {
    let broken = |error: &dyn std::fmt::Display| Stop::new(exit::FAILED, format!("the embedded login: {error}"));
    let home = tempfile::tempdir().map_err(|error| broken(&error))?;
    let folder = Some(home.path().to_path_buf());
    let places =
        Places { home: folder.clone(), olares_cli_home: folder.clone(), data_dir: folder, ..Places::default() };
    let olares_id = user.parse().map_err(|error| broken(&error))?;
    let profile = Profile {
        alias: None,
        olares_id,
        auth_url: url.parse().map_err(|error| broken(&error))?,
        local_url_prefix: String::new(),
        insecure: false,
        control_hub_override: None,
        managed: None,
    };
    let grant = Grant {
        olares_id: profile.olares_id.clone(),
        access: Secret::new(tokens.0),
        refresh: Some(Secret::new(tokens.1)),
        session: None,
        granted_at: Some(means.clock.now()),
        invalidated_at: None,
        rest: serde_json::Map::new(),
    };
    let store = TokenStore::new(&places, means.redactor.clone());
    store.write(&grant).map_err(|error| broken(&error))?;
    let identity = OlaresIdentity::open(&profile, &places, means.clock, means.redactor.clone()).await;
    Ok((identity.map_err(|error| broken(&error))?, home))
}

fn read_yaml(path: &Path) -> Result<serde_json::Value, Stop> {
    read_tree(&open::source(path).map_err(|message| Stop::new(exit::USAGE, message))?)
}

/// Reads a text as one YAML document.
///
/// # Errors
/// With the place of the first mistake.
pub(super) fn read_tree(source: &Source) -> Result<serde_json::Value, Stop> {
    let (node, complaints) = document::read(source);
    match (node, complaints.into_iter().find(Diagnostic::is_error)) {
        (Some(node), None) => Ok(node.to_json()),
        (_, Some(complaint)) => {
            let place = source.place(complaint.span.start);
            Err(Stop::new(exit::INVALID, format!("{place}: {}", complaint.message)))
        }
        (None, None) => Err(Stop::new(exit::INVALID, format!("{} is empty", source.name()))),
    }
}

/// Reads a scenario's file.
///
/// # Errors
/// When it is no scenario.
pub(super) fn read_scenario(path: &Path) -> Result<Scenario, Stop> {
    let world = Scenario::from_value(read_yaml(path)?);
    world.map_err(|error| Stop::new(exit::INVALID, format!("{}: {error}", path.display())))
}

async fn kubernetes(options: &Options, means: &Means<'_>) -> Result<Target, Stop> {
    let refuse = |error: &dyn std::fmt::Display| Stop::new(exit::USAGE, error);
    let files = match &options.kubeconfig {
        Some(path) => vec![path.clone()],
        None => means.environment.places().kubeconfig_files().into_iter().filter(|path| path.exists()).collect(),
    };
    let mut read: Vec<(PathBuf, serde_json::Value)> = Vec::new();
    for path in files {
        let content = read_yaml(&path)?;
        read.push((path, content));
    }
    if read.is_empty() {
        return Err(Stop::new(exit::USAGE, "there is no kubeconfig: give --kubeconfig FILE, or set KUBECONFIG"));
    }
    let config = Kubeconfig::merge(read.iter().map(|(path, content)| (path.as_path(), content)));
    let access = config.and_then(|config| config.select(options.context.as_deref())).map_err(|error| refuse(&error))?;
    let identity = access.identity(means.clock, means.redactor);
    let certificate = identity.client_certificate().await.map_err(Stop::login)?;
    Target::new(access.context.clone(), access.server(certificate), Arc::new(identity), KUBERNETES)
}

fn from_variables(url: &str, token: &str, means: &Means<'_>) -> Result<Target, Stop> {
    let identity = StaticToken::new(&Secret::new(token), "RUNHUB_TOKEN", means.redactor)
        .map_err(|error| Stop::new(exit::USAGE, error))?;
    let server = Server { url: url.to_owned(), ..Server::default() };
    Target::new(url, server, Arc::new(identity), CONTROLHUB)
}

async fn from_profile(name: Option<&str>, means: &Means<'_>) -> Result<Target, Stop> {
    let places = means.environment.places();
    let profile = Config::load(&places).and_then(|config| config.profile(name));
    let profile = profile.map_err(|error| {
        Stop::login(format!(
            "{}\nor: give --sim to try it on the embedded ControlHub, --kubeconfig FILE for a Kubernetes \
             API server, or set RUNHUB_URL and RUNHUB_TOKEN",
            in_full(&error)
        ))
    })?;
    let identity = OlaresIdentity::open(&profile, &places, means.clock, means.redactor.clone());
    let identity = identity.await.map_err(Stop::login)?;
    let is_blank = identity.is_blank();
    let server = Server { url: profile.control_hub_url(), trust: trust(&profile), ..Server::default() };
    let target = Target::new(profile.name(), server, Arc::new(identity), CONTROLHUB)?;
    // The platform's credential is a refresh token; the first access token is bought before the first request.
    if is_blank {
        target.identity.renew(&HeaderMap::new(), target.road.clone()).await.map_err(Stop::login)?;
    }
    Ok(target)
}

/// Which certificates are believed on behalf of a profile.
pub(super) fn trust(profile: &Profile) -> Trust {
    if profile.insecure { Trust::Anyone } else { Trust::System }
}
