// A concept test: each member sees every concept once, in an order of their own, and is asked the same of each.
import { journey } from './world.mjs';

await journey(async (w) => {
  const lead = await w.member('lead@brand.example', 'Lou');
  for (const [address, name] of [['ines@members.example', 'Inès'], ['noor@members.example', 'Noor']]) {
    const member = await w.member(address, name);
    const seen = [];
    await w.goto(member, '/challenges/two-tents');
    await w.shot(member, 'call');
    await member.getByRole('link', { name: w.t('concept.begin'), exact: true }).click();
    for (let i = 0; i < 2; i += 1) {
      await member.locator('#concept-title').waitFor();
      seen.push(await member.locator('#concept-title').innerText());
      await member.locator('input[name="form.like"][value="4"]').check({ force: true });
      await w.shot(member, `concept ${i + 1}`);
      await member.getByRole('button', { name: new RegExp(`^(${w.t('survey.next')}|${w.t('survey.send')})$`) }).click();
    }
    await member.getByText(w.t('concept.thanks')).waitFor();
    w.assert(new Set(seen).size === 2, `was shown ${seen}`);
  }
  await w.step('compare', async () => {
    await w.goto(lead, '/team/challenges/two-tents/results');
    await w.shot(lead, 'results');
  });
});
