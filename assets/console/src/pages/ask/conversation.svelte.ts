/** A conversation on the page: its turns, and the one that is being answered. */
import { api, ApiError, ask, type AskFilter, type AskEvent, type Citation, type Hit, type TurnView } from '$lib/api';
import { fail, isAbort } from '$lib/toasts.svelte';

/** A turn while its answer is still coming. */
export interface Draft {
  question: string;
  turn: string | null;
  text: string;
  citations: Citation[];
  sentences: { index: number; text: string }[];
  hits: Hit[];
  mode: string | null;
  retrieved: boolean;
}

export class Conversation {
  id = $state('');
  title = $state('');
  turns = $state.raw<TurnView[]>([]);
  draft = $state<Draft | null>(null);
  loading = $state(false);
  #cancel: (() => void) | null = null;

  /** Told as soon as a turn has its id, and when it is complete. */
  onstart: (turn: string) => void = () => undefined;
  ondone: (turn: TurnView) => void = () => undefined;
  onid: (conversation: string) => void = () => undefined;

  get busy(): boolean {
    return this.draft !== null;
  }

  async open(id: string): Promise<void> {
    if (id === this.id) return;
    this.stop();
    this.id = id;
    this.turns = [];
    this.title = '';
    if (!id) return;
    this.loading = true;
    try {
      const found = await api.conversation(id);
      if (this.id !== id) return;
      this.turns = found.turns;
      this.title = found.title;
    } catch (error) {
      fail(error);
    } finally {
      if (this.id === id) this.loading = false;
    }
  }

  /** True when the answer came to its end; false keeps the question for another try. */
  async ask(question: string, filter: AskFilter, speak: boolean): Promise<boolean> {
    const abort = new AbortController();
    this.begin(question, () => abort.abort());
    const request = {
      question,
      speak,
      ...(this.id ? { conversation: this.id } : {}),
      ...(Object.keys(filter).length > 0 ? { filter } : {}),
    };
    const mine = this.draft;
    try {
      let done = false;
      for await (const event of ask(request, abort.signal)) {
        if (abort.signal.aborted) return false;
        done = this.#take(event) || done;
      }
      if (!done) throw ApiError.unreachable();
      return true;
    } catch (error) {
      if (!isAbort(error) && !abort.signal.aborted) fail(error);
      return false;
    } finally {
      if (this.draft === mine) this.#end();
    }
  }

  /** A question was put in another way, such as by voice; its events come by `hear`. */
  begin(question: string, cancel: () => void): void {
    this.#cancel?.();
    this.#cancel = cancel;
    this.draft = { question, turn: null, text: '', citations: [], sentences: [], hits: [], mode: null, retrieved: false };
  }

  /** True when this was the turn's last event. */
  hear(event: AskEvent): boolean {
    try {
      return this.#take(event);
    } catch (error) {
      fail(error);
      this.#end();
      return true;
    }
  }

  /** The answer was broken off: what there is of it is kept by the server. */
  async settle(): Promise<void> {
    const turn = this.draft?.turn;
    this.#end();
    if (!turn) return;
    try {
      this.#finish(await api.turn(turn));
    } catch {
      // Nothing of it was kept; there is nothing to show.
    }
  }

  /** Gives up the answer that is being written. */
  stop(): void {
    const cancel = this.#cancel;
    this.#end();
    cancel?.();
  }

  #end(): void {
    this.#cancel = null;
    this.draft = null;
  }

  replace(turn: TurnView): void {
    this.turns = this.turns.map((other) => (other.turn === turn.turn ? turn : other));
  }

  #take(event: AskEvent): boolean {
    const draft = this.draft;
    if (event.event === 'error') throw new ApiError(event.data);
    if (!draft) return false;
    switch (event.event) {
      case 'retrieval':
        draft.turn = event.data.turn;
        draft.mode = event.data.mode;
        draft.hits = event.data.hits ?? [];
        draft.retrieved = true;
        this.onstart(event.data.turn);
        return false;
      case 'token':
        draft.text += event.data.text;
        return false;
      case 'citation':
        draft.citations = [...draft.citations.filter((c) => c.n !== event.data.n), event.data];
        return false;
      case 'sentence':
        draft.sentences.push(event.data);
        return false;
      case 'done':
        this.#finish(event.data);
        return true;
      default:
        return false;
    }
  }

  #finish(turn: TurnView): void {
    this.turns = [...this.turns.filter((other) => other.turn !== turn.turn), turn];
    this.#end();
    if (!this.id) {
      this.id = turn.conversation;
      this.title = turn.question;
      this.onid(turn.conversation);
    }
    this.ondone(turn);
  }
}
