/** What a document's state means for the page: its words and whether something still happens. */
import type { DocumentView } from '$lib/api';
import { t } from '$lib/i18n.svelte';

export function inProgress(document: DocumentView): boolean {
  return document.status !== 'ready' && document.status !== 'failed';
}

export function needsPassword(document: DocumentView): boolean {
  const code = document.problem?.code;
  return document.status === 'failed' && (code === 'encrypted' || code === 'wrong_password');
}

export function statusText(document: DocumentView): string {
  const text = t(`status.${document.status}`);
  return inProgress(document) && document.status !== 'queued' ? `${text} ${Math.round(document.percent)} %` : text;
}
