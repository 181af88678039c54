-- Who added a document; nobody for the command line, keys, and people who were erased.
ALTER TABLE documents ADD COLUMN created_by TEXT;
CREATE INDEX documents_by_person ON documents (created_by);
CREATE INDEX documents_by_age ON documents (collection, created_at);
CREATE INDEX document_access_by_subject ON document_access (subject);
CREATE INDEX collection_access_by_subject ON collection_access (subject);
