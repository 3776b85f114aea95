//! Walking the tape backwards.

use super::any_storage::AnyStorage;
use super::gradient::{Gradient, Table};
use super::id::NodeId;
use super::nodes::Node;
use super::update::Update;
use crate::memory::Storage;
use crate::numbers::Float;

/// The result of the walk.
pub struct Found {
    /// The number of the tape.
    pub tape: u64,
    /// By the parameter's id.
    pub parameters: Vec<(u64, Gradient)>,
    /// Of the nodes that are watched.
    pub inputs: Vec<(NodeId, AnyStorage)>,
    /// In the order in which layers noted them.
    pub updates: Vec<Update>,
}

/// Called during the walk when a parameter's gradient is complete, and takes it; there may be none.
pub type OnParameter<'a> = &'a mut dyn FnMut(u64, Option<Gradient>);

/// Propagates `upstream`, the gradient of a node, back to everything that it depends on. Uses up the tape.
///
/// `on_parameter` takes the gradients of parameters as they are done, those used last in the forward pass first; the
/// result has the others only.
///
/// # Panics
/// If the tape was already used up.
#[track_caller]
pub fn walk<E: Float>(node: &Node, upstream: Storage<E>, mut on_parameter: Option<OnParameter<'_>>) -> Found {
    let mut state = node.tape.state.borrow_mut();
    if state.closed {
        panic!("`backward` already ran on this tape: make a new tape for each forward pass");
    }
    state.closed = true;
    let mut nodes = std::mem::take(&mut state.nodes);
    let mut table = Table::new(nodes.len());
    let mut inputs = Vec::new();
    if node.needs_gradient() {
        // the results of operations that are watched, the last of them first
        let mut watched = state.watched.clone();
        watched.retain(|watched| *watched <= node.id && nodes[watched.index()].is_some());
        watched.sort_unstable();
        table.add(node.id, Gradient::Whole(E::wrap(upstream)));
        nodes.truncate(node.id.index() + 1);
        // the nodes of parameters that are asked for, the last of them first
        let mut parameters: Vec<(NodeId, u64)> = Vec::new();
        if on_parameter.is_some() {
            let joined = state.parameters.iter().map(|(&parameter, &node)| (node, parameter));
            parameters.extend(joined.filter(|joined| joined.0.index() < nodes.len()));
            parameters.sort_unstable();
        }
        while let Some(entry) = nodes.pop() {
            // whatever depends on the parameter comes after it, and has been passed
            if let Some((node, parameter)) = parameters.pop_if(|parameter| parameter.0.index() == nodes.len())
                && let Some(on_parameter) = &mut on_parameter
            {
                on_parameter(parameter, table.take(node));
            }
            let watched = watched.pop_if(|watched| watched.index() == nodes.len());
            // a leaf keeps its gradient in the table; an operation passes it on and frees what it saved
            if let Some(backward) = entry
                && let Some(gradient) = table.take_at(nodes.len())
            {
                if let Some(node) = watched {
                    inputs.push((node, gradient.clone()));
                }
                backward(gradient, &mut table);
                if let Some(wrong) = table.wrong.take() {
                    panic!("{wrong}");
                }
            }
        }
    }
    let parameters =
        state.parameters.iter().filter_map(|(&parameter, &node)| Some((parameter, table.take(node)?))).collect();
    inputs.extend(state.watched.iter().filter_map(|&node| Some((node, table.take(node)?.whole()))));
    let updates = std::mem::take(&mut state.updates);
    Found { tape: node.tape.number, parameters, inputs, updates }
}
