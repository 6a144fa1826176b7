//! Numbers as minijinja computes them, without its conversions: no sums of booleans, no repeated texts.

use minijinja::Value as Raw;

use super::error::Refusal;
use super::measure::whole;
use super::tree::Sign;
use super::value::{Kind, items_of, kind_of, measure_of};

/// A number: exact while it can be.
#[derive(Debug, Clone, Copy)]
enum Number {
    Whole(i128),
    Real(f64),
}

/// The result of `left sign right`.
pub(super) fn compute(sign: Sign, left: &Raw, right: &Raw) -> Result<Raw, Refusal> {
    match (sign, kind_of(left), kind_of(right)) {
        (_, Kind::Number, Kind::Number) => {
            let (a, b) = (number(left)?, number(right)?);
            match (a, b) {
                (Number::Whole(a), Number::Whole(b)) => wholes(sign, a, b),
                (a, b) => reals(sign, real(a), real(b)),
            }
        }
        (Sign::Plus, Kind::Text, Kind::Text) => {
            Ok(Raw::from([left.as_str().unwrap_or_default(), right.as_str().unwrap_or_default()].concat()))
        }
        (Sign::Plus, Kind::List, Kind::List) => {
            let mut items = items_of(left)?;
            items.extend(items_of(right)?);
            Ok(Raw::from(items))
        }
        (Sign::Plus, _, _) => measures(left, right, 1).unwrap_or_else(|| Err(unfit(sign, left, right))),
        (Sign::Minus, _, _) => measures(left, right, -1).unwrap_or_else(|| Err(unfit(sign, left, right))),
        _ => Err(unfit(sign, left, right)),
    }
}

/// The number with its sign turned.
pub(super) fn negate(value: &Raw) -> Result<Raw, Refusal> {
    match kind_of(value) {
        Kind::Number => compute(Sign::Minus, &Raw::from(0), value),
        kind => Err(Refusal::mismatch(format!("`-` takes a number, not {kind}"))),
    }
}

fn measures(left: &Raw, right: &Raw, sign: i128) -> Option<Result<Raw, Refusal>> {
    let (a, b) = (measure_of(left)?, measure_of(right)?);
    if a.dimension != b.dimension {
        return None;
    }
    Some(a.plus(b, sign).map(Raw::from_object).ok_or_else(too_large))
}

fn wholes(sign: Sign, a: i128, b: i128) -> Result<Raw, Refusal> {
    let exact = match sign {
        Sign::Plus => a.checked_add(b),
        Sign::Minus => a.checked_sub(b),
        Sign::Times => a.checked_mul(b),
        Sign::FloorDivide if b != 0 => floor_divide(a, b),
        Sign::Remainder if b != 0 => {
            a.checked_rem(b).map(|rest| if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
        }
        Sign::Power if b >= 0 => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        Sign::Divide | Sign::FloorDivide | Sign::Remainder | Sign::Power => {
            return reals(sign, real(Number::Whole(a)), real(Number::Whole(b)));
        }
    };
    exact.map(whole).ok_or_else(too_large)
}

fn floor_divide(a: i128, b: i128) -> Option<i128> {
    let quotient = a.checked_div(b)?;
    if a % b != 0 && (a < 0) != (b < 0) { quotient.checked_sub(1) } else { Some(quotient) }
}

fn reals(sign: Sign, a: f64, b: f64) -> Result<Raw, Refusal> {
    if b == 0.0 && matches!(sign, Sign::Divide | Sign::FloorDivide | Sign::Remainder) {
        return Err(Refusal::failed("division by zero"));
    }
    let result = match sign {
        Sign::Plus => a + b,
        Sign::Minus => a - b,
        Sign::Times => a * b,
        Sign::Divide => a / b,
        Sign::FloorDivide => ((a - remainder(a, b)) / b).round(),
        Sign::Remainder => remainder(a, b),
        Sign::Power => a.powf(b),
    };
    if result.is_finite() { Ok(Raw::from(result)) } else { Err(too_large()) }
}

/// The remainder with the sign of the divisor.
fn remainder(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
}

fn number(value: &Raw) -> Result<Number, Refusal> {
    if value.is_integer() {
        return i128::try_from(value.clone()).map(Number::Whole).map_err(|_| too_large());
    }
    f64::try_from(value.clone()).map(Number::Real).map_err(|_| too_large())
}

fn real(number: Number) -> f64 {
    match number {
        #[expect(clippy::cast_precision_loss, reason = "one real side makes the whole result real")]
        Number::Whole(number) => number as f64,
        Number::Real(number) => number,
    }
}

fn too_large() -> Refusal {
    Refusal::failed("the result is too large")
}

fn unfit(sign: Sign, left: &Raw, right: &Raw) -> Refusal {
    let (sign, help) = match sign {
        Sign::Plus => ("+", Some("to join texts, write `~`")),
        Sign::Minus => ("-", None),
        Sign::Times => ("*", None),
        Sign::Divide => ("/", None),
        Sign::FloorDivide => ("//", None),
        Sign::Remainder => ("%", None),
        Sign::Power => ("**", None),
    };
    let refusal = Refusal::mismatch(format!("`{sign}` cannot take {} and {}", kind_of(left), kind_of(right)));
    match help {
        Some(help) => refusal.help(help),
        None => refusal,
    }
}
