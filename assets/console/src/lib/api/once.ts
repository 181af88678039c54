/** Things that are done once, however often their request is sent (`Idempotency-Key`). */

/** Between a try that nothing came back from and the next one, in milliseconds. */
export const PAUSES: readonly number[] = [400, 1600];

/** A name for one thing to be done. `crypto.randomUUID` is kept from pages on plain HTTP, random numbers are not. */
export function newKey(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
