// In the style of Finnair's Quality Hunters: a call, four selected by public vote and jury, posts that nobody moderates
// beforehand, and ideas of the community that are followed to their launch.
import { journey } from './world.mjs';

await journey(async (w) => {
  const [lead, moderator, implementer, juror] = await w.team('lead', 'moderator', 'implementer', 'jury');
  const page = '/challenges/quality-hunters';
  const names = ['Inès', 'Noor', 'Camille', 'Aino', 'Sacha'];
  const hunters = await Promise.all(names.map((name, i) => w.member(`hunter-${i}@members.example`, name)));
  const traveller = await w.member('traveller@members.example', 'Mika');

  await w.step('apply', async () => {
    await w.goto(hunters[0], page);
    await w.shot(hunters[0], 'call');
    for (const [i, who] of hunters.entries()) {
      await w.goto(who, `${page}/apply`);
      await who.locator('[name="form.why"]').fill(`I notice what others pass by: ${names[i]}.`);
      if (i === 0) await w.shot(who, 'application');
      await w.press(who, 'apply.send');
      await who.getByText(w.t('apply.state.submitted'), { exact: true }).waitFor();
    }
  });

  const candidate = (who, name) => who.locator('li.candidate', { has: who.getByRole('heading', { name: new RegExp(name) }) });
  await w.step('vote', async () => {
    for (const name of names.slice(0, 4)) {
      await w.goto(traveller, `${page}/applications`);
      await candidate(traveller, name).getByRole('button', { name: new RegExp(`^${w.t('candidates.vote')}`) }).click();
      await candidate(traveller, name).locator('button[aria-pressed="true"]').waitFor();
    }
    await w.shot(traveller, 'candidates');
    for (const name of names) {
      await w.goto(juror, `${page}/applications`);
      await candidate(juror, name).locator('[name="form.eye"]').fill(name === 'Sacha' ? '4' : '8');
      await candidate(juror, name).locator('[name="form.pen"]').fill('7');
      await candidate(juror, name).getByRole('button', { name: w.t('candidates.save_score') }).click();
      await juror.getByText(w.t('flash.saved')).first().waitFor();
    }
    await w.shot(juror, 'jury');
  });

  await w.step('select four', async () => {
    await w.advance(w.days(11));
    await w.goto(lead, '/team/challenges/quality-hunters/applications');
    await w.shot(lead, 'to be closed');
    await lead.locator('#close-reason').fill('So many of you! You are the first who will be asked.');
    await w.press(lead, 'applications.close');
    await lead.getByText(w.t('applications.filled', { Selected: '4', Places: '4' })).waitFor();
    await w.shot(lead, 'selected');
    await w.goto(hunters[4], page);
    await hunters[4].getByText(w.t('apply.state.waiting'), { exact: true }).waitFor();
    await w.shot(hunters[4], 'not this time');
    await w.goto(hunters[0], page);
    await hunters[0].getByText(w.t('apply.state.selected'), { exact: true }).waitFor();
  });

  await w.step('post without moderation', async () => {
    await hunters[0].getByRole('link', { name: w.t('mission.new_post') }).first().click();
    await hunters[0].locator('[name="title"]').fill('Forty minutes in the lounge');
    await hunters[0].locator('[name="body"]').fill('The soup was warm, the welcome **warmer**.');
    await w.press(hunters[0], 'forum.publish');
    await hunters[0].getByRole('heading', { level: 1, name: 'Forty minutes in the lounge' }).waitFor();
    const reader = await w.visitor();
    await w.goto(reader, page);
    await reader.getByRole('link', { name: 'Forty minutes in the lounge' }).click();
    await reader.getByText('The soup was warm').waitFor();
    await w.shot(reader, 'post');
    await w.goto(traveller, page);
    w.assert(await traveller.getByRole('link', { name: w.t('mission.new_post') }).count() === 0, 'somebody who is not on the mission can post');
  });

  await w.step('tasks', async () => {
    await w.goto(hunters[0], page);
    await hunters[0].locator('#result-lounge').fill('The desk knew my name before I had said it.');
    await hunters[0].locator('#task-lounge').getByRole('button', { name: new RegExp(`^${w.t('mission.send')}`) }).click();
    await hunters[0].locator('.task-submitted').first().waitFor();
    await w.shot(hunters[0], 'mission');
    await w.goto(lead, '/team/challenges/quality-hunters/mission');
    await w.shot(lead, 'mission of the team');
    await w.press(lead, 'mission.accept');
    await lead.getByText(w.t('flash.saved')).first().waitFor();
  });

  await w.step('ideas of the community', async () => {
    const idea = await w.enter(traveller, 'quality-hunters', 'Book a quiet row', 'For those who sleep, work or read.');
    await w.screen(moderator, ['Book a quiet row'], 'publish');
    await w.goto(hunters[1], `/ideas/${idea}`);
    await w.press(hunters[1], 'vote.button');
    await hunters[1].locator('.vote-button[aria-pressed="true"]').first().waitFor();
    await w.move(lead, idea, 'under_review');
    await w.move(lead, idea, 'selected', 'Rows 20 to 24 can be quiet from this summer on.');
    await w.implement(implementer, idea);
    await w.goto(traveller, page);
    await w.shot(traveller, 'implemented');
    await w.goto(traveller, `/ideas/${idea}`);
    await traveller.getByText('Rows 20 to 24').first().waitFor();
    await w.shot(traveller, 'its life');
    await w.goto(traveller, '/recognition');
    await w.eventually(traveller, () => traveller.locator('ol').getByText('+300', { exact: true }).isVisible(), 'the author is credited');
    await w.shot(traveller, 'credited');
    await w.carriedOut();
    await w.goto(lead, '/team/insights');
    await w.eventually(lead, () => lead.locator('.objective').filter({ hasText: w.t('insights.of', { Target: '260' }) }).getByText('1', { exact: true }).isVisible(),
      'the idea counts for the objective');
    await w.shot(lead, 'objectives');
  });
});
