"""Style sheet of the Predict tab: the marked picture, face cards, bars, the camera's overlay."""

from __future__ import annotations

PREDICT_CSS = """
.prediction { display: grid; gap: 18px;
  grid-template-columns: repeat(auto-fit, minmax(min(290px, 100%), 1fr));
  align-items: start; }
.prediction > .summary { grid-column: 1 / -1; margin: 0; font-size: 1.05rem; }
.prediction > .saves { grid-column: 1 / -1; margin: -12px 0 0; font-size: .85rem;
  color: var(--body-text-color-subdued); }
.saves a { color: var(--link-text-color); text-decoration: underline; margin: 0; }
.prediction .face-cards { display: grid; gap: 12px; }
.prediction.many > div { grid-column: 1 / -1; }
.prediction.many .face-cards { grid-template-columns:
  repeat(auto-fill, minmax(min(320px, 100%), 1fr)); }
.seen { position: relative; display: table; margin: 0 auto; max-width: 100%; line-height: 0; }
.seen > img { max-width: 100%; max-height: 460px; border-radius: 10px; display: block; margin: 0; }
.face-box { position: absolute; border: 2.5px solid var(--hue); border-radius: 6px;
  box-shadow: 0 0 0 1px rgba(0,0,0,.45), inset 0 0 0 1px rgba(0,0,0,.35); }
.face-box > span { position: absolute; bottom: 100%; left: -2.5px; margin-bottom: 3px;
  padding: 2px 7px; border-radius: 6px; white-space: nowrap; font-size: .82rem; font-weight: 600;
  line-height: 1.35; background: var(--hue); color: var(--ink); }
.face-box > span b { font-weight: inherit; color: inherit; }
@media (max-width: 600px) { /* side by side the shares would lie on each other's labels */
  .seen:has(.face-box + .face-box) .face-box > span b { display: none; }
  .seen:has(.face-box + .face-box) .face-box > span { font-size: .7rem; padding: 1px 4px; } }
.face-box.low > span { bottom: auto; top: 100%; margin: 3px 0 0; }
.face-box.right > span { left: auto; right: -2.5px; }
.face-card { display: grid; grid-template-columns: 104px minmax(0, 1fr); gap: 4px 14px;
  padding: 12px 14px; border: 1px solid var(--border-color-primary); border-radius: 12px;
  border-left: 5px solid var(--hue); background: var(--background-fill-primary); }
.face-card img { width: 104px; height: 104px; border-radius: 8px; image-rendering: pixelated;
  margin: 0; background: var(--background-fill-secondary); }
.face-card figure { margin: 0; }
.face-card figcaption { font-size: .74rem; line-height: 1.3; margin-top: 4px;
  color: var(--body-text-color-subdued); }
.face-card .says { margin: 0 0 6px; }
.bars { list-style: none; margin: 0; padding: 0; display: grid; gap: 3px; }
.bars li { display: grid; grid-template-columns: 5.2em minmax(0, 1fr) 3.4em; align-items: center;
  gap: 8px; margin: 0; font-size: .84rem; line-height: 1.3; color: var(--body-text-color-subdued); }
.bars li.top { font-weight: 650; color: var(--body-text-color); }
.bars .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bars .track { height: 9px; border-radius: 5px; background: var(--background-fill-secondary);
  box-shadow: inset 0 0 0 1px var(--border-color-primary); overflow: hidden; }
.bars .track i { display: block; height: 100%; background: var(--hue); border-radius: 5px; }
.bars .share { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.explained { display: grid; grid-template-columns: subgrid; grid-column: 1 / -1; margin-top: 8px;
  align-items: start; font-size: .88rem; line-height: 1.4; }
.explained > p { margin: 0; }
.explained .key { display: block; margin-top: 6px; font-size: .76rem;
  color: var(--body-text-color-subdued); }
.explained .key i { display: inline-block; width: 10px; height: 10px; border-radius: 3px;
  margin-right: 2px; }
.explained img { image-rendering: auto; }
.explained .key i { forced-color-adjust: none; }
.not-explained { grid-column: 1 / -1; margin: 4px 0 0; }
.explained .loses { background: rgb(230, 120, 0); }
.explained .gains { background: rgb(0, 114, 178); margin-left: 6px; }
.examples { display: grid; gap: 8px; grid-template-columns: repeat(auto-fill, minmax(68px, 1fr)); }
.examples button { all: unset; cursor: pointer; border-radius: 10px; display: grid; gap: 4px;
  font-size: .78rem; line-height: 1.25; color: var(--body-text-color); align-content: start; }
.examples img { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 10px; margin: 0;
  border: 1px solid var(--border-color-primary); display: block; box-sizing: border-box; }
.examples button:hover img, .examples button:focus-visible img {
  outline: 2px solid var(--color-accent); outline-offset: 1px; }
#webcam-stage { position: relative; }
#webcam-over { position: absolute !important; inset: 0; pointer-events: none; z-index: 5;
  container-type: size; padding: 0 !important; }
#webcam-over .over { position: absolute; top: 50%; left: 50%; transform: translate(-50%, -50%);
  width: min(100cqw, 100cqh * var(--wide)); }
#webcam-camera { padding: 0 !important; }
#webcam-camera video { display: block; width: 100%; aspect-ratio: 4 / 3; object-fit: contain;
  background: #10131c; border-radius: 12px; transform: scaleX(-1); }
@media (max-width: 640px) {
  .face-card { grid-template-columns: 76px minmax(0, 1fr); gap: 4px 10px; padding: 10px; }
  .face-card img { width: 76px; height: 76px; }
}
#webcam-live .says { min-height: 3em; }
.note.origins { margin-top: 10px; font-size: .78rem; line-height: 1.4; }
.message { border: 1px dashed var(--border-color-primary); border-radius: 12px; padding: 22px 20px;
  color: var(--body-text-color); }
.message h2 { margin: 0 0 6px; font-size: 1.05rem; }
.message p, .message ol { margin: 6px 0 0; }
.message.problem { border: 1px solid #d1495b; border-left-width: 5px; }
"""
