/** A conversation on the page: its turns, and the one that is being answered. */
import { api, ApiError, ask, type AskFilter, type AskEvent, type Citation, type Hit, type TurnView } from '$lib/api';
import { fail, isAbort } from '$lib/toasts.svelte';

/** A turn while its answer is still coming. */
export interface Draft {
  question: string;
  turn: string | null;
  text: string;
  citations: Citation[];
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
  #abort: AbortController | null = null;

  /** Told about the first sign of a turn, with its id, and when it is complete. */
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
    const abort = (this.#abort = new AbortController());
    this.draft = { question, turn: null, text: '', citations: [], hits: [], mode: null, retrieved: false };
    const request = {
      question,
      speak,
      ...(this.id ? { conversation: this.id } : {}),
      ...(Object.keys(filter).length > 0 ? { filter } : {}),
    };
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
      if (this.#abort === abort) {
        this.draft = null;
        this.#abort = null;
      }
    }
  }

  /** Gives up the answer that is being written. */
  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.draft = null;
  }

  replace(turn: TurnView): void {
    this.turns = this.turns.map((other) => (other.turn === turn.turn ? turn : other));
  }

  #take(event: AskEvent): boolean {
    const draft = this.draft;
    if (!draft) return false;
    switch (event.event) {
      case 'retrieval':
        draft.turn = event.data.turn;
        draft.mode = event.data.mode;
        draft.hits = event.data.hits ?? [];
        draft.retrieved = true;
        return false;
      case 'token':
        draft.text += event.data.text;
        return false;
      case 'citation':
        draft.citations = [...draft.citations.filter((c) => c.n !== event.data.n), event.data];
        return false;
      case 'sentence':
        if (draft.turn && event.data.index === 0) this.onstart(draft.turn);
        return false;
      case 'done':
        this.#finish(event.data);
        return true;
      case 'error':
        throw new ApiError(event.data);
      default:
        return false;
    }
  }

  #finish(turn: TurnView): void {
    this.turns = [...this.turns, turn];
    this.draft = null;
    if (!this.id) {
      this.id = turn.conversation;
      this.title = turn.question;
      this.onid(turn.conversation);
    }
    this.ondone(turn);
  }
}
