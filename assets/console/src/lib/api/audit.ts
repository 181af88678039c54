/** The record of who did what. */
import { create, del, get, patch, post, url } from './client';
import type { AuditEntry, NewTarget, Paged, PatchTarget, TargetTest, TargetView } from './types';

/** Whose record: the organisation's, or the appliance's. */
export type Ledger = 'tenant' | 'appliance';

export interface AuditQuery {
  actor?: string;
  action?: string;
  q?: string;
  from?: string;
  to?: string;
}

const seg = encodeURIComponent;
const path = (of: Ledger) => (of === 'appliance' ? '/appliance/audit' : '/audit');

export const auditApi = {
  list: (of: Ledger, query: AuditQuery & { limit?: number; cursor?: string | undefined }, signal?: AbortSignal) =>
    get<Paged<AuditEntry>>(path(of), { ...query }, signal),
  /** All entries that fit, as a file. */
  fileUrl: (of: Ledger, query: AuditQuery, format: 'csv' | 'jsonl') => url(path(of), { ...query, format }),
  /** The whole record with what proves it. */
  proofUrl: (of: Ledger) => url(`${path(of)}/export`),
};

/** Servers that the entries of a record are sent to. */
export const forwardApi = {
  list: (of: Ledger, signal?: AbortSignal) => get<TargetView[]>(`${path(of)}/targets`, undefined, signal),
  create: (of: Ledger, body: NewTarget) => create<TargetView>(`${path(of)}/targets`, body),
  change: (of: Ledger, id: string, body: PatchTarget) => patch<TargetView>(`${path(of)}/targets/${seg(id)}`, body),
  remove: (of: Ledger, id: string) => del(`${path(of)}/targets/${seg(id)}`),
  /** Sends one message that says it is a test. */
  test: (of: Ledger, id: string) => post<TargetTest>(`${path(of)}/targets/${seg(id)}/test`),
};
