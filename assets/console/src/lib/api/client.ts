/** The one place that talks to the server. Adds the CSRF token, turns failures into `ApiError`. */
import { newKey, pause, PAUSES } from './once';
import { ApiError, problemFrom } from './problem';

export const BASE = '/api/v1';

type Query = Record<string, string | number | boolean | null | undefined>;

let csrf = '';
let whenSignedOut: () => void = () => undefined;
let whenForbidden: () => void = () => undefined;
let whenSuspended: (problem: ApiError) => void = () => undefined;

/** The token of the present session; empty when there is none. */
export function setCsrf(token: string): void {
  csrf = token;
}

export function csrfToken(): string {
  return csrf;
}

/** Called when the server says that the session is over. */
export function onSignedOut(callback: () => void): void {
  whenSignedOut = callback;
}

/** Called when the server refuses something: what one may has perhaps changed since it was asked. */
export function onForbidden(callback: () => void): void {
  whenForbidden = callback;
}

/** Called when the server says that the whole organisation is locked out. */
export function onSuspended(callback: (problem: ApiError) => void): void {
  whenSuspended = callback;
}

export function signedOut(): void {
  whenSignedOut();
}

export function url(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') params.set(key, String(value));
  }
  const text = params.toString();
  return BASE + path + (text ? `?${text}` : '');
}

export interface Options {
  query?: Query;
  body?: unknown;
  /** Sent as it is, instead of `body`; `type` says what it is. */
  raw?: Blob;
  type?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  accept?: string;
  cache?: RequestCache;
  /** Done once: sent again under the same key when nothing came back. */
  once?: boolean;
  /** The whole address is given, as of something that lies beside the API. */
  beside?: boolean;
}

/** Sends until something comes back, where that is safe. */
async function deliver(address: string, init: RequestInit, options: Options): Promise<Response> {
  for (let attempt = 0; ; attempt++) {
    const wait = options.once ? PAUSES[attempt] : undefined;
    try {
      const response = await fetch(address, init);
      // The request whose answer was lost may still be at work.
      if (attempt === 0 || response.status !== 409 || wait === undefined) return response;
    } catch (cause) {
      if (options.signal?.aborted) throw cause;
      if (wait === undefined) throw ApiError.unreachable();
    }
    await pause(wait);
  }
}

/** Sends a request and gives the answer as it is; throws `ApiError` when it is not a success. */
export async function send(method: string, path: string, options: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: options.accept ?? 'application/json', ...options.headers };
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf;
  if (options.once) headers['Idempotency-Key'] = newKey();
  const init: RequestInit = { method, headers, credentials: 'same-origin', cache: options.cache ?? 'no-store' };
  if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(options.body);
  } else if (options.raw) {
    headers['Content-Type'] = options.type ?? 'application/octet-stream';
    init.body = options.raw;
  }
  if (options.signal) init.signal = options.signal;
  const response = await deliver(options.beside ? path : url(path, options.query), init, options);
  if (response.ok) return response;
  const error = problemFrom(response.status, await response.text(), response.headers.get('retry-after'));
  if (response.status === 401 && path !== '/session' && error.code !== 'wrong_credentials') whenSignedOut();
  if (error.code === 'tenant_suspended') whenSuspended(error);
  if (error.code === 'forbidden') whenForbidden();
  throw error;
}

async function json<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const response = await send(method, path, options);
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> =>
  json<T>('GET', path, { ...(query ? { query } : {}), signal });
export const post = <T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> =>
  json<T>('POST', path, { body: body ?? {}, signal });
/** A `POST` that makes something, which is made once. */
export const create = <T>(path: string, body?: unknown): Promise<T> => json<T>('POST', path, { body: body ?? {}, once: true });
/** What lies at the root of the host. */
export const getBeside = <T>(path: string, signal?: AbortSignal): Promise<T> => json<T>('GET', path, { beside: true, signal });
export const patch = <T>(path: string, body: unknown): Promise<T> => json<T>('PATCH', path, { body });
export const put = <T>(path: string, body?: unknown): Promise<T> => json<T>('PUT', path, body === undefined ? {} : { body });
export const del = (path: string): Promise<void> => json<undefined>('DELETE', path);
