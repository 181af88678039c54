//! Groups in groups, where the server does not resolve them: upwards from the person, level by level.

use std::collections::HashSet;

use async_trait::async_trait;

use crate::person::Group;
use crate::refusal::Result;

/// Members that are asked for at once.
const AT_ONCE: usize = 20;

/// What knows which groups have a member.
#[async_trait]
pub(crate) trait Parents: Send {
    /// The groups that have any of these, people or groups, as direct members.
    async fn parents(&mut self, members: &[String]) -> Result<Vec<Group>>;
    /// What to refuse with when a person has more groups than allowed.
    fn too_many(&self) -> crate::Refusal;
}

/// The groups of `member` up to `depth` levels above, each once, the nearest first. Groups that hold each other end
/// the walk and not the program: names are compared without case, and there is an end at `most`.
pub(crate) async fn walk(
    graph: &mut impl Parents,
    member: &str,
    depth: u8,
    most: usize,
) -> Result<Vec<Group>> {
    let mut seen = HashSet::new();
    let mut groups = Vec::new();
    let mut level = vec![member.to_owned()];
    for _ in 0..depth {
        let mut next = Vec::new();
        for members in level.chunks(AT_ONCE) {
            for group in graph.parents(members).await? {
                if !seen.insert(group.dn.to_lowercase()) {
                    continue;
                }
                if groups.len() == most {
                    return Err(graph.too_many());
                }
                next.push(group.dn.clone());
                groups.push(group);
            }
        }
        if next.is_empty() {
            break;
        }
        level = next;
    }
    Ok(groups)
}
