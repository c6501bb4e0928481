// A mission: the community votes for who goes, the selected hand in what they were asked for, get it back once, and write a
// post that waits for a moderator.
import { journey } from './world.mjs';

await journey(async (w) => {
  const scout = await w.member('ines@members.example', 'Inès');
  const fan = await w.member('noor@members.example', 'Noor');
  const [lead] = await w.team('lead');
  const page = '/challenges/scouts';

  await w.step('apply', async () => {
    for (const [who, why] of [[scout, 'I know every spring.'], [fan, 'I like views.']]) {
      await w.goto(who, `${page}/apply`);
      await who.locator('[name="form.why"]').fill(why);
      await w.press(who, 'apply.send');
      await who.getByText(w.t('apply.state.submitted'), { exact: true }).waitFor();
    }
  });

  await w.step('vote', async () => {
    await w.goto(fan, `${page}/applications`);
    await w.shot(fan, 'candidates');
    await fan.locator('.candidate', { hasText: 'I know every spring.' }).getByRole('button').first().click();
    await fan.locator('.candidate [aria-pressed="true"]').waitFor();
  });

  await w.step('select', async () => {
    await w.advance(w.days(6));
    await w.goto(lead, '/team/challenges/scouts/applications');
    await w.shot(lead, 'applications');
    await w.press(lead, 'applications.close');
    await w.mail('ines@members.example', w.t('notice.application_selected'));
    await w.goto(scout, page);
    await scout.getByText(w.t('apply.state.selected'), { exact: true }).waitFor();
  });

  await w.step('hand in', async () => {
    await scout.locator('#result-water').fill('Below the north face.');
    await scout.locator('#link-water').fill('no link');
    await scout.locator('#task-water button[type="submit"]').click();
    await scout.locator('#link-water-error').waitFor();
    await w.shot(scout, 'task');
    await scout.locator('#link-water').fill('');
    await scout.locator('#task-water button[type="submit"]').click();
    await w.goto(scout, `${page}/topics/new`);
    await scout.locator('[name="title"]').fill('The spring is dry');
    await scout.locator('[name="body"]').fill('Since last week.');
    await w.press(scout, 'forum.publish');
    await scout.getByText(w.t('forum.pending')).waitFor();
    await w.shot(scout, 'post that waits');
  });

  await w.step('look', async () => {
    await w.goto(lead, '/team/challenges/scouts/mission');
    await w.shot(lead, 'mission');
    await lead.locator('[name="feedback"]').fill('Which side of it?');
    await w.press(lead, 'mission.redo');
    await w.screen(lead, ['The spring is dry'], 'publish');
    await w.goto(scout, page);
    await scout.getByText('Which side of it?').waitFor();
    await w.goto(fan, page);
    await fan.getByRole('link', { name: 'The spring is dry' }).waitFor();
    await w.shot(fan, 'posts');
  });
});
