// Salesforce's log-in in a window of its own: a blocked one falls back to a redirect, a closed one is said so.
(() => {
  "use strict";
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("salesforce-connect") : null;

  const done = document.querySelector("[data-popup-done]");
  if (done && channel) {
    channel.postMessage({ url: done.dataset.popupDone });
    setTimeout(() => window.close(), 150);
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close-window]")) window.close();
  });

  document.querySelectorAll("form[data-connect]").forEach((form) => {
    const words = document.getElementById("connect-status");
    const mark = form.querySelector("[name=popup]");
    let generation = null;
    let timer = 0;

    const leave = (url) => { clearTimeout(timer); window.location.assign(url); };
    if (channel) channel.addEventListener("message", (event) => leave(event.data.url));

    const ask = async () => {
      const answer = await fetch(form.dataset.status, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      return answer.ok ? answer.json() : null;
    };
    const look = async (popup) => {
      let state = null;
      try { state = await ask(); } catch { state = null; }
      if (state && generation !== null && state.connected && state.generation !== generation) { leave(state.url); return; }
      if (state && generation === null) generation = state.generation;
      // A page of Salesforce may cut the tie to its opener; the window then only seems to be closed, so go on asking.
      words.textContent = popup.closed
        ? "The Salesforce window is closed. If you pressed Allow, this page goes on by itself in a moment; otherwise press the button again."
        : "Waiting for Salesforce. Log in and press Allow in the other window.";
      timer = setTimeout(() => look(popup), 1500);
    };
    form.addEventListener("submit", () => {
      clearTimeout(timer);
      const popup = window.open("", "salesforce", "popup,width=640,height=780");
      mark.value = popup ? "1" : "";
      form.target = popup ? "salesforce" : "";
      if (popup) { popup.focus(); generation = null; look(popup); }
    });
  });
})();
