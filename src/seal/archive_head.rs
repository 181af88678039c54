//! The beginning of an archive, which anyone can read and no one can change unnoticed. All numbers are big-endian:
//!
//! | bytes | |
//! | --- | --- |
//! | 8 | `LCTNSEAL` |
//! | 2 | version of the format, 1 |
//! | 4 | length of the header |
//! | … | header: JSON, whatever the caller wants to know before a key is there |
//! | 32 | salt of this archive's keys |
//! | 32 | check of the key: derived as the data key is, with another label |

use std::io::{ErrorKind, Read};

use serde_json::Value;

use crate::archive_stream::PartCipher;
use crate::error::{Result, SealError};
use crate::secret::KEY;
use crate::tenant::TenantKey;

/// Bytes of the longest header.
pub const MAX_HEADER: usize = 64 * 1024;

const MAGIC: &[u8; 8] = b"LCTNSEAL";
const VERSION: u16 = 1;
pub(crate) const SALT: usize = 32;

const DATA_PURPOSE: &str = "lectern archive data 1";
const CHECK_PURPOSE: &str = "lectern archive check 1";

/// Magic, version, header, salt and check, as bytes and read.
pub(crate) struct Head {
    bytes: Vec<u8>,
    pub header: Value,
    salt: [u8; SALT],
    check: [u8; KEY],
}

impl Head {
    /// The cipher of a new archive, with its head inside.
    pub(crate) fn create(header: &Value, key: &TenantKey, salt: [u8; SALT]) -> Result<PartCipher> {
        let header = header.to_string();
        if header.len() > MAX_HEADER {
            return Err(SealError::LongHeader { found: header.len(), most: MAX_HEADER });
        }
        let check = key.secret().derive(Some(&salt), CHECK_PURPOSE);
        let head = [
            MAGIC,
            &VERSION.to_be_bytes()[..],
            &(header.len() as u32).to_be_bytes(),
            header.as_bytes(),
            &salt,
            check.bytes(),
        ];
        Ok(PartCipher::new(&key.secret().derive(Some(&salt), DATA_PURPOSE), head.concat()))
    }

    pub(crate) fn read(input: &mut impl Read) -> Result<Self> {
        let mut bytes = Vec::new();
        let magic: [u8; 8] = take(input, &mut bytes)?;
        if magic != *MAGIC {
            return Err(SealError::NotAnArchive("it begins with something else"));
        }
        let version = u16::from_be_bytes(take(input, &mut bytes)?);
        if version != VERSION {
            return Err(SealError::ArchiveVersion(version));
        }
        let length = u32::from_be_bytes(take(input, &mut bytes)?) as usize;
        if length > MAX_HEADER {
            return Err(SealError::NotAnArchive("its header is too long"));
        }
        let from = bytes.len();
        bytes.resize(from + length, 0);
        read_exact(input, &mut bytes[from..])?;
        let header = serde_json::from_slice(&bytes[from..])
            .map_err(|_| SealError::NotAnArchive("its header is not JSON"))?;
        let (salt, check) = (take(input, &mut bytes)?, take(input, &mut bytes)?);
        Ok(Self { bytes, header, salt, check })
    }

    /// The cipher, if the key is the one that the archive was made with.
    pub(crate) fn open(self, key: &TenantKey) -> Result<PartCipher> {
        let secret = key.secret();
        if *secret.derive(Some(&self.salt), CHECK_PURPOSE).bytes() != self.check {
            return Err(SealError::OtherTenantKey { found: key.id() });
        }
        Ok(PartCipher::new(&secret.derive(Some(&self.salt), DATA_PURPOSE), self.bytes))
    }
}

fn take<const N: usize>(input: &mut impl Read, bytes: &mut Vec<u8>) -> Result<[u8; N]> {
    let mut array = [0; N];
    read_exact(input, &mut array)?;
    bytes.extend_from_slice(&array);
    Ok(array)
}

fn read_exact(input: &mut impl Read, out: &mut [u8]) -> Result<()> {
    input.read_exact(out).map_err(|e| match e.kind() {
        ErrorKind::UnexpectedEof => SealError::NotAnArchive("it ends too early"),
        _ => SealError::stream("reading")(e),
    })
}
