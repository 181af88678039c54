//! A site for this area's tests: a store and an index on a temporary folder, documents as the pipeline leaves them, and
//! people who see only some of them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lectern_edge::Incoming;
use lectern_extract::Extracted;
use lectern_kernel::{
    Actor, DocumentId, GroupId, KeyId, Principal, Role, Scope, SystemClock, TenantId, UserId,
};
use lectern_search::{Shape, split_passages};
use lectern_store::{Stores, queue};
use tokio_util::sync::CancellationToken;

use crate::create::NewDocument;
use crate::tenant::Tenant;
use crate::{Documents, Limits, MIGRATIONS, access, change, store, store_text};

pub(crate) struct Site {
    pub documents: Documents,
    pub tenant: Arc<Tenant>,
    pub dir: tempfile::TempDir,
}

pub(crate) fn admin() -> Scope {
    Scope::system(TenantId::main())
}

/// Somebody with groups and the permissions to read, write and share.
#[derive(Clone)]
pub(crate) struct Person {
    pub user: UserId,
    pub groups: Vec<GroupId>,
}

impl Person {
    pub fn new(groups: &[&GroupId]) -> Self {
        Self { user: UserId::generate(), groups: groups.iter().map(|group| (*group).clone()).collect() }
    }

    pub fn ids(&self) -> Vec<String> {
        let groups = self.groups.iter().map(ToString::to_string);
        std::iter::once(self.user.to_string()).chain(groups).collect()
    }

    pub fn principal(&self) -> Principal {
        let rights = ["documents.read", "documents.write", "documents.share"];
        Principal {
            tenant: TenantId::main(),
            user: Some(self.user.clone()),
            role: Role::MEMBER,
            rights: rights.iter().map(|right| (*right).to_owned()).collect(),
            groups: self.groups.clone().into(),
            actor: Actor::Key { id: KeyId::generate() },
        }
    }

    pub fn scope(&self) -> Scope {
        Scope::granted(&self.principal())
    }
}

/// A small xorshift generator: the same seed gives the same choices.
pub(crate) struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    pub fn of<'a, T>(&mut self, values: &'a [T]) -> &'a T {
        &values[self.below(values.len())]
    }
}

impl Site {
    pub fn new() -> Self {
        Self::open(tempfile::tempdir().unwrap())
    }

    pub fn open(dir: tempfile::TempDir) -> Self {
        let stores = Stores::open(dir.path(), &[], MIGRATIONS.to_vec(), Arc::new(SystemClock)).unwrap();
        let extractor = lectern_extract::Extractor::new(lectern_extract::PoolConfig::new(
            PathBuf::from("/nowhere"),
            dir.path().join("scratch"),
        ));
        let limits = Limits {
            max_upload_bytes: 1 << 20,
            keep_free_bytes: 0,
            writer_memory_bytes: 16 << 20,
            commit_time: Duration::from_millis(1),
            workers: 1,
            ocr: None,
        };
        let documents = Documents::new(stores, extractor, limits, CancellationToken::new());
        let tenant = documents.tenant(&admin()).unwrap();
        Self { documents, tenant, dir }
    }

    /// Closes everything and opens it again, as a new start of the process does.
    pub fn reopen(self) -> Self {
        let Self { documents, tenant, dir } = self;
        tenant.index().release_writer().unwrap();
        drop((documents, tenant));
        Self::open(dir)
    }

    pub fn new_document(title: &str, collection: Option<&str>) -> NewDocument {
        let id = DocumentId::generate();
        NewDocument {
            sha256: format!("{:0>64}", id.as_str()),
            id,
            title: title.to_owned(),
            title_given: true,
            file_name: format!("{title}.txt"),
            kind: "txt".to_owned(),
            collection: collection.map(str::to_owned),
            tags: Vec::new(),
            source: "test".to_owned(),
            size_bytes: 1,
            created_by: None,
        }
    }

    /// A document that was read, its passages not yet committed.
    pub fn add_uncommitted(&self, new: &NewDocument, text: &str) -> u64 {
        let found = store::Found {
            kind: "txt",
            title: None,
            language: Some("en"),
            pages: 1,
            characters: text.chars().count() as u64,
            image_pages: &[],
        };
        let extracted = Extracted { text: text.to_owned(), ..Extracted::default() };
        let meta = self
            .tenant
            .store
            .db
            .write_now(|tx| {
                access::enter(tx, admin().sight(), new.collection.as_deref())?;
                store::insert(tx, new)?;
                store::set_extracted(tx, &new.id, &found)?;
                store_text::put(tx, &new.id, &extracted)?;
                let view = store::by_id(tx, &new.id)?.unwrap();
                change::meta(tx, &view)
            })
            .unwrap();
        self.tenant.index().add(&meta, &split_passages(text, &[], Shape::default())).unwrap()
    }

    /// A document that can be found.
    pub fn add(&self, title: &str, collection: Option<&str>, text: &str) -> DocumentId {
        self.add_new(Self::new_document(title, collection), text)
    }

    pub fn add_new(&self, new: NewDocument, text: &str) -> DocumentId {
        let passages = self.add_uncommitted(&new, text);
        self.tenant.index().commit().unwrap();
        self.tenant
            .store
            .db
            .write_now(|tx| {
                let job = queue::take(tx)?.unwrap();
                store::set_ready(tx, &new.id, &job.id, passages)
            })
            .unwrap();
        new.id
    }

    /// An upload of these bytes, as the edge hands it over.
    pub fn incoming(&self, bytes: &str, fields: &[(&str, &str)]) -> Incoming {
        let path = self.tenant.store.incoming().join(DocumentId::generate().as_str());
        std::fs::write(&path, bytes).unwrap();
        Incoming {
            path,
            file_name: "upload.txt".to_owned(),
            bytes: bytes.len() as u64,
            sha256: format!("{bytes:0>64}"),
            fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        }
    }
}
