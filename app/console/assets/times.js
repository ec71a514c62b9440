/** How long ago something was. */
const units = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
];
const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

function ago(date) {
  const seconds = Math.round((Date.now() - date.getTime()) / 1000);
  const [size, unit] = units.find(([least]) => seconds >= least) ?? [1, 'second'];
  return seconds < 5 ? 'just now' : words.format(-Math.floor(seconds / size), unit);
}

/** Brings every `<time data-ago>` up to date. */
export function tellTimes() {
  for (const time of document.querySelectorAll('time[data-ago]')) {
    time.textContent = ago(new Date(time.dateTime));
  }
}
