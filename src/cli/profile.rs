//! `runhub profile`: who can log in where, and how their logins stand.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::environment::Environment;
use super::exit::{self, Stop, in_full};
use super::terminal::{fail, say, say_error, style};
use super::{Display, runtime};
use crate::clock::{Clock, rfc3339};
use crate::cluster::auth::{Config, Places, Profile, Standing, TokenStore};
use crate::console::{StoredProfile, profiles};
use crate::secret::Redactor;

/// What to do with profiles.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// All profiles, and how their logins stand.
    List(Shown),
    /// One profile: where it leads, and how its login stands.
    Show {
        /// The profile; the active one if not given.
        #[arg(value_name = "PROFILE")]
        name: Option<String>,
        #[command(flatten)]
        shown: Shown,
    },
    /// Make a profile the active one, for olares-cli too.
    Use {
        /// The profile; `-` goes back to the one before.
        #[arg(value_name = "PROFILE", allow_hyphen_values = true)]
        name: String,
    },
}

#[derive(Debug, Args)]
struct Shown {
    /// The format.
    #[arg(long, short, value_enum, default_value_t = Output::Table, value_name = "FORMAT")]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
}

pub(super) fn command(options: &Options, display: &Display, environment: &Environment) -> u8 {
    let (places, style) = (environment.places(), style(display, environment));
    let now = Clock::system().now();
    let told = match &options.what {
        What::List(Shown { output }) => stored(&places).map(|all| match output {
            Output::Json => pretty(&json!({"profiles": all.iter().map(value).collect::<Vec<_>>()})),
            Output::Table => profiles::list(&all, now, &style),
        }),
        What::Show { name, shown } => one(&places, name.as_deref()).map(|stored| match shown.output {
            Output::Json => pretty(&value(&stored)),
            Output::Table => profiles::show(&stored, now, &style),
        }),
        What::Use { name } => runtime::block_on(activate(&places, name, display.quiet)),
    };
    match told {
        Ok(text) if text.is_empty() && !display.quiet && matches!(options.what, What::List(_)) => {
            say_error("no profiles yet: run `runhub login name@domain`\n");
            exit::PASSED
        }
        Ok(text) => {
            say(&text);
            exit::PASSED
        }
        Err(stop) => {
            fail(stop.message);
            stop.code
        }
    }
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(value).unwrap_or_default())
}

fn stored(places: &Places) -> Result<Vec<StoredProfile>, Stop> {
    let config = Config::load(places).map_err(|error| Stop::failed(&error))?;
    let all = config.profiles().map_err(|error| Stop::failed(&error))?;
    let active = config.profile(None).ok().map(|profile| profile.olares_id);
    Ok(all.into_iter().map(|profile| standing(places, active.as_ref() == Some(&profile.olares_id), profile)).collect())
}

fn one(places: &Places, name: Option<&str>) -> Result<StoredProfile, Stop> {
    let config = Config::load(places).map_err(|error| Stop::failed(&error))?;
    let profile = config.profile(name).map_err(|error| Stop::usage(in_full(&error)))?;
    let active = config.profile(None).is_ok_and(|active| active.olares_id == profile.olares_id);
    Ok(standing(places, active, profile))
}

fn standing(places: &Places, active: bool, profile: Profile) -> StoredProfile {
    let store = TokenStore::new(places, Redactor::default());
    let standing = Standing::of(&profile, &store, Clock::system().now());
    StoredProfile { file: store.path(&profile.olares_id), profile, active, standing }
}

async fn activate(places: &Places, name: &str, quiet: bool) -> Result<String, Stop> {
    let wanted = Config::load(places).map_err(|error| Stop::failed(&error))?;
    // A name that is not there is a slip of the command line; found before anything is locked.
    wanted.clone().activate(name).map_err(|error| Stop::usage(in_full(&error)))?;
    let config = Config::update(places, |config| config.activate(name)).await.map_err(|error| Stop::failed(&error))?;
    let active = config.profile(None).map_err(|error| Stop::failed(&error))?;
    Ok(if quiet { String::new() } else { format!("the active profile is {} ({})\n", active.name(), active.olares_id) })
}

fn value(stored: &StoredProfile) -> serde_json::Value {
    let StoredProfile { profile, active, standing, file } = stored;
    let why = if let Standing::Unreadable(why) = standing { Some(why) } else { None };
    json!({
        "name": profile.name(),
        "olares-id": profile.olares_id.as_str(),
        "active": active,
        "login": {"state": standing.word(), "at": standing.moment().map(rfc3339), "reason": why},
        "auth-url": profile.auth_url.to_string(),
        "control-hub-url": profile.control_hub_url(),
        "insecure-skip-verify": profile.insecure,
        "issued-to": profile.managed,
        "file": file.display().to_string(),
    })
}
