// The team's side beside ideas: its home, dashboards with charts and their tables, objectives, segments beside their
// quotas, exports, announcements, the audit log and webhooks.
import { journey } from './world.mjs';

await journey(async (w) => {
  const [lead, host] = await w.team('lead', 'host');
  const results = await w.newcomer('results@brand.example', 'Rémi');
  const members = [];
  for (const [address, name, area] of [['ines@members.example', 'Inès', 'town'], ['noor@members.example', 'Noor', 'town'], ['camille@members.example', 'Camille', 'country']]) {
    const page = await w.member(address, name);
    await w.goto(page, '/profile');
    await page.locator(`input[name="attribute.area"][value="${area}"]`).check({ force: true });
    await w.press(page, 'attribute.agree');
    await page.getByText(w.t('flash.saved')).first().waitFor();
    members.push(page);
  }
  const [ines, noor, camille] = members;

  await w.step('take part', async () => {
    const idea = await w.enter(ines, 'night-bus', 'A bus that waits for the last train', 'Five minutes are enough.');
    await w.enter(camille, 'night-bus', 'Stops on request', 'Closer to home at night.');
    for (const page of [noor, camille]) {
      await w.goto(page, `/ideas/${idea}`);
      await w.press(page, 'vote.button');
      await page.locator('[aria-pressed="true"]').first().waitFor();
    }
    await w.goto(noor, '/challenges/how-was-it');
    await noor.locator('input[name="form.again"][value="9"]').check({ force: true });
    await w.press(noor, 'survey.send');
    await w.goto(noor, '/challenges/night-bus');
    await w.press(noor, 'follow.start');
    await noor.getByRole('button', { name: w.t('follow.stop') }).waitFor();
  });

  await w.step('home', async () => {
    await w.goto(ines, '/');
    await w.shot(ines, 'home');
    const stranger = await w.visitor();
    await w.goto(stranger, '/');
    await w.shot(stranger, 'home of a stranger');
    await w.figures();
    await w.advance('26h');
    await w.figures();
    await w.goto(lead, '/team');
    await w.shot(lead, 'home of the team');
    await w.goto(lead, '/team/methods');
    await w.shot(lead, 'methods');
    await w.goto(lead, '/team/challenges/how-was-it/results');
    await w.shot(lead, 'results');
    const [file] = await Promise.all([lead.waitForEvent('download'), lead.getByRole('button', { name: new RegExp(`^${w.t('results.csv')}`) }).click()]);
    w.assert(file.suggestedFilename() === 'how-was-it.csv', `the export is called ${file.suggestedFilename()}`);
  });

  await w.step('measure', async () => {
    await w.goto(lead, '/team/insights');
    await w.eventually(lead, () => lead.locator('.chart').first().isVisible(), 'the figures are written');
    await lead.locator('#value-satisfaction').fill('sixty');
    await lead.getByRole('button', { name: new RegExp(`^${w.t('insights.enter.button')}`) }).click();
    await lead.getByText(w.t('flash.objective_wrong')).waitFor();
    await lead.locator('#value-satisfaction').fill('68');
    await lead.getByRole('button', { name: new RegExp(`^${w.t('insights.enter.button')}`) }).click();
    await lead.getByText(w.t('flash.objective_entered')).waitFor();
    await w.shot(lead, 'insights');
    const views = await lead.locator('nav.tabs a').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
    for (const [i, view] of views.slice(1).entries()) {
      await w.goto(lead, view);
      await w.shot(lead, `view ${i + 1}`);
    }
    await w.goto(results, '/team/insights');
    await results.getByRole('heading', { name: w.t('insights.segments') }).waitFor();
  });

  await w.step('export', async () => {
    await w.goto(results, '/team/exports');
    await w.shot(results, 'exports');
    const [file] = await Promise.all([results.waitForEvent('download'), results.getByRole('button', { name: new RegExp(`^${w.t('exports.button')}`) }).first().click()]);
    w.assert(/^ideas-.*\.csv$/.test(file.suggestedFilename()), `the export is called ${file.suggestedFilename()}`);
    await w.goto(results, '/team/audit?action=export.');
    await results.getByText('export.ideas').first().waitFor();
    await results.getByText('export.responses').first().waitFor();
    await w.shot(results, 'audit log');
    await w.goto(host, '/team/audit', 404);
  });

  await w.step('announce', async () => {
    await w.goto(host, '/team/announcements');
    await w.shot(host, 'no announcements yet');
    await w.goto(host, '/team/announcements/new');
    await w.press(host, 'announcements.preview');
    await host.locator('.field-error').first().waitFor();
    await w.goto(host, '/team/announcements/new');
    await w.shot(host, 'new announcement');
    for (const [tag, title] of [['fr', 'Le bus de nuit roule'], ['en', 'The night bus is running']]) {
      await host.locator(`#title-${tag}`).fill(title);
      await host.locator(`#body-${tag}`).fill('**Friday**, half past midnight.');
    }
    await host.locator('input[name="audience"][value="challenge"]').check({ force: true });
    await host.locator('#challenge').selectOption({ label: w.locale === 'fr' ? 'Le bus de nuit' : 'The night bus' });
    await w.press(host, 'announcements.preview');
    await host.getByRole('button', { name: w.t('announcements.send') }).waitFor();
    await w.shot(host, 'preview');
    await host.getByRole('link', { name: w.t('announcements.edit') }).click();
    await host.locator('#title-fr').waitFor();
    await w.shot(host, 'change');
    await w.press(host, 'announcements.preview');
    await w.press(host, 'announcements.send');
    await host.getByText(w.t('announcements.sent')).first().waitFor();
    await w.goto(noor, '/notices');
    await w.eventually(noor, () => noor.getByText(w.t('notice.announcement')).first().isVisible(), 'who follows the challenge is told');
    await noor.getByText(w.t('notice.announcement')).first().click();
    await noor.getByRole('heading', { level: 1, name: w.locale === 'fr' ? 'Le bus de nuit roule' : 'The night bus is running' }).waitFor();
    await w.shot(noor, 'announcement');
  });

  await w.step('webhooks', async () => {
    await w.goto(lead, '/team/webhooks');
    await w.shot(lead, 'webhooks');
    await lead.getByRole('link', { name: 'board' }).click();
    await w.press(lead, 'webhooks.secret.new');
    await lead.locator('#secret').waitFor();
    await w.goto(lead, '/team/webhooks/board');
    await w.shot(lead, 'webhook');
    await w.goto(host, '/team/webhooks', 404);
  });
});
