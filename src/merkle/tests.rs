//! The tree and its proofs: known vectors, every proof of small trees, trees of the largest size, and forgeries.

use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::{ConsistencyProof, Frontier, Hash, InclusionProof, MerkleError, Result, root_of};

const LARGEST: u64 = 70;

/// The entries and roots with which implementations of certificate transparency are tested.
const ENTRIES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
/// SHA-256 over the hashes of all proofs of sizes 1 to 70, and a root of 1,000: made by another implementation.
const ALL_PROOFS: &str = "06ca2effedbdb5fd5204d5b6180fc16f6025d6e65d812248099a5edf57da710c";
const ROOT_OF_1000: &str = "346c6b9cb89c4b76fac9dcb20cda86e3a01c0a57417c139028eacd4538fde95b";

pub(crate) fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(|n| Hash::leaf(format!("entry {n}").as_bytes())).collect()
}

fn root(leaves: &[Hash], size: u64) -> Hash {
    root_of(&leaves[..size as usize])
}

fn flipped(hash: &Hash, bit: usize) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8 % 32] ^= 1 << (bit % 8);
    Hash::from_bytes(bytes)
}

/// Pseudo-random numbers: the same seed gives the same ones.
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

/// Wrong forms of a path: a hash changed, one missing, one too many, two exchanged.
fn spoiled(path: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for at in 0..path.len() {
        let mut changed = path.to_vec();
        changed[at] = flipped(&changed[at], at * 37);
        let mut missing = path.to_vec();
        missing.remove(at);
        let mut twice = path.to_vec();
        twice.insert(at, path[at]);
        let mut exchanged = path.to_vec();
        exchanged.swap(at, (at + 1) % path.len());
        all.extend([changed, missing, twice]);
        all.extend((exchanged != path).then_some(exchanged));
    }
    all.push([path, &[Hash::empty()]].concat());
    all.push([path, &vec![Hash::empty(); 200]].concat());
    all
}

#[test]
fn roots_are_those_of_certificate_transparency() {
    let leaves: Vec<Hash> = ENTRIES.iter().map(|e| Hash::leaf(&hex::decode(e).unwrap())).collect();
    let mut tree = Frontier::new();
    for (size, known) in ROOTS.iter().enumerate() {
        assert_eq!(root_of(&leaves[..size]).to_string(), *known);
        assert_eq!((tree.root().to_string().as_str(), tree.size()), (*known, size as u64));
        if let Some(leaf) = leaves.get(size) {
            assert_eq!(tree.append(*leaf), Ok(size as u64));
        }
    }
    assert_eq!(root(&self::leaves(1000), 1000).to_string(), ROOT_OF_1000);
}

#[test]
fn a_hash_has_one_spelling() {
    let hash: Hash = ROOTS[1].parse().unwrap();
    assert_eq!(Hash::from_base64(&hash.to_base64()), Ok(hash));
    assert_eq!(serde_json::to_string(&hash).unwrap(), format!("\"{}\"", ROOTS[1]));
    for bad in ["", "00", &ROOTS[1][1..], &ROOTS[1].to_uppercase(), &ROOTS[1].replace('6', "g"), "é"] {
        assert_eq!(bad.parse::<Hash>(), Err(MerkleError::Hash), "{bad}");
    }
    let text = hash.to_base64();
    // The third one has bits set that belong to no byte.
    for bad in ["", &text[..43], &text.replace("0=", "1="), &text.replace('=', "A"), &text.replace('+', "-")]
    {
        assert_eq!(Hash::from_base64(bad), Err(MerkleError::Hash), "{bad}");
    }
}

#[test]
fn the_frontier_is_the_plain_definition_also_out_of_storage() {
    let leaves = leaves(300);
    let mut tree = Frontier::new();
    for (n, leaf) in leaves.iter().enumerate() {
        tree.append(*leaf).unwrap();
        assert_eq!(tree.root(), root_of(&leaves[..=n]), "{n}");
        let stored = serde_json::to_string(&tree).unwrap();
        assert_eq!(serde_json::from_str::<Frontier>(&stored).unwrap(), tree);
        tree = serde_json::from_str(&stored).unwrap();
    }
    assert_eq!((tree.size(), tree.hashes().len()), (300, 4));
}

