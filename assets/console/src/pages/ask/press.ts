/** A button to speak: held while speaking, or pressed once to begin and once more to end. */

/** Shorter than this is a tap, not a hold. */
export const TAP_MS = 350;

export interface PressTarget {
  /** Somebody may be heard now (held or tapped). */
  readonly on: boolean;
  /** Sound comes: a browser's question for permission may take longer than any hold. */
  readonly hearing: boolean;
  begin(): void;
  end(): void;
}

export class Press {
  #target: PressTarget;
  #now: () => number;
  #since = 0;
  #down = false;
  #ending = false;

  constructor(target: PressTarget, now: () => number = () => performance.now()) {
    this.#target = target;
    this.#now = now;
  }

  down(): void {
    if (this.#down) return;
    this.#down = true;
    this.#ending = this.#target.on;
    if (this.#ending) {
      this.#target.end();
      return;
    }
    this.#since = this.#now();
    this.#target.begin();
  }

  up(): void {
    if (!this.#down) return;
    this.#down = false;
    if (this.#ending || !this.#target.on) return;
    if (this.#target.hearing && this.#now() - this.#since >= TAP_MS) this.#target.end();
  }

  /** One press without a hold, as assistive programs do it. */
  tap(): void {
    if (this.#target.on) this.#target.end();
    else this.#target.begin();
  }
}
