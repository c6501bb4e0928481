// What the pages do beyond plain HTML. Everything works without this file; it makes things more pleasant.
(() => {
  'use strict';

  const notice = document.getElementById('notice');

  // Says something below the header, where assistive technology announces it.
  const say = (text) => {
    const p = document.createElement('p');
    p.className = 'notice notice-problem';
    p.textContent = text;
    notice.replaceChildren(p);
  };

  // Counts characters the way the server does: by code point, a line end as one.
  const count = (text) => Array.from(text.replace(/\r\n/g, '\n').trim()).length;

  // Shows how much of a bounded field is used once the end comes near.
  for (const input of document.querySelectorAll('[data-counter]')) {
    const limit = Number(input.dataset.limit);
    const counter = document.createElement('p');
    counter.className = 'counter';
    counter.id = `${input.id}-counter`;
    input.setAttribute('aria-describedby', `${input.getAttribute('aria-describedby') || ''} ${counter.id}`.trim());
    input.after(counter);
    const update = () => {
      const used = count(input.value);
      const number = (n) => n.toLocaleString(document.documentElement.lang);
      counter.textContent = input.dataset.counter.replace('{used}', number(used)).replace('{limit}', number(limit));
      counter.classList.toggle('counter-over', used > limit);
    };
    input.addEventListener('input', update);
    update();
  }

  document.addEventListener('htmx:responseError', (event) => {
    if (event.target.closest('.setup')) return;
    say(notice.dataset.failed);
  });
  document.addEventListener('htmx:sendError', (event) => {
    if (event.target.closest('.setup')) return;
    say(notice.dataset.offline);
  });

  // A community that was being set up opens by itself.
  document.addEventListener('htmx:afterRequest', (event) => {
    if (event.target.closest('.setup') && event.detail.successful) location.reload();
  });

  // After "more", reading goes on at the first idea that is new.
  document.addEventListener('htmx:beforeSwap', (event) => {
    if (event.detail.target.id !== 'more' || !event.detail.shouldSwap) return;
    const before = event.detail.target.previousElementSibling;
    document.addEventListener('htmx:afterSettle', () => {
      before?.nextElementSibling?.querySelector('.card-title a')?.focus();
    }, { once: true });
  });

  // Questions that depend on an earlier answer are shown once it is given.
  for (const form of document.querySelectorAll('form[data-questions]')) {
    const dependent = [...form.querySelectorAll('[data-show-if]')];
    const update = () => {
      const answers = new FormData(form);
      for (const question of dependent) {
        const at = question.dataset.showIf.indexOf('=');
        const name = question.dataset.showIf.slice(0, at);
        const given = form.querySelector(`[name="${CSS.escape(name)}"]`)?.closest('[hidden]') ? [] : answers.getAll(name);
        question.hidden = !given.includes(question.dataset.showIf.slice(at + 1));
      }
    };
    if (dependent.length > 0) {
      form.addEventListener('input', update);
      update();
    }
  }

  // A form that has been sent cannot be sent twice by an impatient second press.
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (form.matches('[hx-post]') || form.method !== 'post') return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = 'true';
    form.querySelector('[type=submit]')?.setAttribute('aria-disabled', 'true');
  });
  // The browser may bring a page back as it was left.
  window.addEventListener('pageshow', () => {
    for (const form of document.querySelectorAll('form[data-sent]')) {
      delete form.dataset.sent;
      form.querySelector('[type=submit]')?.removeAttribute('aria-disabled');
    }
  });
})();
