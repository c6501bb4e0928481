// In the style of Finnair's Quality Hunters: a call, a selection, posts that nobody moderates beforehand, ideas of the
// community on their way.
import { journey } from './world.mjs';

await journey(async (w) => {
  const hunter = await w.member('ines@members.example', 'Inès');
  const lead = await w.member('lead@brand.example', 'Lou');
  const page = '/challenges/quality-hunters';

  await w.step('apply', async () => {
    await w.goto(hunter, page);
    await hunter.locator('main').getByRole('link', { name: w.t('apply.button'), exact: true }).click();
    await hunter.locator('[name="form.why"]').fill('I notice what others pass by.');
    await hunter.getByRole('button', { name: w.t('apply.send'), exact: true }).click();
    await hunter.getByText(w.t('apply.state.submitted'), { exact: true }).waitFor();
    await w.shot(hunter, 'applied');
  });
  await w.step('select', async () => {
    await w.goto(lead, '/team/challenges/quality-hunters/applications');
    await lead.getByRole('button', { name: new RegExp(`^${w.t('applications.select')}`) }).first().click();
    await lead.waitForLoadState();
    await w.shot(lead, 'selected');
  });
  await w.step('hunt', async () => {
    await w.advance('264h');
    await w.goto(hunter, page);
    await hunter.getByRole('heading', { name: w.t('mission.tasks') }).waitFor();
    await w.shot(hunter, 'mission');
  });
});
