//! How much a run may touch (runbook-format §8).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The limits of a budget; what is not written is not limited.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BudgetLimits {
    /// The namespaces of every changed or evicted object.
    #[serde(default)]
    pub namespaces: Option<Vec<String>>,
    /// Distinct objects changed by us.
    #[serde(default)]
    pub objects: Option<u64>,
    /// Running pods taken away by us.
    #[serde(default)]
    pub pods: Option<u64>,
    /// Deletions of anything but pods.
    #[serde(default)]
    pub deletes: Option<u64>,
    /// Nodes changed by us.
    #[serde(default)]
    pub nodes: Option<u64>,
    /// The part of one workload that may be unavailable at one time (`25%`).
    #[serde(default)]
    pub unavailable: Option<Percentage>,
}

/// A part of a whole, in percent: `25%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Percentage(u32);

impl Percentage {
    /// Reads `25%`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let number = text.trim().strip_suffix('%').and_then(|number| number.trim().parse().ok());
        number.filter(|number| *number <= 100).map(Self).ok_or_else(|| "write a part of 100, such as 25%".to_owned())
    }

    /// Whether `part` of `whole` is no more than this.
    pub fn holds(self, part: u32, whole: u32) -> bool {
        u64::from(part) * 100 <= u64::from(self.0) * u64::from(whole)
    }
}

impl std::fmt::Display for Percentage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}%", self.0)
    }
}

impl<'de> Deserialize<'de> for Percentage {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::document::leaf(deserializer, "a part of 100 such as 25%", Self::parse, Self::default)
    }
}

impl JsonSchema for Percentage {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percentage".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "description": "A part of 100 such as 25%.", "pattern": r"^\s*[0-9]+\s*%\s*$|\{\{",
        })
    }
}

/// What the command line adds to a budget (`--budget pods=50`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetWidening(Vec<(String, String)>);

impl BudgetWidening {
    /// Reads `pods=50`, `namespaces=shop`, `unavailable=50%`.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn parse(written: &[String]) -> Result<Self, String> {
        let mut widening = Self::default();
        for text in written {
            let (what, much) = text.split_once('=').ok_or_else(|| format!("`{text}`: write pods=50"))?;
            let is_well = match what {
                "objects" | "pods" | "deletes" | "nodes" => much.parse::<u64>().is_ok(),
                "unavailable" => Percentage::parse(much).is_ok(),
                "namespaces" => !much.is_empty(),
                _ => false,
            };
            if !is_well {
                let known = "namespaces, objects, pods, deletes, nodes or unavailable";
                return Err(format!("`{text}`: name one of {known}, with what it may be"));
            }
            widening.0.push((what.to_owned(), much.to_owned()));
        }
        Ok(widening)
    }

    /// The limits with what was added; what was not limited stays so, and nothing becomes narrower.
    pub fn apply(&self, mut limits: BudgetLimits) -> BudgetLimits {
        for (what, much) in &self.0 {
            let number = || much.parse().unwrap_or(0);
            match what.as_str() {
                "objects" => limits.objects = limits.objects.map(|limit| limit.max(number())),
                "pods" => limits.pods = limits.pods.map(|limit| limit.max(number())),
                "deletes" => limits.deletes = limits.deletes.map(|limit| limit.max(number())),
                "nodes" => limits.nodes = limits.nodes.map(|limit| limit.max(number())),
                "unavailable" => {
                    let wider = Percentage::parse(much).unwrap_or_default();
                    limits.unavailable = limits.unavailable.map(|limit| if limit.0 < wider.0 { wider } else { limit });
                }
                _ => limits.namespaces.iter_mut().for_each(|names| names.push(much.clone())),
            }
        }
        limits
    }

    /// In words for the record: `pods=50`.
    pub fn words(&self) -> Vec<String> {
        self.0.iter().map(|(what, much)| format!("{what}={much}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_compared_without_rounding() {
        let quarter = Percentage::parse("25%").unwrap();
        assert!(quarter.holds(1, 4) && quarter.holds(0, 3) && !quarter.holds(1, 3));
        assert!(Percentage::parse("25").is_err() && Percentage::parse("101%").is_err());
        assert_eq!(quarter.to_string(), "25%");
    }

    #[test]
    fn a_budget_is_only_ever_widened() {
        let given = ["pods=50", "objects=1", "namespaces=bank", "nodes=9"].map(String::from);
        let widening = BudgetWidening::parse(&given).unwrap();
        let limits = BudgetLimits {
            pods: Some(20),
            objects: Some(3),
            namespaces: Some(vec!["shop".into()]),
            ..BudgetLimits::default()
        };
        let wider = widening.apply(limits);
        assert_eq!((wider.pods, wider.objects, wider.nodes), (Some(50), Some(3), None));
        assert_eq!(wider.namespaces, Some(vec!["shop".into(), "bank".into()]));
        assert!(BudgetWidening::parse(&["pods".into()]).is_err());
        assert!(BudgetWidening::parse(&["pods=many".into()]).is_err());
    }
}