#[test]
fn a_damaged_frontier_is_refused_and_a_full_one_stays() {
    let hash = ROOTS[1];
    for bad in [
        r#"{"size":1,"hashes":[]}"#.to_owned(),
        format!(r#"{{"size":2,"hashes":["{hash}","{hash}"]}}"#),
        format!(r#"{{"size":1,"hashes":["{}"]}}"#, hash.to_uppercase()),
        format!(r#"{{"size":-1,"hashes":["{hash}"]}}"#),
        format!(r#"{{"size":1,"hashes":["{hash}"],"more":1}}"#),
    ] {
        assert!(serde_json::from_str::<Frontier>(&bad).is_err(), "{bad}");
    }
    let mut full = Frontier::from_parts(u64::MAX, vec![Hash::empty(); 64]).unwrap();
    let before = full.clone();
    assert_eq!(full.append(Hash::empty()), Err(MerkleError::Full));
    assert_eq!(full, before);
}

#[test]
fn every_proof_is_that_of_another_implementation() {
    let leaves = leaves(LARGEST);
    let mut all = Sha256::new();
    let mut add = |path: Vec<Hash>| path.iter().for_each(|hash| all.update(hash.as_bytes()));
    for size in 1..=LARGEST {
        let tree = &leaves[..size as usize];
        (0..size).for_each(|index| add(InclusionProof::of(tree, index).unwrap().path));
        (1..=size).for_each(|older| add(ConsistencyProof::of(tree, older).unwrap().path));
    }
    assert_eq!(hex::encode(all.finalize()), ALL_PROOFS);
}

#[test]
fn every_inclusion_holds_and_no_other() {
    let leaves = leaves(LARGEST);
    for size in 1..=LARGEST {
        let tree = &leaves[..size as usize];
        let root = root_of(tree);
        for index in 0..size {
            let proof = InclusionProof::of(tree, index).unwrap();
            let leaf = tree[index as usize];
            assert_eq!(proof.verify(&leaf, &root), Ok(()), "{index} of {size}");
            assert!(proof.verify(&flipped(&leaf, 9), &root).is_err());
            assert!(proof.verify(&leaf, &flipped(&root, 255)).is_err());
            for path in spoiled(&proof.path) {
                assert!(InclusionProof { path, ..proof }.verify(&leaf, &root).is_err(), "{index} of {size}");
            }
            for other in (0..size + 2).filter(|other| *other != index) {
                let moved = InclusionProof { index: other, ..proof.clone() };
                assert!(moved.verify(&leaf, &root).is_err(), "{index} as {other} of {size}");
            }
        }
        assert!(InclusionProof::of(tree, size).is_err());
    }
    assert_eq!(InclusionProof::of(&[], 0), Err(MerkleError::NoSuchEntry { index: 0, size: 0 }));
}

#[test]
fn every_consistency_holds_and_no_other() {
    let leaves = leaves(LARGEST);
    for size in 0..=LARGEST {
        let tree = &leaves[..size as usize];
        let newer = root_of(tree);
        for older in 0..=size {
            let proof = ConsistencyProof::of(tree, older).unwrap();
            let old = root(&leaves, older);
            assert_eq!(proof.verify(&old, &newer), Ok(()), "{older} of {size}");
            assert!(proof.verify(&flipped(&old, 8), &newer).is_err());
            // Every tree continues the empty one, so that its root does not count.
            assert!(older == 0 || proof.verify(&old, &flipped(&newer, 8)).is_err());
            for path in spoiled(&proof.path) {
                let spoiled = ConsistencyProof { path, ..proof };
                assert!(spoiled.verify(&old, &newer).is_err(), "{older} of {size}");
            }
            for other in (0..size + 2).filter(|other| *other != older) {
                let moved = ConsistencyProof { older: other, ..proof.clone() };
                assert!(moved.verify(&old, &newer).is_err(), "{older} as {other} of {size}");
            }
        }
        assert!(ConsistencyProof::of(tree, size + 1).is_err());
    }
}

#[test]
fn a_path_of_another_size_is_told_by_its_length() {
    // Without the length, the second entry would pass for the only one: its path ends in the right root.
    let two = leaves(2);
    let forged = InclusionProof { index: 0, size: 1, path: vec![two[0]] };
    assert_eq!(forged.verify(&two[1], &root_of(&two)), Err(MerkleError::ProofLength { found: 1 }));
    let leaves = leaves(40);
    for size in 1..=40u64 {
        let tree = &leaves[..size as usize];
        for (index, claimed) in
            (0..size).flat_map(|index| (index + 1..=40).map(move |claimed| (index, claimed)))
        {
            let proof = InclusionProof::of(tree, index).unwrap();
            let right = InclusionProof::of(&leaves[..claimed as usize], index).unwrap();
            if proof.path.len() != right.path.len() {
                let verified =
                    InclusionProof { size: claimed, ..proof }.verify(&tree[index as usize], &root_of(tree));
                assert!(
                    matches!(verified, Err(MerkleError::ProofLength { .. })),
                    "{index} of {size} as {claimed}"
                );
            }
        }
    }
}

/// The root of any number of equal leaves: hashes of the complete subtrees, joined.
fn equal_leaves(size: u64) -> Hash {
    let mut level = Hash::leaf(b"entry");
    let mut hashes = Vec::new();
    for bit in 0..64 {
        if size >> bit & 1 == 1 {
            hashes.insert(0, level);
        }
        level = Hash::node(&level, &level);
    }
    Frontier::from_parts(size, hashes).unwrap().root()
}

#[test]
fn the_largest_trees_have_proofs_too() {
    let subtree = |range: Range<u64>| -> Result<Hash> { Ok(equal_leaves(range.end - range.start)) };
    let half = 1 << 63;
    for size in [half - 1, half, half + 1, u64::MAX - 1, u64::MAX] {
        for place in [0, 1, 2, 1 << 32, half - 2, half - 1, half, half + 1, size - 2, size - 1, size] {
            if place < size {
                let proof = InclusionProof::with(place, size, subtree).unwrap();
                assert!(proof.path.len() <= 64);
                assert_eq!(proof.verify(&equal_leaves(1), &equal_leaves(size)), Ok(()), "{place} of {size}");
            }
            if place <= size {
                let proof = ConsistencyProof::with(place, size, subtree).unwrap();
                assert!(proof.path.len() <= 65);
                let (old, new) = (equal_leaves(place), equal_leaves(size));
                assert_eq!(proof.verify(&old, &new), Ok(()), "{place} of {size}");
            }
        }
    }
}

#[test]
fn nonsense_is_refused_and_does_no_harm() {
    let mut next = numbers(42);
    let hashes: Vec<Hash> = (0..140).map(|_| Hash::leaf(&next().to_be_bytes())).collect();
    let mut size = move || match next() % 6 {
        0 => next() % 4,
        1 => u64::MAX - next() % 4,
        2 => (1 << (next() % 64)) - 1,
        3 => 1 << (next() % 64),
        _ => next() >> (next() % 64),
    };
    for round in 0..20_000 {
        let (a, b) = (size(), size());
        let path = hashes[..round % 140].to_vec();
        let proof = InclusionProof { index: a, size: b, path: path.clone() };
        assert!(proof.verify(&hashes[139], &hashes[0]).is_err(), "{proof:?}");
        let proof = ConsistencyProof { older: a, size: b, path };
        assert!(proof.verify(&hashes[139], &hashes[0]).is_err(), "{proof:?}");
    }
}

#[test]
fn proofs_travel_as_json() {
    let proof = InclusionProof::of(&leaves(2), 0).unwrap();
    let text = serde_json::to_string(&proof).unwrap();
    assert_eq!(text, format!(r#"{{"index":0,"size":2,"path":["{}"]}}"#, leaves(2)[1]));
    assert_eq!(serde_json::from_str::<InclusionProof>(&text).unwrap(), proof);
    let proof = ConsistencyProof::of(&leaves(7), 3).unwrap();
    let text = serde_json::to_string(&proof).unwrap();
    assert_eq!(serde_json::from_str::<ConsistencyProof>(&text).unwrap(), proof);
}
