// Fills tiles and tables anew each second while a run goes on, and has the charts drawn from them.
(() => {
  "use strict";
  const cell = (value) => {
    const made = document.createElement("td");
    made.textContent = value == null ? "" : String(Math.round(value * 100) / 100);
    return made;
  };
  const fill = (figure, rows) => {
    const lines = rows.map((row) => {
      const line = document.createElement("tr");
      line.append(...row.map(cell));
      return line;
    });
    figure.querySelector("details tbody").replaceChildren(...lines);
  };
  const told = document.querySelector(".verdict span");

  const again = async () => {
    try {
      const answer = await fetch(document.body.dataset.readings, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      const { tiles, charts, told: what } = await answer.json();
      const shown = [...document.querySelectorAll(".tiles li")];
      if (shown.length !== tiles.length) return location.reload(); // the first run has begun
      shown.forEach((tile, at) => {
        const [value, more] = tiles[at];
        tile.querySelector("strong").textContent = value;
        if (more) tile.querySelector(".told").textContent = more;
      });
      for (const [name, rows] of Object.entries(charts)) fill(document.getElementById(name), rows);
      for (const chart of window.tidemarkCharts) chart.again();
      told.textContent = what;
    } catch {
      told.textContent = "Locust does not answer any more: this is what was seen last.";
    }
    setTimeout(again, 1000);
  };
  setTimeout(again, 1000);
})();
