//! What commands do inside of simulated containers: rules of the scenario first, then a few that every image has.

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::fate::PodMatch;
use super::object::{list, name, text};

/// A command that is known, and what comes of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CommandRule {
    /// In which pods.
    #[serde(rename = "match", default)]
    pub matching: PodMatch,
    /// A regular expression that is found in the command, its words joined by spaces.
    #[serde(deserialize_with = "pattern")]
    #[schemars(with = "String")]
    pub command: Regex,
    /// What it writes to its standard output.
    #[serde(default)]
    pub stdout: String,
    /// What it writes to its standard error.
    #[serde(default)]
    pub stderr: String,
    /// A middleware instance (`namespace/name`): with its present password as the first line of the input all is as
    /// said, with any other it ends with 2, as `psql` does.
    #[serde(default)]
    pub password_of: Option<String>,
    /// The code with which it ends.
    #[serde(default)]
    pub exit_code: u8,
}

fn pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Regex, D::Error> {
    Regex::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// What came of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) code: u8,
    /// Whether the container has no such program at all.
    pub(super) missing: bool,
}

impl Outcome {
    fn says(stdout: String) -> Self {
        Self { stdout, ..Self::default() }
    }
}

/// Runs a command in a container of a pod; `password` gives the present password of a middleware instance.
pub(super) fn run(
    rules: &[CommandRule],
    (pod, container): (&Value, &str),
    (words, stdin): (&[&str], &str),
    password: &dyn Fn(&str) -> Option<String>,
) -> Outcome {
    let line = words.join(" ");
    if let Some(rule) = rules.iter().find(|rule| rule.matching.holds(pod) && rule.command.is_match(&line)) {
        let given = stdin.lines().next().unwrap_or_default();
        if rule.password_of.as_deref().is_some_and(|instance| password(instance).as_deref() != Some(given)) {
            let stderr = "psql: error: FATAL:  password authentication failed\n".to_owned();
            return Outcome { stderr, code: 2, ..Outcome::default() };
        }
        return Outcome {
            stdout: rule.stdout.clone(),
            stderr: rule.stderr.clone(),
            code: rule.exit_code,
            missing: false,
        };
    }
    let Some((program, arguments)) = words.split_first() else {
        return Outcome { missing: true, ..Outcome::default() };
    };
    match program.rsplit('/').next().unwrap_or_default() {
        "true" => Outcome::default(),
        "false" => Outcome { code: 1, ..Outcome::default() },
        "echo" => Outcome::says(format!("{}\n", arguments.join(" "))),
        "cat" if arguments.is_empty() => Outcome::says(stdin.to_owned()),
        "hostname" => Outcome::says(format!("{}\n", name(pod))),
        "env" | "printenv" => Outcome::says(environment(pod, container)),
        "sh" | "bash" => shell(rules, (pod, container), arguments, password),
        _ => Outcome { missing: true, ..Outcome::default() },
    }
}

/// A shell knows `exit`, and for the rest what everybody knows.
fn shell(
    rules: &[CommandRule],
    place: (&Value, &str),
    arguments: &[&str],
    password: &dyn Fn(&str) -> Option<String>,
) -> Outcome {
    let ["-c", script, ..] = arguments else { return Outcome::default() };
    let words: Vec<_> = script.split_whitespace().collect();
    if let ["exit", code] = words.as_slice() {
        return Outcome { code: code.parse().unwrap_or(2), ..Outcome::default() };
    }
    let outcome = run(rules, place, (&words, ""), password);
    if outcome.missing {
        let program = words.first().copied().unwrap_or_default();
        return Outcome { stderr: format!("sh: {program}: not found\n"), code: 127, ..Outcome::default() };
    }
    outcome
}

fn environment(pod: &Value, container: &str) -> String {
    let found = list(pod, "/spec/containers").iter().find(|one| text(one, "/name") == container);
    let variables = found.map(|one| list(one, "/env")).unwrap_or_default().iter();
    let lines = variables.map(|one| format!("{}={}\n", text(one, "/name"), text(one, "/value")));
    std::iter::once(format!("HOSTNAME={}\n", name(pod))).chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ran(rules: Value, words: &[&str]) -> Outcome {
        let rules: Vec<CommandRule> = serde_json::from_value(rules).expect("legal rules");
        let pod = json!({"metadata": {"name": "db-0"}, "spec": {"containers": [{"name": "c", "env": [{"name": "A", "value": "b"}]}]}});
        run(&rules, (&pod, "c"), (words, "typed"), &|_| Some("typed".to_owned()))
    }

    #[test]
    fn rules_come_before_what_every_image_has() {
        let rules = json!([{"match": {"name-prefix": "db-"}, "command": "^psql .*count", "stdout": "7\n"},
            {"command": "^true$", "stderr": "no", "exit-code": 3}]);
        assert_eq!(ran(rules.clone(), &["psql", "-c", "select count(*)"]).stdout, "7\n");
        assert_eq!(ran(rules, &["true"]).code, 3);
        assert_eq!(ran(json!([]), &["/bin/echo", "a", "b"]).stdout, "a b\n");
        assert_eq!(ran(json!([]), &["cat"]).stdout, "typed");
        assert_eq!(ran(json!([]), &["env"]).stdout, "HOSTNAME=db-0\nA=b\n");
        assert_eq!(ran(json!([]), &["sh", "-c", "exit 4"]).code, 4);
        assert_eq!(ran(json!([]), &["sh", "-c", "frob"]).code, 127);
        assert!(ran(json!([]), &["frob"]).missing);
        assert_eq!(ran(json!([{"command": "psql", "password-of": "a/b"}]), &["psql"]).code, 0);
    }
}
