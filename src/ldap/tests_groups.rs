//! Groups in groups, over a graph in memory.

use std::collections::HashMap;

use async_trait::async_trait;

use crate::nested::{Parents, walk};
use crate::{Group, Refusal, Result};

/// Which groups hold a member, and how often the graph was asked.
#[derive(Default)]
struct Graph {
    parents: HashMap<String, Vec<String>>,
    asked: usize,
}

impl Graph {
    fn new(edges: &[(&str, &str)]) -> Self {
        let mut graph = Self::default();
        for (member, group) in edges {
            graph.parents.entry((*member).to_owned()).or_default().push((*group).to_owned());
        }
        graph
    }
}

#[async_trait]
impl Parents for Graph {
    async fn parents(&mut self, members: &[String]) -> Result<Vec<Group>> {
        self.asked += 1;
        let all = members.iter().filter_map(|member| self.parents.get(member)).flatten();
        Ok(all.map(|dn| Group { dn: dn.clone(), name: dn.clone() }).collect())
    }

    fn too_many(&self) -> Refusal {
        Refusal::unavailable("too many", "")
    }
}

async fn names(graph: &mut Graph, depth: u8, most: usize) -> Result<Vec<String>> {
    Ok(walk(graph, "jane", depth, most).await?.into_iter().map(|group| group.name).collect())
}

#[tokio::test]
async fn groups_come_level_by_level_and_once() {
    let edges = [("jane", "a"), ("jane", "b"), ("a", "c"), ("b", "c"), ("c", "d"), ("d", "e"), ("x", "y")];
    let mut graph = Graph::new(&edges);
    assert_eq!(names(&mut graph, 20, 100).await.unwrap(), ["a", "b", "c", "d", "e"]);
    assert_eq!(names(&mut graph, 1, 100).await.unwrap(), ["a", "b"]);
    assert_eq!(names(&mut graph, 3, 100).await.unwrap(), ["a", "b", "c", "d"]);
    assert_eq!(walk(&mut graph, "nobody", 20, 100).await.unwrap(), []);
}

#[tokio::test]
async fn groups_that_hold_each_other_end_the_walk() {
    let edges = [("jane", "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("c", "A"), ("c", "c"), ("c", "jane")];
    let mut graph = Graph::new(&edges);
    assert_eq!(names(&mut graph, 20, 100).await.unwrap(), ["a", "b", "c", "jane"]);
    assert_eq!(graph.asked, 5);
}

#[tokio::test]
async fn more_groups_than_allowed_are_refused_and_not_cut() {
    let dns: Vec<String> = (0..50).map(|n| format!("g{n}")).collect();
    let mut edges: Vec<_> = dns.iter().map(|dn| ("jane", dn.as_str())).collect();
    edges.extend(dns.iter().map(|dn| (dn.as_str(), "top")));
    let mut graph = Graph::new(&edges);
    assert_eq!(names(&mut graph, 9, 51).await.unwrap().len(), 51);
    // Twenty members at once: one question, three, and one for the top.
    assert_eq!(graph.asked, 5);
    assert!(names(&mut graph, 9, 50).await.is_err());
    assert_eq!(names(&mut graph, 1, 50).await.unwrap().len(), 50);
    assert!(names(&mut graph, 1, 49).await.is_err());
}
