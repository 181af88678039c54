/** The queue of files on their way to the server. Lives beside the pages, so moving about does not stop it. */
import { ApiError, newKey, upload, type DocumentView } from './api';
import type { PickedFile } from './files';
import { bytes } from './format';
import { t } from './i18n.svelte';
import { describe, isAbort } from './toasts.svelte';

export type UploadState = 'waiting' | 'sending' | 'done' | 'existed' | 'failed' | 'cancelled';

export interface UploadTask {
  id: number;
  path: string;
  size: number;
  sent: number;
  state: UploadState;
  problem: { text: string; hint: string | null } | null;
  document: string | null;
}

const PARALLEL = 3;
const ATTEMPTS = 3;

interface Source {
  file: File;
  collection: string;
  tags: string[];
}

type Send = typeof upload;

export class Uploads {
  tasks = $state<UploadTask[]>([]);
  /** In bytes, as the settings say; 0 while not known. */
  maxBytes = 0;
  onUploaded: (document: DocumentView) => void = () => undefined;

  #sources = new Map<number, Source>();
  #aborts = new Map<number, AbortController>();
  #running = 0;
  #next = 1;
  #send: Send;
  #pause: (attempt: number) => Promise<void>;

  constructor(send: Send = upload, pause = (n: number) => new Promise<void>((r) => setTimeout(r, 800 * 2 ** n))) {
    this.#send = send;
    this.#pause = pause;
  }

  readonly counts = $derived.by(() => {
    const c = { waiting: 0, sending: 0, done: 0, existed: 0, failed: 0, cancelled: 0 };
    for (const task of this.tasks) c[task.state] += 1;
    return c;
  });
  readonly active = $derived(this.counts.waiting + this.counts.sending > 0);
  /** Over all files that are not given up, by bytes (an empty file counts as one). */
  readonly percent = $derived.by(() => {
    let total = 0;
    let sent = 0;
    for (const task of this.tasks) {
      if (task.state === 'cancelled' || task.state === 'failed') continue;
      total += task.size || 1;
      sent += task.state === 'done' || task.state === 'existed' ? task.size || 1 : task.sent;
    }
    return total === 0 ? 0 : Math.floor((sent / total) * 100);
  });

  add(files: PickedFile[], options: { collection?: string; tags?: string[] } = {}): void {
    const added = files.map(({ file, path }): UploadTask => {
      const id = this.#next++;
      const task = { id, path, size: file.size, sent: 0, problem: null, document: null };
      if (this.maxBytes > 0 && file.size > this.maxBytes) {
        const problem = { text: t('upload.too_large', { limit: bytes(this.maxBytes) }), hint: t('upload.too_large_hint') };
        return { ...task, state: 'failed', problem };
      }
      this.#sources.set(id, { file, collection: options.collection ?? '', tags: options.tags ?? [] });
      return { ...task, state: 'waiting' };
    });
    this.tasks.push(...added);
    this.#pump();
  }

  cancel(id: number): void {
    const task = this.#find(id);
    if (task?.state !== 'waiting' && task?.state !== 'sending') return;
    task.state = 'cancelled';
    this.#aborts.get(id)?.abort();
    this.#aborts.delete(id);
  }

  cancelAll(): void {
    for (const task of this.tasks) this.cancel(task.id);
  }

  retry(id: number): void {
    const task = this.#find(id);
    if (!task || !this.#sources.has(id) || (task.state !== 'failed' && task.state !== 'cancelled')) return;
    Object.assign(task, { state: 'waiting', sent: 0, problem: null });
    this.#pump();
  }

  retryFailed(): void {
    for (const task of this.tasks) if (task.state === 'failed') this.retry(task.id);
  }

  /** Whether `retry` can do anything: a file over the limit stays over it. */
  canRetry(id: number): boolean {
    return this.#sources.has(id);
  }

  clearFinished(): void {
    this.tasks = this.tasks.filter((task) => task.state === 'waiting' || task.state === 'sending');
    const left = new Set(this.tasks.map((task) => task.id));
    for (const id of this.#sources.keys()) if (!left.has(id)) this.#sources.delete(id);
  }

  #find(id: number): UploadTask | undefined {
    return this.tasks.find((task) => task.id === id);
  }

  #pump(): void {
    while (this.#running < PARALLEL) {
      const task = this.tasks.find((other) => other.state === 'waiting');
      if (!task) return;
      task.state = 'sending';
      this.#running += 1;
      void this.#run(task).finally(() => {
        this.#running -= 1;
        this.#pump();
      });
    }
  }

  async #run(task: UploadTask): Promise<void> {
    const source = this.#sources.get(task.id);
    if (!source) return;
    const abort = new AbortController();
    this.#aborts.set(task.id, abort);
    try {
      const { document, existed } = await this.#attempts(task, source, abort.signal);
      Object.assign(task, { state: existed ? 'existed' : 'done', sent: task.size, document: document.id });
      this.#sources.delete(task.id);
      this.onUploaded(document);
    } catch (error) {
      // Cancelled and perhaps taken up again already: the newer attempt owns the task.
      if (this.#aborts.get(task.id) !== abort) return;
      if (isAbort(error) || abort.signal.aborted) task.state = 'cancelled';
      else Object.assign(task, { state: 'failed', problem: describe(error) });
    } finally {
      if (this.#aborts.get(task.id) === abort) this.#aborts.delete(task.id);
    }
  }

  async #attempts(task: UploadTask, source: Source, signal: AbortSignal): Promise<Awaited<ReturnType<Send>>> {
    const { collection, tags, file } = source;
    let key = newKey();
    let lost = false;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#send(file, { collection, tags, path: task.path }, (sent) => (task.sent = sent), signal, key);
      } catch (error) {
        if (!(error instanceof ApiError) || attempt + 1 >= ATTEMPTS || signal.aborted) throw error;
        // Some browsers send the same form in another length, so that it counts as another request.
        const other = lost && 'Idempotency-Key' in error.fields;
        if (other) key = newKey();
        // The try whose answer was lost may still be at work.
        if (!error.transient && !other && !(lost && error.status === 409)) throw error;
        lost ||= error.status === 0;
        task.sent = 0;
        await this.#pause(attempt);
        if (signal.aborted) throw error;
      }
    }
  }
}

export const uploads = new Uploads();
