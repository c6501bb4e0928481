// A workshop with one place: the second waits and moves up when the first gives it back; place and link are for those
// who come.
import { journey } from './world.mjs';

await journey(async (w) => {
  const first = await w.member('ines@members.example', 'Inès');
  const second = await w.member('noor@members.example', 'Noor');
  const evening = w.locale === 'fr' ? 'En soirée' : 'In the evening';
  const session = async (page) => {
    await w.goto(page, '/challenges/knots');
    await page.locator('.session-title a').click();
    await page.getByRole('heading', { level: 1 }).waitFor();
  };

  await w.step('take the place', async () => {
    await session(first);
    w.assert(await first.getByText('meet.brand.example').count() === 0, 'the link is shown to somebody who does not come');
    await first.getByRole('button', { name: w.t('workshop.register') }).click();
    await first.getByText(w.t('workshop.registered')).first().waitFor();
    w.assert(await first.locator('a[href="https://meet.brand.example/knots"]').count() === 1, 'the link is not shown');
    await w.shot(first, 'registered');
    await w.mail('ines@members.example', w.t('notice.workshop_registered', { Award: evening }));
  });
  await w.step('wait', async () => {
    await session(second);
    await second.getByRole('button', { name: w.t('workshop.queue') }).click();
    await second.getByText(w.t('workshop.waiting', { Place: '1' })).first().waitFor();
    await w.shot(second, 'waiting');
  });
  await w.step('move up', async () => {
    await first.getByRole('button', { name: w.t('workshop.unregister') }).click();
    await w.eventually(second, () => second.getByText(w.t('workshop.registered')).first().isVisible(), 'the place is passed on');
    await w.mail('noor@members.example', w.t('notice.workshop_moved_up', { Award: evening }));
    await w.shot(second, 'moved-up');
  });
});
