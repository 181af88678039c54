/** Who takes dropped files. A page may want them for itself; else they become documents. */
import type { PickedFile } from './files';

export interface Taker {
  /** What will happen to them, shown while they hang over the page. */
  readonly text: string;
  take(files: PickedFile[]): void;
}

const state = $state<{ taker: Taker | null }>({ taker: null });

export function dropTaker(): Taker | null {
  return state.taker;
}

/** Until the returned function is called. */
export function takeDrops(taker: Taker): () => void {
  state.taker = taker;
  return () => {
    if (state.taker === taker) state.taker = null;
  };
}
