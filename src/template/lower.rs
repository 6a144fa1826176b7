//! From minijinja's tree, which borrows the text, to ours.
//!
//! minijinja parses; this lowers once, so that evaluation never parses again.
//! Names of filters, tests and functions are resolved here: an unknown one is
//! a mistake of the text, with a near miss. The parser's places begin too
//! late (filters) or too early (comparisons), so they are mended by the tokens.

use std::ops::Range;

use minijinja::machinery::ast::{self, BinOpKind, CallArg, CompareOpKind, Expr, UnaryOpKind};
use minijinja::machinery::{Span, parse_expr};

use super::error::Mistake;
use super::syntax::{Mark, Role, check_length, scan, syntax_mistake, too_deep};
use super::tree::{Comparison, Form, Given, Node, Sign};
use super::{filters, functions, predicates};
use crate::source::nearest;

/// The deepest tree that is evaluated: far from the end of a worker's stack.
const DEEPEST: usize = 128;

/// Parses one whole expression.
pub(super) fn parse(text: &str) -> Result<Node, Mistake> {
    check_length(text)?;
    let scan = scan(text)?;
    if let Some(end) = scan.end {
        return Err(Mistake::new("`}}` closes nothing here", end).help("an expression is written without braces"));
    }
    let tree = parse_expr(text).map_err(|error| syntax_mistake(&error, text))?;
    Lowering { text, marks: &scan.marks }.node(&tree, 0)
}

type Lowered<T = Node> = Result<T, Mistake>;

struct Lowering<'a> {
    text: &'a str,
    marks: &'a [Mark],
}

