/** Models on their way to the server, one at a time. Lives beside the pages, so moving about does not stop it. */
import { importModel, type ModelView } from './api';
import type { PickedFile } from './files';
import { bytes } from './format';
import { t } from './i18n.svelte';
import { describe, isAbort } from './toasts.svelte';

export type ImportPhase = 'waiting' | 'sending' | 'trying' | 'done' | 'failed';

export interface ImportTask {
  id: number;
  name: string;
  bytes: number;
  sent: number;
  phase: ImportPhase;
  problem: { text: string; hint: string | null } | null;
}

export interface Group {
  name: string;
  files: File[];
}

const BUNDLE = /\.lectern-model$/i;

/**
 * Which of the chosen files are one model: those of a folder; a voice with its description (`x.onnx`, `x.onnx.json`);
 * each bundle by itself; and else all that is left together, as the files of an export.
 */
export function groupFiles(picked: readonly PickedFile[]): Group[] {
  const groups = new Map<string, Group>();
  const put = (key: string, name: string, file: File) => {
    const group = groups.get(key) ?? { name, files: [] };
    group.files.push(file);
    groups.set(key, group);
  };
  const names = new Set(picked.map(({ path }) => path));
  const isVoice = (path: string) => path.endsWith('.onnx') && names.has(`${path}.json`);
  const loose: File[] = [];
  for (const { file, path } of picked) {
    const onnx = path.replace(/\.json$/, '');
    const folder = path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
    if (BUNDLE.test(path)) put(path, file.name, file);
    else if (isVoice(onnx)) put(onnx, onnx.slice(onnx.lastIndexOf('/') + 1), file);
    else if (folder) put(`${folder}/`, folder, file);
    else loose.push(file);
  }
  const first = loose.find((file) => file.name.endsWith('.onnx')) ?? loose[0];
  if (first) groups.set('', { name: first.name, files: loose });
  return [...groups.values()];
}

type Send = typeof importModel;

export class ModelImports {
  tasks = $state<ImportTask[]>([]);
  /** As the server says; 0 while not known. */
  maxBytes = 0;
  ondone: (model: ModelView) => void = () => undefined;
  #files = new Map<number, File[]>();
  #abort: AbortController | null = null;
  #running = 0;
  #next = 1;
  /** No secret: it only tells this page's imports from those of others. */
  readonly #prefix = `page-${Math.random().toString(36).slice(2)}-`;
  #send: Send;

  constructor(send: Send = importModel) {
    this.#send = send;
  }

  add(picked: readonly PickedFile[]): void {
    for (const { name, files } of groupFiles(picked)) {
      const id = this.#next++;
      const total = files.reduce((n, f) => n + f.size, 0);
      const task = { id, name, bytes: total, sent: 0, problem: null };
      if (this.maxBytes > 0 && total > this.maxBytes) {
        const problem = { text: t('upload.too_large', { limit: bytes(this.maxBytes) }), hint: t('upload.too_large_hint') };
        this.tasks.push({ ...task, phase: 'failed', problem });
        continue;
      }
      this.#files.set(id, files);
      this.tasks.push({ ...task, phase: 'waiting' });
    }
    void this.#pump();
  }

  /** Takes it from the list; a running one is given up. */
  drop(id: number): void {
    if (this.#running === id) this.#abort?.abort();
    this.#files.delete(id);
    this.tasks = this.tasks.filter((task) => task.id !== id);
  }

  canRetry(id: number): boolean {
    return this.#files.has(id);
  }

  retry(id: number): void {
    const task = this.tasks.find((other) => other.id === id);
    if (task?.phase !== 'failed' || !this.canRetry(id)) return;
    Object.assign(task, { phase: 'waiting', sent: 0, problem: null });
    void this.#pump();
  }

  /** Whether an import that the server tells of was begun here. */
  isOwn(id: string): boolean {
    return id.startsWith(this.#prefix);
  }

  #word(id: number): string {
    return `${this.#prefix}${id}`;
  }

  async #pump(): Promise<void> {
    if (this.#running) return;
    for (;;) {
      const task = this.tasks.find((other) => other.phase === 'waiting');
      if (!task) return;
      this.#running = task.id;
      await this.#run(task);
      this.#running = 0;
    }
  }

  async #run(task: ImportTask): Promise<void> {
    const abort = (this.#abort = new AbortController());
    task.phase = 'sending';
    try {
      const progress = ({ sent, total }: { sent: number; total: number }) => {
        task.sent = sent;
        if (sent >= total) task.phase = 'trying';
      };
      const model = await this.#send(this.#word(task.id), this.#files.get(task.id) ?? [], progress, abort.signal);
      Object.assign(task, { phase: 'done', name: model.title || model.name, sent: task.bytes });
      this.#files.delete(task.id);
      this.ondone(model);
    } catch (error) {
      if (!isAbort(error)) Object.assign(task, { phase: 'failed', problem: describe(error) });
    }
  }
}

export const modelImports = new ModelImports();
