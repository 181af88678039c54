/** What an organisation uses of what it may. */
import { get } from './client';
import type { UsageView } from './types';

export const usageApi = {
  own: (signal?: AbortSignal) => get<UsageView>('/usage', undefined, signal),
  of: (tenant: string, signal?: AbortSignal) => get<UsageView>(`/tenants/${encodeURIComponent(tenant)}/usage`, undefined, signal),
};
