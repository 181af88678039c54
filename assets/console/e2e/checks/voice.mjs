import { assert, open, until } from './common.mjs';

/**
 * Listens at the loudspeaker: an analyser behind every sound that goes to the destination, and a list of what was
 * started and stopped. Installed before the page's own code.
 */
export async function installEar(context) {
  await context.addInitScript(() => {
    const ear = (window.ear = { started: 0, seconds: 0, ended: 0, loudest: 0, taps: [] });
    const connect = AudioNode.prototype.connect;
    AudioNode.prototype.connect = function (target, ...rest) {
      if (target instanceof AudioDestinationNode) {
        const analyser = this.context.createAnalyser();
        connect.call(this, analyser);
        ear.taps.push(analyser);
        if (ear.taps.length > 8) ear.taps.shift();
      }
      return connect.call(this, target, ...rest);
    };
    const start = AudioBufferSourceNode.prototype.start;
    AudioBufferSourceNode.prototype.start = function (...args) {
      ear.started += 1;
      ear.seconds += this.buffer?.duration ?? 0;
      this.addEventListener('ended', () => (ear.ended += 1));
      return start.apply(this, args);
    };
    setInterval(() => {
      for (const tap of ear.taps) {
        const data = new Float32Array(tap.fftSize);
        tap.getFloatTimeDomainData(data);
        for (const v of data) ear.loudest = Math.max(ear.loudest, Math.abs(v));
      }
    }, 20);
  });
}

export const ear = (t) => t.page.evaluate(() => ({ ...window.ear, taps: undefined }));
export const deafen = (t) => t.page.evaluate(() => Object.assign(window.ear, { started: 0, seconds: 0, ended: 0, loudest: 0, taps: [] }));
export const spokenSentence = (t) => t.page.evaluate(() => document.querySelector('.answer .now')?.dataset.sentence ?? null);

/** The sentences that were marked until the reading ended, in order. */
export async function marks(t, most = 40_000) {
  const seen = [];
  const end = Date.now() + most;
  let began = false;
  while (Date.now() < end) {
    const now = await spokenSentence(t);
    if (now !== null && seen.at(-1) !== now) seen.push(now);
    const playing = (await t.page.getByRole('button', { name: 'Stop reading' }).count()) > 0;
    began ||= playing || now !== null;
    if (began && !playing) return seen;
    await new Promise((r) => setTimeout(r, 40));
  }
  throw new Error(`the reading did not end; marked so far: ${seen}`);
}

/** Opens the sheet of choices, and closes it again. */
async function listening(t, choose) {
  const sheet = t.page.locator('[data-listening] summary');
  await sheet.click();
  await choose();
  await sheet.click();
}

/** Silence: nothing at the loudspeaker for a while. */
async function quiet(t) {
  await t.page.waitForTimeout(150);
  await deafen(t);
  await t.page.waitForTimeout(400);
  assert.equal((await ear(t)).loudest, 0, 'nothing is heard');
}

