mod agreement;
mod filling;
mod limits;
mod statics;
mod values;
mod words;

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::clock::Clock;

pub(in crate::template) fn functions() -> Functions {
    Functions {
        jsonpath: |value, path| {
            let pointer = path.strip_prefix('$').ok_or("a path begins with `$`")?.replace('.', "/");
            if pointer.ends_with("/*") {
                let list = value.pointer(pointer.trim_end_matches("/*")).and_then(Json::as_array);
                return Ok(list.cloned().unwrap_or_default());
            }
            Ok(value.pointer(&pointer).cloned().into_iter().collect())
        },
        clock: Clock::starting_at("2026-01-02T03:04:05Z".parse().expect("a valid stamp")),
    }
}

/// The names of a run in its middle.
fn scope() -> Scope {
    let mut scope = Scope::new(functions());
    let names = json!({
        "inputs": {"namespace": "shop", "replicas": 3, "ratio": 0.5, "flag": true, "apps": ["a", "b"], "big": u64::MAX},
        "vars": {"web": "shop/web", "fresh": "hunter2hunter2", "empty": "", "nothing": null, "b64": "aGVsbG8="},
        "steps": {
            "before": {"status": "passed", "changed": false, "outputs": {"replicas": 1, "want": "3", "pods": [
                {"name": "web-1", "namespace": "shop", "ready": true, "cpu": "250m", "age": 3},
                {"name": "web-2", "namespace": "shop", "ready": false, "cpu": "1", "age": 1, "reason": "Evicted"},
            ]}},
            "pause": {"status": "pending", "changed": false, "outputs": {}},
        },
        "item": "x",
        "index": 0,
    });
    for (name, value) in names.as_object().expect("a map") {
        scope.bind(name, Value::from_json(value.clone()));
    }
    scope.bind("patience", Value::duration("90s").expect("a duration"));
    scope.bind("memory", Value::quantity("2Gi").expect("a quantity"));
    scope.bind("later", Value::unknown("after step grow"));
    scope.taint(&["vars", "fresh"]);
    scope
}

fn evaluate(text: &str) -> Result<Json, String> {
    let expression = Expression::parse(text).map_err(|mistake| mistake_words(&mistake))?;
    expression.evaluate(&scope()).map(|filled| filled.value).map_err(|error| error.to_string())
}

fn fill(text: &str) -> Result<Json, String> {
    let template = Template::parse(text).map_err(|mistake| mistake_words(&mistake))?;
    template.fill(&scope()).map(|filled| filled.value).map_err(|error| error.to_string())
}

fn mistake_words(mistake: &Mistake) -> String {
    let help = mistake.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    format!("{}{help}", mistake.message)
}

struct Steps;

impl Lookup for Steps {
    fn get(&self, key: &str) -> Option<Value> {
        (key == "grow").then(|| json!({"changed": true}).into())
    }

    fn keys(&self) -> Vec<String> {
        vec!["grow".to_owned()]
    }
}

fn lookup_scope() -> Scope {
    let mut scope = scope();
    scope.bind("steps", Value::lookup(Arc::new(Steps)));
    scope
}
