/** Services that people sign in with elsewhere, on the appliance that `signin.mjs` has set up. */
import { createServer } from 'node:net';
import { startOpenId } from '../openid.mjs';
import { assert } from './common.mjs';
import { button, codes, dialog, enter, go, inBothThemes, leave, narrow, OLIVE, page, target, url } from './signin.mjs';

export const services = [
  ['sign-in: a service with a wrong address shows the step that failed, and passwords go on', async (t) => {
    const closed = await new Promise((resolve) => {
      const probe = createServer().listen(0, '127.0.0.1', () => {
        const { port } = probe.address();
        probe.close(() => resolve(port));
      });
    });
    await go('/signing-in');
    await page.getByRole('link', { name: 'Add a service' }).click();
    await page.locator('[data-wizard=kind]').waitFor();
    await inBothThemes(t, 'service-kind');
    await button('Next').click();
    await page.locator('[data-wizard=connection]').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('name')), 'provider-name');
    assert.equal(await page.locator('[data-copy=redirect]').innerText(), `${url}/api/v1/session/oidc/callback`);
    await page.locator('input[name=provider-name]').fill('Company login');
    await page.locator('input[name=provider-issuer]').fill(`https://localhost:${closed}`);
    await page.locator('input[name=provider-client_id]').fill('lectern');
    await page.locator('input[name=provider-secret]').fill('a secret of the service');
    await inBothThemes(t, 'service-connection');
    await narrow(t, 'service-connection');
    await button('Next').click();
    await page.locator('input[name=provider-create]').check();
    await inBothThemes(t, 'service-people');
    await button('Next').click();
    await button('Add a group').click();
    await page.locator('input[name=mapping-external]').fill('editors');
    await page.getByText('Each row needs a group there').waitFor();
    await page.locator('select[name=mapping-role]').selectOption('editor');
    await inBothThemes(t, 'service-groups');
    await narrow(t, 'service-groups');
    await button('Save and test').click();
    const failed = page.locator('[data-test=fails] [data-step=discovery]');
    await failed.getByText('What to do:').waitFor();
    await inBothThemes(t, 'service-failed');
    await narrow(t, 'service-failed');
    await button('Switch on').click();
    await page.locator('[data-service="Company login"]').getByText('On', { exact: true }).waitFor();
    await button('Test Company login').click();
    await page.locator('[data-service="Company login"] [data-test=fails]').waitFor();
    await inBothThemes(t, 'services');
    await leave();
    await button('Continue with Company login').click();
    await page.getByRole('alert').waitFor();
    await inBothThemes(t, 'signin-service');
    await enter(OLIVE);
    await page.getByLabel('Code', { exact: true }).fill(codes[1]);
    await button('Sign in').click();
    await page.locator('a.who').waitFor();
  }],
  ['sign-in: a service is changed without its secret, which is never shown', async (t) => {
    await go('/signing-in');
    await page.getByRole('link', { name: 'Edit Company login' }).click();
    await page.locator('input[name=provider-name]').waitFor();
    assert.equal(await page.locator('input[name=provider-secret]').inputValue(), '');
    assert.equal(await page.locator('input[name=mapping-external]').inputValue(), 'editors');
    await page.locator('input[name=provider-name]').fill('Harbour login');
    await inBothThemes(t, 'service-edit');
    await narrow(t, 'service-edit');
    await button('Save').click();
    await page.getByText('Harbour login is saved.').waitFor();
    await page.locator('input[name=provider-issuer]').fill('https://login.example.org');
    await button('Save').click();
    await page.getByText('must be sent again when the addresses change').first().waitFor();
    await page.locator('input[name=provider-issuer]').fill('ftp://nowhere');
    await button('Save').click();
    await page.locator('input[name=provider-issuer][aria-invalid=true]').waitFor();
    await t.shot('service-refused', page);
  }],
  ['sign-in: a directory is added with its fields, tested, and takes a user name on the sign-in page', async (t) => {
    await go('/signing-in/new');
    await page.locator('input[name=provider-kind][value=open_ldap]').check();
    await button('Next').click();
    await page.locator('input[name=provider-name]').fill('Old directory');
    await page.locator('textarea[name="provider-urls"]').fill('ldap://localhost:9');
    await button('Next').click();
    await page.locator('input[name=provider-user_base]').fill('ou=people,dc=example,dc=org');
    await button('Next').click();
    await button('Save and test').click();
    // Passwords would go unencrypted: the wizard goes back to where that is set.
    await page.locator('[data-wizard=connection] textarea[name=provider-urls][aria-invalid=true]').waitFor();
    await page.locator('input[name=provider-starttls]').check();
    for (let i = 0; i < 2; i++) await button('Next').click();
    await button('Save and test').click();
    await page.locator('[data-test=fails] [data-step=connect]').getByText('What to do:').waitFor();
    await t.shot('directory-failed', page);
    await button('Switch on').click();
    await page.locator('[data-service="Old directory"]').waitFor();
    await leave();
    await button('Continue with Old directory').click();
    await page.locator('[data-directory]').waitFor();
    await page.getByLabel('User name').fill('olive');
    await page.getByLabel('Password', { exact: true }).fill('anything');
    await button('Sign in').click();
    await page.getByRole('alert').getByText(/does not answer/).waitFor();
    await inBothThemes(t, 'signin-directory');
    await narrow(t, 'signin-directory');
    await button('Use e-mail and password of this server').click();
    await enter(OLIVE);
    await page.getByLabel('Code', { exact: true }).fill(codes[2]);
    await button('Sign in').click();
    await page.locator('a.who').waitFor();
  }],
  ['sign-in: a service is switched off and deleted', async () => {
    await go('/signing-in');
    await button('Switch off Old directory').click();
    await dialog().getByRole('button', { name: 'Switch off' }).click();
    await page.locator('[data-service="Old directory"]').getByText('Off', { exact: true }).waitFor();
    await button('Delete Old directory').click();
    await dialog().getByRole('button', { name: 'Delete' }).click();
    await page.locator('[data-service="Old directory"]').waitFor({ state: 'detached' });
  }],
  ['sign-in: a service leads away and back to the page that was wanted, and lets a new person in', async (t) => {
    const provider = await startOpenId();
    try {
      await go('/signing-in/new');
      await button('Next').click();
      await page.locator('input[name=provider-name]').fill('Test login');
      await page.locator('input[name=provider-issuer]').fill(provider.url);
      await page.locator('input[name=provider-client_id]').fill('lectern');
      await button('Next').click();
      await page.locator('input[name=provider-create]').check();
      await button('Next').click();
      await page.locator('summary', { hasText: 'Further settings' }).click();
      await page.locator('input[name=provider-allow_http]').check();
      await button('Add a group').click();
      await page.locator('input[name=mapping-external]').fill('readers');
      await page.locator('select[name=mapping-role]').selectOption('viewer');
      await button('Save and test').click();
      await page.locator('[data-test=works] [data-step=discovery]').waitFor();
      await inBothThemes(t, 'service-works');
      await button('Switch on').click();
      await page.locator('[data-service="Test login"]').waitFor();
      const nina = await (await t.newContext([url, provider.url])).newPage();
      await nina.goto(`${url}/search`);
      await button('Continue with Test login', nina).click();
      await nina.locator('[data-sign-in-error=denied]').getByText('Try again and agree there.').waitFor();
      provider.who = { sub: 'nina-1', email: 'nina@example.org', email_verified: true, name: 'Nina Newcomer', groups: ['readers'] };
      await nina.goto(`${url}/search`);
      await button('Continue with Test login', nina).click();
      await nina.locator('a.who').getByText('Nina Newcomer').waitFor();
      assert.equal(new URL(nina.url()).pathname, '/search');
      assert.equal(await nina.getByText('Add files').count(), 0, 'the role is the one of the group');
      await nina.goto(`${url}/profile`);
      await button('Add an authenticator app', nina).click();
      await nina.locator('input[name=factor-password]').fill('none');
      await nina.keyboard.press('Enter');
      await nina.getByRole('alert').getByText('You have no password here').waitFor();
      // What an app asked waits meanwhile, however long it is.
      await go('/search', nina);
      await leave(nina);
      const long = `user_code=BCDF-GHJK&x=${'%7e'.repeat(400)}`;
      await nina.goto(`${url}/oauth/device?${long}`);
      await button('Continue with Test login', nina).click();
      await nina.getByRole('heading', { name: 'Let a device in' }).waitFor();
      assert.equal(nina.url(), `${url}/oauth/device?${long}`);
      assert.equal(await nina.locator('input[name=user-code]').inputValue(), 'BCDF-GHJK');
      await nina.context().close();
    } finally {
      provider.stop();
    }
  }],
  ['sign-in: where passwords are off, owners still come in with theirs', async (t) => {
    await go('/signing-in');
    await page.locator('input[name=password-sign-in]').uncheck();
    await page.locator('[data-warning=passwords_off]').waitFor();
    await button('Save').click();
    await button('Save the rules').click();
    await page.getByText('The rules are saved.').waitFor();
    await leave();
    await page.getByText('Your organisation signs in by the service below.').waitFor();
    assert.equal(await page.getByLabel('Password', { exact: true }).count(), 0);
    await inBothThemes(t, 'signin-no-passwords');
    await button('I am an owner and have a password').click();
    await enter(OLIVE);
    await page.getByLabel('Code', { exact: true }).fill(codes[4]);
    await button('Sign in').click();
    await page.locator('a.who').waitFor();
    await go('/signing-in');
    await page.locator('input[name=password-sign-in]').check();
    await button('Save').click();
    await page.getByText('The rules are saved.').waitFor();
  }],
  ['sign-in: a failed return from a service says what to do, in both languages', async (t) => {
    await leave();
    await page.goto(`${url}/?sign_in_error=not_linked`);
    await page.locator('[data-sign-in-error]').getByText('Sign in with e-mail and password as before.').waitFor();
    await inBothThemes(t, 'signin-error');
    await page.evaluate(() => localStorage.setItem('locale', 'de'));
    await page.reload();
    await page.locator('[data-sign-in-error]').getByText('Melden Sie sich wie bisher').waitFor();
    await narrow(t, 'signin-error-de');
    await page.evaluate(() => localStorage.setItem('locale', 'en'));
    await page.goto(`${url}/?sign_in_error=<b>x</b>`);
    await page.locator('[data-sign-in-error]').getByText('went wrong').waitFor();
    await enter(OLIVE);
    await page.getByLabel('Code', { exact: true }).fill(codes[3]);
    await button('Sign in').click();
    await page.locator('a.who').waitFor();
    assert.equal(new URL(page.url()).search, '');
  }],
  ['sign-in: all of it is in the record', async () => {
    try {
      await go('/audit');
      for (const action of ['factor.added', 'factor.removed', 'factors.reset', 'recovery.used', 'sign_in.policy_changed', 'provider.created', 'provider.deleted']) {
        await page.locator(`[data-action="${action}"]`).first().waitFor();
      }
    } finally {
      await page.context().close();
      await target.stop();
    }
  }],
  ['sign-in: at an address of numbers the profile says why there are no passkeys', async (t) => {
    await t.page.goto(`${t.url}/profile`);
    await t.page.locator('[data-passkey-trouble]').getByText('Passkeys belong to a host name').waitFor();
    assert.equal(await button('Add a passkey', t.page).count(), 0);
    await button('Add an authenticator app', t.page).waitFor();
  }],
];
