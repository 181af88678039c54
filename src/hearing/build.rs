//! Finds PocketSphinx as Debian packs it: two static libraries to link, and the model for US English, which goes into
//! the binary.

#![allow(clippy::disallowed_methods, reason = "cargo speaks to build scripts through the environment")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use sha2::{Digest, Sha256};

const LIBRARIES: [&str; 2] = ["libpocketsphinx.a", "libsphinxbase.a"];
const MODEL: [&str; 9] = [
    "en-us/feat.params",
    "en-us/mdef",
    "en-us/means",
    "en-us/noisedict",
    "en-us/sendump",
    "en-us/transition_matrices",
    "en-us/variances",
    "cmudict-en-us.dict",
    "en-us.lm.bin",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LECTERN_POCKETSPHINX");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    link(&out);
    embed(&out);
}

/// A folder that holds the libraries and `model/en-us`, for those who built PocketSphinx themselves.
fn own_folder() -> Option<PathBuf> {
    env::var_os("LECTERN_POCKETSPHINX").map(PathBuf::from)
}

/// The archives are copied, so that no folder with shared libraries gets on the search path.
fn link(out: &Path) {
    let target = env::var("TARGET").expect("cargo sets TARGET");
    let multiarch = target.replace("-unknown", "");
    let folders: Vec<PathBuf> = own_folder()
        .into_iter()
        .chain([PathBuf::from("/usr/lib").join(multiarch), "/usr/lib".into(), "/usr/local/lib".into()])
        .collect();
    let here = out.join("archives");
    fs::create_dir_all(&here).expect("OUT_DIR is writable");
    for library in LIBRARIES {
        let found = folders.iter().map(|folder| folder.join(library)).find(|path| path.is_file());
        let Some(found) = found else {
            panic!(
                "{library} is missing in {folders:?}.\nDebian's packages libpocketsphinx-dev and libsphinxbase-dev \
                 bring it: apt-get install libpocketsphinx-dev libsphinxbase-dev pocketsphinx-en-us"
            );
        };
        println!("cargo:rerun-if-changed={}", found.display());
        fs::copy(&found, here.join(library)).expect("OUT_DIR is writable");
    }
    println!("cargo:rustc-link-search=native={}", here.display());
    println!("cargo:rustc-link-lib=static=pocketsphinx");
    println!("cargo:rustc-link-lib=static=sphinxbase");
    println!("cargo:rustc-link-lib=m");
}

/// Every file as: length of name (u16), name, length of content (u32), content; little endian.
fn embed(out: &Path) {
    let folder = own_folder()
        .map(|folder| folder.join("model/en-us"))
        .filter(|folder| folder.is_dir())
        .unwrap_or_else(|| PathBuf::from("/usr/share/pocketsphinx/model/en-us"));
    let mut raw = Vec::new();
    for name in MODEL {
        let path = folder.join(name);
        println!("cargo:rerun-if-changed={}", path.display());
        let content = fs::read(&path).unwrap_or_else(|error| {
            panic!(
                "{} cannot be read: {error}.\nDebian's package pocketsphinx-en-us brings it: apt-get install \
                 pocketsphinx-en-us",
                path.display()
            )
        });
        raw.extend(u16::try_from(name.len()).expect("short names").to_le_bytes());
        raw.extend(name.as_bytes());
        raw.extend(u32::try_from(content.len()).expect("small files").to_le_bytes());
        raw.extend(content);
    }
    println!("cargo:rustc-env=LECTERN_EN_US_HASH={}", &hex::encode(Sha256::digest(&raw))[..16]);
    // Fast: the best level takes longer and saves nothing (the numbers in the model look random).
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let packed = encoder.write_all(&raw).and_then(|()| encoder.finish()).expect("writing to memory");
    fs::write(out.join("en-us.gz"), packed).expect("OUT_DIR is writable");
}
