//! `runhub login`: a password, a code if the server wants one, and the login is stored where olares-cli keeps it.

use std::io::BufRead as _;
use std::sync::Arc;

use clap::Args;

use super::connect::trust;
use super::environment::Environment;
use super::exit::{self, Stop, in_full};
use super::terminal::{error_style, fail, say, say_error, style};
use super::{Display, runtime};
use crate::clock::Clock;
use crate::cluster::auth::{
    Config, Entry, FirstFactor, Grant, Login, LoginError, OlaresId, Places, Profile, Reach, Standing, TokenStore,
};
use crate::cluster::socket::{Server, Socket};
use crate::console::{Prompt, StoredProfile, profiles};
use crate::secret::{Redactor, Secret};

/// How often a code may be mistyped.
const TRIES: usize = 3;

/// Who logs in, and how.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Who: `name@domain`, or the name of a profile; the active profile if not given.
    #[arg(value_name = "OLARES_ID")]
    who: Option<String>,
    #[command(flatten)]
    proof: Proof,
    /// Log in anew though there is a login that still works.
    #[arg(long)]
    again: bool,
    /// Leave the active profile as it is.
    #[arg(long)]
    no_switch: bool,
    #[command(flatten)]
    reach: ReachOptions,
}

/// What is shown to the server, where nobody is asked for it.
#[derive(Debug, Args)]
struct Proof {
    /// Read the password from the standard input: its first line.
    #[arg(long)]
    password_stdin: bool,
    /// The code of the second factor.
    #[arg(long, value_name = "CODE")]
    totp: Option<String>,
    /// Import a refresh token from the standard input instead of showing a password.
    #[arg(long, conflicts_with_all = ["password_stdin", "totp"])]
    refresh_token_stdin: bool,
}

/// How the instance is reached; kept in the profile.
#[derive(Debug, Args)]
#[command(next_help_heading = "Profile")]
struct ReachOptions {
    /// An alias for the profile.
    #[arg(long, value_name = "ALIAS")]
    name: Option<String>,
    /// Where the auth host is, if not where the identity says; an empty text takes it back.
    #[arg(long, value_name = "URL")]
    auth_url: Option<String>,
    /// Where `ControlHub` is, if not where the identity says: for development.
    #[arg(long, value_name = "URL")]
    control_hub_url: Option<String>,
    /// What stands between a service and the name in host names, with its own dot: `dev.`.
    #[arg(long, value_name = "PREFIX")]
    local_url_prefix: Option<String>,
    /// Believe every TLS certificate; for development only.
    #[arg(long)]
    insecure_skip_verify: bool,
}

impl ReachOptions {
    fn reach(&self) -> Reach {
        Reach {
            alias: self.name.clone(),
            auth_url: self.auth_url.clone(),
            control_hub_url: self.control_hub_url.clone(),
            local_url_prefix: self.local_url_prefix.clone(),
            insecure: self.insecure_skip_verify,
        }
    }
}

pub(super) fn command(options: &Options, display: &Display, environment: &Environment) -> u8 {
    let desk = Desk { options, display, environment, places: environment.places(), clock: Clock::system() };
    let ended = runtime::block_on(async { desk.log_in().await.map(|()| exit::PASSED) });
    ended.unwrap_or_else(|stop| {
        fail(stop.message);
        stop.code
    })
}

/// What every step of a login needs.
struct Desk<'a> {
    options: &'a Options,
    display: &'a Display,
    environment: &'a Environment,
    places: Places,
    clock: Clock,
}

