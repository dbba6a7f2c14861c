// The panel inside Salesforce. Its token lives in this closure only: no cookie, no storage.
(() => {
  "use strict";
  const main = document.getElementById("panel");
  const said = document.getElementById("panel-said");
  let token = main.dataset.token;
  main.removeAttribute("data-token");
  let poll = 0;
  let pressed = "";  // a button that waits for its answer is disabled, and has lost the focus that is still its own

  const say = (words) => { said.textContent = words; };

  const part = (name) => document.getElementById(name).content.firstElementChild.cloneNode(true);

  const expire = () => {
    token = "";
    clearTimeout(poll);
    document.getElementById("panel-body").replaceWith(part("panel-expired"));
  };

  const trouble = () => {
    document.querySelector("#panel-body > .alert")?.remove();
    document.getElementById("panel-body").prepend(part("panel-unreachable"));
  };

  const put = (html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
    const old = fresh && document.getElementById(fresh.id);
    if (!old) return;
    const focused = document.activeElement === document.body ? pressed : document.activeElement?.id;
    old.replaceWith(fresh);
    if (focused) document.getElementById(focused)?.focus();
    if (fresh.dataset.said) say(fresh.dataset.said);
    watch();
  };

  const ask = async (url, options) => {
    try {
      const answer = await fetch(url, {
        ...options,
        headers: { Authorization: `Bearer ${token}` },
        credentials: "omit",
        cache: "no-store",
        referrerPolicy: "no-referrer",
      });
      if (answer.status >= 500) return trouble();
      if (answer.status === 401) token = "";
      put(await answer.text());
    } catch {
      trouble();
      watch();
    }
  };

  const watch = () => {
    clearTimeout(poll);
    const open = document.querySelector("[data-poll]");
    if (open && token) poll = setTimeout(() => ask(open.dataset.poll, { method: "GET" }), 700);
  };

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-panel]");
    if (!form) return;
    event.preventDefault();
    if (!token) return expire();
    const body = new FormData(form, event.submitter);
    pressed = event.submitter?.id ?? "";
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    ask(form.action, { method: "POST", body }).finally(() => {
      for (const button of form.querySelectorAll("button")) button.disabled = false;
    });
  });

  setTimeout(expire, Number(main.dataset.lifetime) * 1000);
  watch();
})();
