"""Theme and style sheet of the page. Fonts of the viewer's own system: nothing is fetched."""

from __future__ import annotations

import gradio as gr

_FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

THEME = gr.themes.Soft(
    primary_hue="indigo", secondary_hue="indigo", neutral_hue="slate", font=_FONT, font_mono=_MONO
).set(
    # quiet labels instead of coloured chips, and subdued text that is still easy to read
    background_fill_primary="*neutral_50",
    block_title_background_fill="transparent",
    block_title_background_fill_dark="transparent",
    block_title_padding="0",
    block_title_text_color="*body_text_color",
    block_title_text_color_dark="*body_text_color",
    body_text_color_subdued="*neutral_500",
    body_text_color_subdued_dark="*neutral_400",
    # one step darker than Soft's, so that white on it and it on white have a contrast above 4.5
    color_accent="*primary_600",
    block_label_text_color="*neutral_600",
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_hover="*primary_700",
    checkbox_label_background_fill_selected="*primary_600",
    link_text_color_dark="*primary_400",
)

CSS = """
/* Gradio hides what sticks out, which also keeps every part inside from staying in view (.stays) */
.gradio-container { max-width: 1280px !important; margin: 0 auto !important;
  overflow: clip !important; --page-side: clamp(12px, 10vw - 27px, 32px); }
/* Gradio's own margins of 32px are a sixth of a phone's width */
.gradio-container .app { padding: 16px var(--page-side) !important; }
/* a wide table scrolls inside its own box instead of widening a phone's page */
.gradio-container :is(.main, .wrap, main) { min-width: 0; }
.html-container { padding: 0 !important; }
#header { padding: 4px 0 0; }
#header h1 { font-size: 1.5rem; line-height: 1.2; margin: 0; letter-spacing: -0.01em; }
#header p { margin: 2px 0 0; color: var(--body-text-color-subdued); }
/* the levels of headings follow each other for those who listen; their sizes are smaller than
   Gradio's */
.gradio-container .prose h2 { font-size: var(--text-lg); }
.note, .note p, .note li { color: var(--body-text-color-subdued) !important;
  font-size: 0.9rem; line-height: 1.45; }
/* an empty line of text takes no room; its column would still keep a gap on both sides of it */
.when-said:not(:has(.md > *)) { display: none !important; }
/* a choice that is longer than its box ends in dots before the arrow, not under it */
.gradio-container input[role="combobox"] { text-overflow: ellipsis; padding-right: 1.3rem; }
/* Gradio has one accent for both modes; as text on a dark page it has to be lighter */
.dark [role="tab"][aria-selected="true"] { color: var(--primary-400) !important; }
.dark input[type="range"] { --neutral-200: #475569; }
/* Gradio's dark page gives a button that cannot be pressed the colour of the main one */
.dark button.secondary:disabled { background: var(--button-secondary-background-fill) !important; }
button.label-wrap { text-align: left; }
.swatch { display: inline-block; width: 0.7em; height: 0.7em; border-radius: 50%;
  margin-right: 0.35em; }

/* as high as the chart of seven classes and three parts, so that nothing moves when it comes */
#data-chart { min-height: 622px; }

.face-grid { display: grid; gap: 12px 10px; grid-template-columns: repeat(8, minmax(0, 1fr)); }
.face-grid figure { margin: 0; min-width: 0; }
.face-grid img { width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 8px; margin: 0;
  image-rendering: pixelated; background: var(--background-fill-secondary); display: block; }
.face-grid.smooth img { image-rendering: auto; }
#data-near-twins .note { margin: 10px 0 0; }
/* A block that is still empty has no height, in which its progress would not be seen. */
.gradio-container .block:has(.progress-level) { min-height: 90px; }
#batch-preview .face-grid { grid-template-columns: repeat(5, minmax(0, 1fr)); }
.pairs .face-grid { grid-template-columns: repeat(6, minmax(0, 1fr)); margin-top: 8px; }
.pairs .face-grid img { aspect-ratio: 2; }
.face-grid figcaption { font-size: 0.82rem; line-height: 1.25; margin-top: 4px;
  overflow-wrap: anywhere; color: var(--body-text-color); }
.face-grid figcaption small { color: var(--body-text-color-subdued); display: block;
  font-size: 0.74rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.before-after small { white-space: normal !important; }

.plain-table { overflow-x: auto; width: 0; min-width: 100%; }
.plain-table table { width: 100%; border-collapse: collapse; margin: 0;
  font-size: 0.88rem; font-variant-numeric: tabular-nums; }
.plain-table :is(table, thead, tbody, tfoot, tr) { border: none !important; }
.plain-table tr > * { padding: 5px 6px !important; text-align: right; white-space: nowrap;
  border: none !important; border-bottom: 1px solid var(--border-color-primary) !important;
  color: var(--body-text-color); background: none !important; }
.plain-table tr > :first-child { text-align: left; font-weight: 500; padding-left: 0 !important; }
.plain-table thead th { color: var(--body-text-color-subdued); font-weight: 500; }
.plain-table tfoot tr > * { font-weight: 600; }
.plain-table tfoot tr.ratio > * { font-weight: 400; color: var(--body-text-color-subdued); }
.plain-table.texts tr > * { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.plain-table.texts thead th { overflow-wrap: normal; }

.cards { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(230px, 1fr)); }
.card { border: 1px solid var(--border-color-primary); border-radius: 12px; padding: 12px 14px;
  background: var(--block-background-fill); }
.card b { font-size: 1.5rem; margin-right: 0.35em; font-variant-numeric: tabular-nums; }
.card p { margin: 4px 0 0; font-size: 0.9rem; color: var(--body-text-color-subdued); }
.card.warn { border-left: 4px solid #e0a100; }
.bottom-row { align-items: flex-end; }
.block.notice { border-left: 4px solid #d1495b; padding: 6px 12px !important; }

.before-after { display: grid; gap: 18px; grid-template-columns: minmax(120px, 1fr) 4fr; }
.before-after .note { font-size: 0.82rem; margin: 6px 0 0; }
.before-after h2 { margin: 0 0 6px; font-size: 0.95rem; }
.before-after .face-grid { grid-template-columns: repeat(4, minmax(0, 1fr)); }
.before-after section:first-child .face-grid { grid-template-columns: 1fr; }
.verdict { margin-top: 10px; }
.stays { position: sticky; top: 8px; align-self: flex-start; }

@media (max-width: 900px) { .face-grid { grid-template-columns: repeat(6, minmax(0, 1fr)); } }
@media (max-width: 640px) {
  /* so that all five tabs stand in one line, instead of three of them behind dots */
  #tabs > .tab-wrapper { padding: 0; }
  #tabs > .tab-wrapper button { font-size: 0.82rem; padding: 0 6px; }
  .face-grid { grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 10px 6px; }
  .pairs .face-grid { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .face-grid figcaption small { white-space: normal; min-height: 2.5em; }
  .stays { position: static; }
  /* the pictures stay in view while the sliders below them are moved; the columns' parts stand in
     one line for that, since what sticks does so only within its own column */
  .pictures-first { flex-direction: column; }
  .pictures-first > .column { display: contents; }
  .pictures-first #augment-result { order: -1; position: sticky; top: 0; z-index: 50;
    overflow: visible !important; padding: 6px 0 !important;
    background: var(--body-background-fill); }
  #augment-result, #augment-result > * { min-height: 0 !important; }
  #augment-result .before-after { gap: 8px; grid-template-columns: 76px minmax(0, 1fr); }
  #augment-result .before-after .face-grid { gap: 4px; grid-template-columns: repeat(6, 1fr); }
  #augment-result .before-after section:first-child .face-grid { grid-template-columns: 1fr; }
  #augment-result .before-after :is(.note, section:last-child small) { display: none; }
  #augment-result section:last-child figcaption { font-size: 9px; margin-top: 1px;
    overflow: hidden; white-space: nowrap; }
  #augment-result section:last-child .swatch { display: none; }
  #augment-result .verdict { margin: 4px 0 0; font-size: 0.85rem; }
}
/* a chart cannot know the page's mode; its grey text (`figures.layout.TEXT`) is told by colour */
.dark .js-plotly-plot text[style*="fill: rgb(100, 116, 139)"] {
  fill: var(--neutral-400) !important; }
/* without a mouse a chart's tool bar would never go away, and it lies over the chart */
@media (hover: none), (max-width: 640px) { .js-plotly-plot .modebar { display: none !important; } }
@media (max-width: 640px) {
  #efficiency-chart .textpoint text { font-size: 8px !important; }
}
/* What the keyboard has reached: Gradio takes the outline of these away. */
.gradio-container input:is([type=range], [type=checkbox]):focus-visible,
.gradio-container label:has(input[type=radio]:focus-visible) {
  outline: 2px solid var(--color-accent) !important; outline-offset: 3px; border-radius: 4px; }
.mono textarea { font-family: var(--font-mono); font-size: 0.86rem; }
/* A wide table scrolls inside itself. */
#leaderboard, #per-class { max-width: calc(100vw - 2 * var(--page-side)); }
"""
