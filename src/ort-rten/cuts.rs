//! Places where a run can be interrupted. RTen runs a plan to its end, so a long run is made of several short ones:
//! the values that are alive at a place go out of one and into the next.

use std::collections::{HashMap, HashSet};

use rten::{Model, NodeId};

use crate::outline::Graph;

/// Operators that take time.
const HEAVY: [&str; 8] =
    ["Conv", "ConvTranspose", "MatMul", "MatMulInteger", "Gemm", "LSTM", "GRU", "ConvInteger"];
/// A model with fewer of them is over soon.
const FEWEST: usize = 24;
const MOST_CUTS: usize = 10;
/// Values that may be alive at a cut.
const MOST_VALUES: i64 = 8;
/// Places that are looked at around each wanted one.
const TRIES: usize = 6;

/// The values alive at one place.
pub(crate) type Cut = Vec<NodeId>;

pub(crate) fn find(graph: &Graph, model: &Model) -> Vec<Cut> {
    let heavy: Vec<usize> =
        (0..graph.nodes.len()).filter(|index| HEAVY.contains(&graph.nodes[*index].op.as_str())).collect();
    // Graphs inside nodes use values from outside without naming them as inputs.
    if heavy.len() < FEWEST || graph.nodes.iter().any(|node| !node.graphs.is_empty()) {
        return Vec::new();
    }
    let lives = lives(graph);
    let counts = counts(&lives, graph.nodes.len());
    let parts = (heavy.len() / 8).min(MOST_CUTS) + 1;
    let mut cuts = Vec::new();
    for part in 1..parts {
        let (from, to) = (
            heavy[heavy.len() * part / parts],
            heavy[(heavy.len() * (part + 1) / parts).min(heavy.len() - 1)],
        );
        let mut places: Vec<usize> =
            (from..to).filter(|place| (1..=MOST_VALUES).contains(&counts[*place])).collect();
        places.sort_by_key(|place| counts[*place]);
        cuts.extend(places.into_iter().take(TRIES).find_map(|place| values_at(place, &lives, model)));
    }
    cuts
}

struct Life<'a> {
    name: &'a str,
    /// The node that makes the value, and the last that uses it.
    from: usize,
    to: usize,
}

/// Every value that depends on an input, and how long it is needed.
fn lives(graph: &Graph) -> Vec<Life<'_>> {
    let outputs: HashSet<&str> = graph.outputs.iter().map(|port| port.name.as_str()).collect();
    let mut varying: HashSet<&str> = graph.inputs.iter().map(|port| port.name.as_str()).collect();
    for constant in &graph.constants {
        varying.remove(constant.name.as_str());
    }
    let mut lives: Vec<Life<'_>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        for input in &node.inputs {
            if let Some(place) = places.get(input.as_str()) {
                lives[*place].to = index;
            }
        }
        if !node.inputs.iter().any(|input| varying.contains(input.as_str())) {
            continue;
        }
        for output in node.outputs.iter().filter(|name| !name.is_empty()) {
            varying.insert(output);
            places.insert(output, lives.len());
            let to = if outputs.contains(output.as_str()) { usize::MAX } else { index };
            lives.push(Life { name: output, from: index, to });
        }
    }
    for life in &mut lives {
        if outputs.contains(life.name) {
            life.to = usize::MAX;
        }
    }
    lives
}

/// How many values are alive after each node.
fn counts(lives: &[Life<'_>], nodes: usize) -> Vec<i64> {
    let mut changes = vec![0i64; nodes + 1];
    for life in lives.iter().filter(|life| life.to > life.from) {
        changes[life.from] += 1;
        changes[life.to.min(nodes)] -= 1;
    }
    let mut count = 0;
    changes
        .iter()
        .map(|change| {
            count += change;
            count
        })
        .collect()
}

/// None when RTen has optimised one of the values away.
fn values_at(place: usize, lives: &[Life<'_>], model: &Model) -> Option<Cut> {
    let alive = lives.iter().filter(|life| life.from <= place && place < life.to);
    alive.map(|life| model.find_node(life.name).filter(|id| is_made(model, *id))).collect()
}

/// Asks for the value without giving any input: the plan fails, and tells why.
fn is_made(model: &Model, id: NodeId) -> bool {
    match model.run(Vec::new(), &[id], None) {
        Ok(_) => false,
        Err(error) => error.to_string().contains("Missing input"),
    }
}
