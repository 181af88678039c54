/** Keys with which programs sign in. */
import { del, get, post } from './client';
import type { KeyView, NewKey, NewKeyView, Paged } from './types';

const seg = encodeURIComponent;

export const keyApi = {
  list: (cursor?: string, signal?: AbortSignal) => get<Paged<KeyView>>('/keys', { cursor }, signal),
  create: (key: NewKey) => post<NewKeyView>('/keys', key),
  rotate: (id: string, overlap_hours: number) => post<NewKeyView>(`/keys/${seg(id)}/rotate`, { overlap_hours }),
  revoke: (id: string) => del(`/keys/${seg(id)}`),
};
