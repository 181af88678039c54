/** The organisations on the appliance, for those who operate it. */
import { create, csrfToken, get, patch, post, send, signedOut, url } from './client';
import { newKey } from './once';
import { ApiError, problemFrom } from './problem';
import type { ErasureView, NewTenant, NewTenantView, PatchTenant, TenantView } from './types';

const at = (id: string, what = '') => `/tenants/${encodeURIComponent(id)}${what}`;

export const tenantApi = {
  list: (signal?: AbortSignal) => get<TenantView[]>('/tenants', undefined, signal),
  one: (id: string, signal?: AbortSignal) => get<TenantView>(at(id), undefined, signal),
  create: (tenant: NewTenant) => create<NewTenantView>('/tenants', tenant),
  change: (id: string, body: PatchTenant) => patch<TenantView>(at(id), body),
  suspend: (id: string, reason: string) => post<TenantView>(at(id, '/suspend'), { reason }),
  resume: (id: string) => post<TenantView>(at(id, '/resume')),
  restore: (id: string) => post<TenantView>(at(id, '/restore')),
  erasures: (signal?: AbortSignal) => get<ErasureView[]>('/tenants/erasures', undefined, signal),
  /** Nothing comes back when it was erased at once. */
  async remove(id: string, confirm: string, grace_hours?: number): Promise<TenantView | null> {
    const body = { confirm, ...(grace_hours === undefined ? {} : { grace_hours }) };
    const response = await send('DELETE', at(id), { body });
    return response.status === 204 ? null : ((await response.json()) as TenantView);
  },
  /** The sealed file. It opens elsewhere only with the passphrase. */
  async export(id: string, passphrase: string): Promise<Blob> {
    const body = passphrase ? { passphrase } : {};
    const response = await send('POST', at(id, '/export'), { body, accept: 'application/octet-stream' });
    return response.blob();
  },
};

export interface TenantImport {
  file: File;
  passphrase: string;
  /** In the place of a suspended or deleted one that has the same key. */
  replace: boolean;
}

/** XMLHttpRequest, because `fetch` tells nothing of what was sent. The answer comes after the file was unpacked. */
export function importTenant(what: TenantImport, onsent: (sent: number) => void, signal: AbortSignal): Promise<TenantView> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url('/tenants/import', what.replace ? { replace: true } : {}));
    request.setRequestHeader('X-CSRF-Token', csrfToken());
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.setRequestHeader('Idempotency-Key', newKey());
    if (what.passphrase) request.setRequestHeader('X-Lectern-Passphrase', encodeURIComponent(what.passphrase));
    request.upload.onprogress = (e) => onsent(e.loaded);
    request.upload.onload = () => onsent(what.file.size);
    request.onload = () => {
      if (request.status === 201) return resolve(JSON.parse(request.responseText) as TenantView);
      if (request.status === 401) signedOut();
      reject(problemFrom(request.status, request.responseText));
    };
    request.onerror = () => reject(ApiError.unreachable());
    request.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(what.file);
  });
}
