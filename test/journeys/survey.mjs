// A survey: wrong input is kept with its reason, an answer counts once, the team reads results and exports them.
import { journey } from './world.mjs';

await journey(async (w) => {
  const member = await w.member('ines@members.example', 'Inès');
  const lead = await w.member('lead@brand.example', 'Lou');

  await w.step('answer', async () => {
    await w.goto(member, '/challenges/your-nights');
    await member.locator('[name="form.nights"]').fill('a few');
    await member.getByRole('button', { name: w.t('survey.send'), exact: true }).click();
    await member.locator('[aria-invalid="true"]').first().waitFor();
    w.assert(await member.locator('[name="form.nights"]').inputValue() === 'a few', 'the wrong answer was not kept');
    await w.shot(member, 'wrong');
    await member.locator('[name="form.nights"]').fill('12');
    await member.locator('input[name="form.where"][value="hills"]').check({ force: true });
    await member.locator('input[name="form.again"][value="9"]').check({ force: true });
    await member.getByRole('button', { name: w.t('survey.send'), exact: true }).click();
    await member.getByText(w.t('survey.thanks')).waitFor();
    await w.shot(member, 'answered');
  });

  await w.step('results', async () => {
    await w.goto(lead, '/team/methods');
    await w.shot(lead, 'methods');
    await w.goto(lead, '/team/challenges/your-nights/results');
    await lead.getByRole('heading', { level: 1 }).waitFor();
    await w.shot(lead, 'results');
    await w.goto(member, '/team/challenges/your-nights/results', 404);
  });
});
