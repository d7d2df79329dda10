/** Options of uPlot for one chart of the device page. All its looks come from the page's tokens. */
import uPlot from 'uplot';
import { BINARY_STEPS, timeLabels, yRange, type Scale } from '../lib/axis';
import type { Format } from '../lib/format';
import { loneIn, type Gap } from '../lib/gaps';
import type { Line } from '../lib/lines';

/** What a chart shows and whom it tells. The functions are asked at each drawing. */
export interface PlotSpec {
  lines: readonly Line[];
  scale: Scale;
  /** The axis is at least this high. */
  least: number;
  binary: boolean;
  label: (value: number) => string;
  format: Format;
  limit: () => number | undefined;
  gaps: () => readonly Gap[];
  window: () => { from: number; to: number };
  onhover: (at: { index: number; time: number } | null) => void;
  onzoom: (from: number, to: number) => void;
  onreset: () => void;
}

/** Less than this is a click that slipped. */
const LEAST_DRAG_PX = 6;
/** With more lines their bands would cover each other. */
const BANDS_UP_TO = 3;
/** Size of a value that stands alone. */
const LONE_PX = 4;
const AXIS_PX = 74;
export const PLOT_HEIGHT = 176;

export function plotOptions(spec: PlotSpec, host: HTMLElement, width: number): uPlot.Options {
  const style = getComputedStyle(host);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const font = `12px ${style.fontFamily}`;
  const [muted, grid] = [token('--muted'), token('--line')];
  const banded = spec.lines.length <= BANDS_UP_TO;

  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  for (const line of spec.lines) {
    const stroke = token(`--series-${String(line.color)}`);
    const at = series.length;
    const edge = { show: banded, width: 0, points: { show: false } };
    series.push(
      { stroke, width: 1.5, points: { show: false, size: LONE_PX, fill: stroke, filter: lone } },
      { ...edge, stroke: 'transparent' },
      { ...edge, stroke: 'transparent' },
    );
    if (banded) bands.push({ series: [at + 2, at + 1], fill: transparent(stroke) });
  }

  return {
    width,
    height: PLOT_HEIGHT,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    series,
    bands,
    scales: {
      x: {
        range: () => {
          const { from, to } = spec.window();
          return [from / 1000, to / 1000];
        },
      },
      y: { range: (_plot, min, max) => yRange(spec.scale, min, max, spec.least) },
    },
    axes: [
      {
        stroke: muted,
        font,
        size: 28,
        gap: 6,
        space: 72,
        grid: { stroke: grid, width: 1 },
        ticks: { show: false },
        values: (_plot, splits, _axis, _space, step) => timeLabels(splits, step, spec.format),
      },
      {
        stroke: muted,
        font,
        size: AXIS_PX,
        gap: 8,
        space: 36,
        grid: { stroke: grid, width: 1 },
        ticks: { show: false },
        ...(spec.binary ? { incrs: BINARY_STEPS } : {}),
        ...(spec.scale === 'percent' ? { splits: () => [0, 25, 50, 75, 100] } : {}),
        values: (_plot, splits) => splits.map((value) => spec.label(value)),
      },
    ],
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false, dist: LEAST_DRAG_PX },
      points: { size: 7, show: true },
      // All charts of the page show the same moment; a drag belongs to one.
      sync: {
        key: 'device',
        filters: { pub: (type) => type.startsWith('mousem') || type.startsWith('mousel') },
      },
      bind: {
        dblclick: () => () => {
          spec.onreset();
          return null;
        },
      },
    },
    hooks: {
      drawClear: [(plot) => shadeGaps(plot, spec.gaps(), token('--gap'))],
      draw: [(plot) => drawLimit(plot, spec.limit(), token('--trouble'))],
      setCursor: [
        (plot) => {
          const { idx, left = -1 } = plot.cursor;
          if (idx === null || idx === undefined || left < 0) spec.onhover(null);
          else spec.onhover({ index: idx, time: plot.posToVal(left, 'x') * 1000 });
        },
      ],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < LEAST_DRAG_PX) return;
          const [from, to] = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          spec.onzoom(from * 1000, to * 1000);
        },
      ],
    },
  };
}

/** No line shows a value between two gaps: a dot does. */
function lone(plot: uPlot, series: number): number[] | null {
  const found = loneIn((plot.data[series] ?? []) as ArrayLike<number | null | undefined>);
  return found.length > 0 ? found : null;
}

/** The colour at a sixth of its strength. The tokens are `#rrggbb`. */
function transparent(color: string): string {
  return `${color}2b`;
}

function shadeGaps(plot: uPlot, gaps: readonly Gap[], fill: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = fill;
  for (const gap of gaps) {
    const from = plot.valToPos(gap.from / 1000, 'x', true);
    const to = plot.valToPos(gap.to / 1000, 'x', true);
    ctx.fillRect(from, bbox.top, to - from, bbox.height);
  }
  ctx.restore();
}

function drawLimit(plot: uPlot, limit: number | undefined, stroke: string): void {
  if (limit === undefined) return;
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(limit, 'y', true));
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.lineWidth = window.devicePixelRatio;
  ctx.setLineDash([2 * window.devicePixelRatio, 4 * window.devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}