impl Lowering<'_> {
    fn node(&self, expr: &Expr<'_>, depth: usize) -> Lowered {
        let range = bytes(expr.span());
        if depth > DEEPEST {
            return Err(too_deep(range));
        }
        let deeper = depth + 1;
        match expr {
            Expr::Var(var) => Ok(Node { kind: Form::Name(var.id.to_owned()), range }),
            Expr::Const(constant) => Ok(Node { kind: Form::Constant(constant.value.clone()), range }),
            Expr::UnaryOp(unary) => self.unary(&unary.op, &unary.expr, range, deeper),
            Expr::BinOp(binary) => self.binary(binary.op, [&binary.left, &binary.right], range, deeper),
            Expr::Compare(compare) => self.compare(compare, range, deeper),
            Expr::IfExpr(choice) => self.choice(choice, range, deeper),
            Expr::GetAttr(field) => {
                let of = self.boxed(&field.expr, deeper)?;
                Ok(self.after(of.range.start, range, Form::Field(of, field.name.to_owned())))
            }
            Expr::GetItem(item) => self.item(&item.expr, &item.subscript_expr, range, deeper),
            Expr::Slice(slice) => self.slice(slice, range, deeper),
            Expr::Filter(filter) => self.filter(filter, range, deeper),
            Expr::Test(test) => self.test(test, range, deeper),
            Expr::Call(call) => self.call(&call.expr, &call.args, range, deeper),
            Expr::List(list) => Ok(Node { kind: Form::List(self.nodes(&list.items, deeper)?), range }),
            Expr::Tuple(tuple) => Ok(Node { kind: Form::List(self.nodes(&tuple.items, deeper)?), range }),
            Expr::Map(map) => {
                let keys = self.nodes(&map.keys, deeper)?;
                let entries = keys.into_iter().zip(self.nodes(&map.values, deeper)?).collect();
                Ok(Node { kind: Form::Map(entries), range })
            }
        }
    }

    fn boxed(&self, expr: &Expr<'_>, depth: usize) -> Lowered<Box<Node>> {
        self.node(expr, depth).map(Box::new)
    }

    fn nodes(&self, list: &[Expr<'_>], depth: usize) -> Lowered<Vec<Node>> {
        list.iter().map(|expr| self.node(expr, depth)).collect()
    }

    fn unary(&self, op: &UnaryOpKind, inner: &Expr<'_>, range: Range<usize>, depth: usize) -> Lowered {
        let inner = self.boxed(inner, depth)?;
        let kind = match op {
            UnaryOpKind::Neg => {
                return Ok(Node { kind: Form::Negate(inner), range });
            }
            UnaryOpKind::Not => Form::Not,
        };
        // `a not in b` and `a is not none` are a negation too, but begin with `a`.
        let leads = self.text.get(range.start..).is_some_and(|rest| rest.starts_with("not"));
        let start = if leads { range.start.min(inner.range.start) } else { inner.range.start };
        Ok(self.after(start, range, kind(inner)))
    }

    fn binary(&self, op: BinOpKind, sides: [&Expr<'_>; 2], range: Range<usize>, depth: usize) -> Lowered {
        let [left, right] = [self.boxed(sides[0], depth)?, self.boxed(sides[1], depth)?];
        let start = left.range.start;
        let compare = |sign, left, right: Box<Node>| Form::Compare(left, vec![(sign, *right)]);
        let kind = match op {
            BinOpKind::ScAnd => Form::And(left, right),
            BinOpKind::ScOr => Form::Or(left, right),
            BinOpKind::Add => Form::Arithmetic(Sign::Plus, left, right),
            BinOpKind::Sub => Form::Arithmetic(Sign::Minus, left, right),
            BinOpKind::Mul => Form::Arithmetic(Sign::Times, left, right),
            BinOpKind::Div => Form::Arithmetic(Sign::Divide, left, right),
            BinOpKind::FloorDiv => Form::Arithmetic(Sign::FloorDivide, left, right),
            BinOpKind::Rem => Form::Arithmetic(Sign::Remainder, left, right),
            BinOpKind::Pow => Form::Arithmetic(Sign::Power, left, right),
            BinOpKind::Concat => Form::Concat(left, right),
            BinOpKind::Eq => compare(Comparison::Equal, left, right),
            BinOpKind::Ne => compare(Comparison::NotEqual, left, right),
            BinOpKind::Lt => compare(Comparison::Less, left, right),
            BinOpKind::Lte => compare(Comparison::AtMost, left, right),
            BinOpKind::Gt => compare(Comparison::Greater, left, right),
            BinOpKind::Gte => compare(Comparison::AtLeast, left, right),
            BinOpKind::In => compare(Comparison::In, left, right),
        };
        Ok(self.after(start, range, kind))
    }

    fn compare(&self, compare: &ast::Compare<'_>, range: Range<usize>, depth: usize) -> Lowered {
        let first = self.boxed(&compare.expr, depth)?;
        let rest = compare.ops.iter().map(|op| Ok((comparison(op.op), self.node(&op.expr, depth)?)));
        let start = first.range.start;
        Ok(self.after(start, range, Form::Compare(first, rest.collect::<Lowered<_>>()?)))
    }

    fn choice(&self, choice: &ast::IfExpr<'_>, range: Range<usize>, depth: usize) -> Lowered {
        let then = self.boxed(&choice.true_expr, depth)?;
        let test = self.boxed(&choice.test_expr, depth)?;
        let Some(otherwise) = &choice.false_expr else {
            return Err(Mistake::new("this `if` has no `else`", then.range.start..range.end)
                .help("write `a if condition else b`"));
        };
        let otherwise = self.boxed(otherwise, depth)?;
        let start = then.range.start;
        Ok(self.after(start, range, Form::If { test, then, otherwise }))
    }

    fn item(&self, of: &Expr<'_>, key: &Expr<'_>, range: Range<usize>, depth: usize) -> Lowered {
        let of = self.boxed(of, depth)?;
        let key = self.boxed(key, depth)?;
        let start = of.range.start;
        let kind = match &key.kind {
            Form::Constant(constant) if constant.as_str().is_some() => {
                Form::Field(of, constant.as_str().unwrap_or_default().to_owned())
            }
            _ => Form::Item(of, key),
        };
        Ok(self.after(start, range, kind))
    }

    fn slice(&self, slice: &ast::Slice<'_>, range: Range<usize>, depth: usize) -> Lowered {
        let of = self.boxed(&slice.expr, depth)?;
        let bound = |part: &Option<Expr<'_>>| part.as_ref().map(|expr| self.boxed(expr, depth)).transpose();
        let bounds = [bound(&slice.start)?, bound(&slice.stop)?, bound(&slice.step)?];
        let start = of.range.start;
        Ok(self.after(start, range, Form::Slice(of, bounds)))
    }

    fn filter(&self, filter: &ast::Filter<'_>, range: Range<usize>, depth: usize) -> Lowered {
        let Some(subject) = &filter.expr else {
            return Err(Mistake::new("a filter needs a value before it", range));
        };
        let of = self.boxed(subject, depth)?;
        let given = self.given(&filter.args, &range, depth)?;
        let start = of.range.start;
        let kind = match filter.name {
            "default" | "d" if given.positional.is_empty() && given.named.is_empty() => {
                return Err(Mistake::new("say what stands in: `default('')`", range));
            }
            "default" | "d" => Form::Default(of, given),
            name => {
                let known = filters::find(name).ok_or_else(|| filters::missing(name, range.clone()))?;
                filters::check(known, &given)?;
                Form::Filter(known, of, given)
            }
        };
        Ok(self.after(start, range, kind))
    }

    fn test(&self, test: &ast::Test<'_>, range: Range<usize>, depth: usize) -> Lowered {
        let subject = self.boxed(&test.expr, depth)?;
        let start = subject.range.start;
        let kind = match test.name {
            "defined" => Form::Defined { subject, wanted: true },
            "undefined" => Form::Defined { subject, wanted: false },
            name => {
                let known = predicates::find(name).ok_or_else(|| unknown("test", name, &range, predicates::names()))?;
                Form::Test(known, subject, self.given(&test.args, &range, depth)?)
            }
        };
        Ok(self.after(start, range, kind))
    }

    fn call(&self, callee: &Expr<'_>, args: &[CallArg<'_>], range: Range<usize>, depth: usize) -> Lowered {
        match callee {
            Expr::Var(name) => {
                let known = functions::find(name.id)
                    .ok_or_else(|| unknown("function", name.id, &bytes(name.span()), functions::names()))?;
                Ok(Node { kind: Form::Call(known, self.given(args, &range, depth)?), range })
            }
            Expr::GetAttr(method) => Err(no_method(method, range)),
            _ => Err(Mistake::new("this cannot be called", range)),
        }
    }

    fn given(&self, args: &[CallArg<'_>], range: &Range<usize>, depth: usize) -> Lowered<Given> {
        let mut given = Given::default();
        for arg in args {
            match arg {
                CallArg::Pos(expr) => given.positional.push(self.node(expr, depth)?),
                CallArg::Kwarg(name, expr) => given.named.push(((*name).to_owned(), self.node(expr, depth)?)),
                CallArg::PosSplat(_) | CallArg::KwargSplat(_) => {
                    return Err(Mistake::new("`*` cannot spread arguments here", range.clone()));
                }
            }
        }
        Ok(given)
    }

    /// A part that begins where its first part does: the parser's places begin too late or too early.
    fn after(&self, start: usize, range: Range<usize>, kind: Form) -> Node {
        let range = self.balanced(start..range.end.max(start));
        Node { kind, range }
    }

    /// Takes in the opening brackets that a place lost.
    fn balanced(&self, range: Range<usize>) -> Range<usize> {
        let first = self.marks.partition_point(|mark| mark.range.start < range.start);
        let (before, rest) = self.marks.split_at(first);
        let mut depth = 0_usize;
        let mut missing = 0_usize;
        for mark in rest.iter().take_while(|mark| mark.range.end <= range.end) {
            match mark.role {
                Role::Open => depth += 1,
                Role::Close if depth == 0 => missing += 1,
                Role::Close => depth -= 1,
                Role::Prefix | Role::Other => {}
            }
        }
        let opening = before.iter().rev().take(missing).take_while(|mark| mark.role == Role::Open).last();
        opening.map_or(range.start, |mark| mark.range.start)..range.end
    }
}

fn bytes(span: Span) -> Range<usize> {
    span.start_offset as usize..(span.end_offset as usize).max(span.start_offset as usize)
}

fn comparison(op: CompareOpKind) -> Comparison {
    match op {
        CompareOpKind::Eq => Comparison::Equal,
        CompareOpKind::Ne => Comparison::NotEqual,
        CompareOpKind::Lt => Comparison::Less,
        CompareOpKind::Lte => Comparison::AtMost,
        CompareOpKind::Gt => Comparison::Greater,
        CompareOpKind::Gte => Comparison::AtLeast,
        CompareOpKind::In => Comparison::In,
        CompareOpKind::NotIn => Comparison::NotIn,
    }
}

fn no_method(method: &ast::GetAttr<'_>, range: Range<usize>) -> Mistake {
    let name = method.name;
    let mistake = Mistake::new(format!("values have no methods: `.{name}(…)`"), range);
    match filters::find(name) {
        Some(_) => mistake.help(format!("write the filter `|{name}`")),
        None => mistake,
    }
}

pub(super) fn unknown<'a>(
    what: &str,
    name: &str,
    range: &Range<usize>,
    known: impl IntoIterator<Item = &'a str>,
) -> Mistake {
    let mistake = Mistake::new(format!("no {what} `{name}`"), range.clone());
    match nearest(name, known) {
        Some(near) => mistake.help(format!("did you mean `{near}`?")),
        None => mistake,
    }
}
