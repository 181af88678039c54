/** Who is signed in, what they may do here, and whether the appliance is set up at all. */
import { api, ApiError, entranceApi, invitationApi, onForbidden, onSignedOut, onSuspended, setCsrf, type SessionView, type SignIn } from './api';
import { connect, disconnect } from './api/events';
import { go, router, setQuery } from './router.svelte';
import { remember } from './storage';

/** `factor`: in, but only to set up the second factor that the organisation asks for. */
type Phase = 'loading' | 'setup' | 'out' | 'suspended' | 'factor' | 'in' | 'unreachable';

const state = $state<{ phase: Phase; session: SessionView | null; version: string; suspended: ApiError | null }>({
  phase: 'loading',
  session: null,
  version: '',
  suspended: null,
});
const held = $derived(new Set(state.session?.permissions ?? []));

export const session = {
  get phase(): Phase {
    return state.phase;
  },
  get user(): SessionView['user'] | null {
    return state.session?.user ?? null;
  },
  get tenant(): SessionView['tenant'] | null {
    return state.session?.tenant ?? null;
  },
  get permissions(): readonly string[] {
    return state.session?.permissions ?? [];
  },
  get version(): string {
    return state.version;
  },
  /** Why nobody comes in. */
  get suspended(): ApiError | null {
    return state.suspended;
  },
};

/** Whether the person holds one of these permissions. What the server refuses it refuses anyway; this is for what is shown. */
export function may(...names: string[]): boolean {
  return names.some((name) => held.has(name));
}

export function updateUser(user: SessionView['user']): void {
  if (state.session) state.session = { ...state.session, user };
}

function enter(view: SessionView): void {
  setCsrf(view.csrf_token);
  remember('tenant', view.tenant.id);
  state.suspended = null;
  settle(view);
}

/** Takes what the server says of the session, and how far in that is. */
function settle(view: SessionView): void {
  state.session = view;
  state.phase = view.second_factor_needed ? 'factor' : 'in';
  if (state.phase === 'factor') disconnect();
  else if (may('documents.read')) connect();
}

let refreshed = 0;

/** Asks again what one may, at most every few seconds: a refusal shows that the page is behind. */
function refresh(): void {
  const now = Date.now();
  if (state.phase !== 'in' || now - refreshed < 5000) return;
  refreshed = now;
  api.session().then(
    (view) => {
      if (state.phase === 'in' && view.user.id === state.session?.user.id) settle(view);
    },
    () => undefined,
  );
}

function end(phase: Phase): void {
  setCsrf('');
  disconnect();
  state.session = null;
  state.phase = phase;
}

function leave(): void {
  if (state.phase !== 'out' && state.phase !== 'suspended') end('out');
}

function suspend(problem: ApiError): void {
  state.suspended = problem;
  end('suspended');
}

/** From the page that tells of a suspension back to signing in. */
export function signInAgain(): void {
  state.suspended = null;
  end('out');
}

/** Finds out where we stand; called once at the start and again by "try again". */
export async function start(): Promise<void> {
  onSignedOut(leave);
  onSuspended(suspend);
  onForbidden(refresh);
  state.phase = 'loading';
  try {
    const setup = await api.setup();
    state.version = setup.version;
    if (setup.needed) {
      state.phase = 'setup';
      return;
    }
    enter(await api.session());
  } catch (error) {
    // A role that may not even look at its own session is as good as signed out.
    if (error instanceof ApiError && (error.status === 401 || error.code === 'forbidden')) leave();
    else if (!(error instanceof ApiError && error.code === 'tenant_suspended')) state.phase = 'unreachable';
  }
}

/** From the page of signing in to where one wanted to go. */
function welcome(view: SessionView): void {
  enter(view);
  if (router.path === '/sign-in' || router.path === '/setup') go('/', { replace: true });
  else setQuery({ sign_in_error: null, tenant: null });
}

export async function signIn(body: SignIn): Promise<void> {
  welcome(await api.signIn(body));
}

/** Signs in by what a passkey answered. */
export async function signInByPasskey(id: string, response: Record<string, unknown>): Promise<void> {
  welcome(await entranceApi.answerPasskey(id, response));
}

/** Once a second factor is there: all that the person may. */
export async function proven(): Promise<void> {
  const view = await api.session();
  if (state.session) settle(view);
}

/** Joins by a link, or sets a new password by one, and is signed in. */
export async function join(body: { token: string; name: string; password: string }): Promise<void> {
  const view = await invitationApi.accept(body);
  disconnect();
  enter(view);
  go('/', { replace: true });
}

export async function finishSetup(body: { code: string; name: string; email: string; password: string }): Promise<void> {
  enter(await api.finishSetup(body));
  go('/documents', { replace: true });
}

export async function signOut(): Promise<void> {
  await api.signOut();
  leave();
  go('/sign-in', { replace: true });
}
