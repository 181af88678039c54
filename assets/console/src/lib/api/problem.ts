/** Every failure the pages see is an `ApiError`: what happened, what to do, and where in the form. */
import type { Problem } from './types';

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | null;
  readonly fields: Record<string, string>;
  /** As they came: a field may stand there more than once. */
  readonly errors: readonly { field: string; message: string }[];
  readonly requestId: string | null;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter: number | null;

  constructor(problem: Partial<Problem> & { status: number }, retryAfter: string | null = null) {
    super(problem.detail || problem.title || `HTTP ${problem.status}`);
    this.name = 'ApiError';
    this.status = problem.status;
    this.code = problem.code ?? 'unknown';
    this.hint = problem.hint ?? null;
    this.requestId = problem.request_id ?? null;
    this.retryAfter = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
    this.errors = problem.errors ?? [];
    this.fields = Object.fromEntries(this.errors.map((e) => [e.field, e.message]));
  }

  /** Nothing came back at all: no server, or the network is away. `code` is then `unreachable`. */
  static unreachable(): ApiError {
    return new ApiError({ status: 0, code: 'unreachable', title: 'unreachable' });
  }

  /** Worth trying again without a change: no answer, overload, or a failing server. */
  get transient(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

/** Reads a problem out of an answer's body, whatever the body really is. */
export function problemFrom(status: number, body: string, retryAfter: string | null = null): ApiError {
  try {
    const parsed: unknown = JSON.parse(body);
    if (parsed !== null && typeof parsed === 'object') return new ApiError({ ...(parsed as Problem), status }, retryAfter);
  } catch {
    // Not JSON: a proxy's page, or nothing at all.
  }
  return new ApiError({ status }, retryAfter);
}
