//! Regions: labels that bind a tenant's data to a folder.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Folders by label, as the configuration has them: `"eu=/srv/eu"`.
#[derive(Debug, Clone, Default)]
pub struct Regions(pub BTreeMap<String, PathBuf>);

impl Regions {
    /// The error says which entry is wrong.
    pub fn parse(entries: &[String]) -> Result<Self, String> {
        let mut regions = BTreeMap::new();
        for entry in entries {
            let (label, folder) =
                entry.split_once('=').ok_or_else(|| format!("'{entry}' is not label=/folder"))?;
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if label.is_empty() || label.len() > 40 || !label.bytes().all(plain) {
                return Err(format!("'{label}' is no label: use a-z, 0-9 and -"));
            }
            if !folder.starts_with('/') {
                return Err(format!("'{folder}' is not the whole path of a folder"));
            }
            if regions.insert(label.to_owned(), PathBuf::from(folder)).is_some() {
                return Err(format!("the region '{label}' stands twice"));
            }
        }
        Ok(Self(regions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_a_label_and_a_whole_path() {
        let entries =
            |texts: &[&str]| Regions::parse(&texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
        assert_eq!(entries(&["eu=/srv/eu", "us=/srv/us"]).expect("right").0.len(), 2);
        for bad in [&["eu"][..], &["=/x"], &["EU=/x"], &["eu=x"], &["eu=/a", "eu=/b"]] {
            assert!(entries(bad).is_err(), "{bad:?}");
        }
    }
}
