'use strict';
const root = document.documentElement;
const steps = [...document.querySelectorAll('details.step')];
const dark = matchMedia('(prefers-color-scheme: dark)');
const theme = name => { root.dataset.theme = name; };
theme(dark.matches ? 'dark' : 'light');
dark.addEventListener('change', event => theme(event.matches ? 'dark' : 'light'));
const by = id => document.getElementById(id);
const flip = () => theme(root.dataset.theme === 'dark' ? 'light' : 'dark');
by('theme').addEventListener('click', flip);
const open = state => steps.forEach(step => { if (!step.hidden) step.open = state; });
by('open').addEventListener('click', () => open(true));
by('close').addEventListener('click', () => open(false));
let zoom = 1;
const rescale = factor => {
  zoom = Math.min(64, Math.max(1, zoom * factor));
  document.querySelectorAll('.track i').forEach(bar => {
    const [from, length] = bar.dataset.at.split(' ').map(Number);
    bar.style.left = from * zoom + '%';
    bar.style.width = length * zoom + '%';
  });
  document.querySelectorAll('.track').forEach(track => { track.style.overflowX = zoom > 1 ? 'auto' : 'hidden'; });
  by('zoom').textContent = zoom + '×';
};
by('in').addEventListener('click', () => rescale(2));
by('out').addEventListener('click', () => rescale(0.5));
const filter = by('filter');
const only = by('bad');
const sift = () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const bad = only.getAttribute('aria-pressed') === 'true';
  for (const step of steps) {
    const text = step.querySelector('.name').textContent.toLowerCase();
    const isBad = !step.classList.contains('passed') && !step.classList.contains('skipped');
    step.hidden = (bad && !isBad) || !words.every(word => text.includes(word));
  }
};
filter.addEventListener('input', sift);
only.addEventListener('click', () => { only.setAttribute('aria-pressed', only.getAttribute('aria-pressed') !== 'true'); sift(); });
const move = by => {
  const shown = steps.filter(step => !step.hidden);
  const now = shown.findIndex(step => step.contains(document.activeElement));
  const next = shown[Math.min(shown.length - 1, Math.max(0, now + by))];
  if (next) { next.querySelector('summary').focus(); next.scrollIntoView({ block: 'nearest' }); }
};
document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === filter) { if (event.key === 'Escape') filter.blur(); return; }
  const keys = { j: () => move(1), k: () => move(-1), t: flip, e: () => open(true), c: () => open(false), b: () => only.click(), '+': () => rescale(2), '-': () => rescale(0.5), '/': () => filter.focus() };
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
});
addEventListener('beforeprint', () => open(true));
const failed = steps.find(step => step.classList.contains('failed') || step.classList.contains('errored'));
if (failed) failed.open = true;
