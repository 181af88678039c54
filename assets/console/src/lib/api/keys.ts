/** Keys with which programs sign in. */
import { create, del, get } from './client';
import type { KeyView, NewKey, NewKeyView, Paged } from './types';

const seg = encodeURIComponent;

export const keyApi = {
  list: (cursor?: string, signal?: AbortSignal) => get<Paged<KeyView>>('/keys', { cursor }, signal),
  create: (key: NewKey) => create<NewKeyView>('/keys', key),
  rotate: (id: string, overlap_hours: number) => create<NewKeyView>(`/keys/${seg(id)}/rotate`, { overlap_hours }),
  revoke: (id: string) => del(`/keys/${seg(id)}`),
};