impl Desk<'_> {
    async fn log_in(&self) -> Result<(), Stop> {
        let config = Config::load(&self.places).map_err(|error| Stop::failed(&error))?;
        let profile = chosen(self.options, &config)?;
        if let Some(app) = &profile.managed {
            let id = &profile.olares_id;
            return Err(Stop::usage(format!("cannot log in {id}: its credential is issued by the platform for {app}")));
        }
        let redactor = Redactor::default();
        let store = TokenStore::new(&self.places, redactor.clone());
        if !self.options.again
            && let standing @ Standing::Valid(_) = Standing::of(&profile, &store, self.clock.now())
        {
            self.keep(&profile).await?;
            self.say(&format!("already logged in as {}", profile.olares_id), &profile, standing, &store);
            return Ok(());
        }
        let server = Server { url: profile.auth_url.to_string(), trust: trust(&profile), ..Server::default() };
        let road = Arc::new(Socket::new(server).map_err(Stop::usage)?);
        let login = Login::new(&profile, &self.places, road, self.clock, &redactor);
        let grant = self.enter(&login, &profile.olares_id).await?;
        login.store(&grant).await.map_err(|error| refused(&error))?;
        self.keep(&profile).await?;
        let standing = Standing::of(&profile, &store, self.clock.now());
        self.say(&format!("logged in as {}", profile.olares_id), &profile, standing, &store);
        Ok(())
    }

    /// Through the doors, up to the login.
    async fn enter(&self, login: &Login, id: &OlaresId) -> Result<Grant, Stop> {
        if self.options.proof.refresh_token_stdin {
            let token = first_line("refresh token")?;
            return login.import(&token).await.map_err(|error| refused(&error));
        }
        let password = self.password(id)?;
        match login.password(&password).await.map_err(|error| refused(&error))? {
            Entry::Whole(grant) => Ok(grant),
            Entry::CodeWanted(first) => self.second(login, &first, id).await,
        }
    }

    fn password(&self, id: &OlaresId) -> Result<Secret, Stop> {
        if self.options.proof.password_stdin {
            return first_line("password");
        }
        let prompt = self.prompt().ok_or_else(|| {
            Stop::usage("the standard input is not a terminal: pass --password-stdin and pipe the password instead")
        })?;
        let typed = prompt.hidden(&format!("password of {id}:")).map_err(unread)?;
        typed.ok_or_else(|| Stop::usage("no password was given"))
    }

    async fn second(&self, login: &Login, first: &FirstFactor, id: &OlaresId) -> Result<Grant, Stop> {
        if let Some(code) = &self.options.proof.totp {
            return login.code(first, &Secret::new(code.as_str())).await.map_err(|error| refused(&error));
        }
        let prompt = self
            .prompt()
            .filter(|_| !self.options.proof.password_stdin)
            .ok_or_else(|| Stop::usage("two-factor authentication is required: run it again with --totp CODE"))?;
        for left in (0..TRIES).rev() {
            let code = prompt.line(&format!("two-factor code of {id}:")).map_err(unread)?;
            let code = code.ok_or_else(|| Stop::usage("no code was given"))?;
            match login.code(first, &code).await {
                Err(error) if error.is_refusal() && left > 0 => say_error(&format!("{}\n", in_full(&error))),
                ended => return ended.map_err(|error| refused(&error)),
            }
        }
        Err(Stop::login("no code was right"))
    }

    fn prompt(&self) -> Option<Prompt> {
        self.environment.has_person().then(|| Prompt::new(error_style(self.display, self.environment)))
    }

    /// Writes the profile, and makes it the active one.
    async fn keep(&self, profile: &Profile) -> Result<(), Stop> {
        let kept = Config::update(&self.places, |config| {
            config.upsert(profile)?;
            if self.options.no_switch { Ok(()) } else { config.activate(profile.name()) }
        });
        kept.await.map(drop).map_err(|error| Stop::failed(&error))
    }

    fn say(&self, what: &str, profile: &Profile, standing: Standing, store: &TokenStore) {
        if self.display.quiet {
            return;
        }
        let stored = StoredProfile {
            profile: profile.clone(),
            active: !self.options.no_switch,
            standing,
            file: store.path(&profile.olares_id),
        };
        let page = profiles::show(&stored, self.clock.now(), &style(self.display, self.environment));
        say(&format!("{what}\n{page}"));
    }
}

/// The profile that is meant, reached as the command line says.
fn chosen(options: &Options, config: &Config) -> Result<Profile, Stop> {
    let known = match &options.who {
        None => config.profile(None).map_err(|_| Stop::usage("say who logs in: runhub login name@domain"))?,
        Some(who) => named(who, config)?,
    };
    let profile = known.reached(&options.reach.reach()).map_err(Stop::usage)?;
    let taken = profile.alias.as_deref().and_then(|alias| config.profile(Some(alias)).ok());
    match taken.filter(|other| other.olares_id != profile.olares_id) {
        Some(other) => {
            Err(Stop::usage(format!("the name `{}` is taken by the profile of {}", profile.name(), other.olares_id)))
        }
        None => Ok(profile),
    }
}

/// A profile by its name, or a new one: a mistyped alias must not become an identity that gets the password.
fn named(who: &str, config: &Config) -> Result<Profile, Stop> {
    let unknown = match config.profile(Some(who)) {
        Ok(profile) => return Ok(profile),
        Err(error) => error,
    };
    if !who.contains('@') {
        return Err(Stop::usage(format!("{unknown}; a new identity is written name@domain")));
    }
    let id: OlaresId = who.parse().map_err(Stop::usage)?;
    let known = config.of_identity(&id).map_err(|error| Stop::failed(&error))?;
    known.map_or_else(|| Profile::of(id).map_err(Stop::usage), Ok)
}

fn first_line(what: &str) -> Result<Secret, Stop> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(unread)?;
    let text = line.trim_end_matches(['\n', '\r']);
    if text.is_empty() {
        return Err(Stop::usage(format!("the standard input held no {what}")));
    }
    Ok(Secret::new(text))
}

fn unread(error: std::io::Error) -> Stop {
    Stop::new(exit::FAILED, format!("the answer cannot be read: {error}"))
}

fn refused(error: &LoginError) -> Stop {
    let code = if error.is_of_the_server() { exit::UNREACHABLE } else { exit::FAILED };
    Stop::new(code, in_full(error))
}