export const voice = [
  ['an answer is read clause by clause, and the sentence that is heard is marked', async (t) => {
    await open(t, '/ask');
    await t.page.getByLabel('Ask your documents').fill('Where is the assembly point?');
    await t.page.keyboard.press('Enter');
    const turn = t.page.locator('[data-turn]').first();
    await turn.waitFor();
    await deafen(t);
    await turn.getByRole('button', { name: 'Read aloud' }).click();
    const seen = await marks(t);
    const { loudest, seconds, started } = await ear(t);
    assert.ok(loudest > 0.01, `something was heard (${loudest})`);
    assert.ok(started >= 1 && seconds > 0.5, `${started} clauses, ${seconds} s`);
    assert.equal(seen[0], '0', `marked: ${seen}`);
    assert.deepEqual(seen, [...new Set(seen)].sort((a, b) => a - b), 'forwards, each once');
    await turn.getByText('How long it took').click();
    await turn.getByText('First sound made').waitFor();
    await t.shot('voice-trace');
  }],
  ['the speed changes while it is read, and Esc stops it at once', async (t) => {
    await deafen(t);
    await t.page.getByRole('button', { name: 'Read aloud' }).first().click();
    await t.page.locator('select[name=speed]').selectOption('0.75');
    await until(async () => (await ear(t)).loudest > 0.01, 'it is heard');
    await t.page.locator('select[name=speed]').selectOption('1.5');
    await until(async () => (await spokenSentence(t)) !== null, 'still marked');
    await t.shot('voice-marked');
    await t.page.keyboard.press('Escape');
    await t.page.getByRole('button', { name: 'Read aloud' }).first().waitFor();
    await quiet(t);
    assert.equal(await spokenSentence(t), null);
    await listening(t, async () => {
      assert.equal(await t.page.locator('select[name=speed-always]').inputValue(), '1.5', 'remembered');
      await t.page.locator('select[name=speed-always]').selectOption('1');
    });
  }],
  ['"always" reads a typed question’s answer by itself', async (t) => {
    await listening(t, () => t.page.locator('select[name=read-aloud]').selectOption('always'));
    await t.page.reload();
    await t.page.getByLabel('Ask your documents').waitFor();
    assert.equal(await t.page.locator('select[name=read-aloud]').inputValue(), 'always', 'remembered');
    await t.page.getByLabel('Ask your documents').fill('Where are the spare filters kept?');
    await t.page.keyboard.press('Enter');
    await until(async () => (await ear(t)).loudest > 0.01, 'it is heard');
    await t.page.keyboard.press('Escape');
    await listening(t, () => t.page.locator('select[name=read-aloud]').selectOption('spoken'));
  }],
  ['the choices for reading aloud fit a small phone', async (t) => {
    await t.page.setViewportSize({ width: 360, height: 740 });
    try {
      await open(t, '/ask');
      await t.page.locator('[data-listening] summary').click();
      const box = await t.page.locator('[data-listening] .sheet').boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= 360 && box.y >= 0, JSON.stringify(box));
      await t.shot('narrow-listening');
      await t.page.keyboard.press('Escape');
      await t.page.locator('[data-listening] .sheet').waitFor({ state: 'hidden' });
    } finally {
      await t.page.setViewportSize({ width: 1280, height: 800 });
    }
  }],
  ['hold the microphone, speak, correct, ask, hear the answer', async (t) => {
    await open(t, '/ask');
    const mic = t.page.locator('[data-mic]');
    const box = await mic.boundingBox();
    await deafen(t);
    await t.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await t.page.mouse.down();
    await t.page.getByText('Listening…').waitFor();
    await until(async () => Number(await t.page.locator('canvas[data-level]').getAttribute('data-level')) > 0.2, 'the level moves');
    await t.page.waitForTimeout(t.speechMs);
    await t.shot('voice-listening');
    await t.page.mouse.up();
    const field = t.page.getByLabel('Ask your documents');
    await until(async () => (await field.inputValue()) !== '', 'the words are in the box', 300);
    const heard = await field.inputValue();
    console.log(`      heard: ${heard}`);
    await t.page.getByText('Correct the words if needed').waitFor();
    assert.equal(await field.evaluate((f) => f === document.activeElement), true, 'the focus is in the box');
    await t.shot('voice-correct');
    await field.fill('Where is the assembly point?');
    await t.page.keyboard.press('Enter');
    const turn = t.page.locator('[data-turn]').first();
    await turn.waitFor();
    assert.match(await turn.locator('h2').innerText(), /assembly point/);
    const seen = await marks(t);
    assert.equal(seen[0], '0');
    const { loudest } = await ear(t);
    assert.ok(loudest > 0.01, `the answer was heard (${loudest})`);
    assert.match(t.page.url(), /\/ask\/.+/);
    await turn.getByText('How long it took').click();
    await turn.getByRole('region', { name: /^From the end of the question/ }).getByText('First sound').waitFor();
    await t.shot('voice-answered');
  }],
  ['a key does the same; asked at once; speaking again stops the answer', async (t) => {
    await open(t, '/ask');
    await listening(t, () => t.page.locator('input[name=at-once]').check());
    await deafen(t);
    await t.page.keyboard.down('F2');
    await t.page.getByText('Listening…').waitFor();
    await t.page.waitForTimeout(t.speechMs);
    await t.page.keyboard.up('F2');
    await t.page.locator('[data-turn]').first().waitFor({ timeout: 30_000 });
    if (t.mock) {
      await until(async () => (await ear(t)).loudest > 0.01, 'it is heard');
      await t.page.keyboard.down('F2');
      await t.page.getByText('Listening…').waitFor();
      await quiet(t);
      await t.page.keyboard.press('Escape');
      await t.page.keyboard.up('F2');
      await t.page.locator('[data-heard]').waitFor({ state: 'detached' });
    }
    await listening(t, () => t.page.locator('input[name=at-once]').uncheck());
  }],
  ['hands-free: asked by the pause, interrupted by speaking', async (t) => {
    await open(t, '/ask');
    await deafen(t);
    await t.page.locator('[data-hands-free]').click();
    await t.page.locator('[data-turn]').first().waitFor({ timeout: 60_000 });
    await until(async () => (await ear(t)).loudest > 0.01, 'the answer is heard');
    await t.shot('voice-hands-free');
    assert.equal(await t.page.locator('[data-hands-free]').getAttribute('aria-pressed'), 'true');
    if (t.mock) await until(async () => (await t.page.locator('[data-turn]').count()) >= 2, 'the second question interrupted the first answer', 200);
    await t.page.locator('[data-hands-free]').click();
    await until(async () => (await t.page.locator('[data-hands-free]').getAttribute('aria-pressed')) === 'false', 'it is over');
    await t.page.locator('canvas[data-level]').waitFor({ state: 'detached' });
    await t.page.keyboard.press('Escape');
    await t.page.keyboard.press('Escape');
  }],
  ['a microphone that is refused, missing or without HTTPS is explained', async (t) => {
    for (const [name, reason] of [['NotAllowedError', 'blocked'], ['NotFoundError', 'missing'], ['NotReadableError', 'busy']]) {
      await open(t, '/ask');
      await t.page.evaluate((error) => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', error));
      }, name);
      await t.page.locator('[data-mic]').click();
      await t.page.locator(`[data-mic-problem=${reason}]`).waitFor();
      if (reason === 'blocked') await t.shot('voice-blocked');
    }
    await open(t, '/ask');
    await t.page.evaluate(() => Object.defineProperty(window, 'isSecureContext', { value: false }));
    await t.page.locator('[data-mic]').click();
    await t.page.locator('[data-mic-problem=insecure]').waitFor();
    await t.page.reload();
  }],
  ['voices: filter, sample, own choice, words', async (t) => {
    await open(t, '/settings/voices');
    await t.page.locator('[data-voice]').first().waitFor();
    await t.page.locator('select[name=voice-language]').selectOption('de');
    await until(async () => (await t.page.locator('[data-voice]').count()) >= 1, 'German voices');
    await deafen(t);
    await t.page.locator('[data-voice]').first().getByRole('button').first().click();
    await until(async () => (await ear(t)).loudest > 0.01, 'the sample is heard');
    await t.page.locator('select[name=add-own]').selectOption('de');
    await t.page.locator('[data-choices=own]').locator('xpath=following-sibling::div[1]').getByRole('button', { name: 'Add' }).click();
    await t.page.locator('[data-choices=own] select').waitFor();
    await t.page.reload();
    await t.page.locator('[data-choices=own] select').waitFor();
    await t.page.getByRole('button', { name: 'No own choice for German' }).first().click();
    await t.page.locator('[data-choices=own] select').waitFor({ state: 'detached' });
    await t.page.locator('select[name=citations-own]').selectOption('yes');
    await t.page.getByText('The settings are saved.').first().waitFor();
    await t.page.locator('select[name=citations-own]').selectOption('');
    await t.shot('voices');
  }],
  ['the lexicon: add, try, change, delete and bring back, import', async (t) => {
    await t.page.getByRole('button', { name: 'Add a word' }).click();
    const dialog = t.page.getByRole('dialog');
    await dialog.locator('input[name=word]').fill('Lectern');
    await dialog.locator('input[name=value]').fill('leck turn');
    await deafen(t);
    await dialog.getByRole('button', { name: 'Try' }).click();
    await until(async () => (await ear(t)).loudest > 0.01, 'the word is heard');
    await t.shot('lexicon-word');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await t.page.locator('[data-word=Lectern]').waitFor();
    await t.page.getByRole('button', { name: 'Edit “Lectern”' }).click();
    await dialog.locator('input[name=value]').fill('lecktern');
    await t.page.keyboard.press('Enter');
    await t.page.locator('[data-word=Lectern]', { hasText: 'lecktern' }).waitFor();
    await t.page.getByRole('button', { name: 'Delete “Lectern”' }).click();
    await t.page.locator('[data-word=Lectern]').waitFor({ state: 'detached' });
    await t.page.getByRole('button', { name: 'Undo' }).click();
    await t.page.locator('[data-word=Lectern]').waitFor();
    const csv = 'word,language,kind,value,case_sensitive\nGdańsk,,respelling,g dine sk,false\n';
    await t.page.locator('[data-lexicon-file]').setInputFiles({ name: 'words.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
    await dialog.getByText('1 added').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    const [download] = await Promise.all([t.page.waitForEvent('download'), t.page.getByRole('link', { name: 'Export' }).click()]);
    assert.ok(download);
    await t.shot('lexicon');
  }],
  ['a recording becomes text, subtitles and a file', async (t) => {
    await open(t, '/transcribe');
    await t.page.locator('[data-recording]').setInputFiles(t.recording);
    await t.page.locator('[data-transcribe=done]').waitFor({ timeout: 120_000 });
    const text = await t.page.locator('ol li p').allInnerTexts();
    console.log(`      transcript: ${text.join(' ')}`);
    assert.ok(text.join(' ').length > 5, 'there are words');
    await t.shot('transcribe');
    const [srt] = await Promise.all([t.page.waitForEvent('download'), t.page.getByRole('button', { name: 'Save as SRT' }).click()]);
    assert.match(srt.suggestedFilename(), /\.srt$/);
    await t.page.locator('[data-recording]').setInputFiles({ name: 'empty.wav', mimeType: 'audio/wav', buffer: Buffer.alloc(0) });
    await t.page.getByRole('alert').first().waitFor();
    await t.shot('transcribe-empty');
  }],
];
