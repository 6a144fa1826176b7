//! Tables of what goes wrong, and the words in which it is told.

use super::*;

/// An expression, and why it has no value.
const FAILURES: &[(&str, &str)] = &[
    ("steps.bfore", "no name `steps.bfore`; did you mean `before`?"),
    ("input.replicas", "no name `input`; did you mean `inputs`?"),
    ("steps.before.outputs.replica + 1", "no name `steps.before.outputs.replica`; did you mean `replicas`?"),
    ("null", "no name `null`; did you mean `none`?"),
    ("now", "no name `now`; did you mean `now()`?"),
    ("inputs.namespace.x", "`inputs.namespace` is text, it has no field `x`"),
    ("vars.nothing.x", "`vars.nothing` is none, it has no field `x`"),
    (
        "steps.before.outputs.pods.name",
        "`steps.before.outputs.pods` is a list, it has no field `name`; write `steps.before.outputs.pods|map(attribute='name')` for that field of all items",
    ),
    ("inputs.apps[5]", "no item 5 in `inputs.apps`: it has 2"),
    ("inputs.replicas[0]", "`inputs.replicas` is a number, a number picks nothing from it"),
    ("'3' < 3", "cannot compare text with a number; convert one side: `|int`, `|float` or `|string`"),
    (
        "steps.before.outputs.want == inputs.replicas",
        "cannot compare text with a number; convert one side: `|int`, `|float` or `|string`",
    ),
    ("true == 'true'", "cannot compare a boolean with text; convert the text: `|bool`"),
    ("true < false", "cannot tell which is less: both sides are a boolean"),
    ("none < 1", "cannot compare none with a number"),
    ("patience > 60", "cannot compare a duration with a number; convert both sides to seconds: `|duration`"),
    ("memory > '1Gi'", "cannot compare a quantity with text; convert both sides: `|quantity`"),
    ("patience > memory", "cannot compare a duration with a quantity; convert both sides to seconds: `|duration`"),
    ("true and '3'", "`and` takes true or false, `'3'` is text; write what it must be, such as `'3' != ''`"),
    (
        "not inputs.replicas",
        "`not` takes true or false, `inputs.replicas` is a number; write what it must be, such as `inputs.replicas != 0`",
    ),
    (
        "1 if inputs.apps else 2",
        "`if` takes true or false, `inputs.apps` is a list; write what it must be, such as `inputs.apps|length > 0`",
    ),
    ("3 in '123'", "`in` cannot look for a number in text"),
    ("true + 1", "`+` cannot take a boolean and a number; to join texts, write `~`"),
    ("'a' * 3", "`*` cannot take text and a number"),
    ("1 // 0", "division by zero"),
    ("2 ** 4096", "the result is too large"),
    ("-'a'", "`-` takes a number, not text"),
    ("[]|first", "`first` found nothing: there are no items; give a value for that case: `|default(…)`"),
    ("5|upper", "`upper` takes text, not a number"),
    ("none|int", "`int` takes a boolean or a number or text, not none"),
    ("'abc'|int", "`int` failed: invalid float literal"),
    ("'abc'|bool", "`bool` takes true, false, 0 or 1"),
    ("'soon'|duration", "this is not a duration; write one such as `30s` or `1h30m`"),
    ("'{'|json", "this is not JSON: EOF while parsing an object at line 1 column 1"),
    ("1|json", "`json` reads text, not a number; to write JSON, use `tojson`"),
    ("{}|jsonpath('x')", "the JSONPath is wrong: a path begins with `$`"),
    ("{}|jsonpath('$.a')", "`$.a` selects nothing; give a value for that case: `|default(…)`"),
    (
        "steps.before.outputs.pods|map(attribute='reason')",
        "an item has no field `reason`; give a value for that case: `map(attribute='reason', default=…)`",
    ),
    ("['a']|sum", "`sum` takes numbers, an item is text"),
    ("'a'|trim(chars='b', x=1)", "no argument is called `x`"),
    ("'a'|sha256(1)", "too many arguments"),
    ("'a'|replace('b')", "the argument `new` is missing"),
    ("{1: 2}", "the keys of a map are texts"),
    ("'abc'[::-1]", "the step of a slice is at least 1; to turn a list around, write `|reverse`"),
    ("9 is divisibleby 0", "the divisor must be a whole number other than 0"),
    ("later", "not known yet: after step grow"),
    ("later.outputs.x|default(1)", "not known yet: after step grow"),
    ("later is defined", "not known yet: after step grow"),
    ("[later]|sort", "not known yet: after step grow"),
    ("2 ** 100", "the number is too large"),
];

/// A text, and why it is not an expression.
const MISTAKES: &[(&str, &str)] = &[
    ("", "the expression is empty"),
    ("  ", "the expression is empty"),
    (
        "{{ inputs.flag }}",
        "`{{` stands inside an expression; an expression is written without braces: write `steps.a.changed`, not `{{ steps.a.changed }}`",
    ),
    ("inputs.flag }}", "`}}` closes nothing here; an expression is written without braces"),
    ("a && b", "unexpected character; write `and`"),
    ("a || b", "unexpected `|`, expected identifier; write `or`"),
    ("!a", "unexpected character; write `not`"),
    ("a = 1", "unexpected input after expression; to compare, write `==`"),
    ("a ? 1 : 2", "unexpected character; write `a if condition else b`"),
    ("$a", "unexpected character; write the name without `$`"),
    ("(a", "this bracket is never closed"),
    ("[1, (2]", "this bracket is never closed"),
    ("a)", "nothing was opened that this could close"),
    ("'a", "unexpected end of string"),
    ("a if b", "this `if` has no `else`; write `a if condition else b`"),
    ("a|uper", "no filter `uper`; did you mean `upper`?"),
    ("a|map('uper')", "no filter `uper`; did you mean `upper`?"),
    ("a|format(1)", "the filter `format` is not offered; join the parts with `~`"),
    ("a is od", "no test `od`; did you mean `odd`?"),
    ("a|select('od')", "no test `od`; did you mean `odd`?"),
    ("uuidd()", "no function `uuidd`; did you mean `uuid`?"),
    ("lipsum()", "no function `lipsum`"),
    ("a.upper()", "values have no methods: `.upper(…)`; write the filter `|upper`"),
    ("f(*a)", "no function `f`"),
    ("range(*a)", "`*` cannot spread arguments here"),
    ("a|regex_replace('(', '')", "unclosed group"),
    ("a|default", "say what stands in: `default('')`"),
    ("1 2", "unexpected input after expression"),
];

#[test]
fn expressions_fail_in_these_words() {
    for (text, expected) in FAILURES {
        assert_eq!(evaluate(text), Err((*expected).to_owned()), "{text}");
    }
}

#[test]
fn mistakes_of_the_text_are_told_in_these_words() {
    for (text, expected) in MISTAKES {
        let words = Expression::parse(text).map_err(|mistake| mistake_words(&mistake));
        assert_eq!(words, Err((*expected).to_owned()), "{text}");
    }
}
