/** What a white-label edition changes: the name and the mark. Pages take both from here only. */
export const brand = {
  name: 'Lectern',
  logo: '/favicon.svg',
};
