//! The names of the tensors in dictionaries within dictionaries: `model.fc.weight`.

use super::pickle::{Object, Objects, Value, View};
use crate::files::{Limit, Reason};

/// Deeper dictionaries than this are refused.
const DEEPEST: usize = 64;

/// All tensors of a pickle of `length` bytes, each with the keys that lead to it, joined by dots. Anything else is
/// passed over.
pub fn named_tensors(objects: &Objects<'_>, length: usize) -> Result<Vec<(String, View)>, Reason> {
    // a few bytes may say that a dictionary is in another one many times over, and that one in the next: what comes of
    // it must be in proportion to the pickle
    let mut budget = Limit::default().of_gzip(length as u64);
    let mut found = Vec::new();
    visit(objects, objects.root, "", 0, &mut budget, &mut found)?;
    Ok(found)
}

fn visit(
    objects: &Objects<'_>,
    value: Value<'_>,
    name: &str,
    depth: usize,
    budget: &mut u64,
    found: &mut Vec<(String, View)>,
) -> Result<(), Reason> {
    let Value::Object(object) = value else { return spend(budget, name, 16) };
    let is_tensor = matches!(objects.all[object], Object::Tensor(_));
    spend(budget, name, if is_tensor { 256 } else { 16 })?;
    if depth > DEEPEST {
        return Err(Reason::Text(format!("its dictionaries are nested more than {DEEPEST} deep")));
    }
    let mut inner = |key: &str, value| {
        let name = if name.is_empty() { key.to_string() } else { format!("{name}.{key}") };
        visit(objects, value, &name, depth + 1, budget, found)
    };
    match &objects.all[object] {
        Object::Tensor(view) => found.push((name.to_string(), view.clone())),
        Object::Storage(..) => {}
        Object::List(values) | Object::Tuple(values) => {
            values.iter().enumerate().try_for_each(|(i, &value)| inner(&i.to_string(), value))?;
        }
        Object::Dict(items) => items.iter().try_for_each(|&(key, value)| match key {
            Value::Text(key) => inner(key, value),
            Value::Whole(key) => inner(&key.to_string(), value),
            _ => Err(Reason::Text(format!("a key in `{name}` is neither a text nor a whole number"))),
        })?,
    }
    Ok(())
}

/// Subtracts about what a name and its value cost from the budget.
fn spend(budget: &mut u64, name: &str, more: u64) -> Result<(), Reason> {
    match budget.checked_sub(name.len() as u64 + more) {
        Some(rest) => {
            *budget = rest;
            Ok(())
        }
        None => Err(Reason::Text("its dictionaries hold each other too many times".to_string())),
    }
}
