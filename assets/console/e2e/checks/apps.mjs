/** Apps of third parties, with one that listens: registered, allowed, refused, taken back, changed and deleted. */
import { codeRequest, startApp } from '../app.mjs';
import { assert, enterAs, open, until, USER } from './common.mjs';
import { bothThemes, small } from './looks.mjs';

const dialog = (page) => page.getByRole('dialog');
const button = (page, name) => page.getByRole('button', { name, exact: true });

let app;
/** The browser of somebody who uses the app, and a program that calls the API. */
let ada;
let program;
let client = '';
let secret = '';
let token = '';

const call = (t, path, bearer) => program.fetch(`${t.url}/api/v1${path}`, { headers: { Authorization: `Bearer ${bearer}` } }).then((r) => r.status());

/** One of the endpoints that programs call, as the app. */
async function endpoint(t, name, form) {
  const headers = { Authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}` };
  const response = await program.post(`${t.url}/api/v1/oauth/${name}`, { form, headers });
  return { status: response.status(), body: await response.json() };
}

/** Presses a button that sends the browser to the app, and waits until it is there: else the next address races with it. */
async function away(pressed) {
  const before = app.came.length;
  await pressed.click();
  await until(() => app.came.length > before, 'the browser came back to the app');
  await ada.waitForURL(`${app.url}/**`);
}

async function allowed(t, request) {
  await away(button(ada, 'Allow'));
  const { code, iss } = app.came.at(-1);
  assert.equal(iss, t.url);
  return endpoint(t, 'token', { grant_type: 'authorization_code', code, redirect_uri: app.back, code_verifier: request.verifier });
}

export const apps = [
  ['apps: one is registered in steps, once though the answer was lost, and its secret is shown once', async (t) => {
    app = await startApp();
    await open(t, '/apps');
    await t.page.getByText('No app is registered yet.').waitFor();
    await t.page.locator('[data-copy=token_endpoint]', { hasText: `${t.url}/api/v1/oauth/token` }).waitFor();
    await bothThemes(t, t.page, 'apps-empty');
    await button(t.page, 'Register app').click();
    await t.page.locator('[data-app-step=kind]').waitFor();
    await bothThemes(t, t.page, 'app-kind');
    await button(t.page, 'Next').click();
    assert.equal(await t.page.evaluate(() => document.activeElement.getAttribute('name')), 'app-name');
    await t.page.locator('input[name=app-name]').fill('Harbour Calendar');
    await t.page.locator('input[name=app-homepage]').fill('https://calendar.example.org');
    await t.page.keyboard.press('Enter');
    await t.page.locator('input[name=app-grant][value=device]').check();
    await t.page.locator('textarea[name=app-redirects]').fill('ftp://127.0.0.1/back');
    await bothThemes(t, t.page, 'app-grants');
    await button(t.page, 'Next').click();
    for (const scope of ['documents.read', 'ask.write', 'documents.write']) await dialog(t.page).locator(`input[value="${scope}"]`).check();
    await bothThemes(t, t.page, 'app-scopes');
    await small(t, t.page, 'app-scopes');
    await dialog(t.page).getByRole('button', { name: 'Register app' }).click();
    await t.page.locator('textarea[name=app-redirects][aria-invalid=true]').waitFor();
    await t.page.getByText('ftp://127.0.0.1/back: must be https').waitFor();
    await t.page.locator('textarea[name=app-redirects]').fill('http://127.0.0.1/back');
    await button(t.page, 'Next').click();
    let lost = 0;
    await t.page.route('**/api/v1/apps', async (route) => {
      if (route.request().method() !== 'POST' || lost > 0) return route.continue();
      lost += 1;
      await route.fetch();
      return route.abort('connectionreset');
    });
    await dialog(t.page).getByRole('button', { name: 'Register app' }).click();
    await t.page.locator('[data-copy=client-id]').waitFor();
    await t.page.unroute('**/api/v1/apps');
    client = await t.page.locator('[data-copy=client-id]').innerText();
    secret = await t.page.locator('.secret code').innerText();
    assert.match(client, /^main\.app_/);
    await bothThemes(t, t.page, 'app-made');
    await small(t, t.page, 'app-made');
    await button(t.page, 'I have kept it').click();
    await t.page.locator('[data-app="Harbour Calendar"]').waitFor();
    assert.equal(lost, 1);
    assert.equal(await t.page.locator('[data-app]').count(), 1);
    await bothThemes(t, t.page, 'apps');
    await small(t, t.page, 'apps');
  }],
  ['apps: a person signs in first, sees who asks for what, allows it, and the token works', async (t) => {
    const context = await t.newContext([t.url, app.url]);
    ada = await context.newPage();
    program = (await t.newContext()).request;
    const request = codeRequest(client, app.back, { scope: 'documents.read ask.write', tenant: 'of-the-app' });
    const address = `${t.url}/oauth/authorize?${request.query}&state=a%20b+c%7e`;
    await ada.goto(address);
    await ada.getByText('An app asks for access. Sign in to decide.').waitFor();
    await bothThemes(t, ada, 'oauth-signin');
    await enterAs(ada, USER);
    await ada.locator('[data-consent="Harbour Calendar"]').waitFor();
    assert.equal(ada.url(), address, 'the query is unchanged');
    await ada.getByText(`It would act as ${USER.name} (${USER.email}) at Main.`).waitFor();
    await ada.getByLabel('See, search and download documents').waitFor();
    await ada.locator('[data-back]', { hasText: new URL(app.url).host }).waitFor();
    assert.deepEqual(app.came, [], 'nothing is sent before the answer');
    await bothThemes(t, ada, 'oauth-consent');
    await small(t, ada, 'oauth-consent');
    const { status, body } = await allowed(t, request);
    assert.equal(status, 200);
    assert.equal(app.came.at(-1).state, 'a b c~');
    assert.equal(body.scope, 'ask.write documents.read');
    token = body.access_token;
    assert.deepEqual([await call(t, '/documents', token), await call(t, '/people', token)], [200, 403]);
  }],
  ['apps: a person leaves something out, and refuses', async (t) => {
    const request = codeRequest(client, app.back);
    await ada.goto(`${t.url}/oauth/authorize?${request.query}`);
    await ada.getByLabel('Ask questions').uncheck();
    await ada.getByLabel('Add, change and delete documents').uncheck();
    const { body } = await allowed(t, request);
    assert.equal(body.scope, 'documents.read');
    await ada.goto(`${t.url}/oauth/authorize?${codeRequest(client, app.back, { state: 'x' }).query}`);
    await away(button(ada, 'Refuse'));
    assert.equal(app.came.at(-1).error, 'access_denied');
    assert.equal(app.came.at(-1).state, 'x');
  }],
  ['apps: a wrong request is an error page that sends the browser nowhere', async (t) => {
    const before = app.came.length;
    for (const [id, back] of [[client, `${app.url}/elsewhere`], ['main.app_nothing', app.back], ['harbour.app_nothing', app.back]]) {
      await ada.goto(`${t.url}/oauth/authorize?${codeRequest(id, back).query}`);
      await ada.locator('[data-authorize-error]').getByRole('alert').waitFor();
      assert.equal(new URL(ada.url()).pathname, '/oauth/authorize');
      assert.equal(await button(ada, 'Allow').count(), 0);
    }
    await bothThemes(t, ada, 'oauth-error');
    await small(t, ada, 'oauth-error');
    await ada.goto(`${t.url}/oauth/authorize?${codeRequest(client, app.back, { scope: 'people.manage' }).query}`);
    await ada.locator('[data-authorize-refused]').waitFor();
    await bothThemes(t, ada, 'oauth-refused');
    assert.equal(app.came.length, before, 'no browser was sent to the app');
    await away(ada.getByRole('button', { name: /^Back to 127/ }));
    assert.equal(app.came.at(-1).error, 'invalid_scope');
  }],
  ['apps: a device is let in by its code, never by the link alone', async (t) => {
    const { body: device } = await endpoint(t, 'device_authorization', { scope: 'documents.read' });
    const poll = () => endpoint(t, 'token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: device.device_code });
    await ada.goto(device.verification_uri_complete);
    const field = ada.locator('input[name=user-code]');
    assert.equal(await field.inputValue(), device.user_code);
    assert.equal(await button(ada, 'Allow').count(), 0);
    await bothThemes(t, ada, 'device-code');
    await small(t, ada, 'device-code');
    await ada.goto(device.verification_uri);
    await field.fill('BCDF GHJK');
    await ada.keyboard.press('Enter');
    await ada.getByRole('alert').getByText('No device waits with this code.').waitFor();
    await field.fill(device.user_code.replace('-', '').toLowerCase());
    await ada.keyboard.press('Enter');
    await ada.locator(`[data-device-code="${device.user_code}"]`).waitFor();
    await bothThemes(t, ada, 'device-consent');
    await small(t, ada, 'device-consent');
    assert.equal((await poll()).body.error, 'authorization_pending');
    await button(ada, 'Allow').click();
    await ada.locator('[data-device-done=allowed]').waitFor();
    await bothThemes(t, ada, 'device-done');
    let answer = await poll();
    await until(async () => answer.status === 200 || ((answer = await poll()), await new Promise((r) => setTimeout(r, 1000)), false), 'the device is in', 40);
    assert.equal(await call(t, '/documents', answer.body.access_token), 200);
    const next = (await endpoint(t, 'device_authorization', { scope: 'documents.read' })).body;
    await ada.goto(next.verification_uri_complete);
    await button(ada, 'Next').click();
    await button(ada, 'Refuse').click();
    await ada.locator('[data-device-done=refused]').waitFor();
  }],
  ['apps: too many wrong codes say how long to wait', async (t) => {
    await ada.goto(`${t.url}/oauth/device`);
    const field = ada.locator('input[name=user-code]');
    for (let i = 0; i < 8 && (await ada.getByText('Too many wrong codes.').count()) === 0; i++) {
      await field.fill(`BCDF-GHJ${'KLMNPQRS'[i]}`);
      await Promise.all([ada.waitForResponse('**/oauth/device?*'), ada.keyboard.press('Enter')]);
      await button(ada, 'Next').waitFor();
    }
    await ada.getByRole('alert').getByText(/Try again in .* seconds?\./).waitFor();
    await t.shot('device-wait', ada);
  }],
  ['apps: in the profile it is taken back, and its tokens end', async (t) => {
    await ada.goto(`${t.url}/profile`);
    await ada.locator('[data-own-app="Harbour Calendar"]').waitFor();
    await ada.locator('[data-own-app="Harbour Calendar"] summary').click();
    await ada.locator('[data-own-app]').scrollIntoViewIfNeeded();
    await bothThemes(t, ada, 'own-apps');
    await small(t, ada, 'own-apps');
    await button(ada, 'Take back what “Harbour Calendar” may').click();
    await dialog(ada).getByRole('button', { name: 'Take back' }).click();
    await ada.locator('[data-own-app]').waitFor({ state: 'detached' });
    assert.equal(await call(t, '/documents', token), 401);
  }],
  ['apps: one is changed, gets a new secret, and is deleted', async (t) => {
    await open(t, '/apps');
    await button(t.page, 'Edit “Harbour Calendar”').click();
    await t.page.locator('input[name=app-name]').fill('Quay Calendar');
    await dialog(t.page).locator('input[value="documents.write"]').uncheck();
    await t.page.getByText('lose at once').waitFor();
    await bothThemes(t, t.page, 'app-edit');
    await small(t, t.page, 'app-edit');
    await button(t.page, 'Save').click();
    await t.page.locator('[data-app="Quay Calendar"]').getByText('2 permissions').waitFor();
    await button(t.page, 'New secret for “Quay Calendar”').click();
    await t.page.locator('input[name=overlap]').fill('0');
    await bothThemes(t, t.page, 'app-rotate');
    await dialog(t.page).getByRole('button', { name: 'New secret' }).click();
    const next = await t.page.locator('.secret code').innerText();
    assert.notEqual(next, secret);
    await button(t.page, 'I have kept it').click();
    assert.equal((await endpoint(t, 'introspect', { token: 'x' })).status, 401);
    secret = next;
    assert.equal((await endpoint(t, 'introspect', { token: 'x' })).status, 200);
    await button(t.page, 'Delete “Quay Calendar”').click();
    await dialog(t.page).getByRole('button', { name: 'Delete' }).click();
    await t.page.locator('[data-app]').waitFor({ state: 'detached' });
    await open(t, '/audit');
    for (const action of ['app.created', 'app.changed', 'app.secret_rotated', 'app.allowed', 'app.revoked', 'app.deleted']) await t.page.locator(`[data-action="${action}"]`).first().waitFor();
    await ada.context().close();
    app.stop();
  }],
];
