// What moderators do: publish and refuse with a reason, in bulk; trusted members skip the queue, listed terms never do;
// reports of ideas, comments and topics; a comment hidden; a sanction, the appeal, and its answer.
import { journey } from './world.mjs';

await journey(async (w) => {
  const author = await w.member('ines@members.example', 'Inès');
  const reader = await w.member('noor@members.example', 'Noor');
  const [moderator] = await w.team('moderator');
  const flash = (page, key) => page.getByText(w.t(key)).first().waitFor();

  const submit = async (page, title, body) => {
    await w.goto(page, '/ideas/new');
    await page.locator('[name="title"]').fill(title);
    await page.locator('[name="body"]').fill(body);
    await w.press(page, 'submit.button');
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
    return new URL(page.url()).pathname;
  };

  const path = await w.step('wait', async () => {
    const first = await submit(author, 'A train that sings', 'It hums on the straight and whistles in bends.');
    await author.getByText(w.t('notice.pending')).first().waitFor();
    await w.shot(author, 'waits');
    await submit(author, 'Half a thought', 'Something with wheels.');
    await w.goto(reader, first, 404);
    return first;
  });

  await w.step('decide', async () => {
    await w.goto(moderator, '/team');
    await w.shot(moderator, 'home of the team');
    await w.goto(moderator, '/team/moderation');
    await w.shot(moderator, 'queue');
    await w.press(moderator, 'queue.reject');
    await moderator.getByText(w.t('queue.none_selected')).waitFor();
    await w.screen(moderator, ['Half a thought'], 'changes', 'unclear', 'What would it look like?');
    await w.screen(moderator, ['A train that sings'], 'publish');
    await moderator.getByText(w.t('queue.empty')).waitFor();
    await w.shot(moderator, 'all done');
    await w.goto(author, '/profile/ideas');
    await author.getByText('What would it look like?').waitFor();
    await w.shot(author, 'own ideas');
  });

  await w.step('trusted', async () => {
    await w.goto(author, '/recognition');
    await w.eventually(author, () => author.locator('main').getByText(w.locale === 'fr' ? 'Membre de confiance' : 'Trusted member').first().isVisible(), 'the author is trusted');
    await w.shot(author, 'trusted');
    await submit(author, 'A dice tower', 'Of cardboard, to be folded.');
    await w.goto(reader, '/ideas?order=newest');
    await reader.getByRole('link', { name: 'A dice tower' }).waitFor();
    await submit(author, 'No knockoff', 'Contrefaçon ? Non merci.');
    await w.goto(moderator, '/team/moderation');
    await moderator.getByText(w.t('queue.terms')).waitFor();
    await w.shot(moderator, 'listed term');
    await w.screen(moderator, ['No knockoff'], 'reject', 'off_topic');
  });

  await w.step('talk', async () => {
    await w.goto(reader, path);
    await reader.locator('.comment-form [name="body"]').fill('Mine sings already, and louder.');
    await w.press(reader, 'idea.comment.button');
    await flash(reader, 'flash.comment_pending');
    await w.goto(author, '/challenges/playroom/topics/new');
    await author.locator('[name="title"]').fill('Which toys do you repair?');
    await author.locator('[name="body"]').fill('I glue wheels.');
    await w.press(author, 'forum.publish');
    await author.getByRole('heading', { level: 1 }).waitFor();
    const topic = new URL(author.url()).pathname;
    await w.goto(moderator, '/team/moderation');
    for (const box of await moderator.locator('main input[name="item"]').all()) await box.check();
    await w.press(moderator, 'queue.publish');
    await flash(moderator, 'flash.idea_decided');
    await w.goto(reader, topic);
    await reader.getByRole('link', { name: w.t('idea.report'), exact: true }).click();
    await reader.locator('main button[type="submit"]').click();
    await reader.locator('.field-wrong').waitFor();
    await w.goto(reader, `${topic}/report`);
    await w.shot(reader, 'report a topic');
    await reader.locator('input[value="advertising"]').check({ force: true });
    await w.press(reader, 'report.button');
    await flash(reader, 'flash.reported');
  });

  await w.step('report', async () => {
    await w.goto(author, path);
    await author.locator('.comment').getByRole('link', { name: w.t('comment.report') }).click();
    await w.shot(author, 'report a comment');
    await author.locator('input[value="offensive"]').check({ force: true });
    await author.locator('#reason').fill('It is loud.');
    await w.press(author, 'report.button');
    await w.goto(moderator, '/team/moderation');
    await moderator.getByText('It is loud.').waitFor();
    await w.shot(moderator, 'reports');
    await w.goto(moderator, path);
    await w.shot(moderator, 'idea as a moderator');
    await moderator.locator('.comment').getByRole('link', { name: w.t('comment.hide') }).click();
    await w.press(moderator, 'moderated.hide');
    await moderator.locator('#reason-error').waitFor();
    await w.shot(moderator, 'hide without a reason');
    await moderator.locator('#code').selectOption('offensive');
    await moderator.locator('#reason').fill('Please leave room for others.');
    await w.press(moderator, 'moderated.hide');
    await moderator.getByText(w.t('moderated.hidden'), { exact: true }).waitFor();
    await w.shot(moderator, 'hidden');
    await w.goto(reader, path);
    await reader.getByText('Please leave room for others.').waitFor();
    await w.shot(reader, 'own hidden comment');
    await w.goto(author, path);
    w.assert(await author.getByText('Mine sings already').count() === 0, 'a hidden comment is shown');
  });

  await w.step('sanction', async () => {
    await w.goto(moderator, '/team/members?name=Noor');
    await w.shot(moderator, 'members');
    await moderator.locator('.mrow a').first().click();
    await moderator.locator('input[name="kind"][value="mute"]').check({ force: true });
    await w.press(moderator, 'team.sanctions.button');
    await moderator.locator('#reason-error').waitFor();
    await moderator.locator('#reason').fill('Three loud comments in a week.');
    await w.press(moderator, 'team.sanctions.button');
    await moderator.locator('#sanctions').waitFor();
    await w.shot(moderator, 'member with a sanction');
    await w.goto(reader, '/account/standing');
    await reader.getByText('Three loud comments in a week.').waitFor();
    await w.shot(reader, 'standing');
    await reader.getByText(w.t('sanction.appeal'), { exact: true }).click();
    await reader.locator('main textarea').fill('It was one comment.');
    await w.press(reader, 'sanction.appeal.button');
    await reader.getByText(w.t('sanction.waiting')).waitFor();
  });

  await w.step('appeal', async () => {
    await w.goto(moderator, '/team/appeals');
    await moderator.getByText('It was one comment.').waitFor();
    await w.shot(moderator, 'appeals');
    await moderator.locator('main textarea').fill('You are right, it was one.');
    await w.press(moderator, 'team.member_appeals.lift');
    await moderator.getByText(w.t('team.member_appeals.none')).waitFor();
    await w.goto(reader, '/account/standing');
    await reader.getByText('You are right, it was one.').waitFor();
    await w.goto(reader, '/notices');
    await w.eventually(reader, () => reader.getByText(w.t('notice.appeal_answered')).first().isVisible(), 'the reader is told of the answer');
    await w.shot(reader, 'notices');
  });
});
