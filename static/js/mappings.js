// Comforts of the mapping table: search, shorthands, and the name of a new field only where it is wanted.
(() => {
  "use strict";
  const SHORTHANDS = { pull: ["overwrite", "off"], push: ["off", "overwrite"], two_way: ["overwrite", "overwrite"] };

  const ways = (scope) => ["in", "out"].map((way) => scope.querySelector(`select[data-way="${way}"]`));
  const show = (scope) => {
    const [into, out] = ways(scope);
    if (!into || !out) return;
    scope.querySelectorAll("[data-shorthand]").forEach((button) => {
      const wanted = SHORTHANDS[button.dataset.shorthand];
      button.setAttribute("aria-pressed", String(into.value === wanted[0] && out.value === wanted[1]));
    });
  };
  const scopeOf = (element) => element.closest("tr, section");

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-shorthand]");
    if (!button) return;
    event.preventDefault();
    const scope = scopeOf(button);
    const [into, out] = ways(scope);
    [into.value, out.value] = SHORTHANDS[button.dataset.shorthand];
    show(scope);
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-way]")) show(scopeOf(event.target));
    if (event.target.id === "local_field") newField();
  });

  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-search-rows]")) return;
    const form = event.target.closest("form");
    const parts = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    form.querySelectorAll("tr[data-row]").forEach((row) => {
      row.hidden = !parts.every((part) => row.dataset.row.includes(part));
      if (!row.hidden) found += 1;
    });
    form.querySelector(".nothing-found").hidden = found > 0;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-search-rows]")) event.preventDefault();
  });

  const newField = () => {
    const chosen = document.getElementById("local_field");
    const field = document.querySelector(".new-field");
    if (chosen && field) field.hidden = chosen.value !== "new";
  };
  const begin = () => {
    document.querySelectorAll(".mapping-search, .wide-shorthands").forEach((part) => { part.hidden = false; });
    document.querySelectorAll("section:has(.wide-shorthands)").forEach(show);
    newField();
  };
  begin();
  document.body.addEventListener("htmx:load", begin);
})();
