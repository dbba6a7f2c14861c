// A long list becomes one to search in: select[data-picker] stays what is sent, a combobox stands before it.
(() => {
  "use strict";
  if (document.documentElement.dataset.pickers) return;
  document.documentElement.dataset.pickers = "ready";
  const MOST = 80;
  const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

  const enhance = (select) => {
    if (select.dataset.ready) return;
    select.dataset.ready = "yes";
    const id = select.id;
    const frame = document.createElement("div");
    frame.className = "picker";
    const input = document.createElement("input");
    const list = document.createElement("ul");
    input.id = `${id}-picker`;
    input.type = "text";
    input.autocomplete = "off";
    input.spellcheck = false;
    input.placeholder = select.dataset.picker;
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", `${id}-options`);
    ["aria-invalid", "aria-describedby", "disabled"].forEach((name) => {
      if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
    });
    list.id = `${id}-options`;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", select.dataset.picker);
    list.hidden = true;
    document.querySelectorAll(`label[for="${CSS.escape(id)}"]`).forEach((label) => { label.htmlFor = input.id; });
    select.classList.add("hidden-label");
    select.tabIndex = -1;
    select.setAttribute("aria-hidden", "true");
    select.before(frame);
    frame.append(input, list, select);

    let active = -1;
    const chosen = () => {
      const option = select.selectedOptions[0];
      return option && option.value ? option.textContent.trim() : "";
    };
    const shown = () => [...list.querySelectorAll('[role="option"]')];
    const mark = (number) => {
      const options = shown();
      active = options.length ? (number + options.length) % options.length : -1;
      options.forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
      if (active < 0) { input.removeAttribute("aria-activedescendant"); return; }
      input.setAttribute("aria-activedescendant", options[active].id);
      options[active].scrollIntoView({ block: "nearest" });
    };
    const close = () => {
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };
    const open = (asked) => {
      const parts = words(asked);
      const found = [...select.options].filter((option) => {
        const text = `${option.textContent} ${option.value} ${option.dataset.note || ""}`.toLowerCase();
        return option.value && parts.every((part) => text.includes(part));
      });
      list.replaceChildren(...found.slice(0, MOST).map((option, at) => {
        const item = document.createElement("li");
        const label = document.createElement("span");
        label.textContent = option.textContent.trim();
        item.append(label);
        if (option.dataset.hint) {
          const hint = document.createElement("span");
          hint.className = "small muted";
          hint.textContent = option.dataset.hint;
          item.append(hint);
        }
        item.id = `${id}-option-${at}`;
        item.dataset.value = option.value;
        item.setAttribute("role", "option");
        if (option.disabled) item.setAttribute("aria-disabled", "true");
        return item;
      }));
      if (found.length === 0 || found.length > MOST) {
        const more = document.createElement("li");
        more.className = "small muted";
        more.setAttribute("role", "presentation");
        more.textContent = found.length ? `${found.length - MOST} more: go on typing` : "Nothing is called like that.";
        list.append(more);
      }
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
      mark(parts.length && found.length ? 0 : shown().findIndex((item) => item.dataset.value === select.value));
    };
    const pick = (item) => {
      if (!item || item.getAttribute("aria-disabled") === "true") return;
      const changed = select.value !== item.dataset.value;
      select.value = item.dataset.value;
      input.value = chosen();
      close();
      if (changed) select.dispatchEvent(new Event("change", { bubbles: true }));
    };

    input.value = chosen();
    input.addEventListener("focus", () => input.select());
    input.addEventListener("click", () => { if (list.hidden) open(""); });
    input.addEventListener("input", () => open(input.value));
    input.addEventListener("blur", () => {
      if (!input.value.trim() && select.value && select.options[0] && !select.options[0].value) {
        select.value = "";
        select.dispatchEvent(new Event("change", { bubbles: true }));
      }
      input.value = chosen();
      close();
    });
    input.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) {
        event.preventDefault();
        if (list.hidden) open("");
        else mark(active + step);
      } else if (event.key === "Enter" && !list.hidden) {
        event.preventDefault();
        pick(shown()[active]);
      } else if (event.key === "Escape" && !list.hidden) {
        event.preventDefault();
        event.stopPropagation();
        input.value = chosen();
        close();
      } else if (event.key === "Tab" && !list.hidden && input.value !== chosen()) {
        pick(shown()[active]);
      }
    });
    list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      pick(event.target.closest('[role="option"]'));
    });
    select.addEventListener("focus", () => input.focus());
    select.addEventListener("change", () => { input.value = chosen(); });
    if (select.autofocus) input.focus();
  };

  const all = (root) => root.querySelectorAll("select[data-picker]").forEach(enhance);
  all(document);
  document.body.addEventListener("htmx:load", (event) => all(event.detail.elt.parentElement || document));
})();
