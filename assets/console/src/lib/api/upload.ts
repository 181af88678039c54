/** One file to `POST /documents`. XMLHttpRequest, because `fetch` tells nothing of what was sent. */
import { csrfToken, signedOut, url } from './client';
import { newKey } from './once';
import { ApiError, problemFrom } from './problem';
import type { DocumentView } from './types';

export interface UploadFields {
  collection?: string;
  tags?: string[];
  title?: string;
  password?: string;
  path?: string;
}

export interface Uploaded {
  document: DocumentView;
  /** The same bytes were there before. */
  existed: boolean;
}

/** The fields come before the file, so that the server knows them when the bytes arrive. */
export function uploadForm(file: File, fields: UploadFields): FormData {
  const form = new FormData();
  if (fields.collection) form.append('collection', fields.collection);
  if (fields.tags?.length) form.append('tags', fields.tags.join(','));
  if (fields.title) form.append('title', fields.title);
  if (fields.password) form.append('password', fields.password);
  if (fields.path) form.append('path', fields.path);
  form.append('file', file, file.name);
  return form;
}

export function upload(
  file: File,
  fields: UploadFields,
  onProgress: (sent: number) => void,
  signal: AbortSignal,
  /** The same for each try to send the same file. */
  key = newKey(),
): Promise<Uploaded> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url('/documents'));
    request.setRequestHeader('X-CSRF-Token', csrfToken());
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('Idempotency-Key', key);
    request.upload.onprogress = (e) => onProgress(Math.min(e.loaded, file.size));
    request.onload = () => {
      if (request.status === 200 || request.status === 201) {
        resolve({ document: JSON.parse(request.responseText) as DocumentView, existed: request.status === 200 });
        return;
      }
      if (request.status === 401) signedOut();
      reject(problemFrom(request.status, request.responseText));
    };
    request.onerror = () => reject(ApiError.unreachable());
    request.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(uploadForm(file, fields));
  });
}
