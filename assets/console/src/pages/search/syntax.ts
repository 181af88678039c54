/** Examples of the query language; the words beside them come from the locale. */
export const SYNTAX = [
  ['"fire extinguisher"', 'search.syntax_phrase'],
  ['extingu*', 'search.syntax_prefix'],
  ['extingisher~', 'search.syntax_fuzzy'],
  ['pump AND (valve OR seal) NOT test', 'search.syntax_boolean'],
  ['pump -test', 'search.syntax_minus'],
  ['title:manual', 'search.syntax_title'],
  ['collection:safety tag:2024', 'search.syntax_group'],
  ['type:pdf language:de', 'search.syntax_type'],
  ['date:2024-01-01..2024-12-31', 'search.syntax_date'],
] as const;
