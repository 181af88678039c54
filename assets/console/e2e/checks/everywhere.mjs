import axe from 'axe-core';
import { assert, open, row, until } from './common.mjs';

const PAGES = ['/ask', '/documents', '/search?q=pump', '/transcribe', '/settings', '/settings/voices', '/settings/models', '/status', '/people', '/people/groups', '/people/roles', '/people/invitations', '/signing-in', '/signing-in/new', '/keys', '/apps', '/privacy', '/support-access', '/oauth/device', '/audit', '/audit/forwarding', '/usage', '/tenants', '/tenants/main', '/profile'];

export async function audit(t, name) {
  await t.page.evaluate(axe.source);
  const found = await t.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'], iframes: false }));
  const bad = found.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
  const told = bad.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.failureSummary?.split('\n')[1] ?? ''}`).join('; ')}`);
  assert.deepEqual(told, [], name);
}

async function viewerPath(t) {
  await open(t, '/documents');
  return row(t, 'handbook.md').getByRole('link').first().getAttribute('href');
}

export const everywhere = [
  ['dark is chosen, kept, and everything can be read in it', async (t) => {
    const paths = [...PAGES, `${await viewerPath(t)}?start=40&end=90`];
    for (const theme of ['light', 'dark']) {
      await t.page.goto(`${t.url}/settings`);
      await t.page.locator('select[name=theme]').selectOption(theme);
      for (const path of paths) {
        await open(t, path);
        await t.page.waitForTimeout(250);
        assert.equal(await t.page.evaluate(() => document.documentElement.dataset.theme), theme);
        await audit(t, `${theme} ${path}`);
        if (theme === 'dark') await t.shot(`dark${path.replace(/\W+/g, '-').slice(0, 20)}`);
      }
    }
  }],
  ['an open answer with its citation can be read in dark and in light', async (t) => {
    for (const theme of ['dark', 'light']) {
      await t.page.goto(`${t.url}/settings`);
      await t.page.locator('select[name=theme]').selectOption(theme);
      await open(t, '/ask');
      await t.page.locator('section.history li a', { hasText: 'Where is the asse' }).first().click();
      await t.page.locator('[data-citation="1"]').first().click();
      await t.page.locator('[data-panel] mark.cited').first().waitFor();
      await audit(t, `${theme} citation`);
      await t.shot(`citation-${theme}`);
    }
    await t.page.goto(`${t.url}/settings`);
    await t.page.locator('select[name=theme]').selectOption('system');
  }],
  ['360 pixels are enough', async (t) => {
    const viewer = await viewerPath(t);
    await t.page.setViewportSize({ width: 360, height: 740 });
    try {
      for (const [locale, path] of ['de', 'en'].flatMap((l) => [...PAGES, viewer].map((p) => [l, p]))) {
        await t.page.evaluate((l) => localStorage.setItem('locale', l), locale);
        await open(t, path);
        await t.page.waitForTimeout(300);
        const over = await t.page.evaluate(() => {
          const main = document.querySelector('main');
          return Math.max(document.documentElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth);
        });
        assert.ok(over <= 0, `${path} (${locale}) is ${over} pixels too wide`);
        if (locale === 'de') {
          await t.shot(`narrow-de${path.replace(/\W+/g, '-').slice(0, 20)}`);
          continue;
        }
        await audit(t, `narrow ${path}`);
        await t.shot(`narrow${path.replace(/\W+/g, '-').slice(0, 20)}`);
      }
    } finally {
      await t.page.setViewportSize({ width: 1280, height: 800 });
    }
  }],
  ['a small phone opens a citation over the answer', async (t) => {
    await t.page.setViewportSize({ width: 360, height: 740 });
    try {
      await open(t, '/ask');
      await t.page.getByRole('button', { name: 'Conversations' }).click();
      await t.page.locator('section.history li a', { hasText: 'Where is the asse' }).first().click();
      await t.page.locator('[data-citation="1"]').first().click();
      await t.page.locator('[data-panel] mark.cited').first().waitFor();
      await t.shot('narrow-citation');
      await t.page.keyboard.press('Escape');
      await t.page.locator('[data-panel]').waitFor({ state: 'detached' });
    } finally {
      await t.page.setViewportSize({ width: 1280, height: 800 });
    }
  }],
  ['everything by keys: skip link, places, search, question, citation', async (t) => {
    const { keyboard } = t.page;
    await open(t, '/status');
    await keyboard.press('Tab');
    assert.equal(await t.page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
    await keyboard.press('Enter');
    assert.equal(await t.page.evaluate(() => document.activeElement.id), 'main');
    await keyboard.press('?');
    await t.page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await t.shot('keys');
    await keyboard.press('Escape');
    await t.page.getByRole('dialog').waitFor({ state: 'detached' });
    await keyboard.press('g');
    await keyboard.press('d');
    await t.page.getByRole('heading', { name: 'Documents' }).waitFor();
    await keyboard.press('/');
    assert.equal(await t.page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Filter by title or file name');
    await t.page.locator('h1').focus();
    await keyboard.press('n');
    await t.page.getByLabel('Ask your documents').waitFor();
    await keyboard.type('How is the filter changed?');
    await keyboard.press('Enter');
    await t.page.locator('[data-turn] [data-citation="1"]').waitFor();
    for (let i = 0; i < 40; i++) {
      await keyboard.press('Shift+Tab');
      if (await t.page.evaluate(() => document.activeElement.dataset.citation === '1')) break;
    }
    await keyboard.press('Enter');
    await t.page.locator('[data-panel] mark.cited').first().waitFor();
    await keyboard.press('Escape');
    await until(() => t.page.evaluate(() => document.activeElement.dataset.citation === '1'), 'the focus is back');
  }],
  ['an address that is nothing says so', async (t) => {
    await t.page.goto(`${t.url}/nothing/here`);
    await t.page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    await t.page.goto(`${t.url}/documents/doc_nothing`);
    await t.page.getByRole('heading', { name: 'This document cannot be shown' }).waitFor();
  }],
];
