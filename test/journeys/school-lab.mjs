// A school innovation lab: pupils and teachers alone, a guardian's consent for the younger ones, a workshop, the balance of
// who takes part, and thanks without money.
import { journey } from './world.mjs';

await journey(async (w) => {
  const [lead, moderator] = await w.team({ attributes: { group: 'teacher' } }, 'lead', 'moderator');

  await w.step('closed', async () => {
    const stranger = await w.visitor();
    await w.goto(stranger, '/challenges/better-lessons');
    w.assert(new URL(stranger.url()).pathname === '/sign-in', 'a closed community shows its pages to strangers');
    await stranger.locator('#email').fill('stranger@elsewhere.example');
    await w.press(stranger, 'sign_in.button');
    await stranger.getByRole('heading', { name: w.t('sent.title') }).waitFor();
    await w.shot(stranger, 'closed');
    const refusal = await w.mail('stranger@elsewhere.example', w.t('mail.refused.note').slice(0, 20));
    w.assert(!/token=/.test(refusal.Text), 'a stranger is let in');
  });

  const young = { born: w.born(13), guardian: 'parent@home.example', attributes: { group: 'pupil' } };
  const [pupil, teacher] = await Promise.all([
    w.newcomer('lea@school.example', 'Léa', young, 'joining'),
    w.newcomer('paul@school.example', 'Paul', { born: '1979-05-03', attributes: { group: 'teacher' } }),
  ]);
  const page = '/challenges/better-lessons';
  const title = 'Lessons that begin with a question';
  const write = async (who) => {
    await w.goto(who, `${page}/enter`);
    await who.locator('[name="title"]').fill(title);
    await who.locator('[name="body"]').fill('We vote on the evening before which one.');
    await w.press(who, 'entry.button');
  };

  await w.step('a guardian consents', async () => {
    await write(pupil);
    await pupil.getByText(w.t('standing.guardian_needed')).waitFor();
    await w.shot(pupil, 'waits for a guardian');
    const letter = await w.mail('parent@home.example', '/guardian\\?token=[\\w-]+');
    const guardian = await w.visitor();
    await w.goto(guardian, letter.Found);
    await w.shot(guardian, 'guardian');
    await w.press(guardian, 'guardian.give');
    await guardian.getByText(w.t('guardian.given')).waitFor();
  });

  const idea = await w.step('design lessons', async () => {
    const number = await w.enter(pupil, 'better-lessons', title, 'We vote on the evening before which one.');
    await w.screen(moderator, [title], 'publish');
    await w.goto(teacher, `/ideas/${number}`);
    await w.press(teacher, 'vote.button');
    await teacher.locator('.vote-button[aria-pressed="true"]').first().waitFor();
    await teacher.locator('#body').fill('I will try it on Monday.');
    await w.press(teacher, 'idea.comment.button');
    await w.goto(moderator, '/team/moderation');
    await moderator.getByRole('checkbox').first().check();
    await w.press(moderator, 'queue.publish');
    await w.goto(pupil, `/ideas/${number}`);
    await pupil.getByText('I will try it on Monday.').waitFor();
    await w.shot(pupil, 'idea');
    await w.goto(pupil, page);
    await w.shot(pupil, 'challenge');
    return number;
  });

  await w.step('workshop', async () => {
    for (const [who, key, name] of [[pupil, 'workshop.register', 'place taken'], [teacher, 'workshop.queue', 'waiting list']]) {
      await w.goto(who, '/challenges/design-day');
      await who.locator('.session-title a').click();
      await w.press(who, key);
      await who.locator('.method-state').first().waitFor();
      await w.shot(who, name);
    }
  });

  await w.step('what the brand does with it', async () => {
    await w.move(lead, idea, 'under_review');
    await w.move(lead, idea, 'selected', 'Four classes try it until Easter.');
    await w.carriedOut();
    await w.goto(lead, '/team/insights');
    await lead.locator('#value-success').fill('77');
    await lead.getByRole('button', { name: new RegExp(`^${w.t('insights.enter.button')}`) }).click();
    await w.eventually(lead, () => lead.getByText(w.t('insights.reached')).first().isVisible(), 'the objective is reached');
    await w.eventually(lead, () => lead.getByRole('row').getByText(w.t('insights.percent', { Percent: '70' })).first().isVisible(), 'the quotas are shown');
    await w.shot(lead, 'objective and balance');
  });

  await w.step('no money', async () => {
    await w.goto(lead, '/team/royalties');
    await lead.getByText(w.t('royalties.off')).waitFor();
    await w.shot(lead, 'no royalties');
    await w.goto(pupil, '/recognition');
    await w.eventually(pupil, () => pupil.locator('.medal:not(.medal-ahead)').first().isVisible(), 'the pupil has a badge');
    w.assert(!/[€$£]|EUR/.test(await pupil.locator('main').innerText()), 'a pupil is promised money');
    await w.shot(pupil, 'thanks');
  });
});
