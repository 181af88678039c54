/** Models of the site: what there is, bringing one in, trying and choosing it. */
import { csrfToken, del, get, post, signedOut, url } from './client';
import { newKey } from './once';
import { ApiError, problemFrom } from './problem';
import type { components } from './schema';

type S = components['schemas'];

export type ModelKind = S['Kind'];
export type ModelView = S['ModelView'];
export type KnownModel = S['KnownModel'];
export type ImportView = S['ImportView'];
export type ModelsView = S['ModelsView'];

const seg = encodeURIComponent;

export const modelApi = {
  list: (signal?: AbortSignal) => get<ModelsView>('/models', undefined, signal),
  verify: (name: string) => post<{ model: ModelView; ok: boolean }>(`/models/${seg(name)}/verify`),
  use: (name: string, in_use: boolean) => post<ModelView>(`/models/${seg(name)}/use`, { in_use }),
  remove: (name: string) => del(`/models/${seg(name)}`),
};

export interface ModelEvents {
  /** Everything, at the beginning and after each break of the connection. */
  onmodels: (view: ModelsView) => void;
  onimport: (view: ImportView) => void;
  /** The list is another one: ask for it. */
  onchanged: () => void;
}

export function watchModels(handlers: ModelEvents): () => void {
  const source = new EventSource(url('/models/events'));
  const data = (e: Event): unknown => JSON.parse((e as MessageEvent<string>).data);
  source.addEventListener('models', (e) => handlers.onmodels(data(e) as ModelsView));
  source.addEventListener('import', (e) => handlers.onimport(data(e) as ImportView));
  source.addEventListener('changed', () => handlers.onchanged());
  return () => source.close();
}

export interface Sent {
  sent: number;
  total: number;
}

/** The files of one model, in one form; events about it carry `id`. The answer comes after the model was tried. */
export function importModel(id: string, files: readonly File[], onsent: (sent: Sent) => void, signal: AbortSignal): Promise<ModelView> {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append('id', id);
    for (const file of files) form.append('file', file, file.name);
    const total = files.reduce((n, file) => n + file.size, 0);
    const request = new XMLHttpRequest();
    request.open('POST', url('/models'));
    request.setRequestHeader('X-CSRF-Token', csrfToken());
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('Idempotency-Key', newKey());
    request.upload.onprogress = (e) => onsent({ sent: Math.min(e.loaded, total), total });
    request.upload.onload = () => onsent({ sent: total, total });
    request.onload = () => {
      if (request.status === 200 || request.status === 201) return resolve(JSON.parse(request.responseText) as ModelView);
      if (request.status === 401) signedOut();
      reject(problemFrom(request.status, request.responseText));
    };
    request.onerror = () => reject(ApiError.unreachable());
    request.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(form);
  });
}
