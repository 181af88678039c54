import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { assert, open, until } from './common.mjs';
import { deafen, ear } from './voice.mjs';

const SHARED = process.env.LECTERN_SHARED ?? join(import.meta.dirname, '../../../../../shared');
const ONNX = join(SHARED, 'models/vits-tiny.onnx');

export const models = [
  ['the models page says how to bring one in', async (t) => {
    await open(t, '/settings/models');
    await t.page.getByText('No model is installed.').waitFor();
    await t.page.getByText('lectern models import').first().waitFor();
    await t.shot('models-empty');
  }],
  ['what is no model is refused with the reason', async (t) => {
    await t.page.locator('[data-model-files]').setInputFiles({ name: 'holiday.txt', mimeType: 'text/plain', buffer: Buffer.from('sun') });
    await t.page.locator('[data-import=failed] .note').waitFor();
    await t.shot('models-refused');
    await t.page.getByRole('button', { name: 'Take “holiday.txt” from the list' }).click();
  }],
  ['a voice is brought in, heard, checked and removed', async (t) => {
    if (!t.mock && !existsSync(ONNX)) {
      console.log(`      skipped: there is no ${ONNX}`);
      return;
    }
    const { readFileSync } = await import('node:fs');
    const [onnx, json] = t.mock ? [Buffer.alloc(2000), Buffer.from('{}')] : [readFileSync(ONNX), readFileSync(join(SHARED, 'models/vits.onnx.json'))];
    await t.page.locator('[data-model-files]').setInputFiles([
      { name: 'tiny.onnx', mimeType: 'application/octet-stream', buffer: onnx },
      { name: 'tiny.onnx.json', mimeType: 'application/json', buffer: json },
    ]);
    await t.page.locator('[data-model=tiny]').waitFor({ timeout: 60_000 });
    await t.page.getByRole('button', { name: 'Check “tiny”' }).click();
    await t.page.getByText('“tiny” is unharmed and works.').waitFor({ timeout: 60_000 });
    await t.shot('models');
    if (!t.mock) {
      await open(t, '/settings/voices');
      await t.page.locator('select[name=voice-language]').selectOption('');
      await t.page.locator('input[name=voice-find]').fill('tiny');
      await deafen(t);
      await t.page.locator('[data-voice="piper/tiny"]').getByRole('button').first().click();
      await until(async () => (await ear(t)).started > 0, 'it makes sound');
      await open(t, '/settings/models');
      await until(async () => (await t.page.locator('[data-model=tiny] [data-loaded]').getAttribute('data-loaded')) === 'true', 'it is shown as loaded');
    }
    await t.page.getByRole('button', { name: 'Remove “tiny”' }).click();
    await t.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await t.page.locator('[data-model=tiny]').waitFor({ state: 'detached' });
    assert.equal(await t.page.locator('[data-model]').count(), 0);
  }],
];
