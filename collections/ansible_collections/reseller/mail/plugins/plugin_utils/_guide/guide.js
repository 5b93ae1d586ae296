// SPDX-License-Identifier: GPL-3.0-or-later
// A button to copy beside every value. Without this script, or where it may not reach the clipboard, values are marked by a click and copied by hand.
"use strict";
(() => {
  const words = document.body.dataset;
  const status = document.getElementById("status");

  const select = (code) => {
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  };

  const copy = async (code) => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      return true;
    } catch {   // no permission, or a page that was opened as a file
      select(code);
      return document.execCommand("copy");
    }
  };

  for (const code of document.querySelectorAll("code[data-copy]")) {
    const button = document.createElement("button");
    const label = words.copyWhat.replace("{}", code.dataset.copy);
    button.type = "button";
    button.className = "copy";
    button.title = label;
    button.setAttribute("aria-label", `${label}: ${code.textContent.slice(0, 60)}`);
    button.addEventListener("click", async () => {
      const done = await copy(code);
      status.textContent = `${code.dataset.copy}: ${done ? words.copied : words.select}`;
      button.classList.toggle("done", done);
      clearTimeout(button.timer);
      button.timer = setTimeout(() => {
        button.classList.remove("done");
        status.textContent = "";
      }, 2500);
    });
    code.after(button);
  }
  for (const details of document.querySelectorAll("details")) {   // paper shows all
    addEventListener("beforeprint", () => { details.dataset.was = details.open; details.open = true; });
    addEventListener("afterprint", () => { details.open = details.dataset.was === "true"; });
  }
})();
