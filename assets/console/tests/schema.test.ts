import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

it('schema.ts is what docs/openapi.json gives (else: npm run gen:api)', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'lectern-schema-'));
  try {
    const made = join(folder, 'schema.ts');
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const [tool, ...args] = (scripts['gen:api'] ?? '').split(' ');
    const given = args.map((arg) => (arg === 'src/lib/api/schema.ts' ? made : arg));
    execFileSync(join(root, 'node_modules/.bin', tool ?? ''), given, { cwd: root, stdio: 'pipe' });
    expect(readFileSync(join(root, 'src/lib/api/schema.ts'), 'utf8')).toBe(readFileSync(made, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
