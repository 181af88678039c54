/** How a page looks: in both themes, and on a small telephone. */
import { assert } from './common.mjs';
import { audit } from './everywhere.mjs';

export async function bothThemes(t, page, name) {
  for (const theme of ['light', 'dark']) {
    await page.evaluate((wanted) => (document.documentElement.dataset.theme = wanted), theme);
    // Colours of buttons take a moment.
    await page.waitForTimeout(250);
    await audit({ page }, `${name} ${theme}`);
    await t.shot(`${name}-${theme}`, page);
  }
  await page.evaluate(() => delete document.documentElement.dataset.theme);
}

export async function small(t, page, name) {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.waitForTimeout(250);
  const over = await page.evaluate(() => {
    const seen = [...document.querySelectorAll('dialog[open], main, .card')].filter((box) => getComputedStyle(box).overflowX !== 'hidden');
    const boxes = seen.map((box) => box.scrollWidth - box.clientWidth);
    return Math.max(document.documentElement.scrollWidth - innerWidth, ...boxes);
  });
  await t.shot(`${name}-narrow`, page);
  await page.setViewportSize({ width: 1280, height: 800 });
  assert.ok(over <= 0, `${name} is ${over} pixels too wide`);
}
