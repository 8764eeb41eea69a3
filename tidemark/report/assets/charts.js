// Draws each chart from the table beneath it.
(() => {
  "use strict";
  const DASHES = [[], [6, 3], [2, 3], [10, 3, 2, 3], [1, 2], []];
  const HEIGHT = 240;
  // As wide as fits a sheet between its margins.
  const PAPER = 640;
  const LEAST_LABEL_PX = 46;
  const charts = [];
  window.tidemarkCharts = charts;

  const colour = (name) => getComputedStyle(document.body).getPropertyValue(`--${name}`).trim();
  const number = (text) => (text === "" || text === "–" ? null : Number(text));
  const clock = (seconds) => {
    const s = Math.round(seconds);
    const two = (n) => String(n).padStart(2, "0");
    return s < 3600
      ? `${Math.floor(s / 60)}:${two(s % 60)}`
      : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  };
  const short = (value) => {
    if (value == null) return "–";
    const size = Math.abs(value);
    if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
    if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
    return String(+value.toPrecision(3));
  };

  const read = (figure, spec) => {
    const rows = [...figure.querySelectorAll("details tbody tr")].map((row) => [...row.cells]);
    const names = [...figure.querySelectorAll("details thead th")].slice(1, spec.drawn + 1).map((cell) => cell.textContent);
    const xs = rows.map(([first]) => Number(first.dataset.x ?? first.textContent));
    const labels = rows.map(([first]) => first.textContent.trim());
    const lines = names.map((_, at) => rows.map((row) => number(row[at + 1].textContent.trim())));
    // A logarithm has no place for nothing.
    const drawn = spec.isLog ? lines.map((line) => line.map((v) => (v > 0 ? v : null))) : lines;
    return { names, xs, labels, drawn };
  };

  const shade = (faults) => (u) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.fillStyle = colour("fault");
    for (const [, from, to] of faults) {
      const left = Math.max(bbox.left, u.valToPos(from, "x", true));
      const right = Math.min(bbox.left + bbox.width, u.valToPos(to, "x", true));
      if (right >= bbox.left && left <= bbox.left + bbox.width)
        ctx.fillRect(left, bbox.top, Math.max(right - left, 2), bbox.height);
    }
    ctx.restore();
  };

  const bound = (bounds) => (u) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("bad");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "right";
    for (const [name, value] of bounds) {
      const y = u.valToPos(value, "y", true);
      if (!(y >= bbox.top && y <= bbox.top + bbox.height)) continue;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.fillText(name, bbox.left + bbox.width - 4, y - 4 * devicePixelRatio);
    }
    ctx.restore();
  };

  const draw = (figure) => {
    const spec = JSON.parse(figure.dataset.spec);
    const { names, xs, labels, drawn } = read(figure, spec);
    const plot = figure.querySelector(".plot");
    plot.hidden = false;
    plot.replaceChildren();
    const highest = Math.max(...spec.bounds.map(([, value]) => value), 0);
    const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false } };
    const few = (u, splits) => {
      let last = -Infinity;
      return splits.map((x) => {
        const at = u.valToPos(x, "x");
        if (at - last < LEAST_LABEL_PX) return null;
        last = at;
        return x;
      });
    };
    const across = spec.isTime
      ? { ...axis, size: 34, space: 60, incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400], values: (_, splits) => splits.map(clock) }
      : { ...axis, size: 34, splits: () => xs, filter: few, values: (_, splits) => splits.map((x) => (x == null ? "" : labels[xs.indexOf(x)])) };
    const u = new uPlot(
      {
        width: matchMedia("print").matches ? PAPER : plot.clientWidth || PAPER,
        padding: [null, 44, null, null],
        height: HEIGHT,
        cursor: { drag: { x: spec.isTime, y: false }, points: { size: 6 } },
        scales: {
          x: { time: false },
          y: spec.isLog
            ? { distr: 3, range: (_, low, high) => uPlot.rangeLog(low ?? 1, Math.max(high ?? 1, highest), 10, false) }
            : { range: (_, low, high) => [Math.min(0, low ?? 0), uPlot.rangeNum(0, Math.max(high ?? 1, highest, 1), 0.1, true)[1]] },
        },
        axes: [across, { ...axis, size: 56, values: (_, splits) => splits.map((v) => (v == null ? "" : short(v))) }],
        series: [
          { label: spec.isTime ? "time" : "at", value: (_, x, __, at) => (x == null ? "–" : spec.isTime ? clock(x) : labels[at] ?? "–") },
          ...names.map((label, at) => ({
            label,
            stroke: colour(`series-${at + 1}`),
            width: 1.75,
            dash: DASHES[at],
            spanGaps: !spec.isTime,
            points: { show: true, size: 4, fill: colour(`series-${at + 1}`), filter: spec.isTime ? alone : undefined },
            value: (_, value) => short(value),
          })),
        ],
        hooks: {
          drawClear: [shade(JSON.parse(figure.dataset.faults))],
          draw: [bound(spec.bounds)],
        },
      },
      [xs, ...drawn],
      plot,
    );
    keyboard(u, plot, figure.querySelector("figcaption strong").textContent);
    u.again = () => {
      const { xs, drawn } = read(figure, spec);
      u.setData([xs, ...drawn]);
    };
    return u;
  };

  // A point without neighbours makes no line.
  const alone = (u, at) => {
    const line = u.data[at];
    return [...line.keys()].filter((i) => line[i] != null && line[i - 1] == null && line[i + 1] == null);
  };

  const keyboard = (u, plot, title) => {
    plot.tabIndex = 0;
    plot.setAttribute("role", "group");
    plot.setAttribute("aria-label", `${title}, as a chart: arrow keys read it point by point`);
    plot.onkeydown = ({ key }) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
      if (!step) return;
      const last = u.data[0].length - 1;
      const at = Math.min(last, Math.max(0, (u.cursor.idx ?? (step > 0 ? -1 : last + 1)) + step));
      u.setCursor({ left: u.valToPos(u.data[0][at], "x"), top: u.bbox.height / devicePixelRatio / 2 });
    };
  };

  const all = () => {
    const figures = [...document.querySelectorAll("figure.chart")];
    for (const u of charts.splice(0)) u.destroy();
    for (const figure of figures) {
      try {
        charts.push(draw(figure));
      } catch (error) {
        const plot = figure.querySelector(".plot");
        plot.textContent = `This chart could not be drawn (${error}); its numbers are below.`;
        figure.querySelector("details").open = true;
      }
    }
  };

  all();
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) all();
    width = innerWidth;
  });
  for (const what of ["(prefers-color-scheme: dark)", "print"]) matchMedia(what).addEventListener("change", all);
})();
