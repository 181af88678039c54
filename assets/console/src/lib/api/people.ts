/** People, their groups and roles, the links by which they come in, and one's own profile. */
import { create, del, get, patch, post, put } from './client';
import type {
  GroupView,
  InvitationOffer,
  InvitationView,
  NewGroup,
  NewInvitation,
  NewInvitationView,
  OpenSessionView,
  OperatorView,
  Paged,
  PatchGroup,
  PatchPerson,
  PatchProfile,
  PermissionView,
  PersonView,
  RoleView,
  SessionView,
  UserView,
} from './types';

const seg = encodeURIComponent;

export interface PeopleQuery {
  q?: string;
  role?: string;
  group?: string;
  limit?: number;
  cursor?: string | undefined;
}

export const peopleApi = {
  list: (query: PeopleQuery, signal?: AbortSignal) => get<Paged<PersonView>>('/people', { ...query }, signal),
  one: (id: string) => get<PersonView>(`/people/${seg(id)}`),
  change: (id: string, body: PatchPerson) => patch<PersonView>(`/people/${seg(id)}`, body),
  remove: (id: string) => del(`/people/${seg(id)}`),
  endSessions: (id: string) => del(`/people/${seg(id)}/sessions`),
  passwordLink: (id: string) => create<NewInvitationView>(`/people/${seg(id)}/password-link`),
};

export const groupApi = {
  list: (signal?: AbortSignal) => get<GroupView[]>('/groups', undefined, signal),
  create: (group: NewGroup) => create<GroupView>('/groups', group),
  change: (id: string, body: PatchGroup) => patch<GroupView>(`/groups/${seg(id)}`, body),
  remove: (id: string) => del(`/groups/${seg(id)}`),
};

export const roleApi = {
  list: (signal?: AbortSignal) => get<RoleView[]>('/roles', undefined, signal),
  permissions: (signal?: AbortSignal) => get<PermissionView[]>('/permissions', undefined, signal),
  create: (role: { name: string; title: string; permissions: string[] }) => create<RoleView>('/roles', role),
  change: (name: string, body: { title?: string; permissions?: string[] }) => patch<RoleView>(`/roles/${seg(name)}`, body),
  remove: (name: string) => del(`/roles/${seg(name)}`),
};

export const invitationApi = {
  list: (signal?: AbortSignal) => get<InvitationView[]>('/invitations', undefined, signal),
  create: (invitation: NewInvitation) => create<NewInvitationView>('/invitations', invitation),
  withdraw: (id: string) => del(`/invitations/${seg(id)}`),
  offer: (token: string) => post<InvitationOffer>('/invitations/offer', { token }),
  accept: (body: { token: string; name: string; password: string }) => post<SessionView>('/invitations/accept', body),
};

export const profileApi = {
  change: (body: PatchProfile) => patch<UserView>('/me', body),
  groups: (signal?: AbortSignal) => get<GroupView[]>('/me/groups', undefined, signal),
  sessions: (signal?: AbortSignal) => get<OpenSessionView[]>('/me/sessions', undefined, signal),
  endSession: (id: string) => del(`/me/sessions/${seg(id)}`),
  endOthers: () => del('/me/sessions'),
};

/** Who operates the appliance; only people of the own organisation are added. */
export const operatorApi = {
  list: (signal?: AbortSignal) => get<OperatorView[]>('/operators', undefined, signal),
  add: (id: string) => put<undefined>(`/operators/${seg(id)}`),
  remove: (id: string) => del(`/operators/${seg(id)}`),
};
