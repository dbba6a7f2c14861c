// Small comforts; every page works without them.
(() => {
  "use strict";
  const root = document.documentElement;
  const page = document.getElementById("page");

  const closeMenus = (except) => document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (menu !== except) menu.open = false;
  });

  const say = (words, kind = "") => {
    const shown = [...document.querySelectorAll("#toasts .toast > span")];
    if (kind && shown.some((one) => one.textContent === words)) return;
    const toast = document.createElement("div");
    toast.className = `toast ${kind}`;
    const text = document.createElement("span");
    text.textContent = words;
    const close = document.createElement("button");
    close.type = "button";
    close.dataset.dismiss = "";
    close.setAttribute("aria-label", "Dismiss");
    close.textContent = "×";
    toast.append(text, close);
    document.getElementById("toasts").append(toast);
    fade(toast);
  };

  // A message goes by itself, unless it is an error, or somebody is reading it.
  const fade = (toast) => {
    if (toast.classList.contains("error") || toast.classList.contains("warning")) return;
    setTimeout(() => { if (toast.matches(":hover, :focus-within")) fade(toast); else toast.remove(); }, 8000);
  };
  document.querySelectorAll("#toasts .toast").forEach((toast) => fade(toast));

  const copy = async (button) => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      say("Copied");
    } catch {
      say("Your browser did not allow copying.", "error");
    }
  };

  document.addEventListener("click", (event) => {
    const find = (selector) => event.target.closest(selector);
    closeMenus(find("details.menu"));
    const opener = find("[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset.dialog);
    if (dialog && dialog.showModal) {
      event.preventDefault();
      dialog.showModal();
    }
    if (find("[data-close]")) find("dialog").close();
    if (find("[data-dismiss]")) find(".toast").remove();
    if (find("[data-copy]")) copy(find("[data-copy]"));
    const all = find("[data-check-all]");
    if (all) document.querySelectorAll(all.dataset.checkAll).forEach((box) => { box.checked = all.checked; });
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const search = document.getElementById("global-search");
      if (search) {
        event.preventDefault();
        search.focus();
      }
    }
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    if (location.hash === "#navigation") {
      page.inert = false;
      location.hash = "#content";
      document.querySelector(".drawer-button").focus();
    }
  });

  // A drawer is open as long as the address says so; what lies behind it is out of reach meanwhile.
  const showDrawer = () => { if (page) page.inert = location.hash === "#navigation" && matchMedia("(max-width: 860px)").matches; };
  addEventListener("hashchange", showDrawer);
  addEventListener("resize", showDrawer);
  showDrawer();

  // What a chart says at the pointer; the table beside it says the same to everybody else.
  let tip = null;
  const hideTip = () => { if (tip) tip.remove(); tip = null; };
  document.addEventListener("pointermove", (event) => {
    const mark = event.target.closest && event.target.closest("[data-tip]");
    if (!mark) { hideTip(); return; }
    if (!tip) {
      tip = document.createElement("div");
      tip.className = "chart-tip";
      tip.setAttribute("aria-hidden", "true");
      document.body.append(tip);
    }
    tip.textContent = mark.dataset.tip;
    const x = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(8, x)}px`;
    tip.style.top = `${Math.max(8, event.clientY - tip.offsetHeight - 12)}px`;
  });
  addEventListener("scroll", hideTip, { passive: true });

  // A line at the top while something is fetched; what asks by itself now and then shows none.
  const line = document.getElementById("loading");
  const asksByItself = (element) => /every|load/.test(element.getAttribute("hx-trigger") || "");
  let pending = 0;
  let waiting = 0;
  const settle = () => {
    pending = Math.max(0, pending - 1);
    if (pending) return;
    clearTimeout(waiting);
    if (line) line.hidden = true;
  };
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (!line || asksByItself(event.detail.elt)) return;
    pending += 1;
    clearTimeout(waiting);
    waiting = setTimeout(() => { line.hidden = pending === 0; }, 180);
  });
  document.body.addEventListener("htmx:afterRequest", (event) => { if (!asksByItself(event.detail.elt)) settle(); });

  // The chosen theme shows at once; the server keeps it.
  document.querySelectorAll("form[data-theme-switch]").forEach((form) => form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form, event.submitter);
    const chosen = data.get("theme");
    if (chosen === "system") delete root.dataset.theme;
    else root.dataset.theme = chosen;
    form.querySelectorAll("button").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.value === chosen));
    });
    fetch(form.action, { method: "POST", body: data, headers: { "X-Requested-With": "fetch" } })
      .then((answer) => { if (!answer.ok) throw new Error(); })
      .catch(() => say("The theme could not be saved.", "error"));
  }));

  document.body.addEventListener("toast", (event) => say(event.detail.value));
  const REFUSED = {
    403: "Your role does not allow this, or this page is too old. Reload it.",
    404: "This is not there any more. Reload the page.",
    409: "Nothing was saved: this page is out of date. Reload it.",
  };
  document.body.addEventListener("htmx:responseError", (event) => {
    say(REFUSED[event.detail.xhr.status] || "That did not work. Please try again.", "error");
  });
  document.body.addEventListener("htmx:sendError", () => say("Syncline cannot be reached. Please try again.", "error"));
})();
