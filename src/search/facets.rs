//! Counts passages per collection, tag, format and language while a query runs.

use rustc_hash::FxHashMap;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::StrColumn;
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

use crate::schema::FACETS;

/// Values returned per facet: the most frequent.
const MAX_VALUES: usize = 100;

/// A facet's values with the number of matching passages, most frequent first.
pub type Values = Vec<(String, u64)>;

/// Facets of a result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    pub collections: Values,
    pub tags: Values,
    pub formats: Values,
    pub languages: Values,
}

type Counts = [FxHashMap<String, u64>; 4];

pub(crate) struct FacetCollector;

pub(crate) struct SegmentFacets {
    columns: [Option<(StrColumn, Vec<u32>)>; 4],
}

impl Collector for FacetCollector {
    type Fruit = Facets;
    type Child = SegmentFacets;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentFacets> {
        let mut columns = [const { None }; 4];
        for (slot, name) in columns.iter_mut().zip(FACETS) {
            *slot = segment.fast_fields().str(name)?.map(|column| {
                let values = column.num_terms();
                (column, vec![0; values])
            });
        }
        Ok(SegmentFacets { columns })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, segments: Vec<tantivy::Result<Counts>>) -> tantivy::Result<Facets> {
        let mut all = Counts::default();
        for segment in segments {
            for (total, counts) in all.iter_mut().zip(segment?) {
                for (value, count) in counts {
                    *total.entry(value).or_default() += count;
                }
            }
        }
        let [collections, tags, formats, languages] = all.map(sorted);
        Ok(Facets { collections, tags, formats, languages })
    }
}

fn sorted(counts: FxHashMap<String, u64>) -> Values {
    let mut values: Values = counts.into_iter().collect();
    values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    values.truncate(MAX_VALUES);
    values
}

impl SegmentCollector for SegmentFacets {
    type Fruit = tantivy::Result<Counts>;

    fn collect(&mut self, doc: DocId, _: Score) {
        for (column, counts) in self.columns.iter_mut().flatten() {
            for ordinal in column.term_ords(doc) {
                if let Some(count) = counts.get_mut(ordinal as usize) {
                    *count += 1;
                }
            }
        }
    }

    fn harvest(self) -> Self::Fruit {
        let mut all = Counts::default();
        for (named, column) in all.iter_mut().zip(self.columns) {
            let Some((column, counts)) = column else { continue };
            for (ordinal, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
                let mut value = String::new();
                column.ord_to_str(ordinal as u64, &mut value)?;
                named.insert(value, count.into());
            }
        }
        Ok(all)
    }
}
