/** The record of who did what. */
import { get, url } from './client';
import type { AuditEntry, Paged } from './types';

/** Whose record: the organisation's, or the appliance's. */
export type Ledger = 'tenant' | 'appliance';

export interface AuditQuery {
  actor?: string;
  action?: string;
  q?: string;
  from?: string;
  to?: string;
}

const path = (of: Ledger) => (of === 'appliance' ? '/appliance/audit' : '/audit');

export const auditApi = {
  list: (of: Ledger, query: AuditQuery & { limit?: number; cursor?: string | undefined }, signal?: AbortSignal) =>
    get<Paged<AuditEntry>>(path(of), { ...query }, signal),
  /** All entries that fit, as a file. */
  fileUrl: (of: Ledger, query: AuditQuery, format: 'csv' | 'jsonl') => url(path(of), { ...query, format }),
  /** The whole record with what proves it. */
  proofUrl: (of: Ledger) => url(`${path(of)}/export`),
};
