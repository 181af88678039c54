/** Roles and groups, which every part of the page names. */
import { groupApi, roleApi, type GroupView, type RoleView } from '$lib/api';
import { tOr } from '$lib/i18n.svelte';
import { Resource } from '$lib/resource.svelte';
import { within } from '$lib/rights';

export class Directory {
  readonly roles = new Resource<RoleView[]>((signal) => roleApi.list(signal));
  readonly groups = new Resource<GroupView[]>((signal) => groupApi.list(signal));

  /** Until the returned function is called. */
  start(): () => void {
    void this.roles.load();
    void this.groups.load();
    return () => {
      this.roles.stop();
      this.groups.stop();
    };
  }

  /** What a role is called: ours in the page's language, others as they were named. */
  roleName(name: string): string {
    const found = this.roles.value?.find((role) => role.name === name);
    return found && !found.built_in ? found.title : tOr(`role.${name}`, name);
  }

  groupName(id: string): string {
    if (!this.groups.value) return '…';
    return this.groups.value.find((group) => group.id === id)?.name ?? id;
  }

  /** Roles that somebody with these permissions may give; the one there is stays in the list. */
  givable(permissions: readonly string[], present = ''): RoleView[] {
    return (this.roles.value ?? []).filter((role) => role.name === present || within(role.permissions, permissions));
  }

  /** Whether somebody with these permissions may change people of a role. */
  reaches(permissions: readonly string[], role: string): boolean {
    const found = this.roles.value?.find((other) => other.name === role);
    return found !== undefined && within(found.permissions, permissions);
  }
}
