/** One action on many documents, in portions, with one message at the end. */
import { api, type BulkAction } from '$lib/api';
import { tn } from '$lib/i18n.svelte';
import { fail, info } from '$lib/toasts.svelte';
import { ApiError } from '$lib/api';

const PORTION = 100;

export async function runBulk(
  action: BulkAction,
  ids: string[],
  more: { collection?: string; tags?: string[] } = {},
): Promise<boolean> {
  let done = 0;
  try {
    for (let from = 0; from < ids.length; from += PORTION) {
      const { results } = await api.bulk(action, ids.slice(from, from + PORTION), more);
      done += results.filter((r) => r.ok).length;
      const bad = results.find((r) => !r.ok && r.problem);
      if (bad?.problem) fail(new ApiError({ status: 422, detail: bad.problem }));
    }
    if (done > 0) info(tn(`bulk.done_${action}`, done));
    return true;
  } catch (error) {
    fail(error);
    return false;
  }
}
