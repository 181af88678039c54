/** A short name for what a browser calls itself; the first that fits counts, as all claim to be others too. */
const BROWSERS: [RegExp, string][] = [
  [/\bEdgA?\/([\d]+)/, 'Edge'],
  [/\bOPR\/([\d]+)/, 'Opera'],
  [/\bFirefox\/([\d]+)/, 'Firefox'],
  [/\b(?:Headless)?Chrom(?:e|ium)\/([\d]+)/, 'Chrome'],
  [/\bVersion\/([\d]+).*Safari\//, 'Safari'],
  [/^curl\/([\d]+)/, 'curl'],
];
const SYSTEMS: [RegExp, string][] = [
  [/Windows/, 'Windows'],
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
];

export function browserName(agent: string | null | undefined): string {
  if (!agent) return '';
  const found = BROWSERS.map(([pattern, name]) => ({ name, version: pattern.exec(agent)?.[1] })).find((b) => b.version);
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1];
  const name = found ? `${found.name} ${found.version}` : agent.slice(0, 40);
  return system && found ? `${name}, ${system}` : name;
}
