/** What adding a factor of either kind has in common: name, password, failures, and recovery codes at the end. */
import { ApiError, factorApi } from '$lib/api';
import { t } from '$lib/i18n.svelte';
import { fail } from '$lib/toasts.svelte';
import { tell } from './words';

export class Adding {
  name = $state('');
  password = $state('');
  busy = $state(false);
  problem = $state.raw<{ text: string; hint: string | null } | null>(null);
  fields = $state.raw<Record<string, string>>({});
  codes = $state.raw<readonly string[] | null>(null);

  constructor(name: string) {
    this.name = name;
  }

  get complete(): boolean {
    return this.name.trim() !== '' && this.password !== '';
  }

  /** Nothing when it failed; then the reason stands in `problem` or `fields`. */
  async work<T>(doing: () => Promise<T>): Promise<T | null> {
    if (this.busy) return null;
    this.busy = true;
    this.problem = null;
    this.fields = {};
    try {
      return await doing();
    } catch (error) {
      if (error instanceof ApiError) this.fields = this.#own(error);
      if (Object.keys(this.fields).length === 0) this.problem = tell(error);
      return null;
    } finally {
      this.busy = false;
    }
  }

  #own(error: ApiError): Record<string, string> {
    const found: Record<string, string> = {};
    if (error.fields['password']) found['password'] = t('factor.wrong_password');
    if (error.fields['name']) found['name'] = error.fields['name'];
    if (error.fields['code']) found['code'] = [t('factor.wrong_code'), error.hint].filter(Boolean).join(' ');
    return found;
  }

  /** Recovery codes belong to the first factor: who loses it stands outside otherwise. False when there are none. */
  async makeCodes(): Promise<boolean> {
    try {
      this.codes = (await factorApi.recoveryCodes(this.password)).codes;
      return true;
    } catch (error) {
      fail(error);
      return false;
    } finally {
      this.password = '';
    }
  }
}
