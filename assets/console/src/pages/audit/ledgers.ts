/** Which of the two records somebody may see on a tab of the page. */
import type { Ledger } from '$lib/api';

export type Tab = 'entries' | 'forwarding';
type Holds = (...names: string[]) => boolean;

const NEEDS: Record<Tab, Record<Ledger, string>> = {
  entries: { tenant: 'audit.read', appliance: 'appliance.audit' },
  forwarding: { tenant: 'audit.forward', appliance: 'appliance.audit' },
};

export function ledgers(tab: Tab, holds: Holds): Ledger[] {
  return (['tenant', 'appliance'] as const).filter((of) => holds(NEEDS[tab][of]));
}

/** The one that the address names, where it may be seen; else the first. */
export function ledgerOf(tab: Tab, wanted: string, holds: Holds): Ledger {
  const seen = ledgers(tab, holds);
  return seen.find((of) => of === wanted) ?? seen[0] ?? 'tenant';
}

/** The tab that is shown: the one of the address, unless only the other one may be seen. */
export function tabOf(wanted: Tab, holds: Holds): Tab {
  const other = wanted === 'entries' ? 'forwarding' : 'entries';
  return ledgers(wanted, holds).length > 0 ? wanted : other;
}
