// A product test: an application with its screening question, the contract, the kit, a diary entry, a report of what went
// wrong, and the team that follows it.
import { journey } from './world.mjs';

await journey(async (w) => {
  const tester = await w.member('ines@members.example', 'Inès');
  const lead = await w.member('lead@brand.example', 'Lou');
  const page = '/challenges/stove-test';

  await w.step('apply', async () => {
    await w.goto(tester, page);
    await w.shot(tester, 'call');
    await tester.locator('main').getByRole('link', { name: w.t('apply.button'), exact: true }).click();
    await acceptTerms(tester);
    await tester.getByRole('button', { name: w.t('apply.send'), exact: true }).click();
    await tester.locator('.field-wrong').first().waitFor();
    await tester.locator('[name="form.outings"]').fill('The Vanoise in May, a week.');
    await w.shot(tester, 'application');
    await tester.getByRole('button', { name: w.t('apply.send'), exact: true }).click();
    await tester.getByText(w.t('apply.state.submitted'), { exact: true }).waitFor();
  });

  await w.step('select', async () => {
    await w.goto(lead, '/team/challenges/stove-test/applications');
    await lead.getByText('The Vanoise in May, a week.').waitFor();
    await w.shot(lead, 'applications');
    await lead.getByRole('button', { name: new RegExp(`^${w.t('applications.select')}`) }).first().click();
    await w.goto(tester, page);
    await tester.getByText(w.t('apply.state.selected'), { exact: true }).waitFor();
  });

  await w.step('test', async () => {
    await w.advance('144h');
    await w.goto(lead, '/team/challenges/stove-test/testers');
    await w.shot(lead, 'testers');
    await w.goto(tester, `${page}/test`);
    await tester.locator('#entry').fill('Boils a litre in four minutes, even in the wind.');
    await tester.locator('input[name="mood"][value="4"]').check({ force: true });
    await tester.getByRole('button', { name: w.t('test.add_entry'), exact: true }).click();
    await tester.getByText('Boils a litre in four minutes').waitFor();
    await w.shot(tester, 'diary');
    await w.goto(lead, '/team/challenges/stove-test/testers');
    await lead.getByRole('link', { name: 'Inès' }).first().click();
    await lead.getByText('Boils a litre in four minutes').waitFor();
    await w.shot(lead, 'diary of a tester');
  });

  // acceptTerms reads and accepts what the challenge asks for, where it does so on a page of its own.
  async function acceptTerms(who) {
    const box = who.locator('main input[type="checkbox"]');
    if (await box.count() === 0) return;
    await w.shot(who, 'terms');
    for (const one of await box.all()) await one.check({ force: true });
    await who.locator('main button[type="submit"]').first().click();
  }
});
