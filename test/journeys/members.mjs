// A member's own affairs: an invitation, joining with age, terms and attributes by consent, a guardian's word, the notices
// and how they come, personal tokens, a copy of all data, and leaving for good.
import { journey } from './world.mjs';

await journey(async (w) => {
  const stranger = await w.visitor();
  const link = (letter, path) => letter.Text.match(new RegExp(`https?://\\S+(${path}\\?token=[\\w.-]+)`))[1];
  const lead = await w.newcomer('lead@brand.example', 'Lou', { born: '1985-01-15' }, 'joining the team');

  const invitation = await w.step('invite', async () => {
    await w.goto(stranger, '/');
    await w.shot(stranger, 'closed');
    await w.goto(lead, '/invitations');
    await lead.locator('#note').fill('Inès from the branch');
    await w.press(lead, 'invitations.button');
    const address = await lead.locator('#link').inputValue();
    await w.shot(lead, 'invitations');
    return new URL(address).pathname + new URL(address).search;
  });

  await w.step('join', async () => {
    await w.goto(stranger, invitation);
    await w.shot(stranger, 'invitation');
    await w.press(stranger, 'invitation.button');
    await w.goto(stranger, '/sign-in');
    await w.shot(stranger, 'sign in');
    await stranger.locator('#email').fill('no address');
    await w.press(stranger, 'sign_in.button');
    await stranger.getByText(w.t('error.email.invalid')).waitFor();
    await stranger.locator('#email').fill('ines@members.example');
    await w.press(stranger, 'sign_in.button');
    await stranger.getByRole('heading', { level: 1, name: w.t('sent.title') }).waitFor();
    await w.shot(stranger, 'sent');
    await w.goto(stranger, link(await w.mail('ines@members.example', '/sign-in/link'), '/sign-in/link'));
    await w.shot(stranger, 'link');
    await w.press(stranger, 'link.button');
    await stranger.locator('#born').waitFor();
    await w.press(stranger, 'join.button');
    await stranger.locator('.field-error').first().waitFor();
    await w.shot(stranger, 'nothing answered');
    await stranger.locator('#born').fill(w.born(15));
    await stranger.locator('#guardian').fill('parent@members.example');
    await stranger.locator('main input[name="accept"]').check({ force: true });
    await w.press(stranger, 'join.button');
    await stranger.locator('main').waitFor();
    await w.rename(stranger, 'Inès');
  });
  const ines = stranger;

  await w.step('guardian', async () => {
    const parent = await w.visitor();
    const letter = await w.mail('parent@members.example', '/guardian');
    await w.goto(parent, link(letter, '/guardian'));
    await w.shot(parent, 'guardian');
    await w.press(parent, 'guardian.give');
    await parent.getByText(w.t('guardian.given')).waitFor();
    await w.goto(ines, '/notices');
    await w.eventually(ines, () => ines.getByText(w.t('notice.guardian_given')).first().isVisible(), 'the consent is told');
    await w.shot(ines, 'notices');
    await w.goto(ines, '/account/standing');
    await w.shot(ines, 'standing');
  });

  await w.step('profile', async () => {
    await w.goto(ines, '/profile');
    await ines.locator('input[name="attribute.region"][value="south"]').check({ force: true });
    await ines.locator('form[action="/profile/attributes/region"]').getByRole('button', { name: w.t('attribute.agree') }).click();
    await ines.getByText(w.t('flash.saved')).first().waitFor();
    await ines.locator('input[name="attribute.hobby"]').fill('Rowing');
    await ines.locator('form[action="/profile/attributes/hobby"]').getByRole('button', { name: w.t('attribute.agree') }).click();
    await ines.getByText(w.t('flash.saved')).first().waitFor();
    await w.shot(ines, 'profile');
    await ines.locator('form[action="/profile/attributes/region"]').getByRole('button', { name: w.t('attribute.withdraw') }).click();
    await ines.getByText(w.t('flash.saved')).first().waitFor();
    w.assert(await ines.locator('input[name="attribute.region"]:checked').count() === 0, 'what was withdrawn is still there');
  });

  await w.step('terms', async () => {
    await w.goto(ines, '/terms');
    await w.shot(ines, 'terms');
    await w.goto(ines, '/challenges/secret-card/enter');
    await ines.locator('main input[name="accept"]').waitFor();
    await w.shot(ines, 'terms of a challenge');
    await ines.locator('main input[name="accept"]').check({ force: true });
    await w.press(ines, 'terms.accept.button');
    await ines.locator('[name="title"]').waitFor();
    await w.goto(ines, '/account/terms');
    await w.shot(ines, 'what was accepted');
    const [file] = await Promise.all([ines.waitForEvent('download'), ines.locator('a[href$="/certificate"]').first().click()]);
    w.assert((await file.path()) !== null, 'there is no certificate');
  });

  await w.step('choose mails', async () => {
    await w.goto(ines, '/account/notices');
    await ines.locator('#timeZone').fill('Mars/Olympus');
    await w.press(ines, 'profile.button');
    await ines.locator('#zone-error').waitFor();
    await w.shot(ines, 'no such time zone');
    await ines.locator('#timeZone').fill('Europe/Paris');
    await ines.locator('input[name="digest"][value="weekly"]').check({ force: true });
    await ines.locator('select[name="mail.comment"]').selectOption('now');
    await w.press(ines, 'profile.button');
    await ines.getByText(w.t('flash.saved')).first().waitFor();
    const idea = await w.enter(ines, 'secret-card', 'A card without a number', 'It shows one for a minute.');
    await w.goto(lead, `/ideas/${idea}`);
    if (new URL(lead.url()).pathname.startsWith('/terms')) throw new Error('the team is asked for the terms');
    await lead.locator('.comment-form [name="body"]').fill('And how does one pay in a shop?');
    await w.press(lead, 'idea.comment.button');
    const letter = await w.mail('ines@members.example', '/unsubscribe');
    await w.goto(ines, link(letter, '/unsubscribe'));
    await w.shot(ines, 'fewer mails');
    await w.press(ines, 'unsubscribe.button');
    await ines.locator('main [role="status"]').waitFor();
  });

  await w.step('tokens', async () => {
    await w.goto(ines, '/profile/tokens');
    await ines.locator('#name').fill('My spreadsheet');
    await ines.locator('#scope-read').check({ force: true });
    await w.press(ines, 'tokens.button');
    await ines.locator('#secret').waitFor();
    await w.shot(ines, 'token');
    await w.goto(ines, '/profile/tokens');
    await w.shot(ines, 'tokens');
    await w.goto(ines, '/api');
    await w.shot(ines, 'api');
  });

  await w.step('copy', async () => {
    await w.goto(ines, '/account/data');
    await w.press(ines, 'data.export.button');
    await w.eventually(ines, () => ines.locator('a[href^="/account/data/export/"]').isVisible(), 'the copy is made');
    await w.shot(ines, 'my data');
    const [file] = await Promise.all([ines.waitForEvent('download'), ines.locator('a[href^="/account/data/export/"]').click()]);
    w.assert(/\.zip$/.test(file.suggestedFilename()), `the copy is called ${file.suggestedFilename()}`);
  });

  await w.step('leave', async () => {
    await ines.locator('input[name="contributions"][value="remove"]').check({ force: true });
    await w.press(ines, 'data.erase.button');
    const letter = await w.mail('ines@members.example', '/account/erasure/confirmation');
    await w.goto(ines, link(letter, '/account/erasure/confirmation'));
    await w.shot(ines, 'leave');
    await w.press(ines, 'mail.erasure.open');
    await ines.waitForLoadState();
    await w.goto(lead, '/team/erasures');
    await lead.locator('.hash').first().waitFor();
    await w.shot(lead, 'erasures');
    await w.goto(lead, '/ideas?order=newest');
    w.assert(await lead.getByText('A card without a number').count() === 0, 'the idea of somebody who left is there');
  });
});
