/** Short messages at the page's edge. Problems stay until they are closed, the rest goes by itself. */
import { ApiError } from './api';
import { t, tOr } from './i18n.svelte';

export interface Toast {
  id: number;
  kind: 'info' | 'error';
  text: string;
  hint: string | null;
  action: { label: string; run: () => void } | null;
}

const list = $state<Toast[]>([]);
let next = 1;

export const toasts = {
  get list(): readonly Toast[] {
    return list;
  },
};

export function dismiss(id: number): void {
  const at = list.findIndex((toast) => toast.id === id);
  if (at >= 0) list.splice(at, 1);
}

function add(toast: Omit<Toast, 'id'>): void {
  const same = list.find((other) => other.text === toast.text && other.hint === toast.hint);
  if (same) dismiss(same.id);
  const id = next++;
  list.push({ id, ...toast });
  if (list.length > 4) list.splice(0, list.length - 4);
  if (toast.kind === 'info') setTimeout(() => dismiss(id), toast.action ? 10_000 : 5000);
}

export function info(text: string, action: Toast['action'] = null): void {
  add({ kind: 'info', text, hint: null, action });
}

/** What to show for a failure: the server's own words, or ours when it did not answer. */
export function describe(error: unknown): { text: string; hint: string | null } {
  if (!(error instanceof ApiError)) return { text: t('problem.page'), hint: t('problem.page_hint') };
  if (error.code === 'unreachable') return { text: t('problem.unreachable'), hint: t('problem.unreachable_hint') };
  const own = tOr(`problem.${error.code}`, '');
  const text = error.message.startsWith('HTTP ') ? own || t('problem.status', { status: error.status }) : error.message;
  const request = error.status >= 500 && error.requestId ? t('problem.request', { id: error.requestId }) : null;
  return { text, hint: [error.hint, request].filter(Boolean).join(' ') || null };
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** Shows a failure; what was cancelled on purpose and an ended session are not shown. */
export function fail(error: unknown): void {
  if (isAbort(error)) return;
  if (error instanceof ApiError && error.status === 401 && error.code !== 'wrong_credentials') return;
  add({ kind: 'error', ...describe(error), action: null });
}
