//! `get`: one object as the server has it.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::row::{aimed, schema_of};
use super::{Action, ActionKind, Changes, Context, Observed};
use crate::document::{Target, TargetRule};
use crate::event::{Class, Failure};

const RULE: TargetRule =
    TargetRule { kinds: super::ALL_KINDS, sets: false, container: false, object: true, required: true };

/// Reads one object.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Arguments {
    /// It may be absent.
    #[serde(default)]
    optional: bool,
}

#[derive(Debug)]
struct Get {
    target: Target,
    arguments: Arguments,
}

pub(super) static ROW: ActionKind = ActionKind {
    name: "get",
    help: "one object; absent fails, unless optional",
    target: &RULE,
    changes: Changes::No,
    consent: false,
    repeatable: true,
    supported: true,
    shown: &[],
    decode: |node, mode, out| {
        let (target, arguments) = aimed(&RULE, node, mode, out)?;
        Some(Box::new(Get { target: target?, arguments }))
    },
    schema: schema_of::<Arguments>,
};

#[async_trait]
impl Action for Get {
    async fn act(&self, context: &Context) -> Result<Observed, Failure> {
        let address = context.one(&self.target).await?;
        let secret = address.resource().kind == "Secret";
        let object = match context.get(&address).await {
            Ok(object) => object,
            Err(failure) if failure.class == Class::NotFound && self.arguments.optional => {
                return Ok(Observed { result: Value::Null, info: json!({"found": false}), ..Observed::default() });
            }
            Err(failure) => return Err(failure),
        };
        if secret {
            conceal_data(context, &object);
        }
        Ok(Observed { result: object, info: json!({"found": true}), changed: false, secret: false })
    }
}

/// From now on the data of a Secret is shown nowhere, neither encoded nor decoded.
pub(super) fn conceal_data(context: &Context, secret: &Value) {
    use base64::Engine as _;
    for field in ["data", "stringData"] {
        let Some(data) = secret.get(field).and_then(Value::as_object) else { continue };
        for value in data.values() {
            context.conceal(value);
            let decoded = value.as_str().and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
            if let Some(text) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
                context.conceal(&text.into());
            }
        }
    }
}
