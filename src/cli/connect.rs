//! Which target, and who we are there.
//!
//! In this order: `--sim`, `--kubeconfig`/`--context`, `RUNHUB_URL` with
//! `RUNHUB_TOKEN`, the active profile of olares-cli.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::environment::Environment;
use super::{exit, open};
use crate::clock::Clock;
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
use crate::source::Diagnostic;

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

/// Why there is no target, and the exit code that goes with it.
#[derive(Debug)]
pub(super) struct NoTarget {
    pub(super) message: String,
    pub(super) code: u8,
}

impl NoTarget {
    fn new(code: u8, message: impl std::fmt::Display) -> Self {
        Self { message: message.to_string(), code }
    }

    fn login(message: impl std::fmt::Display) -> Self {
        Self::new(exit::UNREACHABLE, message)
    }
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
    ) -> Result<Self, NoTarget> {
        let url = server.url.clone();
        let road = Arc::new(Socket::new(server).map_err(|error| NoTarget::new(exit::USAGE, error))?);
        let head = TargetHead { name: name.into(), provider: provider.name().to_owned(), url, user: identity.name() };
        Ok(Self { head, road, identity, provider, embedded: None })
    }

    /// Ends the embedded server, if there is one; its watches end with it.
    pub(super) fn close(self) {
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
) -> Result<Target, NoTarget> {
    let means = Means { environment, clock, redactor };
    if let Some(scenario) = &options.sim {
        return embedded(scenario.as_deref(), &means).await;
    }
    if options.kubeconfig.is_some() || options.context.is_some() {
        return kubernetes(options, &means).await;
    }
    match (environment.get("RUNHUB_URL"), environment.get("RUNHUB_TOKEN")) {
        (Some(url), Some(token)) => from_variables(url, token, &means),
        (None, None) => from_profile(&means).await,
        (Some(_), None) => Err(NoTarget::new(exit::USAGE, "RUNHUB_URL is set and RUNHUB_TOKEN is not: set both")),
        (None, Some(_)) => Err(NoTarget::new(exit::USAGE, "RUNHUB_TOKEN is set and RUNHUB_URL is not: set both")),
    }
}

/// The user of the embedded server, unless a scenario names others.
const ALICE: &str = "alice";

async fn embedded(scenario: Option<&Path>, means: &Means<'_>) -> Result<Target, NoTarget> {
    let world = match scenario {
        Some(path) => read_scenario(path)?,
        None => Scenario::default(),
    };
    let user = world.users.first().map_or_else(|| ALICE.to_owned(), |user| user.name.clone());
    let simulator = Simulator::new(world, means.clock).map_err(|error| NoTarget::new(exit::INVALID, error))?;
    let started = simulator.serve(0).await;
    let serving = started.map_err(|error| NoTarget::new(exit::FAILED, format!("the embedded server: {error}")))?;
    let (access, refresh) = simulator
        .login(&user)
        .ok_or_else(|| NoTarget::new(exit::INVALID, format!("the scenario has no user `{user}`")))?;
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
) -> Result<(OlaresIdentity, tempfile::TempDir), NoTarget> {
    let broken = |error: &dyn std::fmt::Display| NoTarget::new(exit::FAILED, format!("the embedded login: {error}"));
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
    let store = TokenStore::new(places.token_dir(), means.redactor.clone());
    store.write(&grant).map_err(|error| broken(&error))?;
    let identity = OlaresIdentity::open(&profile, &places, means.clock, means.redactor.clone()).await;
    Ok((identity.map_err(|error| broken(&error))?, home))
}

fn read_yaml(path: &Path) -> Result<serde_json::Value, NoTarget> {
    let source = open::source(path).map_err(|message| NoTarget::new(exit::USAGE, message))?;
    let (node, complaints) = document::read(&source);
    match (node, complaints.into_iter().find(Diagnostic::is_error)) {
        (Some(node), None) => Ok(node.to_json()),
        (_, Some(complaint)) => {
            let place = source.place(complaint.span.start);
            Err(NoTarget::new(exit::INVALID, format!("{place}: {}", complaint.message)))
        }
        (None, None) => Err(NoTarget::new(exit::INVALID, format!("{} is empty", source.name()))),
    }
}

fn read_scenario(path: &Path) -> Result<Scenario, NoTarget> {
    let world = Scenario::from_value(read_yaml(path)?);
    world.map_err(|error| NoTarget::new(exit::INVALID, format!("{}: {error}", path.display())))
}

async fn kubernetes(options: &Options, means: &Means<'_>) -> Result<Target, NoTarget> {
    let refuse = |error: &dyn std::fmt::Display| NoTarget::new(exit::USAGE, error);
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
        return Err(NoTarget::new(exit::USAGE, "there is no kubeconfig: give --kubeconfig FILE, or set KUBECONFIG"));
    }
    let config = Kubeconfig::merge(read.iter().map(|(path, content)| (path.as_path(), content)));
    let access = config.and_then(|config| config.select(options.context.as_deref())).map_err(|error| refuse(&error))?;
    let identity = access.identity(means.clock, means.redactor);
    let certificate = identity.client_certificate().await.map_err(NoTarget::login)?;
    let server = access.server(certificate).map_err(|error| refuse(&error))?;
    Target::new(access.context.clone(), server, Arc::new(identity), KUBERNETES)
}

fn from_variables(url: &str, token: &str, means: &Means<'_>) -> Result<Target, NoTarget> {
    let identity = StaticToken::new(&Secret::new(token), "RUNHUB_TOKEN", means.redactor)
        .map_err(|error| NoTarget::new(exit::USAGE, error))?;
    let server = Server { url: url.to_owned(), ..Server::default() };
    Target::new(url, server, Arc::new(identity), CONTROLHUB)
}

async fn from_profile(means: &Means<'_>) -> Result<Target, NoTarget> {
    let places = means.environment.places();
    let profile = Config::load(&places).and_then(|config| config.profile(None));
    let profile = profile.map_err(|error| {
        NoTarget::login(format!(
            "{error}\nor: give --sim to try it on the embedded ControlHub, --kubeconfig FILE for a Kubernetes \
             API server, or set RUNHUB_URL and RUNHUB_TOKEN"
        ))
    })?;
    let identity = OlaresIdentity::open(&profile, &places, means.clock, means.redactor.clone());
    let identity = identity.await.map_err(NoTarget::login)?;
    let trust = if profile.insecure { Trust::Anyone } else { Trust::System };
    let server = Server { url: profile.control_hub_url(), trust, ..Server::default() };
    Target::new(profile.name(), server, Arc::new(identity), CONTROLHUB)
}
