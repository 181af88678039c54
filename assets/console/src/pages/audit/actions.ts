/** What the record can tell of, for the choice above it; an area with its dot stands for all in it. */
export const ACTIONS: { area: string; names: string[] }[] = [
  { area: 'user', names: ['created', 'changed', 'removed', 'password_changed', 'unlocked'] },
  { area: 'session', names: ['opened', 'ended'] },
  { area: 'sessions', names: ['ended'] },
  { area: 'invitation', names: ['created', 'withdrawn'] },
  { area: 'group', names: ['created', 'changed', 'deleted'] },
  { area: 'role', names: ['created', 'changed', 'deleted'] },
  { area: 'key', names: ['created', 'rotated', 'revoked'] },
  { area: 'document', names: ['access_changed'] },
  { area: 'collection', names: ['access_changed'] },
  { area: 'settings', names: ['changed'] },
  { area: 'provider', names: ['changed'] },
  { area: 'operator', names: ['added', 'removed'] },
  { area: 'tenant', names: ['created', 'changed', 'suspended', 'resumed', 'deleted', 'restored', 'exported', 'imported', 'erased'] },
];
