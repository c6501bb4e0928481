// A forum: a topic, replies below what they answer, and a moderator who pins and locks.
import { journey } from './world.mjs';

await journey(async (w) => {
  const author = await w.member('ines@members.example', 'Inès');
  const other = await w.member('noor@members.example', 'Noor');
  const moderator = await w.member('moderator@brand.example', 'Maud');

  await w.step('open a topic', async () => {
    await w.goto(author, '/challenges/campfire');
    await w.shot(author, 'empty');
    await author.getByRole('link', { name: w.t('forum.new') }).first().click();
    await w.shot(author, 'new topic');
    await author.locator('[name="title"]').fill('How do you keep matches dry?');
    await author.locator('[name="body"]').fill('Mine were **soaked** last week.');
    await author.getByRole('button', { name: w.t('forum.publish'), exact: true }).click();
    await author.getByRole('heading', { level: 1, name: 'How do you keep matches dry?' }).waitFor();
  });
  const path = new URL(author.url()).pathname;
  await w.step('reply', async () => {
    await w.goto(other, path);
    await other.locator('#reply-form [name="body"]').fill('In a jar with rice.');
    await other.getByRole('button', { name: w.t('forum.send_reply'), exact: true }).click();
    await other.locator('.comment', { hasText: 'In a jar with rice.' }).waitFor();
    await w.shot(other, 'replied');
  });
  await w.step('moderate', async () => {
    await w.goto(moderator, path);
    await moderator.getByRole('button', { name: w.t('forum.lock'), exact: true }).click();
    await moderator.getByRole('button', { name: w.t('forum.unlock'), exact: true }).waitFor();
    await w.goto(other, path);
    await other.getByText(w.t('forum.no_more_replies')).waitFor();
    await w.shot(other, 'locked');
  });
});
