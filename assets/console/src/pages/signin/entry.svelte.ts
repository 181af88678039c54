/** Signing in, step by step: who, by what, in which organisation, and the second proof. */
import { ApiError, entranceApi, type ProviderOption, type SignInOptions } from '$lib/api';
import { router, withoutParams } from '$lib/router.svelte';
import { signIn, signInByPasskey } from '$lib/session.svelte';
import { recall } from '$lib/storage';
import { describe, isAbort } from '$lib/toasts.svelte';
import { isAsked, keepWanted } from '$lib/wanted';
import { provePasskey } from '$lib/webauthn';
import { tell } from '../factors/words';
import { asked, lastFirst, returnTo, siteOf, type Method } from './steps';

type Problem = { text: string; hint: string | null };

export class Entry {
  email = $state('');
  password = $state('');
  /** The directory that is asked instead of this appliance. */
  provider = $state.raw<ProviderOption | null>(null);
  /** Whose services are offered. */
  site = $state(siteOf(router.path, router.query, recall('tenant')));
  options = $state.raw<SignInOptions>({ password: true, providers: [] });
  /** More than one organisation opens by this e-mail and password. */
  tenants = $state.raw<string[]>([]);
  tenant = $state('');
  /** The second proofs that the person has; absent until one is asked for. */
  methods = $state.raw<Method[] | null>(null);
  busy = $state(false);
  problem = $state.raw<Problem | null>(null);

  async load(signal?: AbortSignal): Promise<void> {
    try {
      this.options = await entranceApi.options(this.site || null, signal);
    } catch (error) {
      // The password of this appliance opens the door all the same.
      if (!isAbort(error)) this.options = { password: true, providers: [] };
    }
  }

  choose(provider: ProviderOption | null): void {
    this.provider = provider;
    this.password = '';
    this.problem = null;
    this.changed();
  }

  /** Another e-mail or password: what was asked for the one before does not count any more. */
  changed(): void {
    this.tenants = [];
    this.tenant = '';
    this.methods = null;
  }

  /** From the second step back to the first. */
  back(): void {
    this.problem = null;
    this.password = '';
    this.changed();
  }

  async submit(code = ''): Promise<void> {
    await this.#work(async () => {
      await signIn({ ...this.#first(), ...(code ? { code } : {}) });
    }, code !== '');
  }

  /** By a passkey alone, or as the second proof of e-mail and password. */
  async passkey(): Promise<void> {
    const who = this.methods !== null ? this.#first() : null;
    await this.#work(async () => {
      const { id, options } = await entranceApi.askPasskey(who);
      await signInByPasskey(id, await provePasskey(options));
    }, true);
  }

  /** Leaves the page for the service, which sends the browser back. */
  async away(provider: ProviderOption): Promise<void> {
    await this.#work(async () => {
      const body = { return_to: returnTo(router.path, router.query), ...(this.site ? { tenant: this.site } : {}) };
      if (isAsked(router.path)) keepWanted(router.path + withoutParams(router.search, 'sign_in_error'));
      const { authorization_url } = await entranceApi.begin(provider.id, body);
      location.assign(authorization_url);
    });
  }

  /** The first proof, as it stands in the form. */
  #first(): { email: string; password: string; tenant?: string; provider?: string } {
    const tenant = this.provider ? this.site : this.tenant;
    return {
      email: this.email.trim(),
      password: this.password,
      ...(tenant ? { tenant } : {}),
      ...(this.provider ? { provider: this.provider.id } : {}),
    };
  }

  /** `proving`: a second proof was sent, so that being asked for one means that it was wrong. */
  async #work(doing: () => Promise<void>, proving = false): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.problem = null;
    try {
      await doing();
    } catch (error) {
      this.#failed(error, proving);
    } finally {
      this.busy = false;
    }
  }

  #failed(error: unknown, proving: boolean): void {
    const wanted = asked(error);
    if (wanted?.kind === 'tenant') {
      this.tenants = lastFirst(wanted.tenants, this.site || null);
      this.tenant = this.tenants[0] ?? '';
      return;
    }
    if (wanted?.kind === 'code') {
      if (proving) this.problem = describe(error);
      else this.methods = wanted.methods;
      return;
    }
    this.problem = tell(error);
    if (error instanceof ApiError && error.code === 'wrong_credentials') {
      this.password = '';
      this.changed();
    }
  }
}
