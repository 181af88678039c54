/** The console's tests in a browser. `--mock`: against the mock; `--dist`: with the page from `dist`; `--only WORD`: checks whose name has it, after set-up and upload. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { access } from './checks/access.mjs';
import { apps } from './checks/apps.mjs';
import { asking } from './checks/asking.mjs';
import { documents } from './checks/documents.mjs';
import { everywhere } from './checks/everywhere.mjs';
import { forwarding } from './checks/forwarding.mjs';
import { models } from './checks/models.mjs';
import { operators } from './checks/operators.mjs';
import { organisation } from './checks/organisation.mjs';
import { privacy, privacyMock } from './checks/privacy.mjs';
import { provisioning } from './checks/provisioning.mjs';
import { reading } from './checks/reading.mjs';
import { services } from './checks/services.mjs';
import { settings } from './checks/settings.mjs';
import { signin } from './checks/signin.mjs';
import { support } from './checks/support.mjs';
import { tenants } from './checks/tenants.mjs';
import { installEar, voice } from './checks/voice.mjs';
import { makeMicrophone } from './microphone.mjs';
import { startTarget } from './target.mjs';

const mock = process.argv.includes('--mock');
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : '';
const shots = process.env.LECTERN_SHOTS ?? join(tmpdir(), 'lectern-shots');
mkdirSync(shots, { recursive: true });

const target = await startTarget(mock, process.argv.includes('--dist'));
const folder = mkdtempSync(join(tmpdir(), 'lectern-mic-'));
const microphone = makeMicrophone(folder, mock);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${microphone.file}`,
  ],
});
/** A browser of its own, as another person has one; it asks at these addresses and nowhere else. */
async function newContext(at = [target.url]) {
  const made = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 800 }, locale: 'en-GB', acceptDownloads: true });
  made.setDefaultTimeout(15_000);
  made.on('page', watch);
  const ours = [at].flat().flatMap((url) => [url, url.replace(/^http/, 'ws')]);
  made.on('request', (r) => {
    if (!ours.some((url) => r.url().startsWith(url)) && !/^(data|blob|chrome-extension|about|chrome):/.test(r.url())) wrong.push(`request to ${r.url()}`);
  });
  return made;
}

/** What must stay empty over all checks: script errors, broken policy, requests to anywhere else. */
const wrong = [];
const context = await newContext();
await installEar(context);
const page = await context.newPage();

function watch(p) {
  p.on('pageerror', (error) => wrong.push(`script error: ${error.message}`));
  p.on('console', (m) => /Content Security Policy|Refused to/i.test(m.text()) && wrong.push(`policy: ${m.text()}`));
}

const t = { page, context, newContext, url: target.url, code: target.code, wrong, mock, dist: process.argv.includes('--dist'), speechMs: microphone.speechMs, recording: microphone.recording, shot: (name, of = page) => of.screenshot({ path: join(shots, `${name}.png`) }) };
// The mock knows one person at a time.
const several = mock ? privacyMock : [...organisation, ...tenants, ...operators, ...forwarding, ...provisioning, ...apps, ...privacy, ...support, ...signin, ...services];
const all = [...access.first, ...documents, ...reading, ...asking, ...voice, ...models, ...settings, ...several, ...everywhere, ...access.last];
let passed = 0;
let failed = 0;
for (const [name, check] of all) {
  const needed = only === '' || name.includes(only) || name.startsWith('set-up') || name.startsWith('upload');
  if (!needed) continue;
  try {
    await check(t);
    passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n      ${String(error.stack ?? error).split('\n').slice(0, 12).join('\n      ')}`);
    await t.shot(`failed-${failed}`).catch(() => undefined);
  }
}
await browser.close();
await target.stop();
rmSync(folder, { recursive: true, force: true });
if (failed > 0) console.log(`Pictures of the failures: ${shots}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
