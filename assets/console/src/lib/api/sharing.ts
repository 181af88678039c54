/** Who sees a document or a collection. */
import { create, del, get, put } from './client';
import type { AccessEntry, CollectionAccess, CollectionView, DocumentAccess, Paged } from './types';

const seg = encodeURIComponent;

export const sharingApi = {
  document: (id: string) => get<DocumentAccess>(`/documents/${seg(id)}/access`),
  setDocument: (id: string, entries: AccessEntry[]) => put<DocumentAccess>(`/documents/${seg(id)}/access`, { entries }),
  /** Its collection's rule counts again. */
  clearDocument: (id: string) => del(`/documents/${seg(id)}/access`),
  collections: (cursor?: string, signal?: AbortSignal) => get<Paged<CollectionView>>('/collections', { cursor, limit: 100 }, signal),
  createCollection: (name: string, access: 'everyone' | 'listed') => create<CollectionView>('/collections', { name, access }),
  collection: (name: string) => get<CollectionAccess>(`/collections/${seg(name)}/access`),
  setCollection: (name: string, access: 'everyone' | 'listed', entries: AccessEntry[]) =>
    put<CollectionAccess>(`/collections/${seg(name)}/access`, { access, entries: access === 'everyone' ? [] : entries }),
};
